"""The nearest examples vote: nothing is trained, and an example added or removed counts at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from edge_tl.core.features import unit_rows
from edge_tl.errors import ConfigError, ShapeError
from edge_tl.heads.taught import Labels, Takes, Taught, check_rows, need

MARGIN = 1e-5
"""float32 similarities this close to the k-th are computed again in float64: equal examples must tie exactly, and BLAS
sums equal rows in unequal order."""


class KNNHead:
    """k nearest neighbours by cosine similarity, unweighted votes, ties to the earlier example (spec S3).

    k' = min(k, N) rows vote; the probability of a class is its votes / k', for every class. Of classes with equal
    votes `predict` names the first in sorted order. A row of zeros has no direction and is refused (ShapeError).
    """

    name = "knn"

    def __init__(self, k: int = 3) -> None:
        """k: how many neighbours vote, 1 or more."""
        if int(k) != k or k < 1:
            raise ConfigError(f"k is {k}; wanted a whole number of neighbours, 1 or more")
        self.k = int(k)
        self._rows: np.ndarray | None = None  # the first _n are used; the rest is room to grow
        self._n = 0
        self._y = np.empty(0, str)
        self._has_takes: bool | None = None

    @property
    def classes_(self) -> np.ndarray:
        """(C,) str, sorted; NotFittedError before `fit`."""
        need(self._rows, self.name)
        return np.unique(self._y)

    @property
    def rows_(self) -> np.ndarray:
        """The examples (N, D) in the order of teaching, each of unit length, float32."""
        return need(self._rows, self.name)[: self._n]

    def fit(
        self,
        X: np.ndarray,
        y: Labels,
        takes: Takes = None,
        *,
        gram: np.ndarray | None = None,
        progress: Callable[[int, float, float], bool | None] | None = None,
    ) -> Self:
        """Keep examples X (N, D) labelled y (N,), one class or more; takes, gram and progress are not needed."""
        taught = Taught.check(X, y, takes, gram)
        self._rows = self._directions(taught.X)
        self._n, self._y, self._has_takes = len(taught.y), taught.y, taught.takes is not None
        return self

    def partial_fit(self, X: np.ndarray, y: Labels, takes: Takes = None) -> Self:
        """Add examples, new classes welcome: O(1) copies of a row each, amortised."""
        if self._rows is None:
            return self.fit(X, y, takes)
        more = Taught.check(X, y, takes)
        check_rows(X, self._rows.shape[1])
        if self._has_takes is not None and self._has_takes != (more.takes is not None):
            raise ShapeError("takes are known for some examples and not for others; give them always or never")
        new = self._directions(more.X)
        last = self._n + len(new)
        if last > len(self._rows):
            room = np.empty((max(last, self._n * 3 // 2), new.shape[1]), np.float32)
            room[: self._n] = self._rows[: self._n]
            self._rows = room
        self._rows[self._n : last] = new
        self._n, self._y = last, np.concatenate([self._y, more.y])
        return self

    def remove(self, indices: np.ndarray) -> Self:
        """Forget the examples at these positions (0 … N − 1); the others keep their order."""
        rows = self.rows_
        gone = np.asarray(indices, np.int64).reshape(-1)
        if len(gone) and (gone.min() < 0 or gone.max() >= self._n):
            raise ShapeError(f"no example {gone.min() if gone.min() < 0 else gone.max()}; there are {self._n}")
        keep = np.setdiff1d(np.arange(self._n), gone)
        self._rows = rows[keep] if len(keep) else None
        self._n, self._y = len(keep), self._y[keep]
        return self

    def remove_class(self, label: str) -> Self:
        """Forget a class and its examples; after the last one the head is as new."""
        gone = np.flatnonzero(self._y == label)
        if not len(gone):
            raise ShapeError(f"no class {label!r} was taught; there are {', '.join(map(str, self.classes_))}")
        return self.remove(gone)

    def neighbours(self, X: np.ndarray) -> np.ndarray:
        """Positions (M, k') of the nearest examples of rows (M, D), nearest first, ties to the earlier."""
        rows = self.rows_
        asked = self._directions(check_rows(X, rows.shape[1]))
        similar = asked @ rows.T
        count = min(self.k, self._n)
        limit = np.partition(similar, self._n - count, axis=1)[:, self._n - count] - MARGIN
        found = np.empty((len(asked), count), np.int64)
        for i, row in enumerate(similar):
            near = np.flatnonzero(row >= limit[i])
            exact = (rows[near].astype(np.float64) * asked[i]).sum(axis=1)
            found[i] = near[np.argsort(-np.round(exact, 12), kind="stable")[:count]]
        return found

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """The share of the votes of each class, float64 (M, C), for rows (M, D)."""
        found = self.neighbours(X)
        classes, codes = np.unique(self._y, return_inverse=True)
        votes = codes.reshape(-1)[found][:, :, None] == np.arange(len(classes))
        return votes.mean(axis=1)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Labels (M,) of rows (M, D)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def score(self, X: np.ndarray, y: Labels) -> float:
        """The share of rows (M, D) that get their label y (M,)."""
        return float(np.mean(self.predict(X) == np.asarray(y)))

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """A JSON-able dict and arrays: all examples."""
        rows = self.rows_.copy()
        return {"name": self.name, "k": self.k, "takes": self._has_takes}, {"rows": rows, "labels": self._y}

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """The head that `state` was taken of; it can be taught more."""
        head = cls(meta["k"])
        head._rows, head._y = np.array(arrays["rows"]), np.array(arrays["labels"])
        head._n, head._has_takes = len(head._y), meta["takes"]
        return head

    @staticmethod
    def _directions(X: np.ndarray) -> np.ndarray:
        X = X.astype(np.float32, copy=False)
        norms = np.sqrt(np.einsum("ij,ij->i", X, X))
        if np.isfinite(norms).all() and (norms > 1e-15).all():
            return X / norms[:, None]
        zero = np.flatnonzero(~X.any(axis=1))
        if len(zero):
            raise ShapeError(f"row {zero[0]} is all zeros, which has no direction; leave this example out")
        # Scaled first, so that the squares neither overflow nor vanish in float32.
        return unit_rows(X / np.abs(X).max(axis=1, keepdims=True))
