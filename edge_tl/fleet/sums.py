"""What a device does in a round of sums: it gives sums of its rows, and judges the head that comes back by its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge_tl.core.folds import whole_takes
from edge_tl.errors import ConfigError, ShapeError, counted
from edge_tl.heads.ridge import RidgeHead
from edge_tl.heads.ridge_sums import LAMBDAS, SummedRidge, Totals, projection, shape_of, sums_of, verdicts
from edge_tl.labels import check_label

MAX_LABELS = 100
"""Of a round; with so many classes of the longest rows a device sends 27 MB."""
SAME = 1e-3
"""How far weights may be from those that this processor finds, as a share of the largest."""


@dataclass(frozen=True)
class SummedHeadScores:
    """How a head that came of sums does on a device's own examples, none of which was in the head that is asked."""

    examples: int
    """Own ones that were judged."""
    accuracy: float | None
    """Of all devices' head, each own take left out of it; None where nothing could be judged."""
    asked: int
    """Own ones of classes that another device has too."""
    without: float | None
    """Of the head without any of this device's rows: what a new device could expect."""
    alone: float | None
    """Of a head of this device's rows alone, each take left out; None with fewer than two classes."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


class SumsRound:
    """One device's part in one round, its rows as they were when it began."""

    def __init__(
        self, X: np.ndarray, y: np.ndarray, takes: np.ndarray, labels: Sequence[str], min_examples: int = 1
    ) -> None:
        """X: (N, F) rows as heads see them, N may be 0; y, takes: (N,); labels: of all devices. Of a class with fewer
        own rows than `min_examples` nothing is given: the sum of one row is that row. ConfigError or ExampleError for
        labels that cannot be."""
        for label in labels:
            if check_label(label) != label:
                raise ConfigError(f"labels: {label[:40]!a} is kept as {check_label(label)[:40]!a}: name it so")
        wanted = np.array(list(labels), np.str_)
        if not 2 <= len(wanted) <= MAX_LABELS or wanted.tolist() != sorted(set(wanted.tolist())):
            raise ConfigError(
                f"labels: {counted(len(wanted), 'label')}; 2 to {MAX_LABELS} are wanted, sorted, each once"
            )
        given = np.isin(y, given_labels(y, min_examples)) & np.isin(y, wanted)
        self.labels = tuple(wanted.tolist())
        self._X, self._y, self._takes = X[given], y[given], takes[given]
        self._codes = np.searchsorted(wanted, self._y)
        self._projection = projection(X.shape[1])
        self._rows = self._X if self._projection is None else self._X @ self._projection
        self._ridge: SummedRidge | None = None

    @property
    def columns(self) -> int:
        """Values of a row as it is summed."""
        return int(self._rows.shape[1])

    def sums(self) -> np.ndarray:
        """As `ridge_sums.sums_of`."""
        return sums_of(self._rows, self._y, self._takes, self.labels)

    def verdicts(self, packed: np.ndarray) -> np.ndarray:
        """As `ridge_sums.verdicts`, of own takes left out of the totals, as `Totals.packed` gave them; ShapeError for
        totals that cannot hold this device's rows."""
        classes, columns = len(self.labels), self.columns
        wanted = 2 * classes + classes * columns + columns * (columns + 1) // 2
        if packed.shape != (wanted,) or not np.isfinite(packed).all():
            raise ShapeError(f"totals are {packed.shape}; wanted {wanted} finite numbers")
        totals = Totals.unpacked(packed, classes, columns)
        if (totals.counts < np.maximum(1, self._counts())).any():
            raise ShapeError("the totals have fewer rows than this device alone gave, or a class without rows")
        self._ridge = SummedRidge(totals)
        held_out = self._ridge.left_out(self._rows, self._codes, self._groups(), LAMBDAS * self._ridge.scale)
        return verdicts(held_out, self._codes, totals)

    def head(self, at: int, temperature: float, coef: np.ndarray, intercept: np.ndarray) -> RidgeHead:
        """The head that came back: of λ number `at` of LAMBDAS, coef (C, columns), intercept (C,); ShapeError for what
        is none, and for a head that another one's totals give, of which `scores` would say nothing."""
        ridge = self._need(at)
        shapes = (len(self.labels), self.columns), (len(self.labels),)
        fits = (coef.shape, intercept.shape) == shapes and np.isfinite(coef).all() and np.isfinite(intercept).all()
        if not fits or not 0.002 <= temperature <= 10:
            raise ShapeError("this is no head of this round: wanted finite weights of its size, and a temperature")
        wanted = np.column_stack(ridge.coef(float(LAMBDAS[at] * ridge.scale)))
        if np.abs(np.column_stack((coef, intercept)) - wanted).max() > SAME * np.abs(wanted).max():
            raise ShapeError("this head is not what the totals of this round give: it is not used")
        whole = coef if self._projection is None else coef @ self._projection.T
        meta = {"classes": list(self.labels), "lambda": float(LAMBDAS[at] * ridge.scale), "temperature": temperature}
        scores = self.scores(at)
        arrays = {"coef": whole.astype(np.float32), "intercept": intercept.astype(np.float32)}
        return RidgeHead.from_state({**meta, "loo_accuracy": scores.accuracy, "balance": True}, arrays)

    def scores(self, at: int) -> SummedHeadScores:
        """How the head of λ number `at` does on the own rows, by what is left of the totals without some of them."""
        ridge = self._need(at)
        lambdas = LAMBDAS[at : at + 1] * ridge.scale
        held_out = ridge.left_out(self._rows, self._codes, self._groups(), lambdas)[0]
        some = ridge.totals.judged[self._codes]
        theirs = ridge.totals.counts - self._counts() > 0
        asked, without = theirs[self._codes], None
        if asked.any() and theirs.sum() > 1:
            every = [np.arange(len(self._rows))]
            said = ridge.left_out(self._rows, self._codes, every, lambdas)[0]
            without = _share((np.where(theirs, said, -np.inf).argmax(axis=1) == self._codes)[asked])
        alone = None
        if len(np.unique(self._y)) > 1:
            alone = float(RidgeHead().fit(self._X, self._y, self._takes).loo_accuracy_)
        return SummedHeadScores(
            int(some.sum()),
            _share((held_out.argmax(axis=1) == self._codes)[some]),
            0 if without is None else int(asked.sum()),
            without,
            None if alone is None or np.isnan(alone) else alone,
        )

    def _need(self, at: int) -> SummedRidge:
        if self._ridge is None:
            raise ConfigError("no totals came in this round yet: ask for verdicts first")
        if not 0 <= at < len(LAMBDAS):
            raise ShapeError(f"λ number {at}; wanted 0 to {len(LAMBDAS) - 1}")
        return self._ridge

    def _counts(self) -> np.ndarray:
        return np.bincount(self._codes, minlength=len(self.labels))

    def _groups(self) -> list[np.ndarray]:
        """Own takes, as `whole_takes` leaves them out: cut into parts is a class only that has one take anywhere."""
        if not len(self._y) or self._ridge is None:
            return []
        elsewhere = self._ridge.totals.takes > [
            len(np.unique(self._takes[self._codes == code])) for code in range(len(self.labels))
        ]
        more = np.array(self.labels, np.str_)[elsewhere]
        after = self._takes.max() + 1 + np.arange(len(more))
        index = whole_takes(np.append(self._y, more), np.append(self._takes, after)).index[: len(self._y)]
        return [np.flatnonzero(index == fold) for fold in np.unique(index)]


def given_labels(y: np.ndarray, min_examples: int) -> list[str]:
    """The classes of which a device gives sums."""
    labels, counts = np.unique(y, return_counts=True)
    return [str(label) for label in labels[counts >= min_examples]]


def largest(X: np.ndarray, y: np.ndarray, labels: Sequence[str]) -> float:
    """The power of two above every number that `SumsRound.sums` gives of these rows and classes; 1 for no rows."""
    made = projection(X.shape[1])
    sums = sums_of(X if made is None else X @ made, y, np.zeros(len(y)), labels)
    return float(2.0 ** np.ceil(np.log2(max(1.0, np.abs(sums).max(initial=0.0)))))


def added_shape(classes: int, columns: int) -> tuple[int, int]:
    """As `ridge_sums.shape_of`, of rows as long as heads see them."""
    made = projection(columns)
    return shape_of(classes, columns if made is None else made.shape[1])


def _share(right: np.ndarray) -> float | None:
    """How many are, 0 to 1; None of none."""
    return float(right.mean()) if len(right) else None
