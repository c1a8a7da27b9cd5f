"""The line of movements: each is one event, with its start and end; what was unsure is known too."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from made_movements import performed, rest

from edge_tl.embedders.look.hand import Hand
from edge_tl.embedders.look.known_hand import KnownHand
from edge_tl.embedders.look.movement import MovementEmbedder
from edge_tl.embedders.look.region import whole
from edge_tl.errors import NotFittedError, ShapeError, SourceClosed
from edge_tl.frames import BaseSource, Frame
from edge_tl.labels import ORDINARY
from edge_tl.line.movement import Doubt, MovementLine
from edge_tl.movements.demonstration import movement_in, ordinary_pieces
from edge_tl.movements.spotter import FoundMovement
from edge_tl.movements.track import Track
from edge_tl.recognizer import Recognizer
from edge_tl.sources.moving_hand import MovingHand
from edge_tl.testing import FakeClock, FakeEmbedder

CLASSES = ("left", "right", "wave")
DARK = np.zeros((48, 64, 3), np.uint8)


class Shown(BaseSource):
    """A source of empty pictures at the times of a track, and a tracker of the hand in them."""

    name, simulated = "shown", True

    def __init__(self, track: Track, begin_s: float = 100.0, gone: tuple[float, float] = (0, 0)) -> None:
        self.track, self.begin_s, self.gone, self.index, self.lost = track, begin_s, gone, -1, 0

    def open(self) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """Nothing is held."""

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The next picture."""
        if self.index + 1 >= len(self.track.times_s):
            raise SourceClosed("over")
        self.index += 1
        return Frame(DARK, self.begin_s + float(self.track.times_s[self.index]), self.index)

    def find(self, picture: np.ndarray) -> Hand | None:
        """The hand of the newest picture, unless it is gone at that time."""
        if self.gone[0] <= self.track.times_s[self.index] < self.gone[1]:
            return None
        points = np.zeros((21, 3))
        points[:, :2] = self.track.landmarks[self.index]
        return Hand(points, 1.0, 1.0, whole(picture))

    follow = find

    def lose(self) -> None:
        """Count how often the stream was broken."""
        self.lost += 1

    def count(self, picture: np.ndarray) -> int:
        """One hand."""
        return 1


@cache
def taught() -> Recognizer:
    """Three movements, three demonstrations each, and moving about."""
    embedder = MovementEmbedder()
    recognizer, take = Recognizer(embedder, "movement"), 0
    for label in CLASSES:
        for seed in range(3):
            recognizer.add(embedder.taught(movement_in(performed(label, seed)), label), label, take)
            take += 1
    for piece in ordinary_pieces(rest(100, 40)):
        recognizer.add(embedder.taught(piece, ORDINARY), ORDINARY, take)
    recognizer.learn()
    return recognizer


def after(*tracks: Track, pause_s: float = 0.0) -> Track:
    """Tracks one after the other, the hand going on from where it was."""
    landmarks, times, where, at_s = [], [], np.zeros(2), 0.0
    for track in tracks:
        landmarks.append(track.landmarks - track.landmarks[0, 0] + where)
        times.append(track.times_s + at_s)
        at_s, where = times[-1][-1] + 1 / 30 + pause_s, landmarks[-1][-1, 0]
    return Track(np.concatenate(landmarks).astype(np.float32), np.concatenate(times))


def line_over(track: Track, gone: tuple[float, float] = (0, 0), recognizer: Recognizer | None = None) -> MovementLine:
    """A line before which a track is shown, unread, by a clock that the frames move on."""
    shown = Shown(track, gone=gone)
    return MovementLine(shown, recognizer or taught(), FakeClock(shown.begin_s), shown)


def sights(line: MovementLine) -> list:
    """All that a line makes of its frames until they are over."""
    seen = []
    while True:
        try:
            seen.append(line.read(1.0))
        except SourceClosed:
            return seen


def test_each_movement_is_exactly_one_event() -> None:
    """A swipe, a wave and a swipe are told once each, with start and end on the frames' clock, and steer."""
    line = line_over(after(performed("left", 50), performed("wave", 51), performed("right", 52), rest(3, 1)))
    events = [sight for sight in sights(line) if sight.moved is not None]
    assert [event.moved.label for event in events] == ["left", "wave", "right"]
    for event in events:
        assert event.steady.label == event.moved.label
        assert event.steady.steers
        assert event.steady.changed
        assert 100 <= event.moved.start_s < event.moved.end_s < event.frame.time_s < event.moved.end_s + 0.7
    assert [one.label for one in line.reported] == ["left", "wave", "right"]
    assert all(sight.steady is None for sight in sights(line))
    # Its path goes to the right by what the made hand swipes.
    assert 40 < line.path[-1, 0] - line.path[0, 0] < 200
    assert len(line.path) > 10
    assert line.stopwatch.timing("spot") is not None


def test_what_resembles_a_movement_and_is_none_is_a_doubt() -> None:
    """A swipe of a third of the size steers nothing; which it resembled, and why it was not told, is known."""
    small = performed("left", 50)
    # The wrist's way, shortened, with a hand as large as it was.
    way = 0.4 * (small.landmarks[:, :1] - small.landmarks[:1, :1])
    small = Track(small.landmarks[:1] + way, small.times_s)
    line = line_over(after(small, rest(3, 0.2), Track(np.repeat(small.landmarks[-1:], 40, 0), np.arange(40) / 30)))
    assert all(sight.moved is None for sight in sights(line))
    assert line.doubts
    assert line.doubts[0].moved.label == "left"
    assert "left" in line.doubts[0].why
    assert line.doubted is None or line.label is None


def test_a_hand_that_is_gone_is_bridged_shortly_and_begins_anew_after_long() -> None:
    """A fifth of a second without a hand in a swipe costs nothing; without any hand nothing is told."""
    swipe = after(performed("left", 50), rest(3, 0.5))
    middle_s = 1.0
    line = line_over(swipe, gone=(middle_s, middle_s + 0.15))
    assert [sight.moved.label for sight in sights(line) if sight.moved is not None] == ["left"]
    line = line_over(swipe, gone=(0.0, 99.0))
    assert all(sight.moved is None for sight in sights(line))
    assert line.hand is None
    assert not line.doubts


def test_a_broken_stream_does_not_join_what_was_before_and_after() -> None:
    """Half a swipe, two seconds without frames, and the other half are no swipe; the hand is looked for anew."""
    whole_swipe = performed("left", 50)
    half_s = float(whole_swipe.times_s.mean())
    first = whole_swipe.part(0.0, half_s)
    second = whole_swipe.part(half_s, 99.0)
    second = Track(second.landmarks, second.times_s - second.times_s[0])
    line = line_over(after(first, second, pause_s=2.0))
    assert all(sight.moved is None for sight in sights(line))
    assert isinstance(line.source, Shown)
    assert line.source.lost == 2  # at the beginning, and after the pause


def test_what_was_told_is_shown_for_a_while() -> None:
    """The label stands for a second and a half after it is told, and then goes."""
    line = line_over(after(performed("left", 50), Track(np.repeat(HAND[np.newaxis], 90, 0), STILL)))
    shown = []
    while True:
        try:
            sight = line.read(1.0)
        except SourceClosed:
            break
        assert sight is not None
        shown.append((sight.frame.time_s, line.label))
    times = [at for at, label in shown if label == "left"]
    assert 1.2 < times[-1] - times[0] < 2.0
    assert shown[-1][1] is None


HAND = performed("left", 50).landmarks[-1]
STILL = np.arange(90) / 30


def test_training_again_changes_what_is_told() -> None:
    """A line of an untrained recognizer tells nothing, and tells movements as soon as one is trained."""
    untaught = Recognizer(MovementEmbedder(), "movement")
    line = line_over(performed("left", 50), recognizer=untaught)
    with pytest.raises(NotFittedError):
        line.picture(8, 8)
    assert all(sight.moved is None for sight in sights(line))
    assert line.picture(8, 8) is DARK
    untaught.head = taught().head
    line.source = shown = Shown(after(performed("left", 50), rest(3, 0.5)), begin_s=200.0)
    line.hands = shown
    assert [sight.moved.label for sight in sights(line) if sight.moved is not None] == ["left"]


def test_what_takes_pictures_is_refused() -> None:
    """A recognizer of pictures is a ShapeError that says what is wanted."""
    shown = Shown(performed("left", 0))
    with pytest.raises(ShapeError, match="tracks of a hand are wanted"):
        MovementLine(shown, Recognizer(FakeEmbedder()), FakeClock(), shown)


def test_the_simulated_hand_can_say_where_it_is() -> None:
    """Without models the simulated hand's joints come through the same door, trembling a little."""
    with MovingHand(0, clock=lambda: 0.0) as source:
        told = KnownHand(source)
        assert told.find(DARK) is None
        picture = source.read().data
        hand = told.follow(picture)
        assert hand is not None
        off = hand.points[:, :2] - source.joints
        palm_px = np.linalg.norm(source.joints[9] - source.joints[0])
        assert 0.01 * palm_px < off.std() < 0.03 * palm_px
        assert told.count(picture) == 0


def test_a_doubt_says_what_was_wrong() -> None:
    """Too low a score is said with what was wanted; a score that would do, with what else was wrong."""
    moved = FoundMovement("left", 0.41, 1.0, 2.0)
    assert Doubt(moved, 0.75).why == "unsure: left 41%, the threshold is 75%"
    assert "larger, smaller" in Doubt(moved, 0.4).why


def test_a_camera_that_mirrors_is_undone() -> None:
    """A swipe to the left that the camera shows as one to the right is told as left, and drawn as it is seen."""
    stream = performed("left", 31, rest_s=1.5).mirrored()
    plain, undone = line_over(stream), line_over(stream)
    undone.mirrored = True
    for line in (plain, undone):
        sights(line)
        assert line.landmarks is not None
    assert "left" not in [moved.label for moved in plain.reported]
    assert [moved.label for moved in undone.reported] == ["left"]
    np.testing.assert_allclose(undone.landmarks[:, 0], -plain.landmarks[:, 0], rtol=1e-6)
    assert undone.path[-1, 0] - undone.path[0, 0] > 80
    assert [len(mark.points) for mark in undone.marks()] == [21, 0]
