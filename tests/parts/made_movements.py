"""Movements of a made hand: an open hand whose palm goes along a path at its own speed, with rest around it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edge_tl.movements.taking import DemonstrationRecorder
from edge_tl.movements.track import Track

Path = Callable[[np.ndarray], np.ndarray]
HAND = np.array(
    [(0, 0), (-0.4, -0.2), (-0.7, -0.5), (-0.9, -0.8), (-1.1, -1.0)]
    + [(x, -y) for x in (-0.35, -0.1, 0.15, 0.4) for y in (1.0, 1.4, 1.7, 1.9)],
    np.float32,
)
"""An open hand seen from its palm, in palm lengths, the wrist at the origin: MediaPipe's 21 points."""


def _line(x: float, y: float) -> Path:
    return lambda share: np.stack([x * share, y * share], axis=1)


def _circle(share: np.ndarray) -> np.ndarray:
    return 1.2 * np.stack([np.sin(2 * np.pi * share), 1 - np.cos(2 * np.pi * share)], axis=1)


def _wave(share: np.ndarray) -> np.ndarray:
    return np.stack([1.2 * np.sin(5 * np.pi * share), np.zeros_like(share)], axis=1)


PATHS: dict[str, Path] = {
    "left": _line(-3, 0),
    "right": _line(3, 0),
    "up": _line(0, -3),
    "circle": _circle,
    "wave": _wave,
}


def performed(
    label: str, seed: int, *, fps: float = 30, lasts_s: float = 0.9, rest_s: float = 0.6, unit: float = 40.0
) -> Track:
    """Somebody's movement, with rest before and after it: its size, place, speed and tremor are the seed's."""
    rng = np.random.default_rng(seed)
    lasts_s = lasts_s * rng.uniform(0.85, 1.2)
    times = np.arange(0, lasts_s + 2 * rest_s, 1 / fps)
    share = np.clip((times - rest_s) / lasts_s, 0, 1)
    smooth = share - np.sin(2 * np.pi * share) / (2 * np.pi)  # starts and stops softly
    path = rng.uniform(0.85, 1.15) * PATHS[label](smooth)
    hand = HAND + rng.normal(0, 0.03, HAND.shape)
    points = path[:, np.newaxis] + hand + rng.normal(0, 0.01, (len(times), 21, 2)) + rng.uniform(2, 6, 2)
    return Track((unit * points).astype(np.float32), times)


def rest(seed: int, seconds: float, *, fps: float = 30, unit: float = 40.0) -> Track:
    """A hand that moves about and does nothing in particular."""
    rng = np.random.default_rng(seed)
    times = np.arange(0, seconds, 1 / fps)
    knots = np.arange(0, seconds + 1, 0.7)
    places = np.cumsum(rng.normal(0, 0.5, (len(knots), 2)), axis=0)
    path = np.stack([np.interp(times, knots, places[:, axis]) for axis in (0, 1)], axis=1)
    points = path[:, np.newaxis] + HAND + rng.normal(0, 0.01, (len(times), 21, 2))
    return Track((unit * points).astype(np.float32), times)


def taken(track: Track, taking: DemonstrationRecorder | None = None) -> Track | None:
    """What comes of a track, frame by frame; None where it goes on waiting."""
    taking = taking or DemonstrationRecorder()
    for points, time_s in zip(track.landmarks, track.times_s, strict=True):
        movement = taking.push(points, float(time_s))
        if movement is not None:
            return movement
    return None


def still(seconds: float, at: Track | None = None, *, start_s: float = 0.0) -> Track:
    """A hand that stands where a track ends, or begins where none is given."""
    points = (at or performed("left", 0)).landmarks[-1:]
    times = np.arange(start_s, start_s + seconds, 1 / 30)
    trembling = np.random.default_rng(0).normal(0, 0.2, (len(times), 21, 2))
    return Track((points + trembling).astype(np.float32), times)
