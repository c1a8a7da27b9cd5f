"""A profile with signs and movements before one camera: a swipe shows no sign, and a held sign is no movement."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from shown_signs import MOVED, SIGNS, both_taught, shown

from edge_tl.embedders.look.hand import Hand
from edge_tl.embedders.look.movement import MovementEmbedder
from edge_tl.embedders.look.region import whole
from edge_tl.heads.movement import MovementHead
from edge_tl.labels import ORDINARY
from edge_tl.line.held_hand import HeldHand
from edge_tl.line.movement import MovementLine
from edge_tl.recognizer import Recognizer
from edge_tl.sources.moving_hand import HELD, MovingHand
from edge_tl.testing import FakeClock

SECONDS = 46


class Joints:
    """A tracker that knows where the simulated hand is."""

    def __init__(self, hand: MovingHand) -> None:
        self.hand, self.gone = hand, False

    def follow(self, picture: np.ndarray) -> Hand | None:
        """The hand of the newest picture, unless it is gone."""
        points = np.zeros((21, 3))
        points[:, :2] = self.hand.joints
        return None if self.gone else Hand(points, 1.0, 1.0, whole(picture))

    def lose(self) -> None:
        """Nothing is followed."""


def line_over(script: Iterator[tuple[str, float]], recognizer: Recognizer | None = None) -> MovementLine:
    """A line before the simulated hand of a person who taught nothing."""
    hand = MovingHand(77, lambda: 0.0, drawn=False, script=script)
    hand.open()
    return MovementLine(hand, recognizer or both_taught(), FakeClock(), Joints(hand))


def by_turns() -> Iterator[tuple[str, float]]:
    """Signs and movements one after the other."""
    while True:
        for label in (*SIGNS, *MOVED):
            yield label, 4.5


def test_both_are_told_and_neither_for_the_other() -> None:
    """While a sign is held no movement is told, and while the hand swipes or circles no sign begins."""
    line = line_over(by_turns())
    held: list[str | None] = []
    moved: list[str] = []
    wrong: list[tuple[float, str, str]] = []
    shown: dict[str, set[str]] = {label: set() for label in SIGNS}
    last = (ORDINARY, 0.0)
    for _ in range(30 * SECONDS):
        sight = line.read(1.0)
        assert sight is not None
        truth, time_s = sight.frame.truth or ORDINARY, sight.frame.time_s
        last = last if truth == last[0] else (truth, time_s)
        steady = sight.steady
        assert steady is not None
        if sight.moved is not None:
            moved.append(sight.moved.label)
            if truth in HELD and time_s - last[1] > 1.0:  # what went before may be told half a second later
                wrong.append((time_s, truth, sight.moved.label))
            continue
        if truth in HELD and steady.label is not None:
            shown[truth].add(steady.label)
        if steady.changed:
            held.append(steady.label)
            if truth in MOVED and steady.label is not None and time_s - last[1] > 0.25:
                wrong.append((time_s, truth, steady.label))
    assert wrong == []
    for sign in set(SIGNS) - {"palm"}:
        assert held.count(sign) >= 2
        assert sign in shown[sign]
    assert "palm" in shown["palm"]
    assert sorted(set(moved)) == sorted(MOVED)
    assert len(moved) >= 3


def test_a_hand_that_goes_away_ends_the_sign() -> None:
    """The sign is steady while the hand is there, and over soon after it is not; a broken stream begins anew."""
    line = line_over(iter([("fist", 60.0)]))
    for _ in range(45):
        line.read(1.0)
    assert line.label == "fist"
    line.hands.gone = True  # type: ignore[attr-defined]
    labels = [sight.steady.label for sight in (line.read(1.0) for _ in range(20)) if sight is not None and sight.steady]
    assert labels[-1] is None
    assert line.label is None


def test_times_that_run_back_and_joints_that_are_none_end_the_sign_and_nothing_more() -> None:
    """The sign is steady again once the hand was seen for a moment; no number of it is NaN."""
    head = both_taught().head
    assert isinstance(head, MovementHead)
    held, hand = HeldHand(head, MovementEmbedder()), shown("fist", 77)
    for shift_s in (0.0, -30.0):
        for points, time_s in zip(hand.landmarks, hand.times_s, strict=True):
            steady = held.push(points, float(time_s) + shift_s)
            again = held.push(points, float(time_s) + shift_s)
        assert steady.label == again.label == "fist"
    for at in range(20):
        steady = held.push(np.full((21, 2), np.nan, np.float32), float(hand.times_s[-1]) - 30 + (at + 1) / 30)
        assert np.isfinite(steady.confidence)
    assert steady.label is None


def test_a_training_changes_what_is_told_from_the_next_frame_on() -> None:
    """Signs that are gone are not told any more, and a profile without signs has none that is steady."""
    X, y, takes = both_taught().rows
    recognizer = Recognizer(both_taught().embedder, "movement")
    recognizer.head.fit(X, y, takes)
    line = line_over(iter([("fist", 60.0)]), recognizer)
    for _ in range(45):
        line.read(1.0)
    assert line.label == "fist"
    recognizer.head = MovementHead().fit(*(part[~np.isin(y, SIGNS)] for part in (X, y, takes)))
    sight = line.read(1.0)
    assert sight is not None
    assert sight.steady is None
    assert line.label is None
