"""Words that are typed in the place of recorded: what may be typed, and which language it is in.

A take of a program's voice is an example like any other but for its source (`Example.typed`): it teaches its word less
than recordings do (`heads/against_world.py`), and is never asked where a recording can be.
"""

from __future__ import annotations

import unicodedata

from edge_tl.errors import ExampleError, counted

MAX_CHARACTERS = 60
"""Of a word or phrase that is typed."""
_WITHIN = "'’-"
"""Marks that belong to words."""
_BETWEEN = ",.!?"
"""Marks that are heard as a pause at most, and are not spoken."""


def typed_text(word: str) -> str:
    """What a voice is to say: letters, digits, the marks within words, single blanks. ExampleError for anything else.

    Nothing that is left can be an option, a file, a mark of a markup language or a phoneme to any program.
    """
    text = unicodedata.normalize("NFC", word)
    if len(text) > MAX_CHARACTERS:
        raise ExampleError(
            f"the word has {counted(len(text), 'character')}; at most {MAX_CHARACTERS} are wanted: a word or a phrase"
        )
    for mark in text:
        if not (
            mark == " "
            or mark in _WITHIN
            or mark in _BETWEEN
            or unicodedata.category(mark)[0] in "LM"
            or "0" <= mark <= "9"
        ):
            raise ExampleError(
                f"{mark!a} in {word[:MAX_CHARACTERS]!a} cannot be spoken: type letters, digits, blanks and {_WITHIN}"
            )
    said = " ".join("".join(" " if mark in _BETWEEN else mark for mark in text).split())
    if not any(unicodedata.category(mark)[0] == "L" or mark.isdigit() for mark in said):
        raise ExampleError(f"{word!a} holds nothing that can be spoken: type a word, as you would say it")
    if said[0] in _WITHIN:
        raise ExampleError(f"{word!a} begins with {said[0]!r}: begin with a letter or a digit")
    return said


def language_of(text: str) -> str | None:
    """The language that is spoken where nobody names one: English for Latin letters; None where it must be named."""
    letters = [mark for mark in text if unicodedata.category(mark)[0] == "L"]
    return "en" if all(unicodedata.name(mark, "").startswith("LATIN") for mark in letters) else None
