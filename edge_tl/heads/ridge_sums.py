"""Ridge from sums: what rows of many devices add up to is enough for the head that all of these rows would give.

Of each class the number of rows, their sum and their second moments are added up; with "classes weigh the same" the
normal equations follow exactly, whichever classes each device has. λ and the temperature are found as `heads/ridge.py`
finds them, by leaving takes out: each device leaves its own takes out of the total, exactly, and what it then gets
wrong adds up too. NumPy alone is imported, for `edge-tl-host fleet` copies this file into the Flower app as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LAMBDAS = np.logspace(-4, 1, 21)
"""Where λ is searched, in units of the mean eigenvalue of the centred Gram matrix."""
FEW = 20
"""From so many examples of the smallest class on only what was left out chooses λ; below, the prior has a say."""
PULL = 10.0
"""How much of a say, with one example: in squared decades of λ off the prior, as a logarithm of likelihood. Chosen with
FEW among 3, 5, 10, 20, 30 and 10, 20, all, on half of the people (NOTES.md)."""
BETAS = np.geomspace(0.1, 500, 97)
"""Inverse temperatures at which the slope of the likelihood is added up; between them it is interpolated."""
MAX_COLUMNS = 256
"""Longer rows are projected to so many values: second moments grow with their square."""


def likeliest(errors: np.ndarray, lambdas: np.ndarray, prior: float | None, judged: int, smallest: int) -> int:
    """The position of the λ to take, by the weighted squared errors (L,) of what was left out under each.

    lambdas: (L,) in units of the mean eigenvalue; prior: where λ is expected, in the same units; judged: how many
    examples could be left out; smallest: examples of the smallest class. With few the likeliest, of normal errors of
    unknown size and a prior that is normal in log λ.
    """
    few = 1 - (smallest - 1) / (FEW - 1)
    if few > 0 and prior is not None:
        decades_off = np.log10(lambdas / prior)
        known = judged * np.log(np.maximum(errors, np.finfo(np.float64).tiny))
        errors = known + PULL * min(few, 1.0) * decades_off**2
    elif not judged:
        return len(lambdas) // 2
    return int(errors.argmin())


def projection(columns: int) -> np.ndarray | None:
    """The same signs ±1/16 everywhere, (columns, MAX_COLUMNS), for rows so long; None where rows are short enough.

    Signs keep distances as well as normal numbers do (Achlioptas, 2003), and those of a hash are the same on every
    machine and for every version of every library.
    """
    if columns <= MAX_COLUMNS:
        return None
    bits = hashlib.shake_256(f"edge-tl sums {columns}".encode()).digest(columns * MAX_COLUMNS // 8)
    signs = 2.0 * np.unpackbits(np.frombuffer(bits, np.uint8)).reshape(columns, MAX_COLUMNS) - 1
    return np.asarray(signs / np.sqrt(MAX_COLUMNS))


def sums_of(X: np.ndarray, y: np.ndarray, takes: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """What a device adds to the total: float64 (C, 2 + D + D·(D + 1)/2) of rows X (N, D), labels y, takes (N,).

    Of each of `labels` the number of rows, the number of takes, the sum of the rows and the upper triangle of their
    second moments; zeros for a class without rows.
    """
    rows = np.asarray(X, np.float64)
    columns = rows.shape[1]
    upper = np.triu_indices(columns)
    made = np.zeros((len(labels), 2 + columns + len(upper[0])))
    for at, label in enumerate(labels):
        mine = y == label
        of = rows[mine]
        made[at, 0], made[at, 1] = len(of), len(np.unique(takes[mine]))
        made[at, 2 : 2 + columns] = of.sum(axis=0)
        made[at, 2 + columns :] = (of.T @ of)[upper]
    return made


def shape_of(classes: int, columns: int) -> tuple[int, int]:
    """The shape of `sums_of`."""
    return classes, 2 + columns + columns * (columns + 1) // 2


@dataclass(frozen=True)
class Totals:
    """What all devices add up to, as little of it as is needed to leave takes out and to solve."""

    counts: np.ndarray
    """(C,): rows of each class."""
    takes: np.ndarray
    """(C,): takes of each class."""
    sums: np.ndarray
    """(C, D): of the rows of each class."""
    moments: np.ndarray
    """(D, D): Σ wᵢ xᵢxᵢᵀ over all rows of all classes, which weigh the same."""

    @property
    def weights(self) -> np.ndarray:
        """(C,): what a row of each class weighs, so that classes weigh the same."""
        return np.asarray(self.counts.sum() / (len(self.counts) * self.counts))

    @property
    def judged(self) -> np.ndarray:
        """bool (C,): classes with two rows or more, of which one can be left out."""
        return np.asarray(self.counts > 1)

    @classmethod
    def of(cls, added: np.ndarray, columns: int) -> Totals:
        """The totals of what devices sent, added up: (C, 2 + D + D·(D + 1)/2), every class with a row."""
        counts, takes, sums = np.rint(added[:, 0]), np.rint(added[:, 1]), added[:, 2 : 2 + columns]
        weights = counts.sum() / (len(counts) * counts)
        return cls(counts, takes, sums, _whole(weights @ added[:, 2 + columns :], columns))

    def packed(self) -> np.ndarray:
        """Float64, for `unpacked`: classes are no longer told apart in the second moments."""
        upper = self.moments[np.triu_indices(len(self.moments))]
        return np.concatenate((self.counts, self.takes, self.sums.reshape(-1), upper))

    @classmethod
    def unpacked(cls, values: np.ndarray, classes: int, columns: int) -> Totals:
        """The totals that `packed` gave, of so many classes and columns; ValueError for another number of values."""
        ends = np.cumsum([classes, classes, classes * columns])
        counts, takes, sums, upper = np.split(np.asarray(values, np.float64), ends)
        return cls(counts, takes, sums.reshape(classes, columns), _whole(upper, columns))


def _whole(upper: np.ndarray, columns: int) -> np.ndarray:
    """The symmetric matrix (D, D) of its upper triangle."""
    made = np.zeros((columns, columns))
    made[np.triu_indices(columns)] = upper
    return made + np.triu(made, 1).T


class SummedRidge:
    """The ridge of all rows, for every λ at once, by the decomposition of what they add up to."""

    def __init__(self, totals: Totals) -> None:
        """The decomposition; totals: of two classes or more, each with a row."""
        self.totals = totals
        weights, rows = totals.weights, totals.counts.sum()
        self.mean = weights @ totals.sums / rows
        values, V = np.linalg.eigh(totals.moments - rows * np.outer(self.mean, self.mean))
        # As `loo.spectrum`, whose rows are float32.
        keep = values > max(values[-1], 0) * max(rows, len(values)) * np.finfo(np.float32).eps
        self._values, self._V = values[keep], V[:, keep]
        self.scale = float(self._values.sum() / rows) or 1.0
        """The unit in which λ is searched, as `loo.Spectrum.scale`."""
        centred = weights[:, None] * (totals.sums - totals.counts[:, None] * self.mean)
        self._towards = self._V.T @ centred.T
        """(r, C): Vᵀ·X̃ᵀ·Z."""

    def coef(self, lambda_: float) -> tuple[np.ndarray, np.ndarray]:
        """Weights (C, D) and intercept (C,) under this λ."""
        coef = (self._V @ (self._towards / (self._values + lambda_)[:, None])).T
        return coef, 1 / len(self.totals.counts) - coef @ self.mean

    def left_out(
        self, X: np.ndarray, codes: np.ndarray, groups: Sequence[np.ndarray], lambdas: np.ndarray
    ) -> np.ndarray:
        """Scores (L, M, C) of a device's rows X (M, D), each by a fit on all devices' rows without its group.

        codes: int (M,) columns of their labels; groups: positions left out together, each row in one; lambdas: (L,).
        The block formula of `heads/loo.py`, of which a device needs its own rows only, and of the others the total.
        """
        rows, classes = self.totals.counts.sum(), len(self.totals.counts)
        s = np.sqrt(self.totals.weights[codes])
        U = s[:, None] * ((np.asarray(X, np.float64) - self.mean) @ self._V) / np.sqrt(self._values)
        Z = s[:, None] * np.eye(classes)[codes]
        towards = self._towards / np.sqrt(self._values)[:, None]
        held_out = np.empty((len(lambdas), len(X), classes))
        for at, lambda_ in enumerate(lambdas):
            shrink = self._values / (self._values + lambda_)
            residuals = Z - U @ (shrink[:, None] * towards) - s[:, None] / classes
            directions = np.column_stack((U * np.sqrt(shrink), s / np.sqrt(rows)))
            for group in groups:
                residuals[group] = _alone(directions[group], residuals[group])
            held_out[at] = (Z - residuals) / s[:, None]
        return held_out


def _alone(V: np.ndarray, residuals: np.ndarray) -> np.ndarray:
    """(I − V·Vᵀ)⁻¹·r of V (B, r) and r (B, C), on the smaller side (Woodbury)."""
    if len(V) <= V.shape[1]:
        return np.linalg.solve(np.eye(len(V)) - V @ V.T, residuals)
    return np.asarray(residuals + V @ np.linalg.solve(np.eye(V.shape[1]) - V.T @ V, V.T @ residuals))


def verdicts(held_out: np.ndarray, codes: np.ndarray, totals: Totals) -> np.ndarray:
    """What a device's left-out rows say of each λ, to be added up: float64 (L, 3 + len(BETAS)).

    held_out: (L, M, C); codes: int (M,). Rows judged, rows right, weighted squared error, and the slope of the
    likelihood of `loo.fit_temperature` at each of `BETAS`.
    """
    some = totals.judged[codes]
    codes, held_out = codes[some], held_out[:, some]
    classes, weights = len(totals.counts), totals.weights[codes]
    # Smoothed as there: by the number of all that are judged, not of the device's own.
    slack = 1 / (totals.counts[totals.judged].sum() + 2)
    targets = slack / (classes - 1) + (1 - slack - slack / (classes - 1)) * np.eye(classes)[codes]
    made = np.zeros((len(held_out), 3 + len(BETAS)))
    made[:, 0] = len(codes)
    made[:, 1] = (held_out.argmax(axis=2) == codes).sum(axis=1)
    made[:, 2] = ((np.eye(classes)[codes] - held_out) ** 2).sum(axis=2) @ weights
    towards = (targets * held_out).sum(axis=2) @ weights
    for at, beta in enumerate(BETAS):
        logits = beta * (held_out - held_out.max(axis=2, keepdims=True, initial=-np.inf))
        p = np.exp(logits)
        p /= p.sum(axis=2, keepdims=True)
        made[:, 3 + at] = towards - (p * held_out).sum(axis=2) @ weights
    return made


def chosen(added: np.ndarray, totals: Totals, prior: float | None) -> tuple[int, float]:
    """The position of λ in LAMBDAS and the temperature, by the devices' `verdicts`, added up."""
    judged, smallest = int(totals.counts[totals.judged].sum()), int(totals.counts.min())
    at = likeliest(added[:, 2], LAMBDAS, prior, judged, smallest)
    return at, 1 / _root(added[at, 3:])


def _root(slopes: np.ndarray) -> float:
    """Where the slope, which falls with β, crosses zero: by a cubic through the four nearest, in log β."""
    if slopes[0] <= 0 or slopes[-1] >= 0:
        return float(BETAS[0] if slopes[0] <= 0 else BETAS[-1])
    after = int(np.argmax(slopes < 0))
    first = min(max(after - 2, 0), len(BETAS) - 4)
    t = np.log(BETAS[first : first + 4])
    cubic = np.polyfit(t - t[0], slopes[first : first + 4], 3)
    low, high = np.log(BETAS[after - 1]), np.log(BETAS[after])
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.polyval(cubic, middle - t[0]) > 0 else (low, middle)
    return float(np.exp((low + high) / 2))
