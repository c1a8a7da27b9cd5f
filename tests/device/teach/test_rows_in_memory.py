"""What is removed goes from the rows in memory: the others are neither read again nor changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from device.teach.lesson import Lesson
from edge_tl.core.examples import Examples
from edge_tl.recognizer import Recognizer
from edge_tl.store.examples import ExampleStore
from edge_tl.testing import FakeClock, FakeEmbedder


@pytest.fixture
def lesson(tmp_path: Path) -> Iterator[Lesson]:
    """Three classes in six takes of five pictures, as one that was stored before is opened."""
    embedder, rng = FakeEmbedder(), np.random.default_rng(0)
    with ExampleStore(tmp_path / "examples.sqlite", writable=True) as store:
        for number in range(6):
            take = store.new_take("abc"[number % 3], "made")
            for _ in range(5):
                picture = rng.integers(0, 256, (24, 32, 3), np.uint8)
                store.add(take, picture, embedder.embed(picture), embedder.fingerprint)
        store.flush()
        yield Lesson(store, Recognizer(FakeEmbedder()), FakeClock())


def held(lesson: Lesson) -> tuple[list[object], ...]:
    """Rows, labels, takes and sessions of its recognizer."""
    X, y, takes = lesson.recognizer.rows
    return X.tolist(), y.tolist(), takes.tolist(), lesson.recognizer.sessions.tolist()


def unread(*_: object) -> Examples:
    """In the place of the store's `matrix`."""
    raise AssertionError("all embeddings are read again")


def test_what_goes_is_taken_out_in_memory(lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    """After examples, a take, a class and the last take went, no embedding was read, and all is as if it had been."""
    with monkeypatch.context() as patched:
        patched.setattr(lesson.store, "matrix", unread)
        assert lesson.remove([2, 9]) == 2
        assert lesson.remove_take(3) == 5
        lesson.remove_label("b")
        assert lesson.undo() == ("c", 5)
    assert held(lesson)[1] == ["a"] * 9
    assert held(lesson) == held(Lesson(lesson.store, Recognizer(FakeEmbedder()), FakeClock()))
    lesson.remove_take(1)
    lesson.remove_take(4)
    assert held(lesson)[1] == []


def test_what_was_renamed_elsewhere_is_read_again(lesson: Lesson) -> None:
    """Rows in memory that are others than the stored ones are not kept."""
    lesson.store.rename("c", "d")
    lesson.remove([1])
    assert set(held(lesson)[1]) == {"a", "b", "d"}
    assert held(lesson) == held(Lesson(lesson.store, Recognizer(FakeEmbedder()), FakeClock()))
