"""Hands that nobody showed: the taught ones with some fingers put otherwise, to know an unknown gesture by."""

from __future__ import annotations

from functools import cache

import numpy as np

from edge_tl.core.features import unit_rows
from edge_tl.core.gram import squared_distances
from edge_tl.core.strangers import Strangers
from edge_tl.embedders.look.hand import MIDDLE

MAX_FINGERS = 3
"""How many fingers of a made hand are others' at most; one at least."""
APART = 0.15
"""A made hand is kept if it is no taught one: at least one finger lies elsewhere, by so many palms on average …"""
NEAREST = 3
"""… from that of all but two taught hands: two may be mistaken."""
TURN_RAD, LENGTH, SHAKE = 0.12, 0.05, 0.02
"""How much a finger's direction, its length (a share) and its joints (in palms) vary."""
MADE = 1000
POINTS, BENDS = slice(0, 40), slice(40, 60)
"""Where a hand's row (`embedders.shape_of`) holds the points of five fingers, four each, and their bends."""


def other_hands(rows: np.ndarray, y: np.ndarray, seed: int = 0) -> np.ndarray:
    """Rows (M, 60) of hands that are none of the taught rows (N, 60 …), whatever their labels y (N,); M at most `MADE`.

    Rows begin with `shape_of` a hand, of unit length; what comes after it is left alone. In each some fingers are put
    as a finger of another taught hand is, or as a straight or a bent one of the simulated hand: what a hand can do is
    known without a picture of it. The same rows and seed give the same hands.
    """
    random = np.random.default_rng(seed)
    taught = in_palms(rows[:, : BENDS.stop])
    points, bends = fingers(taught)
    base = random.integers(len(taught), size=MADE)
    made, bent = points[base], bends[base]
    turns = random.permuted(np.tile(np.arange(5), (MADE, 1)), axis=1)
    changed = turns < random.integers(1, MAX_FINGERS + 1, (MADE, 1))
    for finger in range(5):
        some = np.flatnonzero(changed[:, finger])
        way, bend = another(points, bends, finger, len(some), random)
        own, new = lengths(made[some, finger]), lengths(way)
        size = np.clip(own / np.maximum(new, 1e-3), 0.7, 1.4) * random.normal(1, LENGTH, len(some))
        made[some, finger] = made[some, finger, :1] + way * size[:, None, None]
        made[some, finger, 1:] += random.normal(0, SHAKE, (len(some), 3, 2))
        bent[some, finger] = bend
    far = apart(made, bent, points, bends)
    nearest = min(NEAREST, len(taught)) - 1
    kept = np.partition(far, nearest, axis=1)[:, nearest] > APART
    return unit_rows(np.concatenate([made.reshape(MADE, 40), bent.reshape(MADE, 20)], axis=1)[kept].astype(np.float32))


def other_pairs(rows: np.ndarray, y: np.ndarray, seed: int = 0) -> np.ndarray:
    """Rows (M, 120) of two hands, of rows (N, 120 …): one is as a taught one, or away, the other is none of those.

    Only hands that are seen are put otherwise. Half as many are made for each side.
    """
    random = np.random.default_rng(seed)
    pairs = rows[:, : 2 * BENDS.stop].reshape(-1, 2, BENDS.stop)
    made = []
    for side in (0, 1):
        seen = np.flatnonzero(pairs[:, side].any(axis=1))
        if len(seen):
            others = other_hands(pairs[seen, side], y[seen], seed)[side::2]
            beside = pairs[random.choice(seen, len(others))]
            beside[:, side] = others
            made.append(np.concatenate([in_palms(beside[:, 0]), in_palms(beside[:, 1])], axis=1))
    return unit_rows(np.concatenate(made).astype(np.float32))


def in_palms(rows: np.ndarray) -> np.ndarray:
    """Rows (N, 60) of any length with the palm's length, from the wrist to the middle finger's base, as 1; float64.

    Zeros, no hand, stay zeros.
    """
    rows = rows.astype(np.float64)
    at = 2 * (MIDDLE - 1)
    return rows / np.maximum(np.linalg.norm(rows[:, at : at + 2], axis=1), 1e-6)[:, None]


def fingers(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows (N, 60) as points (N, 5, 4, 2) and bends (N, 5, 4)."""
    return rows[:, POINTS].reshape(-1, 5, 4, 2), rows[:, BENDS].reshape(-1, 5, 4)


def another(
    points: np.ndarray, bends: np.ndarray, finger: int, count: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """How that finger may lie: `count` times its points (count, 4, 2) from its base, and bends (count, 4).

    A third each: as in another taught hand, as another finger of one (a thumb: as drawn), as drawn and turned a little.
    """
    kind, hand = random.integers(3, size=count), random.integers(len(points), size=count)
    like = np.where(kind == 1, random.integers(1, 5, size=count), finger)
    way, bend = points[hand, like] - points[hand, like, :1], bends[hand, like]
    drawn = (kind == 2) | ((finger == 0) & (kind == 1))
    ways, ends = drawn_finger(finger)
    which = random.integers(2, size=count)
    c, s = np.cos(turn := random.normal(0, TURN_RAD, count)), np.sin(turn)
    turned = np.einsum("npi,nij->npj", ways[which], np.moveaxis(np.array([[c, -s], [s, c]]), 2, 0))
    return np.where(drawn[:, None, None], turned, way), np.where(drawn[:, None], ends[which], bend)


@cache
def drawn_finger(finger: int) -> tuple[np.ndarray, np.ndarray]:
    """The simulated hand's finger, straight and bent: points (2, 4, 2) from its base, in palms, and bends (2, 4)."""
    from edge_tl.embedders.look.hand import BEND
    from edge_tl.sources import drawn_hand as drawn  # the drawing is not needed to recognize

    seen = np.array((1.0, -1.0, -1.0))  # pictures count y downwards, and z away from the camera
    ways, ends = [], []
    for straight in (True, False):
        if finger == 0:
            base, sizes, bones = drawn.THUMB_BASE, drawn.THUMB_BONES, drawn.THUMB_OUT if straight else drawn.THUMB_IN
        else:
            base, sizes = drawn.BASES[finger - 1], drawn.BONES[finger - 1]
            turn = np.deg2rad(np.cumsum(drawn.STRAIGHT_DEG if straight else drawn.CURLED_DEG))
            bones = np.stack([np.zeros(3), np.cos(turn), np.sin(turn)], axis=1)
        bones = unit_rows(np.concatenate([base[np.newaxis], bones]) * seen)
        along = np.cumsum(bones[1:] * sizes[:, None], axis=0)
        ways.append(np.concatenate([np.zeros((1, 3)), along])[:, :2])
        ends.append(BEND * np.append((bones[:-1] * bones[1:]).sum(axis=1), bones[0] @ bones[-1]))
    return np.stack(ways), np.stack(ends)


def lengths(ways: np.ndarray) -> np.ndarray:
    """How long fingers (N, 4, 2) are in the picture, along their joints; (N,)."""
    return np.asarray(np.linalg.norm(np.diff(ways, axis=1), axis=2).sum(axis=1))


def apart(points: np.ndarray, bends: np.ndarray, others: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """(M, N): how far M hands are from N others, by the finger that differs most: root mean square of its values."""
    far = np.zeros((len(points), len(others)))
    for finger in range(5):
        one = np.concatenate([points[:, finger].reshape(-1, 8) / np.sqrt(8), bends[:, finger]], axis=1)
        other = np.concatenate([others[:, finger].reshape(-1, 8) / np.sqrt(8), ends[:, finger]], axis=1)
        far = np.maximum(far, squared_distances(one, other) / one.shape[1])
    return np.sqrt(far)


HANDS, PAIRS = Strangers(other_hands, passing=0.02, width=0.6), Strangers(other_pairs, passing=0.02, width=0.6)
"""Chosen on half of the sessions and people (NOTES.md, "None of these")."""
