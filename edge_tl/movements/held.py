"""A hand that is held still, beside hands that move: how both lie in one profile, as rows of one length.

The row of a sign has the hand's shape in front, zeros after it, and lasts 0 s; no window of a movement does.
"""

from __future__ import annotations

import numpy as np

from edge_tl.errors import ExampleError
from edge_tl.movements.demonstration import LONGEST_S, MIN_SPEED, movement_in, speeds
from edge_tl.movements.track import Track
from edge_tl.movements.windows import VALUES

SIGN_VALUES = 61
"""Of a hand's shape as a head sees it: 60 of the shape, and which side is seen."""
STILL_SPEED = 0.35
"""Palm lengths a second: below `MIN_SPEED`, which each movement reaches, by more than a stored track is rounded by."""
HOLD_S = 0.5
"""A sign is held so long at least."""

assert STILL_SPEED < MIN_SPEED


def holds_still(track: Track) -> bool:
    """Whether a demonstration is a sign: the hand is held, and moves nowhere in it."""
    fast = speeds(track)[1]
    return track.duration_s >= HOLD_S and len(fast) > 0 and float(fast.max()) < STILL_SPEED


def demonstration_in(track: Track) -> Track:
    """The sign where the hand is held, `LONGEST_S` of it at most, else `movement_in`, with its errors."""
    if holds_still(track):
        return track.part(track.times_s[0], track.times_s[0] + LONGEST_S)
    return movement_in(track)


def sign_rows(shapes: np.ndarray) -> np.ndarray:
    """Shapes (N, 61) as rows float32 (N, 673)."""
    return np.pad(shapes.astype(np.float32), ((0, 0), (0, VALUES - SIGN_VALUES)))


def are_signs(rows: np.ndarray) -> np.ndarray:
    """bool (N,): which rows (N, 673) are of a hand that is held; the others are windows of movements."""
    return np.asarray(rows[:, -1] == 0)


class ClassKinds:
    """Which classes hold signs and which movements: none holds both, for nobody means that."""

    def __init__(self, rows: np.ndarray, labels: np.ndarray) -> None:
        """rows (N, 673) and labels (N,) of what there is already."""
        held = are_signs(rows) if len(labels) else np.empty(0, bool)
        self._held = {str(label): bool(held[labels == label].all()) for label in np.unique(labels)}

    def holds_signs(self, label: str) -> bool | None:
        """Whether a class is one of signs; None where it holds nothing yet."""
        return self._held.get(label)

    def check(self, label: str, track: Track) -> None:
        """Take another demonstration of a class; ExampleError where it is of the other kind than those before."""
        held = holds_still(track)
        if self._held.setdefault(label, held) == held:
            return
        if held:
            raise ExampleError(
                f"the hand hardly moved, and {label} is a movement: do it, or give the sign another label"
            )
        raise ExampleError(f"the hand moves, and {label} is a sign: hold it still, or give the movement another label")
