"""Ridge regression of many rows: one λ, one Cholesky factor on the smaller side, and any groups left out of it.

Weighted, with intercept, as in `heads/loo.py`: with s = √w and x̃ᵢ = sᵢ·(xᵢ − mean) the hat matrix on scaled targets is

    H = X̃·(X̃ᵀX̃ + λI)⁻¹·X̃ᵀ + s·sᵀ/Σw = I − λ·(X̃X̃ᵀ + λI)⁻¹ + s·sᵀ/Σw      (the push-through identity)

of which the first form costs O(N·D²), and the second O(N³). Only the blocks H_BB of groups that are left out are ever
made: with C·Cᵀ the factored matrix and Z = X̃·C⁻ᵀ (N, D) they are Z_B·Z_Bᵀ in the first form, and in the second columns
of C⁻¹. The residuals of a group without itself are (I − H_BB)⁻¹·r_B (Allen's PRESS, for groups; Cook and Weisberg,
Residuals and Influence in Regression, 1982, 2.2).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from edge_tl.heads.loo import alone, centred_gram

ROWS = 1024
"""Rows that are centred at once: 16 MB of 3 840 values."""
LEAF = 256
"""Up to so many rows LAPACK factors and inverts a matrix itself."""
COLUMNS = 480
"""Columns of Z, or of the weights, that are made at once: what is above the diagonal of C⁻¹ is not multiplied for Z,
which saves 4 tenths."""

Beat = Callable[[], object]
"""Called between two parts of long work."""


def no_beat() -> None:
    """Nobody waits."""


class Side(ABC):
    """Weighted, centred rows, to be multiplied with each other on one side."""

    @abstractmethod
    def solved(self, Y: np.ndarray, lambda_: float, beat: Beat = no_beat) -> RidgeSolution:
        """The ridge with this λ for targets Y (N, C)."""


class RidgeSolution(ABC):
    """A ridge with one λ, that whatever groups are asked for can be left out of."""

    def __init__(self, s: np.ndarray, Y: np.ndarray) -> None:
        self._s, self._Y = s, Y
        self._total = float(s @ s)
        self._residuals = np.empty_like(Y)  # of the scaled targets; whoever derives from this says them

    @abstractmethod
    def coef(self) -> np.ndarray:
        """The weights (C, D), float64 or as exact as the rows."""

    @abstractmethod
    def _alone(self, group: np.ndarray) -> np.ndarray:
        """(I − H_BB)⁻¹·r_B, float64 (B, C)."""

    def left_out(self, groups: Sequence[np.ndarray]) -> np.ndarray:
        """Scores (N, C) of every example by a fit without its group; each example is in exactly one group."""
        residuals = self._residuals.copy()
        for group in groups:
            residuals[group] = self._alone(group)
        return self._Y - residuals / self._s[:, None]


def side_of(X: np.ndarray, gram: np.ndarray | None, s: np.ndarray) -> Side:
    """The smaller side of rows X (N, D) with weights s² (N,); gram: X·Xᵀ where it is known."""
    return DualSide(X, gram, s) if len(X) <= X.shape[1] else PrimalSide(X, s)


def parts_of(X: np.ndarray) -> int:
    """How often `beat` is called where rows X (N, D) are multiplied and solved once."""
    blocks = -(-len(X) // ROWS)
    return 2 * blocks + halvings(X.shape[1]) if len(X) > X.shape[1] else 1


def halvings(n: int) -> int:
    """How often `inverse_root` cuts a matrix of n rows."""
    return 0 if n <= LEAF else 1 + halvings(n // 2) + halvings(n - n // 2)


class DualSide(Side):
    """N × N, for N ≤ D."""

    def __init__(self, X: np.ndarray, gram: np.ndarray | None, s: np.ndarray) -> None:
        self._X, self._s = X, s
        self._K = centred_gram(X @ X.T if gram is None else gram, s)

    def solved(self, Y: np.ndarray, lambda_: float, beat: Beat = no_beat) -> DualSolved:
        """The ridge with this λ for targets Y (N, C)."""
        return DualSolved(self._X, self._K, self._s, Y, lambda_)


class DualSolved(RidgeSolution):
    """By the inverse of the factor of X̃X̃ᵀ + λI."""

    def __init__(self, X: np.ndarray, K: np.ndarray, s: np.ndarray, Y: np.ndarray, lambda_: float) -> None:
        """K: `centred_gram`, which is left as it is."""
        super().__init__(s, Y)
        self._X, self._lambda = X, lambda_
        shifted = K.copy()
        shifted[np.diag_indices(len(s))] += lambda_
        self._inverse = inverse_root(shifted)
        Z = s[:, None] * Y
        Z -= s[:, None] * (s @ Z) / self._total
        dual = self._inverse.T @ (self._inverse @ Z)
        self._residuals = lambda_ * dual
        self.dual = s[:, None] * dual
        """(N, C): coef = dualᵀ·X; its columns sum to zero, so X need not be centred for it."""

    def coef(self) -> np.ndarray:
        """The weights (C, D), in the dtype of the rows."""
        return np.asarray(self.dual.T.astype(self._X.dtype) @ self._X)

    def _alone(self, group: np.ndarray) -> np.ndarray:
        columns, sg = self._inverse[:, group], self._s[group]
        block = self._lambda * (columns.T @ columns) - np.outer(sg, sg) / self._total
        return np.asarray(np.linalg.solve(block, self._residuals[group]))


class PrimalSide(Side):
    """D × D, for N > D: no matrix has N² values, and of float64 only those of D² values and of a few rows.

    The products are made when it is solved, which is done once, and let go before the rest is made.
    """

    def __init__(self, X: np.ndarray, s: np.ndarray) -> None:
        self._X, self._s = X, s
        w = s * s
        self._mean = w @ X / w.sum() if X.dtype == np.float64 else weighted_mean(X, w)

    def solved(self, Y: np.ndarray, lambda_: float, beat: Beat = no_beat) -> PrimalSolved:
        """The ridge with this λ for targets Y (N, C)."""
        shifted = self._products(beat)
        shifted[np.diag_indices(len(shifted))] += lambda_
        inverse = inverse_root(shifted, beat).astype(self._X.dtype)
        del shifted
        Z = np.empty_like(self._X)
        for at, rows in self._blocks():
            for first in range(0, len(inverse), COLUMNS):
                some = slice(first, first + COLUMNS)
                np.matmul(rows[:, : some.stop], inverse[some, : some.stop].T, out=Z[at, some])
            beat()
        return PrimalSolved(Z, inverse, self._s, Y)

    def _products(self, beat: Beat) -> np.ndarray:
        """X̃ᵀX̃ (D, D), float64, added up in the dtype of the rows."""
        columns = self._X.shape[1]
        G = np.zeros((columns, columns), self._X.dtype)
        for _, rows in self._blocks():
            G += rows.T @ rows
            beat()
        return G.astype(np.float64)

    def _blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Where some rows are, and these centred and weighted, in their own dtype."""
        dtype = self._X.dtype
        mean, s = self._mean.astype(dtype), self._s.astype(dtype)
        for first in range(0, len(self._X), ROWS):
            at = slice(first, first + ROWS)
            yield at, (self._X[at] - mean) * s[at, None]


class PrimalSolved(RidgeSolution):
    """By Z = X̃·C⁻ᵀ, C the factor of X̃ᵀX̃ + λI."""

    def __init__(self, Z: np.ndarray, inverse: np.ndarray, s: np.ndarray, Y: np.ndarray) -> None:
        """Z: (N, D); inverse: C⁻¹ (D, D)."""
        super().__init__(s, Y)
        self._Z, self._coef = Z, np.empty(0)
        scaled = s[:, None] * Y
        scaled -= s[:, None] * (s @ scaled) / self._total
        turned = np.zeros((Z.shape[1], Y.shape[1]))
        for first in range(0, len(Z), ROWS):
            at = slice(first, first + ROWS)
            turned += Z[at].T @ scaled[at].astype(Z.dtype)
        self._coef = np.empty(turned.T.shape)
        for first in range(0, len(inverse), COLUMNS):  # of float64 it would be as large as all that came before
            some = slice(first, first + COLUMNS)
            self._coef[:, some] = turned.T @ inverse[:, some]
        self._residuals = scaled - Z @ turned.astype(Z.dtype)

    def coef(self) -> np.ndarray:
        """The weights (C, D), float64."""
        return self._coef

    def _alone(self, group: np.ndarray) -> np.ndarray:
        sg = (self._s[group] / np.sqrt(self._total)).astype(self._Z.dtype)
        return alone(lambda: np.column_stack((self._Z[group], sg)), self._residuals[group])


def weighted_mean(X: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Float64 (D,): Σ wᵢxᵢ / Σ wᵢ of rows X (N, D), without a copy of them all in float64."""
    total = np.zeros(X.shape[1])
    for first in range(0, len(X), ROWS):
        at = slice(first, first + ROWS)
        total += w[at] @ X[at].astype(np.float64)
    return total / w.sum()


def inverse_root(A: np.ndarray, beat: Beat = no_beat) -> np.ndarray:
    """C⁻¹, lower triangular, where C·Cᵀ = A (n, n), symmetric and positive definite; C itself is never kept.

    By halves, so that nearly all of the work is in matrix products: of A = [[A₁, ·], [B, A₂]] with P = C₁⁻¹ the lower
    left of C is L = B·Pᵀ, Q = C₂⁻¹ is the root's inverse of A₂ − L·Lᵀ, and C⁻¹ = [[P, 0], [−Q·L·P, Q]].
    """
    n = len(A)
    if n <= LEAF:
        return inverse_lower(np.linalg.cholesky(A))
    half = n // 2
    out = np.zeros_like(A)
    P = out[:half, :half] = inverse_root(A[:half, :half], beat)
    beat()
    L = A[half:, :half] @ P.T
    Q = out[half:, half:] = inverse_root(A[half:, half:] - L @ L.T, beat)
    out[half:, :half] = -(Q @ (L @ P))
    return out


def inverse_lower(C: np.ndarray) -> np.ndarray:
    """The inverse of a lower triangular matrix, by halves: nearly all of the work is in matrix products."""
    n = len(C)
    if n <= 64:
        return np.tril(np.linalg.inv(C))
    half = n // 2
    out = np.zeros_like(C)
    out[:half, :half] = inverse_lower(C[:half, :half])
    out[half:, half:] = inverse_lower(C[half:, half:])
    out[half:, :half] = -out[half:, half:] @ (C[half:, :half] @ out[:half, :half])
    return out
