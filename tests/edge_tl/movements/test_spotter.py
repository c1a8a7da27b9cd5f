"""The spotter: in a stream each movement is told once, soon after its end, and nothing is told of moving about."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from made_movements import performed, rest

from edge_tl.heads.movement import MovementHead
from edge_tl.labels import ORDINARY
from edge_tl.movements.demonstration import movement_in, ordinary_windows, taught_windows
from edge_tl.movements.spotter import AHEAD_S, EVERY_S, WAIT_S, FoundMovement, Spotter
from edge_tl.movements.track import Track

CLASSES = ("left", "right", "circle", "wave")
PATIENCE_S = WAIT_S + AHEAD_S + EVERY_S + 0.05
"""A movement is told so long after its window ends, at the latest."""


@cache
def taught() -> MovementHead:
    """Four movements from three demonstrations each, and a minute of moving about."""
    X, y, takes = [], [], []
    for label in CLASSES:
        for seed in range(3):
            views = taught_windows(movement_in(performed(label, seed)))
            X.append(views)
            y += [label] * len(views)
            takes += [len(takes)] * len(views)
    for seed in range(6):
        windows = ordinary_windows(rest(100 + seed, 10))
        X.append(windows)
        y += [ORDINARY] * len(windows)
        takes += [1000 + seed] * len(windows)
    return MovementHead().fit(np.concatenate(X), y, takes)


def stream(*labels: str, seed: int = 50, fps: float = 30, between_s: float = 1.5) -> Track:
    """Movements after each other, the hand where the one before left it, with rest between."""
    places, times, at_s, where = [], [], 0.0, np.zeros(2)
    for number, label in enumerate(labels):
        one = performed(label, seed + number, fps=fps, rest_s=between_s / 2)
        moved = one.landmarks - one.landmarks[0, 0] + where
        places.append(moved)
        times.append(one.times_s + at_s)
        at_s, where = times[-1][-1] + 1 / fps, moved[-1, 0]
    return Track(np.concatenate(places).astype(np.float32), np.concatenate(times))


def told(track: Track, spotter: Spotter | None = None) -> list[tuple[FoundMovement, float]]:
    """What is told of a track and of a second after it, and when."""
    spotter = spotter or Spotter(taught())
    after = track.times_s[-1] + np.arange(1, 31) / 30
    frames = [*zip(track.landmarks, track.times_s, strict=True), *((track.landmarks[-1], at) for at in after)]
    found = [(spotter.push(points, float(at)), float(at)) for points, at in frames]
    return [(moved, at) for moved, at in found if moved is not None]


@pytest.mark.parametrize("fps", [10, 30, 60])
def test_movements_are_told_once_in_their_order(fps: float) -> None:
    """Four movements with rest between are told once each, at any frame rate, each where it was."""
    track = stream("left", "circle", "right", "left", fps=fps)
    found = told(track)
    assert [moved.label for moved, _ in found] == ["left", "circle", "right", "left"]
    assert all(0 <= moved.start_s < moved.end_s and 0 < moved.confidence <= 1 for moved, _ in found)


def test_it_is_told_half_a_second_after_its_window() -> None:
    """What waits for a better end waits no longer than that."""
    for moved, at in told(stream("left", "right", "circle")):
        assert WAIT_S + AHEAD_S - 0.01 <= at - moved.end_s <= PATIENCE_S


def test_a_wave_is_told_while_it_goes_on() -> None:
    """A movement that goes to and fro needs no stop."""
    assert taught().repeating.tolist() == [label == "wave" for label in taught().reported]
    assert "wave" in [moved.label for moved, _ in told(stream("wave"))]


def test_moving_about_is_told_as_nothing() -> None:
    """Two minutes of a hand that does nothing in particular, other than the taught one, are told at most twice."""
    assert len([one for seed in range(12) for one in told(rest(500 + seed, 10))]) <= 2


def test_a_hand_lost_for_a_moment_is_the_same_hand() -> None:
    """0.2 s without a hand change nothing; after half a second the stream begins anew and the movement is lost."""
    track = stream("left", "right")
    middle = int(np.argmin(np.abs(track.times_s - (track.times_s[0] + 1.1))))

    def without(frames: int) -> list[str]:
        spotter, labels = Spotter(taught()), []
        for number, (points, at) in enumerate(zip(track.landmarks, track.times_s, strict=True)):
            lost = middle <= number < middle + frames
            moved = spotter.push(None if lost else points, float(at))
            labels += [] if moved is None else [moved.label]
        return labels

    assert without(0) == without(6)
    assert without(0)[0] == "left"
    assert "left" not in without(18)


def test_times_that_stand_or_run_back_and_numbers_that_are_none_are_passed_over() -> None:
    """Frames that come no later, and landmarks that hold NaN, do not end it."""
    spotter, found = Spotter(taught()), []
    track = stream("left")
    for points, at in zip(track.landmarks, track.times_s, strict=True):
        nowhere = np.full((21, 2), np.nan)
        for landmarks, time_s in ((points, at), (points, at), (points, at - 1), (nowhere, at + 0.001)):
            found.append(spotter.push(landmarks, float(time_s)))
    assert [moved.label for moved in found if moved is not None] == ["left"]
