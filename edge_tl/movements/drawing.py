"""The path of a hand, to look at: as points to put over a picture, and as a small picture of its own.

Of a hand that is held there is no path: the hand is drawn.
"""

from __future__ import annotations

import numpy as np

from edge_tl.movements.held import holds_still
from edge_tl.movements.track import Track
from edge_tl.movements.windows import POINTS, middles, palm_lengths

BEGIN, END = np.array((70, 110, 70)), np.array((255, 215, 0))
"""RGB at the beginning and at the end of a path."""
_MARGIN = 0.12
_MIN_SPAN = 1.0  # palm lengths: a hand that hardly moves is drawn as a spot


def path_points(landmarks: np.ndarray, apart: float) -> np.ndarray:
    """Where the middle of the palm went, float64 (N, 2) in the unit of landmarks (n, 21, 2): points on straight lines
    between the frames, never further apart than `apart` > 0; (0, 2) for no frames."""
    places = middles(np.asarray(landmarks, np.float64))
    if len(places) < 2:
        return places.reshape(-1, 2)
    steps = np.maximum(1, np.ceil(np.linalg.norm(np.diff(places, axis=0), axis=1) / apart).astype(np.int64))
    at = np.concatenate([[0.0], *(number + np.arange(1, by + 1) / by for number, by in enumerate(steps.tolist()))])
    frames = np.arange(len(places))
    return np.stack([np.interp(at, frames, places[:, axis]) for axis in (0, 1)], axis=1)


def path_picture(track: Track, height: int, width: int) -> np.ndarray:
    """A track's path on black, uint8 (height, width, 3): it fills the picture, and grows brighter to its end.

    Of a hand that is held its bones.
    """
    if holds_still(track):
        return _hand_picture(track.landmarks[len(track.landmarks) // 2], height, width)
    size = max(float(palm_lengths(track.landmarks).mean()), 1e-9)
    places = middles(track.landmarks)
    low, high = places.min(axis=0), places.max(axis=0)
    room = (1 - 2 * _MARGIN) * np.array((width, height))
    scale = float((room / np.maximum(high - low, _MIN_SPAN * size)).min())
    points = (path_points(track.landmarks, 0.5 / scale) - (low + high) / 2) * scale + np.array((width, height)) / 2
    at = np.clip(np.floor(points).astype(np.int64), 0, (width - 1, height - 1))
    picture = np.zeros((height, width, 3), np.uint8)
    share = np.linspace(0, 1, len(at))[:, np.newaxis]
    picture[at[:, 1], at[:, 0]] = (BEGIN + share * (END - BEGIN)).astype(np.uint8)
    return picture


def _hand_picture(points: np.ndarray, height: int, width: int) -> np.ndarray:
    """A hand (21, 2) on black: each finger from the wrist to its tip."""
    low, high = points.min(axis=0), points.max(axis=0)
    room = (1 - 2 * _MARGIN) * np.array((width, height))
    scale = float((room / np.maximum(high - low, 1e-9)).min())
    placed = (points - (low + high) / 2) * scale + np.array((width, height)) / 2
    picture = np.zeros((height, width, 3), np.uint8)
    share = np.linspace(0, 1, max(height, width))[:, np.newaxis]
    for at in range(1, POINTS):
        root = placed[0 if at % 4 == 1 else at - 1]
        line = np.floor(root + share * (placed[at] - root)).astype(np.int64)
        picture[np.clip(line[:, 1], 0, height - 1), np.clip(line[:, 0], 0, width - 1)] = END
    return picture
