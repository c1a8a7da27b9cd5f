"""One word told from the world, in closed form: the direction from the world to the mean of the word's rows.

Least squares between a word's rows and the world needs of the world its moments only: with x divided by the world's
spread, A = (1 − p)·E₋[xxᵀ] + p·E₊[xxᵀ] − μμᵀ + λI and w = A⁻¹(m₊ − μ), one solve a word, however many hours there are.
p is next to nothing: how the few rows of a word lie around their mean says little of how other people and rooms make it
sound, and the world says much (NOTES.md, "The word's mean alone").
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_tl.core.world import Moments
from edge_tl.heads.base import TaughtRows

PENALTY = 2.0
"""λ, where the world spreads by 1."""
POSITIVE = 1e-3
"""p, how much a word's rows count beside all others."""
RIVALS = 0.5
"""How much of what a word is told from is the other words, noise and hard moments that were taught; the rest is the
world."""
VARIED = 0.5
"""How much of a word's mean are variations of its takes; the rest are the takes as they are."""
ASKED = 1e-9
"""The weight of rows that are asked, and teach nothing."""


class OneWord:
    """One word told from the world: `coef` (D,), `intercept`, and `held_out` (N,), exact scores without their takes.

    A score is 0 at the mean of what the word is told from; divided by a row's `Distance` from the world it is, where
    nothing else was taught, the cosine between the row and the word.
    """

    def __init__(self, taught: TaughtRows, teaches: np.ndarray, word: str, world: Moments, spread: np.ndarray) -> None:
        """teaches: (N,), how much each row teaches its word, 0 for one that is only asked; world, spread: of `Distance`
        and of World."""
        X, own = taught.X.astype(np.float64), taught.y == word
        weights, mine = np.full(len(own), ASKED), own & (teaches > 0)
        weights[mine] = POSITIVE * teaches[mine] / teaches[mine].sum()
        rivals = (1 - POSITIVE) * RIVALS * bool((~own).any())
        if rivals:
            weights[~own] = rivals * each_class_alike(taught.y[~own])
        positive = Moments.of(X[own], weights[own])
        parts = [(POSITIVE, positive), (1 - POSITIVE - rivals, world)]
        if rivals:
            parts.append((rivals, Moments.of(X[~own], weights[~own])))
        of_all = Moments.mixed(parts)
        A = (of_all.second - np.outer(of_all.mean, of_all.mean)) / np.outer(spread, spread)
        A[np.diag_indices(len(A))] += PENALTY
        inverse = np.linalg.inv(A)
        away = (positive.mean - of_all.mean) / spread
        w = inverse @ away / spread
        # Where the word is not: its scores are 0.
        nothing = float(w @ (of_all.mean - positive.mean)) * POSITIVE / (1 - POSITIVE)
        length = np.sqrt(max(float(away @ inverse @ away), ASKED))
        self.coef, self.intercept = w / length, -(float(w @ of_all.mean) + nothing) / length
        # Least squares of targets 1 and −1 has these scores times 2p, from −1 on.
        Y = np.where(own, 1.0, -1.0)
        rows = (X - of_all.mean) / spread
        residuals = Y - (2 * POSITIVE - 1 + 2 * POSITIVE * (rows @ (inverse @ away)))
        without = Y - left_out(rows, inverse, np.sqrt(weights), residuals, taught.takes)
        rest = remaining(weights, own, taught.takes)
        taken = (without + 1) / (2 * np.maximum(rest, ASKED)) - 1 - nothing
        self.held_out = np.where(rest > ASKED, taken, 0.0) / length


def remaining(weights: np.ndarray, own: np.ndarray, takes: np.ndarray | None) -> np.ndarray:
    """What share the word's own rows have (N,) where a row's take is left out, of weights (N,); 0 without another."""
    codes = np.arange(len(weights)) if takes is None else np.unique(takes, return_inverse=True)[1]
    mine = np.bincount(codes, weights * own)[codes]
    every = np.bincount(codes, weights)[codes]
    return np.asarray((POSITIVE - mine) / (1 - every))


def left_out(
    rows: np.ndarray, inverse: np.ndarray, s: np.ndarray, residuals: np.ndarray, takes: np.ndarray | None
) -> np.ndarray:
    """Residuals (N,) of a fit without each row's take, (I − H_BB)⁻¹ r_B as in heads/loo.py; rows (N, D) centred."""
    index = np.arange(len(rows)) if takes is None else takes
    through = rows @ inverse
    made = np.empty(len(rows))
    for take in np.unique(index):
        own = np.flatnonzero(index == take)
        hat = (through[own] @ rows[own].T + 1.0) * np.outer(s[own], s[own])
        made[own] = np.linalg.solve(np.eye(len(own)) - hat, s[own] * residuals[own]) / s[own]
    return made


def each_class_alike(labels: np.ndarray | Sequence[str]) -> np.ndarray:
    """Weights (N,) that sum to 1, of which every class has the same."""
    classes, codes = np.unique(labels, return_inverse=True)
    return np.asarray(1 / (len(classes) * np.bincount(codes)[codes]))
