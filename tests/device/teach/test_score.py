"""What `teach` says after training: how well it does, at once, and what to record where that is badly."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from device.teach.lesson import Lesson
from device.teach.score import QUICK_S, Score, in_words, learn_and_score
from edge_tl.recognizer import Recognizer
from edge_tl.store.examples import ExampleStore
from edge_tl.testing import FakeClock, FakeEmbedder


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ExampleStore]:
    """An empty store."""
    with ExampleStore(tmp_path / "examples.sqlite", writable=True) as opened:
        yield opened


def taught(store: ExampleStore, *, apart: float, takes: int = 2, head: str = "ridge", examples: int = 6) -> Lesson:
    """A lesson of two classes that lie so far apart, shown in so many takes each, and trained on."""
    rng, embedder = np.random.default_rng(3), FakeEmbedder()
    for _ in range(takes):
        for number, label in enumerate(("up", "down")):
            take = store.new_take(label)
            where = apart * (np.arange(embedder.embedding_dim) % 3 == number)  # a colour
            where = where + rng.normal(0, 1, embedder.embedding_dim)
            for _ in range(examples):
                row = where + rng.normal(0, 0.1, embedder.embedding_dim)
                store.add(take, None, row.astype(np.float32), embedder.fingerprint)
    store.flush()
    return Lesson(store, Recognizer(embedder, head), FakeClock(), minimum=5)


def told(lesson: Lesson, clock: FakeClock | None = None) -> tuple[Score, str]:
    """What is found after training, and said of it."""
    learned, found = learn_and_score(lesson, clock or FakeClock())
    return found, in_words(lesson, learned, found, "example", "p plays")


@pytest.mark.parametrize("head", ["ridge", "knn"])
def test_the_figure_is_that_of_the_console(store: ExampleStore, head: str) -> None:
    """It is the headline of the whole account, which is kept for the generation."""
    lesson = taught(store, apart=8.0, head=head)
    found, said = told(lesson)
    assert found.evaluation is not None
    assert found.accuracy == lesson.recognizer.evaluate().headline.accuracy == 1.0
    assert re.search(r"\d+% answered correctly, 100% if it always answered, on held-out takes; p plays", said)


def test_a_low_figure_says_what_to_record(store: ExampleStore) -> None:
    """Classes that look alike are told to be so, with the guide's sentence; nothing is called trained and well."""
    found, said = told(taught(store, apart=0.0, takes=4))
    assert found.low
    assert said.startswith(f"trained, but it confuses the classes on held-out takes ({found.accuracy:.0%}): ")
    assert "up" in said.split(": ", 1)[1]


def test_the_same_pictures_shown_again_are_no_other_take(store: ExampleStore) -> None:
    """Noise under random labels, whose copies are a second take, is nobody's success: the copies count as the first."""
    rng, embedder = np.random.default_rng(5), FakeEmbedder()
    pictures = [rng.integers(0, 240, (24, 32, 3), np.uint8) for _ in range(24)]
    for brighter in (0, 6):
        takes = [store.new_take(label) for label in ("up", "down")]
        for number, picture in enumerate(pictures):
            again = picture + np.uint8(brighter)
            store.add(takes[number % 2], again, embedder.embed(again), embedder.fingerprint)
    store.flush()
    found, said = told(Lesson(store, Recognizer(embedder), FakeClock(), minimum=5))
    assert found.evaluation is not None
    assert found.evaluation.near_copies == 24
    assert found.evaluation.interval95[0] <= 0.5
    assert "100%" not in said


def test_another_session_is_named(store: ExampleStore) -> None:
    """With two sessions the figure is that across them, as everywhere."""
    taught(store, apart=8.0)
    store.new_session("kitchen")
    found, said = told(taught(store, apart=8.0))
    assert found.evaluation is not None
    assert found.evaluation.headline.kind == "session"
    assert "100% answered correctly, 100% if it always answered, on held-out sessions" in said


def test_one_take_is_no_other_take(store: ExampleStore) -> None:
    """Where each class was shown once, the figure is of the same takes and said to be, and a second one is wanted."""
    _, said = told(taught(store, apart=8.0, takes=1))
    assert (
        "right on the takes it was trained on; p plays; one take only of down, up: record a second; 'none of these'"
        in said
    )
    assert len(said) <= 2 * 79


def test_many_rows_say_what_the_head_found_itself(store: ExampleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ridge head of more examples than are judged at once tells what it found in training, takes left out."""
    lesson = taught(store, apart=1.0, takes=5)
    whole, _ = told(lesson)
    monkeypatch.setattr("device.teach.score.QUICK_ROWS", 3)
    found, said = told(lesson)
    assert found.evaluation is None
    assert found.accuracy == whole.accuracy
    assert "on held-out takes" in said


def test_a_slow_head_is_not_waited_for(store: ExampleStore) -> None:
    """A head that is trained anew for each take is judged for a moment only; then the command that does it is named."""

    class Running(FakeClock):
        def __call__(self) -> float:
            self.advance(QUICK_S)
            return super().__call__()

    found, said = told(taught(store, apart=8.0, takes=3, head="prototype"), Running())
    assert math.isnan(found.accuracy)
    assert not found.low
    assert "`edge-tl evaluate` measures the accuracy" in said
