"""What may be typed as a word: nothing that means something to a shell, an engine or a markup language."""

from __future__ import annotations

import pytest

from edge_tl.errors import ExampleError
from edge_tl.words.typing import language_of, typed_text

pytestmark = pytest.mark.exact


@pytest.mark.parametrize(
    "word",
    [
        "",
        " ",
        "...",
        "-v",
        "--help",
        "'quoted'",
        '"quoted"',
        "<ssml>",
        "[[h@l'oU]]",
        "$(reboot)",
        "`reboot`",
        "a;b",
        "a|b",
        "a&b",
        "two\nlines",
        "tab\tbed",
        "null\0",
        "a/b",
        "../x",
        "(system)",
        "🙂",
        "a" * 10_000,
        "\u202ehidden",
    ],
)
def test_what_cannot_be_spoken_is_one_line(word: str) -> None:
    """Syntax of any kind, marks alone, and what is too long are refused; the line is short whatever was typed."""
    with pytest.raises(ExampleError) as refused:
        typed_text(word)
    said = str(refused.value)
    assert said.isprintable()
    assert len(said) < 400


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("computer", "computer"),
        ("Okay, my  word!", "Okay my word"),
        ("don't", "don't"),
        ("e-mail", "e-mail"),
        ("cafe\u0301", "café"),
        ("أعلى", "أعلى"),
        ("line 2", "line 2"),
    ],
)
def test_words_and_phrases_are_spoken(word: str, said: str) -> None:
    """Marks between words are pauses and go, those within stay; letters of any script are letters."""
    assert typed_text(word) == said


def test_the_language_of_latin_letters_is_english() -> None:
    """Any other script must be told."""
    assert language_of("Straße 2") == "en"
    assert language_of("أعلى") is None
