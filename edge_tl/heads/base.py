"""What every head is: it checks examples once at the door, keeps them, learns more or fewer of them, and names rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np

from edge_tl.core.folds import thinned_takes, whole_takes
from edge_tl.errors import NotFittedError, ShapeError, counted
from edge_tl.labels import label_texts

Labels = np.ndarray | Sequence[str] | Sequence[int]
"""Text, whole numbers or truth values, each known by its text (`label_texts`)."""
Takes = np.ndarray | Sequence[int] | None
Progress = Callable[[int, float, float], bool | None]
"""Called with the epoch, the loss and the accuracy; what returns True stops there. A head that is trained in one step
calls it only where that takes seconds, with how many of 100 parts are done and NaN twice, and does not stop."""
ENOUGH_ROWS = 1500
"""Above so many rows so many of them, of all takes, serve for what heads must be fitted again for."""
T = TypeVar("T")


@dataclass(frozen=True)
class TaughtRows:
    """Examples in the order of teaching: never changed, only replaced by more or by fewer."""

    X: np.ndarray
    """(N, D), float32 or float64, finite."""
    y: np.ndarray
    """(N,) str."""
    takes: np.ndarray | None = None
    """(N,) int64: the take of each example; None where nothing is known, so that each stands alone."""
    gram: np.ndarray | None = None
    """(N, N) X·Xᵀ where it is already known."""
    parts: np.ndarray | None = None
    """(N,) int64: the part of its take that each is in where there are near-copies, as in `folds.whole_takes`."""

    @classmethod
    def check(cls, X: np.ndarray, y: Labels, takes: Takes = None, gram: np.ndarray | None = None) -> TaughtRows:
        """Examples that fit together; raises ShapeError in one line where they do not."""
        rows = check_rows(X)
        labels = label_texts(y)
        if len(rows) == 0:
            raise ShapeError("X is empty; wanted at least one example: teach some first")
        if labels.shape != (len(rows),):
            raise ShapeError(
                f"y has shape {labels.shape}; wanted one label for each of the {counted(len(rows), 'row')} of X"
            )
        groups = None
        if takes is not None:
            groups = np.asarray(takes)
            if groups.shape != labels.shape or groups.dtype.kind not in "iu":
                raise ShapeError(
                    f"takes are {groups.dtype} of shape {groups.shape}; wanted one whole number for each of the "
                    f"{counted(len(rows), 'row')} of X"
                )
            groups = groups.astype(np.int64)
        if gram is not None:
            gram = np.asarray(gram)
            if gram.shape != (len(rows), len(rows)) or not np.isfinite(gram).all():
                raise ShapeError(f"gram has shape {gram.shape}; wanted finite X @ X.T of shape {(len(rows),) * 2}")
        return cls(rows, labels, groups, gram)

    @property
    def classes(self) -> np.ndarray:
        """(C,) str, sorted."""
        return np.unique(self.y)

    def codes(self) -> np.ndarray:
        """int64 (N,): the position of each label in `classes`."""
        return np.searchsorted(self.classes, self.y)

    def need_two_classes(self, name: str, other: str = ", or use knn or prototype") -> None:
        """Raise ShapeError where there is nothing to tell apart; other: what helps beside another class."""
        if len(self.classes) < 2:
            raise ShapeError(
                f"only one class, {str(self.classes[0])!r}, was taught; a {name} head wants two or more: "
                f"teach another class{other}"
            )

    def plus(self, more: TaughtRows) -> TaughtRows:
        """These examples followed by others; the Gram matrix, where known, grows by the new rows only."""
        check_more(more, self.X.shape[1], self.takes is not None)
        takes = None
        if self.takes is not None and more.takes is not None:
            takes = np.concatenate([self.takes, more.takes])
        gram = None
        if self.gram is not None:
            beside = self.X @ more.X.T
            gram = np.block([[self.gram, beside], [beside.T, more.X @ more.X.T]])
        return TaughtRows(np.concatenate([self.X, more.X]), np.concatenate([self.y, more.y]), takes, gram)

    def without(self, label: object) -> TaughtRows:
        """The examples of the other classes; ShapeError for a label that was not taught."""
        return self.only(~of_class(label, self.y))

    def only(self, chosen: np.ndarray) -> TaughtRows:
        """Some of the examples, by a mask (N,) or by positions (M,), in that order."""
        if chosen.dtype == bool and chosen.all():
            return self
        some = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        return TaughtRows(
            self.X[some],
            self.y[some],
            None if self.takes is None else self.takes[some],
            None if self.gram is None else self.gram[np.ix_(some, some)],
            None if self.parts is None else self.parts[some],
        )

    def part(self, rows: int = ENOUGH_ROWS) -> np.ndarray:
        """Positions (M,) of about so many examples, of all takes, as `folds.thinned_takes` chooses them."""
        return thinned_takes(self.y, whole_takes(self.y, self.takes, self.parts), rows)


class Percent:
    """Tells a `Progress` how many of a hundred parts are done, each time that it is called once more."""

    def __init__(self, progress: Progress, calls: int) -> None:
        """calls: how often it will be called."""
        self._progress, self._calls, self._done = progress, calls, 0

    def __call__(self) -> None:
        """Another part is done."""
        self._done += 1
        self._progress(min(99, 100 * self._done // self._calls), float("nan"), float("nan"))


def check_rows(X: np.ndarray, columns: int | None = None) -> np.ndarray:
    """X as finite float32 or float64 (N, D), not copied where it is that already; ShapeError in one line if not."""
    rows = np.asarray(X)
    if rows.dtype not in (np.float32, np.float64):
        if rows.dtype.kind not in "fiub":
            raise ShapeError(f"X holds {rows.dtype}; wanted numbers (float32)")
        rows = rows.astype(np.float32)
    if rows.ndim != 2:
        raise ShapeError(f"X has shape {rows.shape}; wanted (examples, values): use X.reshape(1, -1) for one example")
    if columns is not None:
        check_columns(rows, columns)
    if rows.shape[1] == 0:
        raise ShapeError(f"X has shape {rows.shape}; wanted at least one value a row")
    # One pass without a temporary; the exact question is asked only where the sum of squares is suspect.
    if not np.isfinite(np.vdot(rows, rows)) and not np.isfinite(rows).all():
        bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        raise ShapeError(
            f"X holds NaN or infinity in {counted(len(bad), 'row')}, first in row {bad[0]}; remove these examples"
        )
    return rows


def check_columns(rows: np.ndarray, columns: int) -> None:
    """Raise ShapeError where rows (N, D) are not as long as those that were taught."""
    if rows.shape[1] != columns:
        raise ShapeError(f"rows have {counted(rows.shape[1], 'value')}; this head was taught rows of {columns}")


def check_more(more: TaughtRows, columns: int, has_takes: bool | None) -> None:
    """Raise ShapeError where more examples do not go with those taught, of so many values, with takes or without."""
    check_columns(more.X, columns)
    if has_takes is not None and has_takes != (more.takes is not None):
        raise ShapeError("takes are known for some examples and not for others; give them always or never")


def of_class(label: object, labels: np.ndarray) -> np.ndarray:
    """bool (N,): which of the labels (N,) str are this one; ShapeError where none is."""
    (text,) = label_texts([label])
    mine = labels == text
    if not mine.any():
        raise ShapeError(f"no class {str(text)!r} was taught; there are {', '.join(np.unique(labels))}")
    return np.asarray(mine)


def need(value: T | None, name: str) -> T:
    """The value, or NotFittedError where the head has none yet."""
    if value is None:
        raise NotFittedError(f"this {name} head was taught nothing yet; call fit first")
    return value


class Head(ABC):
    """A classifier of rows (N, D) float32 with text labels; its errors are ShapeError and NotFittedError.

    Labels may be text, whole numbers or truth values: each is known by its text ("1", "True"), which is what `classes_`
    and `predict` give, and wherever a label is asked for either will do.
    A head that `from_state` gave back predicts bit for bit as before, but holds no examples: `fit` it on all of them
    before `partial_fit` or `remove_class` (kNN and prototype hold what they need and carry on).
    """

    name: str
    curve_: Sequence[tuple[int, float, float]] = ()
    """(epoch, loss, accuracy) as `progress` was told them in `fit`; empty for heads that are trained in one step."""
    _taught: TaughtRows | None = None
    _classes: np.ndarray | None = None

    @property
    def classes_(self) -> np.ndarray:
        """(C,) str, sorted; NotFittedError before `fit`."""
        return need(self._classes, self.name)

    def fit(
        self,
        X: np.ndarray,
        y: Labels,
        takes: Takes = None,
        *,
        gram: np.ndarray | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Forget everything and learn from X (N, D), labels y (N,), takes (N,) whole numbers or None.

        gram: X·Xᵀ (N, N) where it is already known. progress(epoch, loss, accuracy) is called by the heads that go
        through the examples again and again; what returns True stops there and keeps the best so far. ShapeError for
        examples that do not fit together, and for fewer than two classes (kNN and prototype take one).
        """
        return self._learn(TaughtRows.check(X, y, takes, gram), progress)

    def partial_fit(self, X: np.ndarray, y: Labels, takes: Takes = None) -> Self:
        """Learn from more examples, new classes welcome: the same as `fit` on all examples so far."""
        more = TaughtRows.check(X, y, takes)
        return self._learn(more) if self._classes is None else self._learn_more(more)

    def remove_class(self, label: object) -> Self:
        """Forget a class and its examples; ShapeError where it was not taught, or where too few would be left."""
        need(self._classes, self.name)
        return self._learn(self._examples.without(label))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Labels (M,) str of rows (M, D): the class of the largest probability, the first one of a tie."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def score(self, X: np.ndarray, y: Labels) -> float:
        """The share of rows (M, D) that get their label y (M,)."""
        return float(np.mean(self.predict(X) == label_texts(y)))

    def release(self) -> None:  # noqa: B027 — most heads keep nothing for it
        """Give back the memory of what only judging needs, which then takes as long as a training; it may be some of
        hundreds of MB, so whoever goes on after `fit` and `evaluate` calls this."""

    @abstractmethod
    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (M, C) of rows (M, D), columns in the order of `classes_`; each row sums to 1."""

    @abstractmethod
    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """All that `predict` needs: a JSON-able dict and arrays; NotFittedError before `fit`."""

    @classmethod
    @abstractmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """The head that `state` was taken of."""

    @abstractmethod
    def _learn(self, taught: TaughtRows, progress: Progress | None = None) -> Self:
        """Forget everything and learn from these, which fit together."""

    def _learn_more(self, more: TaughtRows) -> Self:
        """Learn from more, after the first were learned."""
        return self._learn(self._examples.plus(more))

    @property
    def _examples(self) -> TaughtRows:
        """What it was taught, or NotFittedError where the head was restored without."""
        if self._taught is None:
            raise NotFittedError(
                f"this {self.name} head was restored without its examples; call fit with all of them first"
            )
        return self._taught


class LinearHead(Head):
    """A head whose scores are X·W + b."""

    _coef = np.empty((0, 0), np.float32)  # (C, D), so that one example is one row-wise product
    _intercept = np.empty(0, np.float32)

    @property
    def coef_(self) -> np.ndarray:
        """Weights (C, D), in the dtype of the examples."""
        need(self._classes, self.name)
        return self._coef

    @property
    def intercept_(self) -> np.ndarray:
        """(C,), in the dtype of the examples."""
        need(self._classes, self.name)
        return self._intercept

    def scores(self, X: np.ndarray) -> np.ndarray:
        """What the classes are compared by, (M, C), of rows (M, D): the larger, the likelier."""
        need(self._classes, self.name)
        return check_rows(X, self._coef.shape[1]) @ self._coef.T + self._intercept
