"""Sounds without the words become a class that is never told: what is picked, what it changes, and that it stays."""

from __future__ import annotations

import numpy as np
import pytest

from edge_tl.core.features import PLAIN
from edge_tl.core.kept import as_stored
from edge_tl.errors import ShapeError
from edge_tl.frames import Frame
from edge_tl.labels import OTHER
from edge_tl.recognizer import Recognizer
from edge_tl.testing import FakeEmbedder
from edge_tl.words.alarms import answers, left_out
from edge_tl.words.others import ANY, HARDEST, others_in, pick

pytestmark = pytest.mark.exact

DIM, VIEWS = 8, 3
MIDDLES = {"go": np.eye(DIM)[0], "stop": np.eye(DIM)[1], "background noise": np.eye(DIM)[2]}
BETWEEN = 0.8 * np.eye(DIM)[0] + 0.6 * np.eye(DIM)[3]
"""Something that is more like "go" than like anything else, and is none of the words."""


class Spoken:
    """An embedder of sound whose windows are made by hand: of `DIM` samples, which are the embedding."""

    kind, name, fingerprint = "sound", "spoken", "f" * 64
    embedding_dim, embedding_shape, features = DIM, (DIM,), PLAIN
    rate_hz, window_samples, hop_samples, views, word_at = 8000, DIM, DIM, VIEWS, 0.5

    def fit(self, data: np.ndarray) -> np.ndarray:
        """As it is."""
        return data

    def embed(self, data: np.ndarray) -> np.ndarray:
        """The samples themselves."""
        return data.astype(np.float32)

    def taught(self, recording: np.ndarray) -> np.ndarray:
        """The same window at every place."""
        return np.stack([recording[:DIM]] * VIEWS)

    def stream(self) -> Spoken:
        """Itself."""
        return self

    def push(self, samples: np.ndarray) -> list[np.ndarray]:
        """A window after the other."""
        return list(samples.reshape(-1, DIM).astype(np.float32))


def rows(middle: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Windows near a place, (count, DIM)."""
    made = middle + np.random.default_rng(seed).normal(0, 0.08, (count, DIM))
    return np.stack([as_stored(row.astype(np.float32)) for row in made])


@pytest.fixture
def recognizer() -> Recognizer:
    """Two words and noise, ten recordings each, trained."""
    made = Recognizer(Spoken())  # type: ignore[arg-type]
    take = 0
    for number, (label, middle) in enumerate(MIDDLES.items()):
        for part in np.split(rows(middle, 10 * VIEWS, number), 10):
            take += 1
            made.add(part.reshape(-1), label, take)
    made.learn()
    return made


def test_what_is_near_a_word_is_told_no_more(recognizer: Recognizer) -> None:
    """A sound that counted as a word is one of the others once such were taught; the words are told as before."""
    strange = rows(BETWEEN, 200, 7)
    go = list(recognizer.classes).index("go")
    before, familiar = answers(recognizer, strange[100:])
    recognizer.others = pick(recognizer, [(strange[:100], np.arange(100) * 0.6)])
    recognizer.learn()
    assert OTHER in recognizer.classes
    place = list(recognizer.classes).index("go")
    after, known = answers(recognizer, strange[100:])
    assert (after[:, place] * known).mean() < 0.2 * (before[:, go] * familiar).mean()
    assert recognizer.recognize(strange[150]).label is None
    assert not recognizer.recognize(strange[150]).known
    assert recognizer.recognize(rows(MIDDLES["go"], 1, 9)[0]).label == "go"
    found = left_out(recognizer)
    assert len(found) == 30
    assert np.mean([windows.probabilities[:, place].mean() for label, windows in found if label == "go"]) > 0.8


def test_what_was_taught_is_counted_without_them(recognizer: Recognizer) -> None:
    """The class is nobody's: it is no class of what was learned, and not asked in an evaluation."""
    recognizer.others = rows(BETWEEN, 50, 8)
    learned = recognizer.learn()
    assert learned.examples == 30
    assert OTHER not in learned.classes
    evaluation = recognizer.evaluate()
    assert OTHER not in evaluation.classes
    assert evaluation.examples == 30
    assert evaluation.confusion.sum() == 30


def test_it_is_saved_with_the_head(recognizer: Recognizer) -> None:
    """A restored recognizer answers the same and teaches the same again; one of another embedder takes nothing over."""
    recognizer.others = rows(BETWEEN, 50, 8)
    recognizer.learn()
    saved = recognizer.save()
    again = Recognizer.restore(saved, recognizer.embedder)
    assert np.array_equal(again.others, recognizer.others)
    row = rows(BETWEEN, 1, 10)[0]
    assert np.array_equal(again.recognize(row).probabilities, recognizer.recognize(row).probabilities)
    other = Recognizer(FakeEmbedder())
    other.adopt(saved)
    assert not len(other.others)


def test_the_hardest_are_picked_and_some_of_all(recognizer: Recognizer) -> None:
    """Of a long stream the windows nearest to a word are among them, one in half a second; few are kept of hours."""
    easy, hard = rows(MIDDLES["background noise"], 5000, 1), rows(MIDDLES["go"], 20, 2)
    windows = easy.copy()
    windows[100:4100:200] = hard
    found = pick(
        recognizer,
        [(part, over) for part, over in zip(np.split(windows, 10), np.split(np.arange(5000) * 0.08, 10), strict=True)],
    )
    assert len(found) == HARDEST + ANY
    assert all((found == one).all(axis=1).any() for one in hard)
    near = np.repeat(hard[:1], 6, axis=0)
    assert len(pick(recognizer, [(near, np.arange(6) * 0.08)])) == 1 + 6
    assert pick(recognizer, []).shape == (0, DIM)


def test_frames_are_heard_as_windows(recognizer: Recognizer) -> None:
    """The same from frames of sound as from their windows; pictures are one line."""
    sound = rows(BETWEEN, 40, 3)
    frames = [Frame(part.reshape(-1), number * 0.01, rate_hz=8000) for number, part in enumerate(np.split(sound, 4))]
    found = others_in(recognizer, frames)
    assert {one.tobytes() for one in found} <= {one.tobytes() for one in sound}
    assert len(found) >= 40
    pictures = Recognizer(FakeEmbedder())
    with pytest.raises(ShapeError, match="takes pictures"):
        others_in(pictures, frames)
