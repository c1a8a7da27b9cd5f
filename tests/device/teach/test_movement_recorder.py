"""From a key to a demonstration on disk: found, kept at once, undone; a minute of moving about in pieces; or a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from made_movements import performed, rest, still

from device.teach.lesson import Lesson
from device.teach.movement_guide import in_words, missing, next_step
from device.teach.movement_recorder import MovementRecorder
from device.teach.score import learn_and_score
from edge_tl.embedders.look.movement import MovementEmbedder
from edge_tl.errors import ExampleError
from edge_tl.frames import BaseSource, Frame
from edge_tl.line import Sight
from edge_tl.movements.demonstration import movement_in
from edge_tl.movements.track import Track
from edge_tl.recognizer import Recognizer
from edge_tl.store.examples import ExampleStore
from edge_tl.store.media import stored_track
from edge_tl.testing import FakeClock, FakeEmbedder


class Still(BaseSource):
    """A camera that is there."""

    name = "still"
    simulated = False

    def open(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""

    def read(self, timeout_s: float = 1.0) -> Frame:
        """A black picture."""
        return Frame(np.zeros((24, 32, 3), np.uint8), 0.0, 0)


class Hands:
    """A line whose hand the test holds."""

    def __init__(self) -> None:
        self.source: BaseSource = Still()
        self.landmarks: np.ndarray | None = None
        self.now_s = 0.0

    def see(self, recorder: MovementRecorder, track: Track | None, seconds: float = 0.0) -> int:
        """A track frame by frame, or no hand for so long; how many takes ended."""
        shown: list[np.ndarray | None] = [None] * round(30 * seconds) if track is None else [*track.landmarks]
        ended = 0
        for points in shown:
            self.now_s += 1 / 30
            self.landmarks = points
            ended += recorder.step(Sight(Frame(np.zeros((24, 32, 3), np.uint8), self.now_s, 0), None))
        return ended


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the examples are."""
    return tmp_path / "examples.sqlite"


@pytest.fixture
def parts(place: Path) -> Iterator[tuple[Hands, Lesson, MovementRecorder]]:
    """A line, a lesson of three classes, and its recorder."""
    clock, hands = FakeClock(), Hands()
    with ExampleStore(place, writable=True) as store:
        lesson = Lesson(store, Recognizer(MovementEmbedder(), "movement"), clock, ["left", "circle", "nothing"], 1)
        yield hands, lesson, MovementRecorder(hands, lesson, clock)


def circling(track: Track, seconds: float) -> Track:
    """A hand that goes round and round from where a track begins."""
    times = np.arange(0, seconds, 1 / 30)
    round_ = 80 * np.stack([np.cos(4 * times) - 1, np.sin(4 * times)], axis=1)[:, np.newaxis]
    return Track((track.landmarks[:1] + round_).astype(np.float32), times)


def stored(place: Path) -> list[tuple[str, int]]:
    """(label, take) of what another process finds on disk now."""
    with ExampleStore(place, writable=False) as store:
        return [(one.label, one.take) for one in store.list()]


def test_a_key_and_a_movement_make_a_demonstration_that_is_on_disk_at_once(
    parts: tuple[Hands, Lesson, MovementRecorder], place: Path
) -> None:
    """It is cut where an import cuts it, its path and its length are told, and undoing forgets it on disk too."""
    hands, lesson, recorder = parts
    track = performed("left", 1, rest_s=0.9)
    hands.see(recorder, Track(track.landmarks[:20], track.times_s[:20]))
    recorder.press("left")
    assert recorder.prompt == "now do left, then hold still"  # the hand was still before the key
    assert hands.see(recorder, track) == 1
    assert stored(place) == [("left", 1)]
    assert recorder.prompt == ""
    whole = movement_in(track)
    assert recorder.kept in [f"kept left, {whole.duration_s + by:.1f} s" for by in (-0.05, 0, 0.05)]
    assert abs(len(recorder.path) - len(whole.landmarks)) < 4
    (number,) = (one.id for one in lesson.store.list())
    kept = stored_track(lesson.store.media(number)[1])
    assert kept.duration_s == pytest.approx(whole.duration_s, abs=0.07)
    assert lesson.last_picture["left"].any()
    assert lesson.undo() == ("left", 1)
    assert stored(place) == []


def test_a_key_that_repeats_waits_for_one_movement(parts: tuple[Hands, Lesson, MovementRecorder], place: Path) -> None:
    """Held down it changes nothing; another key waits for its own class; the second demonstration is another take."""
    hands, _, recorder = parts
    for seed in (1, 2):
        recorder.press("circle")
        recorder.press("left")
        recorder.press("left")
        hands.see(recorder, performed("left", seed, rest_s=0.9))
    assert stored(place) == [("left", 1), ("left", 2)]


def test_what_is_no_demonstration_is_a_line_and_keeps_nothing(
    parts: tuple[Hands, Lesson, MovementRecorder], place: Path
) -> None:
    """No hand, a hand lost on its way, one that goes on and on: nothing is kept and the next key begins anew."""
    hands, lesson, recorder = parts
    track = performed("left", 1, rest_s=0.9)
    whole = movement_in(track)
    middle = track.times_s < whole.times_s[0] + 0.5
    cases: list[tuple[str, list[Track | None]]] = [
        ("no hand was seen for 12 s", [None]),
        ("lost while it moved", [Track(track.landmarks[middle], track.times_s[middle]), None]),
        ("moves for more than 6 s", [Track(track.landmarks[:20], track.times_s[:20]), circling(track, 600)]),
    ]
    for said, shown in cases:
        recorder.press("left")

        def show(shown: list[Track | None] = shown) -> None:
            for one in shown:
                hands.see(recorder, one, 13.0)

        with pytest.raises(ExampleError, match=said):
            show()
        assert (recorder.prompt, lesson.recording) == ("", None)
    assert stored(place) == []
    recorder.press("left")
    hands.see(recorder, track)
    assert stored(place) == [("left", 1)]


def test_a_minute_of_moving_about_is_kept_piece_by_piece(
    parts: tuple[Hands, Lesson, MovementRecorder], place: Path
) -> None:
    """Each piece is on disk when it is whole, one take in all; what is stopped goes on with what is missing."""
    hands, lesson, recorder = parts
    recorder.press("nothing")
    assert "60 s more" in recorder.prompt
    assert hands.see(recorder, rest(3, 22)) == 0
    assert stored(place) == [("nothing", 1)] * 19
    assert "40 s more" in recorder.prompt
    recorder.toggle("nothing")
    assert recorder.kept == "kept 19 pieces of nothing"
    recorder.press("nothing")
    assert "45 s more" in recorder.prompt  # 41 in steps of five
    assert hands.see(recorder, rest(4, 60)) == 1
    assert {take for _, take in stored(place)} == {1, 2}
    assert recorder.prompt == ""
    assert lesson.last_take() == ("nothing", len(stored(place)) - 19)


def test_space_ends_what_does_not_stop_by_itself(parts: tuple[Hands, Lesson, MovementRecorder], place: Path) -> None:
    """What was seen until then is kept where it is a movement, and a line says why where it is none."""
    hands, _, recorder = parts
    track = performed("wave", 1, rest_s=0.9)
    recorder.toggle("circle")
    hands.see(recorder, Track(track.landmarks[:-20], track.times_s[:-20]))
    recorder.toggle("circle")
    assert stored(place) == [("circle", 1)]
    recorder.toggle("left")
    with pytest.raises(ExampleError, match="no hand was seen"):
        recorder.toggle("left")
    assert recorder.prompt == ""


def test_the_guide_asks_for_three_and_says_plainly_what_matters_most(
    parts: tuple[Hands, Lesson, MovementRecorder],
) -> None:
    """From nothing at all to enough: what is said after each, and what a training says."""
    hands, lesson, recorder = parts
    assert next_step(lesson.counts()) == "3 demonstrations of each movement are needed, 5 are better"
    assert "a demonstration of a movement" in missing(lesson.counts())

    def teach(label: str, seeds: range) -> None:
        for seed in seeds:
            recorder.press(label)
            hands.see(recorder, performed(label, seed, rest_s=0.9))

    teach("left", range(1))
    assert "left has 1: 3 are needed, 5 are better, one is for this person only" in next_step(lesson.counts())
    assert "a second movement, or nothing" in missing(lesson.counts())
    teach("circle", range(1))
    assert missing(lesson.counts()) == ""
    said = in_words(lesson, *learn_and_score(lesson, lesson.clock), "go on")
    assert said.startswith("trained on 2 demonstrations in ")
    assert "the accuracy cannot be measured with one demonstration" in said
    assert "for this person only" in said
    teach("left", range(1, 3))
    teach("circle", range(1, 3))
    assert next_step(lesson.counts()) == "now nothing, a minute of ordinary hand motion, matters most"
    recorder.press("nothing")
    hands.see(recorder, rest(5, 61))
    assert "5 are recognized better" in next_step(lesson.counts())
    said = in_words(lesson, *learn_and_score(lesson, lesson.clock), "go on")
    assert "trained on 6 demonstrations and 57 s of nothing" in said
    assert "right on held-out takes; go on" in said
    teach("left", range(3, 5))
    teach("circle", range(3, 5))
    assert next_step(lesson.counts()) == "enough of every movement; for other people, let two more show each"


def test_tracks_are_no_pictures(place: Path) -> None:
    """A lesson of pictures takes no track, and one of movements no picture."""
    with ExampleStore(place, writable=True) as store:
        lesson = Lesson(store, Recognizer(FakeEmbedder()), FakeClock(), ["a"])
        with pytest.raises(ValueError, match="learns from pictures or sounds"):
            lesson.keep("a", [performed("left", 1)], "test")
        lesson.use(Recognizer(MovementEmbedder(), "movement"))
        with pytest.raises(ValueError, match="learns from the track of a hand"):
            lesson.begin("a", "test")


def test_a_hand_that_is_held_until_space_is_a_sign_and_then_needs_no_space(
    parts: tuple[Hands, Lesson, MovementRecorder], place: Path
) -> None:
    """The first one is ended by hand; the class is one of signs then, and records while the hand is still."""
    hands, lesson, recorder = parts
    hands.see(recorder, still(1.0))
    recorder.toggle("fist")
    hands.see(recorder, still(2.0))
    recorder.toggle("fist")
    assert stored(place) == [("fist", 1)]
    assert recorder.kept == "kept fist, held for 2.0 s"
    assert lesson.last_picture["fist"].any()
    recorder.press("fist")
    assert recorder.prompt == "hold fist still in view"
    assert hands.see(recorder, still(4.0)) == 1
    assert stored(place) == [("fist", 1), ("fist", 2)]
    assert (recorder.prompt, lesson.recording) == ("", None)
    recorder.press("left")
    assert hands.see(recorder, performed("left", 1, rest_s=0.9)) == 1
    assert stored(place)[-1] == ("left", 3)
    hands.see(recorder, None, 1.5)
    recorder.toggle("left")
    hands.see(recorder, still(2.0))
    with pytest.raises(ExampleError, match="left is a movement"):
        recorder.toggle("left")
    assert lesson.undo() == ("left", 1)
    assert lesson.undo() == ("fist", 1)
