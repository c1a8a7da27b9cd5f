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
class CopyGroups:
    """How examples are held together."""

    takes: np.ndarray
    """int64 (N,): the take of each; a near-copy of a picture of an earlier take belongs to that."""
    sessions: np.ndarray
    """int64 (N,), likewise."""
    parts: np.ndarray
    """int64 (N,): which part of its take each is in, 0 … PARTS − 1, should that be the only one of a class."""
    copies: int
    """How many belong to another take than the one they came with, or copy another of the only take of their class."""
    torn: np.ndarray
    """int64 (P, 2): positions of two near-copies that were taught under two labels, the later first."""


def hold_together(
    small: np.ndarray,
    files: np.ndarray,
    y: np.ndarray,
    takes: np.ndarray,
    sessions: np.ndarray,
    sounds: np.ndarray | None = None,
) -> CopyGroups | None:
    """Near-copies brought together; None where there are none, so that all stays as it came.

    small: uint8 (N, SIDE²), rows of zeros where there is no picture; files: int64 (N,), the same number for the same
    bytes; y: labels (N,); takes, sessions: int64 (N,), in the order of recording; sounds: pairs (P, 2) of positions,
    the later first, that are near-copies by what is heard of them (`same_sound`).
    """
    across, within = ties(small, files, takes)
    if sounds is not None and len(sounds):
        own = takes[sounds[:, 0]] == takes[sounds[:, 1]]
        across, within = np.concatenate((across, sounds[~own])), np.concatenate((within, sounds[own]))
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
    torn = across[y[across[:, 0]] != y[across[:, 1]]]
    return CopyGroups(takes_held, sessions_held, parts, int(copied.sum()), np.unique(torn, axis=0))


def ties(small: np.ndarray, files: np.ndarray, takes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (P, 2) of positions, the later first, that are near-copies: of two takes, and of one."""
    grey, clear = unit_cells(small)
    grey[~clear] = 0
    least = 1 - NEAR**2 / 2  # no cell differs by more, so neither do all on average
    found = [_same_file(files, takes)]
    for start in range(0, len(grey), _STRIP):
        rows = grey[start : start + _STRIP]
        alike = rows @ grey[: start + len(rows)].T / grey.shape[1]
        alike[:, start:] = np.tril(alike[:, start:], -1)  # each is asked for what came before it
        at, column = np.nonzero(alike >= least)
        values = alike[at, column]
        for kind in (takes[start + at] != takes[column], takes[start + at] == takes[column]):
            of = np.flatnonzero(kind)
            of = of[np.lexsort((-values[of], at[of]))]
            _, first, counts = np.unique(at[of], return_index=True, return_counts=True)
            likest = of[np.arange(len(of)) - np.repeat(first, counts) < CLOSEST]
            pairs = np.column_stack((start + at[likest], column[likest]))
            found.append(pairs[np.abs(grey[pairs[:, 0]] - grey[pairs[:, 1]]).max(axis=1, initial=0) <= NEAR])
    pairs = np.concatenate(found)
    within = takes[pairs[:, 0]] == takes[pairs[:, 1]]
    return pairs[~within], pairs[within]


def unit_cells(small: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Small grey pictures (N, SIDE²) at mean 0 and deviation 1, float32, and bool (N,): which show enough for it."""
    grey = small.astype(np.float32)
    grey -= grey.mean(axis=1, keepdims=True)
    spread = grey.std(axis=1)
    grey /= np.maximum(spread, FLAT)[:, None]
    return grey, spread >= FLAT


def _same_file(files: np.ndarray, takes: np.ndarray) -> np.ndarray:
    """Pairs (P, 2) of positions with the very same file, each with the first, and with the first of its take."""
    pairs = []
    for keys in (files[:, None], np.column_stack((files, takes))):
        _, first, which = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        pairs.append(np.column_stack((np.arange(len(files)), first[which.reshape(-1)])))
    every = np.concatenate(pairs)
    return np.asarray(every[every[:, 0] != every[:, 1]])


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
