"""Ridge regression with exact leave-one-out: one decomposition gives every left-out score for every λ.

Weighted, with intercept: minimise Σᵢ wᵢ|yᵢ − xᵢW − b|² + λ|W|². With s = √w, centred rows and the thin decomposition
diag(s)·X = U·diag(√e)·Vᵀ the hat matrix on scaled targets is H = U·diag(e/(e+λ))·Uᵀ + s·sᵀ/Σw, and the residuals of a
group B that is left out are (I − H_BB)⁻¹ r_B of the residuals r of the fit (Allen's PRESS, for groups).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from edge_tl.nn.losses import softmax

BLOCK_VALUES = 1_000_000
"""Values of the blocks (I − H_BB) that are solved at once: 8 MB, whatever the length of a take."""

STACK_VALUES = 600_000
"""Values of the rows that are stacked for one solve: 2 MB; more would leave the caches (measured: N = 1000 slows)."""

LONG = 1000
"""Groups of more rows, and of more than there are directions, are left out on the side of the directions."""

UNCHECKED = 0.3
"""The temperature where nothing could be left out, as a share of how far taught examples' own scores lie above the
others: what was taught is then told with .85 of six classes. Chosen on half of the people (one example a class, nine
sets and ways): whole pictures are told with .42 where .43 are right, hands with .70 where .97; at 0.2 with .54 and
.83."""


@dataclass(frozen=True)
class Spectrum:
    """The decomposition of centred, weighted rows; all float64."""

    U: np.ndarray
    """(N, r) orthonormal columns, orthogonal to s."""
    values: np.ndarray
    """(r,) eigenvalues e > 0, ascending."""
    s: np.ndarray
    """(N,) square roots of the weights of the examples."""

    @property
    def scale(self) -> float:
        """The mean eigenvalue over all N directions: the unit in which λ is searched."""
        return float(self.values.sum() / len(self.s)) or 1.0


def centred_gram(K: np.ndarray, s: np.ndarray) -> np.ndarray:
    """K = X·Xᵀ (N, N) after subtracting the weighted mean row of X and multiplying row i by s_i; float64."""
    w = s * s
    K = K.astype(np.float64)
    means = K @ w / w.sum()
    K -= means[:, None]
    K -= means[None, :] - (w @ means) / w.sum()
    K *= s[:, None]
    K *= s[None, :]
    return K


def spectrum(X: np.ndarray, gram: np.ndarray | None, s: np.ndarray) -> Spectrum:
    """The decomposition of X (N, D) with weights s² (N,), on the smaller of the N×N and the D×D side."""
    n, columns = X.shape
    if n <= columns:
        values, U = np.linalg.eigh(centred_gram(X @ X.T if gram is None else gram, s))
    else:
        w = s * s
        rows = X.astype(np.float64)
        rows -= w @ rows / w.sum()
        rows *= s[:, None]
        values, V = np.linalg.eigh(rows.T @ rows)
        U = rows @ V
    keep = values > max(values[-1], 0) * max(n, columns) * np.finfo(X.dtype).eps
    U = U[:, keep]
    return Spectrum(U if n <= columns else U / np.sqrt(values[keep]), values[keep], s)


def dual_weights(of: Spectrum, Y: np.ndarray, lambda_: float) -> np.ndarray:
    """A (N, C) so that W = XᵀA; its columns sum to zero, so X need not be centred for it."""
    shrunk = (of.U.T @ (of.s[:, None] * Y)) / (of.values + lambda_)[:, None]
    return of.s[:, None] * (of.U @ shrunk)


def left_out(of: Spectrum, Y: np.ndarray, lambdas: np.ndarray, groups: Sequence[np.ndarray]) -> np.ndarray:
    """Scores of every example by a fit without its group, for each λ: (len(lambdas), N, C).

    Y: targets (N, C); groups: positions of the examples left out together, each example in exactly one group. The
    weights of the examples left in stay as they are.
    """
    n, classes = Y.shape
    s, total = of.s, float(of.s @ of.s)
    Z = s[:, None] * Y
    shrink = of.values / (of.values + np.reshape(lambdas, (-1, 1)))  # (L, r)
    inner = shrink.T[:, :, None] * (of.U.T @ Z)[:, None, :]  # (r, L, C)
    fitted = (
        (of.U @ inner.reshape(len(of.values), len(lambdas) * classes))
        .reshape(n, len(lambdas), classes)
        .transpose(1, 0, 2)
    )
    residuals = Z - fitted - s[:, None] * (s @ Z) / total
    leverage = shrink @ (of.U * of.U).T + s * s / total  # (L, N)
    residuals /= (1 - leverage)[:, :, None]
    long = max(LONG, len(of.values))
    for group in (group for group in groups if len(group) > long):
        for i, part in enumerate(shrink):
            own, sg = of.U[group] * np.sqrt(part), s[group] / np.sqrt(total)
            directions = partial(np.column_stack, (own, sg))
            residuals[i, group] = alone(directions, residuals[i, group] * (1 - leverage[i, group])[:, None])
    for rows in stacks([group for group in groups if len(group) <= long], len(lambdas) * len(of.values)):
        U, sg = of.U[rows], s[rows]  # (G, B, r), (G, B)
        rest = np.eye(rows.shape[1]) - sg[:, :, None] * sg[:, None, :] / total
        together = max(1, BLOCK_VALUES // (rows.size * rows.shape[1]))
        for first in range(0, len(lambdas), together):
            some = slice(first, first + together)
            # Undo the division above for these groups, then solve with their whole blocks of the hat matrix.
            own = residuals[some, rows] * (1 - leverage[some, rows])[..., None]
            blocks = rest - (U * shrink[some, None, None, :]) @ U.transpose(0, 2, 1)
            residuals[some, rows] = np.linalg.solve(blocks, own)
    return Y - residuals / s[:, None]


def alone(directions: Callable[[], np.ndarray], residuals: np.ndarray) -> np.ndarray:
    """(I − V·Vᵀ)⁻¹·r, float64 (B, C), of V (B, r) and residuals r (B, C), on the smaller side.

    r + V·(I − VᵀV)⁻¹·Vᵀ·r is the same (Woodbury), and a group of more rows than directions costs B·r² and not B³.
    directions: makes V, and again after solving: of a session it is large, and would only lie there meanwhile.
    """
    V = directions()
    short = len(V) <= V.shape[1]
    block = V @ V.T if short else V.T @ V
    right = residuals if short else V.T @ residuals.astype(V.dtype)
    dtype = V.dtype
    del V
    block = np.negative(block, dtype=np.float64)
    block[np.diag_indices(len(block))] += 1
    turned = np.linalg.solve(block, right)
    del block
    return np.asarray(turned if short else residuals + directions() @ turned.astype(dtype))


def stacks(groups: Sequence[np.ndarray], values: int) -> Iterator[np.ndarray]:
    """Groups of two or more rows, those of one size together as far as `values` numbers a row fit into the caches.

    Yields int64 (G, B): where blocks are small, one solve of G of them is faster than G solves.
    """
    by_size: dict[int, list[np.ndarray]] = {}
    for group in groups:
        if len(group) > 1:
            by_size.setdefault(len(group), []).append(group)
    for size, same in by_size.items():
        together = max(1, STACK_VALUES // (size * values + 1))
        for first in range(0, len(same), together):
            yield np.stack(same[first : first + together])


def unchecked_temperature(scores: np.ndarray, codes: np.ndarray) -> float:
    """The temperature for a head of which no answer could be checked, from its scores (N, C) of what it was taught.

    codes: int (N,) columns of the true labels. Never below 0.002, as in `fit_temperature`.
    """
    own = scores[np.arange(len(codes)), codes]
    others = (scores.sum(axis=1) - own) / (scores.shape[1] - 1)
    return max(0.002, UNCHECKED * float(np.mean(own - others)))


def fit_temperature(scores: np.ndarray, codes: np.ndarray, weights: np.ndarray) -> float:
    """The temperature T that makes softmax(scores / T) the likeliest account of the labels.

    scores: (N, C) of examples that were left out; codes: int (N,) columns of the true labels; weights: (N,). The log
    likelihood is concave in 1/T: Newton's method on log(1/T), kept within [0.002, 10]. The targets are smoothed as
    (n + 1)/(n + 2) (Platt, 1999), so that faultless scores do not ask for T = 0.
    """
    n, classes = scores.shape
    slack = 1 / (n + 2)
    targets = np.full((n, classes), slack / (classes - 1))
    targets[np.arange(n), codes] = 1 - slack
    towards = float(weights @ (targets * scores).sum(axis=1))
    beta = 5.0
    for _ in range(50):
        p = softmax(scores * beta)
        mean = (p * scores).sum(axis=1)
        slope = float(weights @ mean) - towards
        bend = float(weights @ ((p * scores**2).sum(axis=1) - mean**2))
        step = np.clip(-slope / (bend + 1e-12), -0.5 * beta, beta)
        beta = float(np.clip(beta + step, 0.1, 500))
        if abs(step) < 1e-6 * beta:
            break
    return 1 / beta
