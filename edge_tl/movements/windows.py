"""A piece of a hand's track as 16 moments, evenly apart in time, and what is compared of it.

By time stamps and never by count of frames: a camera that gives five frames a second, or loses some, tells the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from edge_tl.errors import ShapeError

MOMENTS = 16
"""A window is seen at so many moments."""
POINTS = 21
PALM = (0, 1, 2, 5, 9, 13, 17)
"""The wrist and the roots of the thumb and the fingers: what bending fingers hardly moves."""
PALM_LENGTHS = 2.2
"""A palm's length is so many times the mean distance of these points from their middle."""
VALUES = MOMENTS * POINTS * 2 + 1
"""Of a window as it is kept: x and y of 21 landmarks at 16 moments, from the window's middle, in palm lengths; and how
many seconds it lasts."""
TURNS = 28
"""How the hand has changed: 5 distances of the tips from the wrist, 4 between neighbouring tips, 4 from the thumb's to
the others, the palm's two directions, its length, and where the tips are."""
ROW = 2 + TURNS + 2 * POINTS
"""Values of one moment: where the hand is, how it has changed, and its mean shape."""
PLAIN_ROW = 2 + 4 * POINTS
"""The same with the change of every landmark instead: where the hand is, that change, and its mean shape."""
_TIPS = (4, 8, 12, 16, 20)
_BENDS, _SPREADS, _THUMB, _ACROSS, _ALONG, _LENGTH, _TIP = 0.3, 0.25, 0.5, 0.9, 0.6, 1.0, 0.4
"""What a change weighs beside the path, of all fingers together."""
_SHAPE = 0.35 / np.sqrt(POINTS)
"""… and the mean shape. Chosen one after the other on half of the people by the nearest demonstration (NOTES.md)."""
_CHANGE = 2 / np.sqrt(POINTS)  # what a change of every landmark counts beside the path, …
_PLAIN_SHAPE = 0.5 / np.sqrt(POINTS)  # … and the mean shape beside both; algorithms K


@dataclass(frozen=True, slots=True)
class Rows:
    """What windows are compared by."""

    moments: np.ndarray
    """float32 (N, 16, 72), of mean squared length 1 a moment: path (2), change of the hand (28), mean shape (42); the
    same of a left hand as of a right one."""
    plain: np.ndarray
    """float32 (N, 16, 86), of the same length: path (2), change of every landmark (42), mean shape (42)."""
    moved: np.ndarray
    """float32 (N,): how much the hand moved and changed, squared palm lengths, before they were brought to length 1."""
    seconds: np.ndarray
    """float32 (N,): how long the windows are."""

    def only(self, at: np.ndarray) -> Self:
        """Those at these positions."""
        return type(self)(self.moments[at], self.plain[at], self.moved[at], self.seconds[at])


def middles(landmarks: np.ndarray) -> np.ndarray:
    """The middle of the palm (…, 2) of landmarks (…, 21, 2)."""
    return np.asarray(landmarks[..., PALM, :].mean(axis=-2))


def palm_lengths(landmarks: np.ndarray) -> np.ndarray:
    """The length of the palm (…,) of landmarks (…, 21, 2), in their unit."""
    from_middle = landmarks[..., PALM, :] - middles(landmarks)[..., np.newaxis, :]
    return np.asarray(PALM_LENGTHS * np.sqrt((from_middle**2).sum(axis=-1)).mean(axis=-1))


def resampled(landmarks: np.ndarray, times_s: np.ndarray, starts_s: np.ndarray, ends_s: np.ndarray) -> np.ndarray:
    """Landmarks (N, 16, 21, 2) at 16 moments from each start to its end, of a track (n, 21, 2) at rising times (n,).

    Between two frames a straight line; before the first and after the last one the hand stands.
    """
    share = np.linspace(0, 1, MOMENTS)
    at_s = np.asarray(starts_s)[:, np.newaxis] * (1 - share) + np.asarray(ends_s)[:, np.newaxis] * share
    after = np.clip(np.searchsorted(times_s, at_s), 1, max(1, len(times_s) - 1))
    before = after - 1
    after = np.minimum(after, len(times_s) - 1)
    step_s = np.maximum(times_s[after] - times_s[before], 1e-9)
    part = np.clip((at_s - times_s[before]) / step_s, 0, 1).astype(np.float32)[..., np.newaxis, np.newaxis]
    return np.asarray(landmarks[before] * (1 - part) + landmarks[after] * part)


def kept(landmarks: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Windows of landmarks (N, 16, 21, 2) in any unit, x right and y down, which last so long (N,), as they are kept.

    float32 (N, 673).
    """
    size = np.percentile(palm_lengths(landmarks), 80, axis=1)
    middle = middles(landmarks).mean(axis=1)
    values = (landmarks - middle[:, np.newaxis, np.newaxis]) / np.maximum(size, 1e-9)[
        :, np.newaxis, np.newaxis, np.newaxis
    ]
    return np.column_stack([values.reshape(len(values), VALUES - 1), seconds]).astype(np.float32)


def rows_of(values: np.ndarray) -> Rows:
    """What kept windows (N, 673) are compared by; ShapeError for rows of another length."""
    if values.ndim != 2 or values.shape[1] != VALUES:
        raise ShapeError(f"windows have shape {values.shape}; (N, {VALUES}) is wanted: 16 × 21 landmarks, and seconds")
    landmarks = values[:, :-1].reshape(-1, MOMENTS, POINTS, 2)
    middle = middles(landmarks)
    shape = landmarks - middle[:, :, np.newaxis]
    mean_shape = shape.mean(axis=1, keepdims=True)
    path = middle - middle.mean(axis=1, keepdims=True)
    change = _CHANGE * (shape - mean_shape)
    moved = (path**2).sum(axis=2).mean(axis=1) + (change**2).sum(axis=(2, 3)).mean(axis=1)
    right = shape * _sense(shape)
    return Rows(
        _joined(path, _turns(right), _SHAPE * right.mean(axis=1, keepdims=True)),
        _joined(path, change.reshape(len(values), MOMENTS, 2 * POINTS), _PLAIN_SHAPE * mean_shape),
        moved.astype(np.float32),
        values[:, -1].astype(np.float32),
    )


def _joined(path: np.ndarray, change: np.ndarray, mean_shape: np.ndarray) -> np.ndarray:
    """Path (N, 16, 2), change (N, 16, C) and mean shape (N, 1, 21, 2) side by side, of mean squared length 1 a moment,
    float32 (N, 16, 44 + C)."""
    still = np.broadcast_to(mean_shape.reshape(len(path), 1, 2 * POINTS), (len(path), MOMENTS, 2 * POINTS))
    rows = np.concatenate([path, change, still], axis=2)
    length = np.sqrt((rows**2).sum(axis=2).mean(axis=1))
    rows /= np.maximum(length, 1e-6)[:, np.newaxis, np.newaxis]
    return np.asarray(rows, np.float32)


def _sense(shape: np.ndarray) -> np.ndarray:
    """What brings hands (N, 16, 21, 2) to one sense of rotation from index to little finger: ±1 for x, float32
    (N, 1, 1, 2).

    So the left hand's palm is the right one's, wherever it goes: either hand does what the other one was seen to do.
    That the back of a hand becomes its palm costs what is taught of one hand up to a point (NOTES.md).
    """
    index, little = shape[:, :, 5] - shape[:, :, 0], shape[:, :, 17] - shape[:, :, 0]
    turning = (index[..., 0] * little[..., 1] - index[..., 1] * little[..., 0]).mean(axis=1)
    return np.stack([np.where(turning < 0, -1, 1), np.ones(len(shape))], axis=1)[:, None, None].astype(np.float32)


def _turns(shape: np.ndarray) -> np.ndarray:
    """How hands (N, 16, 21, 2) around their palm's middle change from their mean over time, (N, 16, 28).

    Distances between tips and wrist are the same however the hand is turned, and of either hand; with one finger or
    the whole hand stretched out the palm turns alike.
    """
    tips, wrist = shape[:, :, _TIPS], shape[:, :, :1]
    across, along = shape[:, :, 5] - shape[:, :, 17], shape[:, :, 9] - shape[:, :, 0]
    length = np.linalg.norm(shape[:, :, PALM], axis=3).mean(axis=2, keepdims=True)
    parts = [
        _BENDS / np.sqrt(5) * np.linalg.norm(tips - wrist, axis=3),
        _SPREADS / 2 * np.linalg.norm(np.diff(tips, axis=2), axis=3),
        _THUMB / 2 * np.linalg.norm(tips[:, :, 1:] - tips[:, :, :1], axis=3),
        _ACROSS * across,
        _ALONG * along,
        _LENGTH * np.log(np.maximum(length, 1e-3)),
        _TIP / np.sqrt(5) * tips.reshape(len(tips), MOMENTS, 2 * len(_TIPS)),
    ]
    found = np.concatenate(parts, axis=2)
    return np.asarray(found - found.mean(axis=1, keepdims=True))
