"""Heads that nobody showed: turned between and beyond the taught poses, and the taught ones as other people's faces."""

from __future__ import annotations

import numpy as np

from edge_tl.core.strangers import Strangers
from edge_tl.embedders.look.face import POINTS

PLACES = 2 * POINTS
"""What a face's row (`face.pose`, of any length) begins with: where its key points are in its box."""
PEOPLE = np.array(
    [
        [0.026, -0.019, 0.033, 0.009, 0.036, -0.005, 0.007, -0.004, -0.034, -0.026, -0.024, 0.033],
        [-0.018, -0.006, 0.015, 0.001, -0.009, -0.026, -0.009, -0.026, -0.014, 0.011, 0.039, 0.022],
        [-0.010, 0.001, 0.012, 0.000, 0.002, 0.022, 0.002, 0.023, -0.019, -0.009, 0.023, -0.010],
        [-0.003, 0.005, 0.002, -0.012, 0.013, -0.008, 0.018, -0.004, -0.012, 0.019, -0.004, -0.014],
    ]
)
"""How people's faces differ in one pose: the four principal deviations (96 % of the variance) of a person's mean from
that of all, in lengths of the PLACES. Measured on six of the twelve people of CMU Face Images (every other one by name,
T. Mitchell, UCI repository, CC BY 4.0)."""
BETWEEN, BEYOND = (0.35, 0.65), (1.6, 2.2)
"""Where a made head is, from one pose (0) to another (1): a third between them, else beyond the other."""
MADE = 1000
"""400 leave gaps that a pose falls through: of 24 draws the worst ranked the unknown before the known."""


def other_heads(rows: np.ndarray, y: np.ndarray, seed: int = 0) -> np.ndarray:
    """Rows (M, PLACES) of heads in poses that are none of the taught rows' (N, PLACES …), by their labels y (N,).

    M is MADE, or 0 where there are fewer than two classes. The same rows and seed give the same heads.
    """
    if len(np.unique(y)) < 2:
        return np.empty((0, PLACES), np.float32)
    random = np.random.default_rng(seed)
    rows = rows[:, :PLACES].astype(np.float64)
    one = random.integers(len(rows), size=MADE)
    beside = {label: np.flatnonzero(y != label) for label in np.unique(y)}
    another = np.array([random.choice(beside[y[i]]) for i in one])
    between = random.random(MADE) < 1 / 3
    share = np.where(between, random.uniform(*BETWEEN, MADE), random.uniform(*BEYOND, MADE))
    return (rows[one] + share[:, None] * (rows[another] - rows[one])).astype(np.float32)


def other_people(rows: np.ndarray, turn: int) -> np.ndarray:
    """Rows (N, PLACES) of the taught heads (N, PLACES …) as other people would show them; in turn 0 as they are."""
    heads = rows[:, :PLACES].astype(np.float64)
    if turn:
        much = np.random.default_rng(turn).normal(size=(len(heads), len(PEOPLE)))
        heads += np.linalg.norm(heads, axis=1, keepdims=True) * (much @ PEOPLE)
    return heads.astype(np.float32)


HEADS = Strangers(other_heads, passing=0.1, width=1.5, people=other_people)
"""Chosen on the people of CMU Face Images whom PEOPLE is not of (NOTES.md, "None of these")."""
