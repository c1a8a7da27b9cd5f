"""Known or other: a kernel machine between the taught classes and examples that were made to be none of them."""

from __future__ import annotations

from typing import Self

import numpy as np

from edge_tl.core.gram import squared_distances
from edge_tl.heads.factored import DualSide

WIDTH = 0.15
"""The kernel's width: this share of the median squared distance between its rows. Chosen on sign_digits: of digits that
were left out 14.4 % pass at 95 % accepted; at 0.3 17.8, at 0.6 29.4."""
STRIP = 1024
"""So many rows are judged at once: of tens of thousands the distances to all rows would be gigabytes."""
SMOOTH = 1e-4
"""The penalty, for each row; a tenth of it makes next to no difference."""


class KnownOrOther:
    """Gaussian kernel ridge on class indicators, one class more for the others; `strange` says how other a row is.

    The others together weigh as much as all classes together, and classes weigh the same.
    """

    def __init__(self, rows: np.ndarray, dual: np.ndarray, intercept: np.ndarray, width: float) -> None:
        """What `fit` found: rows (N, F), dual weights (N, C + 1) with the others last, intercept (C + 1,)."""
        self.rows, self.dual, self.intercept, self.width = rows, dual, intercept, width

    @classmethod
    def fit(cls, X: np.ndarray, codes: np.ndarray, folds: np.ndarray, others: np.ndarray) -> tuple[Self, np.ndarray]:
        """From rows X (N, F) of classes `codes` (N,), 0 to C - 1, and others (M, F); and how strange each of X is.

        folds: (N,) int; an example is judged, exactly, without those of its fold.
        """
        count = int(codes.max()) + 1
        # As they are kept: what is judged now is judged so after a restart.
        rows = np.concatenate([X, others]).astype(np.float16).astype(np.float32)
        codes = np.concatenate([codes, np.full(len(others), count)])
        far = squared_distances(rows, rows)
        width = WIDTH * float(np.median(far))
        weights = 1 / np.bincount(codes)[codes]
        weights[codes == count] *= count
        weights /= weights.mean()
        Y = np.eye(count + 1)[codes]
        groups = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]  # the others need not be judged
        K = np.exp(-far / width)
        found = DualSide(rows, K, np.sqrt(weights)).solved(Y, SMOOTH * len(rows))
        share, dual = weights / weights.sum(), found.dual
        return cls(rows, dual, share @ Y - (share @ K) @ dual, width), other(found.left_out(groups)[: len(X)])

    def strange(self, X: np.ndarray) -> np.ndarray:
        """How much likelier rows (M, F) are others than any class; (M,), about -1 to 1."""
        made = np.empty(len(X))
        for first in range(0, len(X), STRIP):
            some = slice(first, first + STRIP)
            alike = np.exp(-squared_distances(X[some], self.rows) / self.width)
            made[some] = other(alike @ self.dual + self.intercept)
        return made


def other(scores: np.ndarray) -> np.ndarray:
    """The last column of scores (M, C + 1) over the largest of the others."""
    return np.asarray(scores[:, -1] - scores[:, :-1].max(axis=1))
