"""Known or other: a kernel machine between the taught classes and examples that were made to be none of them."""

from __future__ import annotations

from typing import Self

import numpy as np

from edge_tl.core.gram import squared_distances
from edge_tl.heads.factored import inverse_root
from edge_tl.heads.loo import centred_gram

FEW = 600
"""Of more rows the kernel's width is found from the distances of every second row to every second."""
REFINED = 1
"""So often the weights, solved in single precision, are corrected by what is left: then 1e-10 of them is wrong."""
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
    def fit(
        cls, X: np.ndarray, codes: np.ndarray, folds: np.ndarray, others: np.ndarray, width: float
    ) -> tuple[Self, np.ndarray]:
        """From rows X (N, F) of classes `codes` (N,), 0 to C - 1, and others (M, F); and how strange each of X is.

        folds: (N,) int; an example is judged, exactly, without those of its fold. width: of the kernel, as a share of
        the median squared distance between the rows.
        """
        count = int(codes.max()) + 1
        # As they are kept: what is judged now is judged so after a restart.
        rows = np.concatenate([X, others]).astype(np.float16).astype(np.float32)
        codes = np.concatenate([codes, np.full(len(others), count)])
        far = squared_distances(rows, rows)
        step = 1 if len(rows) <= FEW else 2
        width *= float(np.median(far[::step, ::step]))
        weights = 1 / np.bincount(codes)[codes]
        weights[codes == count] *= count
        weights /= weights.mean()
        Y = np.eye(count + 1)[codes]
        groups = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]  # the others need not be judged
        K = np.exp(-far / width)
        dual, judged = solved(K, np.sqrt(weights), Y, SMOOTH * len(rows), groups, len(X))
        share = weights / weights.sum()
        return cls(rows, dual, share @ Y - (share @ K) @ dual, width), other(judged)

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


def solved(
    K: np.ndarray, s: np.ndarray, Y: np.ndarray, lambda_: float, groups: list[np.ndarray], judged: int
) -> tuple[np.ndarray, np.ndarray]:
    """Dual weights (N, C) of weighted, centred kernel ridge, and scores (J, C) of the first J rows without their group.

    K: (N, N), s: (N,) roots of the weights, Y: (N, C); groups: of the first J = `judged` rows. As
    `factored.DualSide(…).solved(…)`, for which all of the inverse factor is made: here the rows that are judged come
    last, so that of it their block is enough; it is made in single precision, and the weights are corrected.
    """
    first, s, Y = len(s) - judged, np.roll(s, -judged), np.roll(Y, -judged, axis=0)
    A = centred_gram(np.roll(K, (-judged, -judged), (0, 1)), s)
    A[np.diag_indices(len(s))] += lambda_
    A32 = A.astype(np.float32)
    P = inverse_root(A32[:first, :first])
    L = A32[first:, :first] @ P.T
    Q = inverse_root(A32[first:, first:] - L @ L.T)

    def solve(Z: np.ndarray) -> np.ndarray:
        Z = Z.astype(np.float32)
        above = P @ Z[:first]
        last = Q.T @ (Q @ (Z[first:] - L @ above))
        return np.concatenate([P.T @ (above - L.T @ last), last]).astype(np.float64)

    total = float(s @ s)
    Z = s[:, None] * Y
    Z -= s[:, None] * (s @ Z) / total
    dual = solve(Z)
    for _ in range(REFINED):
        dual += solve(Z - A @ dual)
    residuals, own = lambda_ * dual[first:], s[first:]
    for group in groups:
        columns, sg = Q[:, group].astype(np.float64), own[group]
        block = lambda_ * (columns.T @ columns) - np.outer(sg, sg) / total
        residuals[group] = np.linalg.solve(block, residuals[group])
    return np.roll(s[:, None] * dual, judged, axis=0), Y[first:] - residuals / own[:, None]
