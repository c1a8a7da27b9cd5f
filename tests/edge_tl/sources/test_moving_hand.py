"""The simulated hand's movements: each as it was asked for, never twice the same, and followed in its pictures."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from source_contract import check_source

from edge_tl.embedders.look.embedders import load_tracker
from edge_tl.errors import ConfigError
from edge_tl.frames import Frame
from edge_tl.labels import ORDINARY
from edge_tl.movements.windows import middles, palm_lengths
from edge_tl.sources.moving_hand import MOVEMENTS, MovingHand, moving
from edge_tl.testing import FakeClock

AWAY = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


def hand(seed: int = 0, **settings: object) -> MovingHand:
    """An open hand whose clock stands still."""
    made = MovingHand(seed, clock=lambda: 7.0, **settings)  # type: ignore[arg-type]
    made.open()
    return made


def performed(source: MovingHand, label: str) -> list[tuple[Frame, np.ndarray]]:
    """The frames of a movement until the hand has been taken back, each with where the hand is."""
    source.perform(label)
    seen = [(source.read(), source.joints)]
    while source.busy:
        seen.append((source.read(), source.joints))
    return seen


def test_the_hand_keeps_the_contract_of_a_source() -> None:
    """It behaves like a camera, paced and unpaced."""
    clock = FakeClock()
    check_source(lambda: MovingHand(clock=clock))
    check_source(lambda: MovingHand(clock=clock, sleep=clock.sleep, paced=True))
    assert MovingHand().simulated


@pytest.mark.parametrize("label", MOVEMENTS)
def test_a_movement_is_the_one_that_was_asked_for(label: str) -> None:
    """It is told in the frames' truth and nowhere else, a swipe goes where it says, and the hand comes back."""
    source = hand(3)
    first = source.read()
    assert first.truth == ORDINARY
    home = middles(source.joints)
    seen = performed(source, label)
    during = [(frame.time_s, middles(joints)) for frame, joints in seen if frame.truth == label]
    assert {frame.truth for frame, _ in seen} == {label, ORDINARY}
    assert 0.3 < during[-1][0] - during[0][0] < 2
    palm = palm_lengths(source.joints)
    gone = (during[-1][1] - during[0][1]) / palm
    if label in AWAY:
        assert gone @ AWAY[label] > 1.3
        assert abs(gone @ AWAY[label][::-1]) < 1.0
    else:
        assert np.linalg.norm(gone) < 0.5
        assert max(np.linalg.norm(at - during[0][1]) for _, at in during) > 0.7 * palm
    assert np.linalg.norm(middles(source.joints) - home) < 0.5 * palm


def test_no_two_performances_are_the_same_and_a_seed_repeats_them() -> None:
    """Time, size and direction differ from one to the next; the same seed and calls give the same pictures."""
    first, again = hand(5, fps=10), hand(5, fps=10)
    lasted = set()
    for _ in range(4):
        ours, theirs = performed(first, "left"), performed(again, "left")
        assert len(ours) == len(theirs)
        assert all((one.data == other.data).all() for (one, _), (other, _) in zip(ours, theirs, strict=True))
        lasted.add(tuple(np.round(middles(ours[-1][1]), 1)))
    assert len(lasted) == 4


def test_it_moves_about_until_it_is_told_to_rest() -> None:
    """Moving about goes on and stays in the picture; a movement is never broken off, what is not one is."""
    source = hand(2, fps=10)
    source.about()
    at = []
    for _ in range(100):
        assert source.read().truth == ORDINARY
        at.append(middles(source.joints))
    assert (np.ptp(at, axis=0) > 20).all()
    assert (np.array(at) > 0).all()
    assert (np.array(at) < (320, 240)).all()
    source.perform("up")
    source.perform("down")
    seen = [source.read().truth]
    while source.busy:
        seen.append(source.read().truth)
    assert [label for label, _ in itertools.groupby(seen)] == [ORDINARY, "up", ORDINARY, "down", ORDINARY]
    source.rest()
    still = [middles(source.joints) for _ in range(30) if source.read()]
    assert np.ptp(still[15:], axis=0).max() < 12


def test_left_alone_it_follows_its_script() -> None:
    """A hand left alone performs all movements in the course of time, with moving about between them."""
    source = hand(1, fps=5, script=moving(1, tuple(MOVEMENTS)))
    seen = {source.read().truth for _ in range(300)}
    assert seen == {*MOVEMENTS, ORDINARY}


def test_after_it_was_asked_for_something_it_goes_on_with_its_script() -> None:
    """Told to rest it rests; told to go on it performs again."""
    source = hand(1, fps=5, script=moving(1, tuple(MOVEMENTS)))
    with source:
        source.read()
        source.rest()
        while source.busy:  # a movement is never broken off
            source.read()
        assert {source.read().truth for _ in range(60)} == {ORDINARY}
        source.go_on()
        assert {source.read().truth for _ in range(60)} & {*MOVEMENTS}


def test_what_it_does_not_know_is_one_line() -> None:
    """Unknown movements and impossible rates are a ConfigError each."""
    with pytest.raises(ConfigError, match="no movement salute; it knows left"):
        MovingHand(labels=("left", "salute"))
    with pytest.raises(ConfigError, match="no movement 'wave'; it was given left"):
        hand(labels=("left",)).perform("wave")
    with pytest.raises(ConfigError, match="frames a second"):
        MovingHand(fps=0)


def test_the_tracker_follows_what_is_drawn(look_models: Path) -> None:
    """The hand is found in every picture of every movement, a tenth of a palm or less beside where it was drawn."""
    source, tracker = hand(0), load_tracker(look_models, 1)
    apart = []
    for label in MOVEMENTS:
        source.perform(label)
        while True:
            found = tracker.follow(source.read().data)
            assert found is not None
            off = np.linalg.norm(found.points[:, :2] - source.joints, axis=1).mean()
            apart.append(off / palm_lengths(source.joints))
            if not source.busy:
                break
    assert np.median(apart) < 0.1
    assert np.percentile(apart, 99) < 0.25
