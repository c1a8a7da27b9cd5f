"""What a person marks becomes an example: of no word, or of what it was, and the next training knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from made_words import RATE_HZ, room, spoken

from device.commands.listen_marks import asked
from device.teach.marked import mark, miss
from edge_tl.errors import ConfigError, ExampleError
from edge_tl.frames import Frame
from edge_tl.labels import NOISE
from edge_tl.line import Word
from edge_tl.store.examples import ExampleStore
from edge_tl.words.mistakes import Mistakes

pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
pytest.importorskip("soxr", reason="soxr is not installed: pip install -e .[speech]")
pytest.importorskip("pyopen_wakeword", reason="pyopen-wakeword is not installed: pip install -e .[speech]")

from edge_tl.embedders.speech import SpeechEmbedder


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ExampleStore]:
    """Two words, nothing recorded."""
    with ExampleStore(tmp_path / "examples.sqlite", writable=True) as store:
        store.add_label("hum")
        store.add_label("hiss")
        yield store


@pytest.fixture(scope="module")
def embedder() -> SpeechEmbedder:
    """The base."""
    return SpeechEmbedder.load(1)


@pytest.fixture
def mistakes() -> Mistakes:
    """A hum was told."""
    mistakes = Mistakes()
    mistakes.take(
        Frame(np.concatenate([room(2.0), spoken("hum", 3), room(0.8)]), 10.0, rate_hz=RATE_HZ), Word("hum", 0.9, 12.9)
    )
    return mistakes


def test_nothing_teaches_what_is_no_word(store: ExampleStore, embedder: SpeechEmbedder, mistakes: Mistakes) -> None:
    """Kept with its sound as noise, in a take of its own, in a session that is no lesson; told once."""
    assert mark(mistakes, store, embedder, None, 1, True).startswith("kept as background noise: it was reported as hum")
    (one,) = store.list()
    assert (one.label, one.source, store.session_name(one.session)) == (NOISE, "marked: told as hum", "marked")
    assert store.sound(one.id).duration_s > 1
    assert store.matrix(embedder.fingerprint).aside.marked == {one.take}
    with pytest.raises(ExampleError, match="corrected already, as nothing"):
        mark(mistakes, store, embedder, "hiss", 1, True)
    mistakes.take(Frame(room(0.5), 14.0, rate_hz=RATE_HZ), Word("hum", 0.9, 12.9))
    mark(mistakes, store, embedder, "hiss", None, True)
    assert [(one.label, one.session) for one in store.list()] == [(NOISE, 1), ("hiss", 1)]
    assert len({one.take for one in store.list()}) == 2


def test_where_sounds_are_not_kept_the_embedding_is(
    store: ExampleStore, embedder: SpeechEmbedder, mistakes: Mistakes
) -> None:
    """Privacy is as the profile has it; a missed word is cut out and kept so too."""
    mark(mistakes, store, embedder, "hiss", None, False)
    miss(mistakes, store, embedder, "hum", False)
    assert [(one.label, one.media_bytes_len) for one in store.list()] == [("hiss", 0), ("hum", 0)]
    assert store.matrix(embedder.fingerprint).X.any(axis=1).all()


def test_what_cannot_be_marked_keeps_nothing(store: ExampleStore, embedder: SpeechEmbedder, mistakes: Mistakes) -> None:
    """What was told rightly, a word that nobody taught, and noise that was missed."""
    with pytest.raises(ExampleError, match="hum is the word that was reported"):
        mark(mistakes, store, embedder, "hum", None, True)
    with pytest.raises(ExampleError, match="there is no word 'hop'; those there are: hum, hiss"):
        mark(mistakes, store, embedder, "hop", None, True)
    with pytest.raises(ExampleError, match="there is no word 'hop'"):
        miss(mistakes, store, embedder, "hop", True)
    assert store.list() == []
    assert not mistakes.moment(None).marked


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        (b'{"nothing": 3}', {"was": None, "number": 3}),
        (b'{"nothing": null}', {"was": None, "number": None}),
        (b'{"was": "hum"}', {"was": "hum", "number": None}),
        (b'{"was": "hum", "number": 2}', {"was": "hum", "number": 2}),
        (b'{"missed": "hum"}', {"was": "hum", "missed": True}),
    ],
)
def test_a_mark_is_a_line_of_json(line: bytes, meant: dict[str, object]) -> None:
    """The three things that a person may say."""
    assert asked(line) == meant


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"nothing",
        b'{"nothing": 0}',
        b'{"nothing": true}',
        b'{"was": 3}',
        b'{"missed": null}',
        b'{"was": "hum", "numbr": 2}',
        b"\xff",
        b"[" * 4000,
    ],
)
def test_any_other_line_is_refused(line: bytes) -> None:
    """The answer says what is wanted."""
    with pytest.raises(ConfigError, match="is wanted"):
        asked(line)
