"""The examples that a head was taught, checked once at the door, and the one-line errors of all heads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from edge_tl.errors import NotFittedError, ShapeError
from edge_tl.labels import label_texts

Labels = np.ndarray | Sequence[str] | Sequence[int]
"""Text, whole numbers or truth values, each known by its text (`label_texts`)."""
Takes = np.ndarray | Sequence[int] | None
Progress = Callable[[int, float, float], bool | None]
"""Called with the epoch, the loss and the accuracy; what returns True stops there."""
T = TypeVar("T")


@dataclass(frozen=True)
class Taught:
    """Examples in the order of teaching: never changed, only replaced by more or by fewer."""

    X: np.ndarray
    """(N, D), float32 or float64, finite."""
    y: np.ndarray
    """(N,) str."""
    takes: np.ndarray | None = None
    """(N,) int64: the take of each example; None where nothing is known, so that each stands alone."""
    gram: np.ndarray | None = None
    """(N, N) X·Xᵀ where it is already known."""

    @classmethod
    def check(cls, X: np.ndarray, y: Labels, takes: Takes = None, gram: np.ndarray | None = None) -> Taught:
        """Examples that fit together; raises ShapeError in one line where they do not."""
        rows = check_rows(X)
        labels = label_texts(y)
        if len(rows) == 0:
            raise ShapeError("X is empty; wanted at least one example: teach some first")
        if labels.shape != (len(rows),):
            raise ShapeError(f"y has shape {labels.shape}; wanted one label for each of the {len(rows)} rows of X")
        groups = None
        if takes is not None:
            groups = np.asarray(takes)
            if groups.shape != labels.shape or groups.dtype.kind not in "iu":
                raise ShapeError(
                    f"takes are {groups.dtype} of shape {groups.shape}; wanted one whole number for each of the "
                    f"{len(rows)} rows of X"
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

    def need_two_classes(self, name: str) -> None:
        """Raise ShapeError where there is nothing to tell apart."""
        if len(self.classes) < 2:
            raise ShapeError(
                f"only one class, {str(self.classes[0])!r}, was taught; a {name} head wants two or more: "
                "teach another class, or use knn or prototype"
            )

    def plus(self, more: Taught) -> Taught:
        """These examples followed by others; the Gram matrix, where known, grows by the new rows only."""
        check_more(more, self.X.shape[1], self.takes is not None)
        takes = None
        if self.takes is not None and more.takes is not None:
            takes = np.concatenate([self.takes, more.takes])
        gram = None
        if self.gram is not None:
            beside = self.X @ more.X.T
            gram = np.block([[self.gram, beside], [beside.T, more.X @ more.X.T]])
        return Taught(np.concatenate([self.X, more.X]), np.concatenate([self.y, more.y]), takes, gram)

    def without(self, label: object) -> Taught:
        """The examples of the other classes; ShapeError for a label that was not taught."""
        keep = ~of_class(label, self.y)
        takes = None if self.takes is None else self.takes[keep]
        gram = None if self.gram is None else self.gram[np.ix_(keep, keep)]
        return Taught(self.X[keep], self.y[keep], takes, gram)


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
        raise ShapeError(f"X holds NaN or infinity in {len(bad)} rows, first in row {bad[0]}; remove these examples")
    return rows


def check_columns(rows: np.ndarray, columns: int) -> None:
    """Raise ShapeError where rows (N, D) are not as long as those that were taught."""
    if rows.shape[1] != columns:
        raise ShapeError(f"rows have {rows.shape[1]} values; this head was taught rows of {columns}")


def check_more(more: Taught, columns: int, has_takes: bool | None) -> None:
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
