"""Leaving devices out of a ridge head by sums: what some devices add up to is taken from what all add up to."""

from __future__ import annotations

import numpy as np

from edge_tl.heads.base import TaughtRows
from edge_tl.heads.ridge import RidgeHead
from edge_tl.heads.ridge_sums import MAX_COLUMNS, Totals, sums_of


class SummedAnswers:
    """Whether examples of a device are answered rightly by ridge heads of some devices' rows.

    The heads are those that a fit on just these rows gives, with the penalty of the head of all of them, as in
    `RidgeHead.held_out_proba`: so no head reads rows again, whose number does not matter.
    """

    def __init__(self, head: RidgeHead, taught: TaughtRows, devices: np.ndarray, asked: np.ndarray) -> None:
        """head: fitted on all rows; devices: whose each is (N,) str; asked: bool (N,)."""
        self._taught, self._asked = taught, asked
        self._classes, self._columns = taught.classes, taught.X.shape[1]
        self._codes = taught.codes()
        self._of: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        takes = np.zeros(len(taught.y), np.int64)  # of no matter to a head whose penalty is known
        for name in map(str, np.unique(devices)):
            mine = np.flatnonzero(devices == name)
            own = np.unique(self._codes[mine])
            labels = self._classes[own].tolist()
            self._of[name] = mine, own, sums_of(taught.X[mine], taught.y[mine], takes[mine], labels)
        self._every = np.zeros((len(self._classes), 2 + self._columns + self._columns * (self._columns + 1) // 2))
        for _, own, sums in self._of.values():
            self._every[own] += sums
        _, centred, _ = _centred(Totals.of(self._every, self._columns))
        self._relative = head.lambda_ / (np.trace(centred) / len(taught.y) or 1.0)

    @staticmethod
    def suits(head: object, taught: TaughtRows) -> bool:
        """Whether a new head can be left to sums: a ridge whose rows are short enough for second moments."""
        return isinstance(head, RidgeHead) and head.balance and taught.X.shape[1] <= MAX_COLUMNS

    def of(self, judge: str, without: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Positions of the judge's examples that can be asked, and bool, whether all other devices (but one more) name
        them rightly."""
        left = self._every.copy()
        for name in {judge, without} - {None}:
            _, own, sums = self._of[str(name)]
            left[own] -= sums
        return self._answered(judge, left)

    def by(self, device: str) -> tuple[np.ndarray, np.ndarray]:
        """The same of this device's own examples, by what one other device taught."""
        left = np.zeros_like(self._every)
        _, own, sums = self._of[device]
        left[own] = sums
        return self._answered("", left)

    def _answered(self, judge: str, left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        there = np.flatnonzero(left[:, 0] > 0.5)
        mine = self._of[judge][0]
        rows = mine[self._asked[mine] & np.isin(self._codes[mine], there)]
        if len(there) < 2 or not len(rows):
            return np.zeros(0, np.int64), np.zeros(0, bool)
        totals = Totals.of(left[there], self._columns)
        mean, centred, towards = _centred(totals)
        centred[np.diag_indices(self._columns)] += self._relative * (np.trace(centred) / totals.counts.sum() or 1.0)
        coef = np.linalg.solve(centred, towards)
        scores = (self._taught.X[rows] - mean) @ coef  # the intercept is the same for all classes, which weigh the same
        return rows, np.asarray(there[scores.argmax(axis=1)] == self._codes[rows])


def _centred(totals: Totals) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The weighted mean row (D,), the centred second moments (D, D) and X̃ᵀ·Z (D, C), as of `SummedRidge`."""
    weights, rows = totals.weights, totals.counts.sum()
    mean = weights @ totals.sums / rows
    towards = (weights[:, None] * (totals.sums - totals.counts[:, None] * mean)).T
    return mean, totals.moments - rows * np.outer(mean, mean), towards
