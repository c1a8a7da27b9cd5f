"""Near-copies: the same picture encoded anew, in another size, brighter. They must not stand on both sides of a split.

What decides is the whole picture, 16 × 16 grey, brought to mean 0 and deviation 1: two are near-copies where no cell
differs by more than `NEAR`. A landmark would not do: the same sign held again is no copy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_tl.core.folds import PARTS

SIDE = 16
"""Cells a side of the small grey picture."""
NEAR = 0.3
"""The largest difference of a cell, in standard deviations of the picture. Chosen on half of the people and sessions of
two public sets (NOTES.md); on the others it ties none of 18 510 pairs of two sessions and finds 99 % of the copies."""
FLAT = 2.0
"""Pictures whose cells vary less, in grey levels of 255, show too little for it: a covered lens."""
CLOSEST = 4
"""So many earlier pictures, the likest, are asked of each: copies of copies are found through one another."""
_STRIP = 256


@dataclass(frozen=True, slots=True)
class Held:
    """How examples are held together."""

    takes: np.ndarray
    """int64 (N,): the take of each; a near-copy of a picture of an earlier take belongs to that."""
    sessions: np.ndarray
    """int64 (N,), likewise."""
    parts: np.ndarray
    """int64 (N,): which part of its take each is in, 0 … PARTS − 1, should that be the only one of a class."""
    copies: int
    """How many belong to another take than the one they came with, or copy another of the only take of their class."""


def hold_together(
    small: np.ndarray, files: np.ndarray, y: np.ndarray, takes: np.ndarray, sessions: np.ndarray
) -> Held | None:
    """Near-copies brought together; None where there are none, so that all stays as it came.

    small: uint8 (N, SIDE²), rows of zeros where there is no picture; files: int64 (N,), the same number for the same
    bytes; y: labels (N,); takes, sessions: int64 (N,), in the order of recording.
    """
    across, within = ties(small, files, takes)
    runs = joined(len(y), within)
    first = joined(len(y), across)
    takes_held, sessions_held = takes[first], sessions[first]
    distant = runs_apart(within, takes)
    if not len(across) and not distant:
        return None
    blocks = joined(len(y), np.concatenate((across, within)))
    parts = np.zeros(len(y), np.int64)
    for take in np.unique(takes_held):
        own = np.flatnonzero(takes_held == take)
        parts[own] = in_order(blocks[own])
    alone = [label for label in np.unique(y) if len(np.unique(takes_held[y == label])) == 1]
    copied = (takes_held != takes) | (np.isin(y, alone) & (runs != np.arange(len(y))))
    return Held(takes_held, sessions_held, parts, int(copied.sum()))


def ties(small: np.ndarray, files: np.ndarray, takes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (P, 2) of positions, the later first, that are near-copies: of two takes, and of one."""
    grey, clear = unit_cells(small)
    least = 1 - NEAR**2 / 2  # no cell differs by more, so neither do all on average
    found: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for start in range(0, len(grey), _STRIP):
        rows = np.arange(start, min(start + _STRIP, len(grey)))
        alike = grey[rows] @ grey[: rows[-1] + 1].T / grey.shape[1]
        alike[~clear[rows]] = -1
        alike[:, ~clear[: rows[-1] + 1]] = -1
        alike[files[rows][:, None] == files[: rows[-1] + 1]] = 2  # the very same file
        alike[rows[:, None] <= np.arange(rows[-1] + 1)] = -1
        same = takes[rows][:, None] == takes[: rows[-1] + 1]
        for kept, of in ((found[0], ~same), (found[1], same)):
            kept.append(_likest(np.where(of, alike, -1), rows, grey, least))
    across, within = (np.concatenate(pairs or [np.empty((0, 2), np.int64)]) for pairs in found)
    return across, within


def unit_cells(small: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Small grey pictures (N, SIDE²) at mean 0 and deviation 1, float32, and bool (N,): which show enough for it."""
    grey = small.astype(np.float32)
    grey -= grey.mean(axis=1, keepdims=True)
    spread = grey.std(axis=1)
    grey /= np.maximum(spread, FLAT)[:, None]
    return grey, spread >= FLAT


def _likest(alike: np.ndarray, rows: np.ndarray, grey: np.ndarray, least: float) -> np.ndarray:
    """Pairs (P, 2) of these rows with the likest before them that are near-copies."""
    count = min(CLOSEST, alike.shape[1])
    likest = np.argpartition(alike, alike.shape[1] - count, axis=1)[:, -count:]
    values = np.take_along_axis(alike, likest, axis=1)
    at, column = np.nonzero(values >= least)
    pairs = np.column_stack((rows[at], likest[at, column]))
    far = np.abs(grey[pairs[:, 0]] - grey[pairs[:, 1]]).max(axis=1, initial=0)
    return np.asarray(pairs[(far <= NEAR) | (values[at, column] > 1.5)])


def joined(count: int, pairs: np.ndarray) -> np.ndarray:
    """int64 (count,): the earliest position that each is joined to by pairs (P, 2), itself where there is none."""
    first = list(range(count))

    def root(at: int) -> int:
        while first[at] != at:
            first[at] = first[first[at]]
            at = first[at]
        return at

    for one, other in pairs.tolist():
        low, high = sorted((root(one), root(other)))
        first[high] = low
    return np.array([root(at) for at in range(count)], np.int64)


def runs_apart(within: np.ndarray, takes: np.ndarray) -> bool:
    """Whether near-copies of a take lie in several blocks: else they are what the frames of one hold are anyway."""
    if not len(within):
        return False
    blocks = joined(len(takes), within)
    return any(len(np.unique(blocks[takes == take])) > 1 for take in np.unique(takes[within[:, 0]]))


def in_order(blocks: np.ndarray) -> np.ndarray:
    """int64 (M,): blocks (M,) in about equal parts, each block in one of them, in the order of their beginnings.

    Fewer than two blocks are parts of their own length: a hold in which nothing moves.
    """
    names, which, counts = np.unique(blocks, return_inverse=True, return_counts=True)
    if len(names) < 2:
        return np.zeros(len(blocks), np.int64)
    count = min(PARTS, len(names))
    middle = np.cumsum(counts) - counts / 2
    part = np.minimum((middle * count / len(blocks)).astype(np.int64), count - 1)
    return np.asarray(np.unique(part, return_inverse=True)[1].reshape(-1)[which.reshape(-1)])
