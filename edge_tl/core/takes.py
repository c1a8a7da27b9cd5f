"""Takes told by what pictures are: when they were taken, how their files are numbered, and what they show.

For folders that say no more than which class a picture is of. Pictures of one take must not stand on both sides of a
split, so that what is doubtful is one take and not two.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from edge_tl.core.near_copies import joined, ties, unit_cells

PAUSE_S = 10.0
"""A shorter pause between two pictures begins no take."""
JUMP = 5
"""Nor does a smaller step between the numbers of two files: frames of a film were left out."""
USUAL = 3.0
"""So many times the usual step, a pause or a jump must be longer than: who takes a picture a minute pauses not."""
ALIKE = 0.95
"""The least correlation, from afar, of two pictures of one place. Chosen on half of two public sets (NOTES.md)."""
MAX_TAKES = 10
"""The most takes of a class: neighbours go together beyond, for some heads are trained anew for each."""
_STRIP = 256
_DIGITS = re.compile(r"(\d+)")


def in_order(names: Sequence[str], times_s: Sequence[float | None]) -> list[int]:
    """Positions in the order in which pictures were taken: by time where all have one, else by name, numbers by value.

    names: of the files; times_s: when each was taken, in seconds, None where it does not say.
    """
    by_name = sorted(range(len(names)), key=lambda at: (_parts(names[at]), names[at]))
    known = [time for time in times_s if time is not None]
    if len(known) < len(names):
        return by_name
    return sorted(by_name, key=lambda at: known[at])


def tell_takes(
    names: Sequence[str], times_s: Sequence[float | None], written_s: np.ndarray | Sequence[float], small: np.ndarray
) -> np.ndarray:
    """int64 (N,): the take of each picture of one class, 0, 1, …, for pictures in the order of `in_order`.

    A take ends at a pause, at a jump in the numbers, and where two pictures show another place; near-copies are in one,
    wherever they are. written_s: when the files were written, which counts where it rises with the names; small: uint8
    (N, SIDE²), as in `near_copies.hold_together`.
    """
    known = [time for time in times_s if time is not None]
    if len(known) == len(names):
        ends = _longer(np.diff(known), PAUSE_S)
    else:
        ends = _jumps(names)
        written = np.diff(np.asarray(written_s, np.float64))
        if (written >= 0).all():
            ends |= _longer(written, PAUSE_S)
    runs = np.append(0, np.cumsum(ends)) if len(names) else np.zeros(0, np.int64)
    first = np.arange(len(names))
    for run in np.unique(runs):
        own = np.flatnonzero(runs == run)
        first[own] = own[places(small[own])]
    # Of one class and no take yet: all are asked for copies as those of one take are.
    _, copies = ties(small, np.arange(len(names)), np.zeros(len(names), np.int64))
    together = joined(len(names), np.concatenate((np.column_stack((np.arange(len(names)), first)), copies)))
    return _fewer(np.unique(together, return_inverse=True)[1].reshape(-1))


def places(small: np.ndarray) -> np.ndarray:
    """int64 (N,): the earliest of the pictures uint8 (N, SIDE²) that are joined to each by ones that are `ALIKE`."""
    cells, clear = unit_cells(small)
    first = np.full(len(small), -1)
    for start in range(len(small)):
        if first[start] >= 0:
            continue
        if not clear[start]:  # it shows too little to be told apart, and goes with its neighbour
            first[start] = first[start - 1] if start else 0
            continue
        first[start] = start
        edge = np.array([start])
        while len(edge):
            left = np.flatnonzero((first < 0) & clear)
            near = cells[left] @ cells[edge[:_STRIP]].T / cells.shape[1] >= ALIKE
            reached = left[near.any(axis=1)]
            first[reached] = start
            edge = np.concatenate((edge[_STRIP:], reached))
    return first


def _fewer(takes: np.ndarray) -> np.ndarray:
    """At most `MAX_TAKES` takes of about as many pictures, neighbours together, in the order of their first ones."""
    counts = np.bincount(takes)
    if len(counts) <= MAX_TAKES:
        return takes
    middle = np.cumsum(counts) - counts / 2
    part = np.minimum((middle * MAX_TAKES / len(takes)).astype(np.int64), MAX_TAKES - 1)
    return np.asarray(np.unique(part, return_inverse=True)[1].reshape(-1)[takes])


def _longer(steps: np.ndarray, least: float) -> np.ndarray:
    """bool: which steps are longer than `least` and than the usual one."""
    usual = float(np.median(steps)) if len(steps) else 0.0
    return np.asarray(steps > max(least, USUAL * usual))


def _parts(name: str) -> list[tuple[int, str]]:
    """A name's text and numbers in turn, which sort as a person sorts them."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _DIGITS.split(name)]


def _jumps(names: Sequence[str]) -> np.ndarray:
    """bool (N − 1,): where the last number of a name jumps, or what stands before it changes."""
    told = [_DIGITS.split(name) for name in names]
    numbers = np.array([int(parts[-2]) if len(parts) > 1 else 0 for parts in told], np.float64)
    before = ["".join(parts[:-2]) for parts in told]
    other = np.array([one != following for one, following in pairwise(before)], bool)
    if 3 * other.sum() > len(other):  # names that somebody thought up, or check sums: they count nothing
        return np.zeros(len(other), bool)
    steps = np.abs(np.diff(numbers))
    within = steps[~other]
    usual = float(np.median(within)) if len(within) else 0.0
    return np.asarray(other | (steps > max(JUMP, USUAL * usual)))
