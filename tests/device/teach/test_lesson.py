"""Lesson and Line: frames become examples on disk and in the recognizer, and are undone in both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from device.teach.lesson import Lesson
from edge_tl.controller import Controller
from edge_tl.errors import SourceTimeout
from edge_tl.frames import BaseSource, Frame
from edge_tl.line import Line, PictureLine
from edge_tl.recognizer import Recognizer
from edge_tl.store.examples import ExampleStore
from edge_tl.testing import FakeClock, FakeEmbedder


class Colours(BaseSource):
    """A source of pictures of one colour, 30 a second of a fake clock; `away` raises SourceTimeout."""

    name = "colours"
    simulated = True

    def __init__(self, clock: FakeClock) -> None:
        self.clock, self.colour, self.away, self.index = clock, 50, False, -1
        self.rng = np.random.default_rng(0)

    def open(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The next picture."""
        self.clock.sleep(1 / 30)
        if self.away:
            raise SourceTimeout("away")
        self.index += 1
        picture = np.clip(self.rng.normal(self.colour, 5, (24, 32, 3)), 0, 255).astype(np.uint8)
        return Frame(picture, self.clock(), self.index)


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[tuple[Line, Lesson, Colours]]:
    """A line and a lesson on a store of their own."""
    clock = FakeClock()
    source = Colours(clock)
    recognizer = Recognizer(FakeEmbedder())
    with ExampleStore(tmp_path / "examples.sqlite", writable=True) as store:
        lesson = Lesson(store, recognizer, clock, ["dark", "bright"], minimum=5)
        yield PictureLine(source, recognizer, clock), lesson, source  # type: ignore[arg-type]


def record(parts: tuple[Line, Lesson, Colours], label: str, colour: int, frames: int) -> None:
    """One take."""
    line, lesson, source = parts
    source.colour = colour
    lesson.begin(label, source.name)
    for _ in range(frames):
        sight = line.read(1.0)
        assert sight is not None
        lesson.frame(sight)
    lesson.end()


def test_a_take_is_on_disk_when_it_has_ended(parts: tuple[Line, Lesson, Colours]) -> None:
    """After the key is let go, every frame of the take is counted, and another reader sees it."""
    record(parts, "dark", 20, 7)
    lesson = parts[1]
    assert lesson.counts()["dark"].examples == 7
    with ExampleStore(lesson.store.path, writable=False) as reader:
        assert reader.counts()["dark"].examples == 7


def test_missing_says_what_each_class_needs(parts: tuple[Line, Lesson, Colours]) -> None:
    """Classes without examples need all, others the rest, full ones are not named."""
    record(parts, "dark", 20, 3)
    assert parts[1].missing() == {"dark": 2, "bright": 5}
    record(parts, "dark", 20, 2)
    assert parts[1].missing() == {"bright": 5}


def test_undo_forgets_in_the_store_and_in_the_recognizer(parts: tuple[Line, Lesson, Colours]) -> None:
    """The last take goes, whole, from disk and from what is learned next; the one before stays."""
    record(parts, "dark", 20, 5)
    record(parts, "bright", 220, 6)
    lesson = parts[1]
    assert lesson.undo() == ("bright", 6)
    assert lesson.counts()["dark"].examples == 5
    assert set(lesson.recognizer.rows[1]) == {"dark"}
    assert lesson.undo() == ("dark", 5)
    assert lesson.undo() is None


def test_a_take_without_a_frame_leaves_nothing(parts: tuple[Line, Lesson, Colours]) -> None:
    """A key pressed while the camera is away makes no empty take."""
    line, lesson, source = parts
    source.away = True
    lesson.begin("dark", source.name)
    assert line.read(0.1) is None
    assert lesson.end() is False
    assert lesson.undo() is None


def test_learning_makes_the_line_answer(parts: tuple[Line, Lesson, Colours]) -> None:
    """Before learning a sight has no observation; after it has one, and with a controller a steady label."""
    line, lesson, source = parts
    record(parts, "dark", 20, 5)
    first = line.read(1.0)
    assert first is not None
    assert first.observation is None
    record(parts, "bright", 220, 5)
    lesson.learn()
    line.controller = Controller(line.recognizer.classes)
    source.colour = 220
    sights = [line.read(1.0) for _ in range(30)]
    last = sights[-1]
    assert last is not None
    assert last.steady is not None
    assert last.steady.label == "bright"
    assert line.fps == pytest.approx(30, rel=0.01)
    assert {"resize", "embed", "head", "controller"} <= set(line.stopwatch.summary())


def test_removing_a_class_forgets_it_everywhere(parts: tuple[Line, Lesson, Colours]) -> None:
    """A deleted class is gone from the labels, the counts, and the rows."""
    record(parts, "dark", 20, 5)
    lesson = parts[1]
    lesson.remove_label("dark")
    assert lesson.labels == ["bright"]
    assert "dark" not in lesson.counts()
    assert len(lesson.recognizer.rows[1]) == 0


def test_a_new_lesson_begins_with_what_was_recorded(parts: tuple[Line, Lesson, Colours]) -> None:
    """Opened again, a lesson knows all examples, labels and takes."""
    record(parts, "dark", 20, 5)
    lesson = parts[1]
    again = Lesson(lesson.store, Recognizer(FakeEmbedder()), lesson.clock)
    assert again.labels == ["dark", "bright"]
    assert len(again.recognizer.rows[1]) == 5


def test_a_lesson_has_sessions(parts: tuple[Line, Lesson, Colours]) -> None:
    """Takes go into the session that is shown, on disk and in the recognizer; an empty one only gets the new name."""
    lesson = parts[1]
    assert lesson.new_session("desk") == "session 1 desk"
    record(parts, "dark", 20, 2)
    assert lesson.session == "session 1 desk"
    assert lesson.new_session() == "session 2"
    assert lesson.new_session("kitchen") == "session 2 kitchen"
    record(parts, "dark", 20, 3)
    assert lesson.recognizer.sessions.tolist() == [1, 1, 2, 2, 2]
    assert lesson.recorded().sessions is not None
    lesson.undo()
    assert lesson.recognizer.sessions.tolist() == [1, 1]
    assert [one.name for one in lesson.store.sessions()] == ["desk"]
    assert lesson.session == "session 2 kitchen"


def test_near_copies_are_looked_for_when_an_accuracy_is_told(tmp_path: Path) -> None:
    """Not when a lesson begins, which would stop a service for seconds; whoever waits is told that it goes on."""
    rng = np.random.default_rng(0)
    with ExampleStore(tmp_path / "examples.sqlite", writable=True) as store:
        shown = [(label, rng.integers(0, 256, (24, 32, 3), np.uint8)) for label in "abab"]
        for number, (label, picture) in enumerate((*shown, *shown)):
            again = picture if number < 4 else np.clip(picture.astype(int) + 3, 0, 255).astype(np.uint8)
            embedder = FakeEmbedder()
            store.add(store.new_take(label), again, embedder.embed(again), embedder.fingerprint)
        store.flush()
        lesson = Lesson(store, Recognizer(FakeEmbedder()), FakeClock())
        assert len(set(lesson.recognizer.rows[2].tolist())) == 8
        beats: list[int] = []
        lesson.hold(lambda: beats.append(1))
        assert len(beats) == 8
        assert lesson.recognizer.rows[2].tolist() == [1, 2, 3, 4, 1, 2, 3, 4]
