"""A hand's track: its landmarks with time stamps, as a tracker, a file or a demonstration gives it.

Checked at the door: what reads on may trust that times rise and every number is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from edge_tl.errors import ExampleError, ShapeError, counted
from edge_tl.movements.windows import POINTS, middles, palm_lengths

BRIDGED_S = 0.3
"""A hand that was lost for no longer is taken to have gone straight."""
LONGEST_S = 3600.0
"""No track is longer."""
LARGEST = 1e9
"""No landmark lies further from 0, whatever its unit: squares of more are no float32."""
_ORDERED = (
    0.9  # bones are shorter than this share of what lies between any two points; real hands: 0.5 to 0.7, fists to 0.87
)
_MIN_ADVANCE = 0.5  # the least share of frames that come later than all before


@dataclass(frozen=True, slots=True)
class Track:
    """Landmarks of one hand that was never lost for longer than `BRIDGED_S`."""

    landmarks: np.ndarray
    """float32 (n, 21, 2), n >= 2: x right and y down, in any unit that is the same for both; MediaPipe's order."""
    times_s: np.ndarray
    """float64 (n,), rising."""

    @property
    def duration_s(self) -> float:
        """From the first frame to the last one."""
        return float(self.times_s[-1] - self.times_s[0])

    def part(self, start_s: float, end_s: float) -> Self:
        """The frames from one time to another; ExampleError for fewer than two."""
        inside = (self.times_s >= start_s) & (self.times_s <= end_s)
        if inside.sum() < 2:
            raise ExampleError("the hand is seen in fewer than two pictures of this time: hold it in view for longer")
        return type(self)(self.landmarks[inside], self.times_s[inside])

    def mirrored(self) -> Self:
        """As a camera that mirrors sees it."""
        return type(self)(self.landmarks * np.array((-1, 1), np.float32), self.times_s)

    def other_hand(self) -> Self:
        """As the other hand would do it: the shape is mirrored, and the palm's middle goes the same way."""
        middle = middles(self.landmarks)[:, np.newaxis]
        return type(self)(middle + (self.landmarks - middle) * np.array((-1, 1), np.float32), self.times_s)


def tracks_of(landmarks: np.ndarray, times_s: np.ndarray) -> list[Track]:
    """The tracks in what a tracker gave, in the order of time; none where no hand is seen in two frames that follow.

    landmarks: floats (n, 21, 2 or 3), or flat (n, 42 or 63), of which x and y count; (n, hands, 21, 2 or 3) of several
    hands, of which the one that is there most is taken. Rows of zeros or NaN: no hand. times_s (n,): frames that do not
    come later than those before are left out. ShapeError for other shapes, ExampleError (one line) for time stamps of
    which most stand still or run back or lie further apart than `BRIDGED_S`, for points in another order than
    MediaPipe's, and beyond `LARGEST`.
    """
    points = _one_hand(np.asarray(landmarks))
    times = np.asarray(times_s, np.float64)
    if times.shape != (len(points),):
        raise ShapeError(f"{counted(len(points), 'frame')} came with time stamps {times.shape}; one each is wanted")
    later = _advancing(times)
    there = np.isfinite(points).all(axis=(1, 2)) & points.any(axis=(1, 2)) & later
    if there.sum() < 2:
        return []
    if (furthest := np.abs(points[there]).max()) > LARGEST:
        raise ExampleError(f"landmarks reach {furthest:.3g}: pixels, or shares of a picture, are wanted")
    if (step_s := float(np.median(np.diff(times[later])))) > BRIDGED_S:
        raise ExampleError(
            f"the frames are {step_s:.3g} s apart; at most {BRIDGED_S:g} s are wanted: are the time stamps in seconds?"
        )
    points, times = points[there].astype(np.float32), times[there]
    _check_order(points)
    ends = np.flatnonzero(np.diff(times) > BRIDGED_S) + 1
    parts = zip(np.split(points, ends), np.split(times, ends), strict=True)
    return [Track(part, at) for part, at in parts if len(part) > 1]


def longest(tracks: list[Track]) -> Track:
    """The longest of them; ExampleError where there is none."""
    if not tracks:
        raise ExampleError(
            "no hand is seen in two pictures that follow each other: show one, for half a second or more"
        )
    return max(tracks, key=lambda one: one.duration_s)


def _one_hand(landmarks: np.ndarray) -> np.ndarray:
    """x and y (n, 21, 2), float64, of the hand that is there most."""
    if landmarks.dtype.kind not in "fiu":
        raise ShapeError(f"landmarks hold {landmarks.dtype}; numbers are wanted")
    points = landmarks.astype(np.float64)
    if points.ndim == 2 and points.shape[1] in (2 * POINTS, 3 * POINTS):
        points = points.reshape(len(points), POINTS, -1)
    if points.ndim == 4 and points.shape[2] == POINTS and points.shape[1]:
        there = np.isfinite(points).all(axis=(2, 3)) & points.any(axis=(2, 3))
        points = points[:, int(there.sum(axis=0).argmax())]
    if points.ndim != 3 or points.shape[1] != POINTS or points.shape[2] not in (2, 3):
        raise ShapeError(
            f"landmarks have shape {landmarks.shape}; (frames, {POINTS}, 2 or 3) is wanted: a hand's {POINTS} points "
            "in MediaPipe's order"
        )
    return points[:, :, :2]


def _advancing(times: np.ndarray) -> np.ndarray:
    """bool (n,): which frames come later than all before; ExampleError where fewer than half do."""
    if not np.isfinite(times).all():
        raise ExampleError("some time stamps are no numbers: seconds are wanted, one for each frame")
    if len(times) and times.max() - times.min() > LONGEST_S:
        raise ExampleError(
            f"the time stamps span {times.max() - times.min():.0f} s; at most {LONGEST_S:.0f} s are wanted: are they "
            "in seconds?"
        )
    newest = np.maximum.accumulate(times)
    later = np.append(True, times[1:] > newest[:-1])[: len(times)]
    if later.sum() < _MIN_ADVANCE * len(times):
        raise ExampleError(
            f"{counted(int((~later).sum()), 'time stamp')} of {len(times)} stand still or run back: rising seconds are "
            "wanted, one for each frame"
        )
    return later


def _check_order(points: np.ndarray) -> None:
    """ExampleError where the bones of MediaPipe's hand are as long as what lies between any two of the points."""
    some = points[np.unique(np.linspace(0, len(points) - 1, 20).astype(np.int64))]
    roots = (0, 5, 9, 13, 17)
    bones = [(0 if at in (1, *roots) else at - 1, at) for at in range(1, POINTS)]
    lengths = np.linalg.norm(some[:, [a for a, _ in bones]] - some[:, [b for _, b in bones]], axis=2).mean(axis=1)
    apart = np.linalg.norm(some[:, :, np.newaxis] - some[:, np.newaxis], axis=3).sum(axis=(1, 2)) / (POINTS**2 - POINTS)
    if not (palm_lengths(some) > 0).all():
        raise ExampleError("a hand's points lie on each other: landmarks of a hand are wanted, 21 points in each frame")
    if np.median(lengths / apart) > _ORDERED:
        raise ExampleError(
            "the landmarks are in another order than MediaPipe's (the wrist, then four points of each finger from the "
            "thumb on, from its root to its tip): bring them into it"
        )
