"""The nearest examples vote: nothing is trained, and an example added or removed counts at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from edge_tl.core.features import unit_rows
from edge_tl.errors import ConfigError, ShapeError
from edge_tl.heads.base import Head, Progress, TaughtRows, check_more, check_rows, need, of_class

MARGIN = 1e-5
"""float32 similarities this close to the k-th are computed again in float64: equal examples must tie exactly, and BLAS
sums equal rows in unequal order."""
TIES = ("example", "class")
BLOCK_VALUES = 5_000_000
"""Similarities that are computed at once: 20 MB, however many rows are asked."""
_WHOLE = re.compile("0|[1-9][0-9]{0,9}")
_MAX_INDEX = 2**32 - 2
"""The largest whole number that JavaScript sorts before the other keys of an object."""


class KNNHead(Head):
    """k nearest neighbours by cosine similarity, unweighted votes, ties to the earlier example (spec S3).

    k' rows vote: k, but no more than the smallest class has examples, or others would outvote it wherever it is asked
    for; an odd k stays odd, since even votes tie. The probability of a class is its votes / k', for every class. Of
    classes with equal votes `predict` names the first in sorted order. A row of zeros has no direction and is refused
    (ShapeError).

    With ties="class" both kinds of tie go to the earlier class, as in the npm package @tensorflow-models/knn-classifier
    (1.2): of equally near examples those of the earlier class vote, and of equal votes it is named. Classes come in
    the order of teaching, those named by whole numbers first, ascending: the order of the keys of an object there. As
    there, k' is then min(k, N); so it is in a head whose state was saved before smallest classes counted.
    """

    name = "knn"

    def __init__(self, k: int = 3, ties: str = "example") -> None:
        """k: how many neighbours vote, 1 or more; ties: of equals the earlier "example" comes first, or that of the
        earlier "class"."""
        if int(k) != k or k < 1:
            raise ConfigError(f"k is {k}; wanted a whole number of neighbours, 1 or more")
        if ties not in TIES:
            raise ConfigError(f"ties are {ties!r}; choose one of {', '.join(TIES)}")
        self.k, self.ties = int(k), ties
        self._bounded = ties == "example"  # whether the smallest class bounds k
        self._voters: int | None = None  # how many vote; None until asked after a change
        self._rows: np.ndarray | None = None  # the first _n are used; the rest is room to grow
        self._n = 0
        self._y = np.empty(0, str)
        self._has_takes: bool | None = None

    @property
    def rows_(self) -> np.ndarray:
        """The examples (N, D) in the order of teaching, each of unit length, float32."""
        return need(self._rows, self.name)[: self._n]

    def remove(self, indices: np.ndarray) -> Self:
        """Forget the examples at these positions (0 … N − 1); the others keep their order."""
        rows = self.rows_
        gone = np.asarray(indices, np.int64).reshape(-1)
        if len(gone) and (gone.min() < 0 or gone.max() >= self._n):
            raise ShapeError(f"no example {gone.min() if gone.min() < 0 else gone.max()}; there are {self._n}")
        keep = np.setdiff1d(np.arange(self._n), gone)
        self._rows = rows[keep] if len(keep) else None
        self._n, self._y, self._voters = len(keep), self._y[keep], None
        self._classes = np.unique(self._y) if len(keep) else None
        return self

    def remove_class(self, label: object) -> Self:
        """Forget a class, ShapeError where it was not taught; after the last one the head is as new."""
        need(self._rows, self.name)
        return self.remove(np.flatnonzero(of_class(label, self._y)))

    def neighbours(self, X: np.ndarray) -> np.ndarray:
        """Positions (M, k') of the nearest examples of rows (M, D), nearest first, ties as `ties` says."""
        return self._nearest(self._directions(check_rows(X, self.rows_.shape[1])), self._voting(), slice(0))

    def _nearest(self, asked: np.ndarray, count: int, out: np.ndarray | slice) -> np.ndarray:
        """As `neighbours` for unit rows (M, D): so many each, none of those at the positions `out`."""
        rows, together = self.rows_, max(1, BLOCK_VALUES // self._n)
        found = np.empty((len(asked), count), np.int64)
        by_class = None
        if self.ties == "class":
            left = np.delete(self._y, out)
            place = dict(zip(np.unique(left).tolist(), self._by_class(left).tolist(), strict=True))
            by_class = np.array([place.get(label, 0) for label in self._y.tolist()])  # who is left out has none
        for first in range(0, len(asked), together):
            similar = asked[first : first + together] @ rows.T
            similar[:, out] = -np.inf
            limit = np.partition(similar, self._n - count, axis=1)[:, self._n - count] - MARGIN
            for i, row in enumerate(similar):
                near = np.flatnonzero(row >= limit[i])
                if by_class is not None:
                    near = near[np.argsort(by_class[near], kind="stable")]
                exact = (rows[near].astype(np.float64) * asked[first + i]).sum(axis=1)
                found[first + i] = near[np.argsort(-np.round(exact, 12), kind="stable")[:count]]
        return found

    def held_out_proba(self, groups: Sequence[np.ndarray], asked: np.ndarray | None = None) -> np.ndarray:
        """Probabilities (N, C) of each example by a head without its group, as one that was never taught it says.

        groups: positions of the examples left out together; asked: bool (N,), None for all; the others' rows are
        zeros. Where nothing else was taught they are too.
        """
        proba = np.zeros((self._n, len(self.classes_)))
        codes = np.searchsorted(self.classes_, self._y)
        for group in groups:
            some = group if asked is None else group[asked[group]]
            left = np.delete(self._y, group)
            if not len(left) or not len(some):
                continue
            votes = codes[self._nearest(self.rows_[some], self._voters_of(left), group)]
            proba[some] = (votes[:, :, None] == np.arange(len(self.classes_))).mean(axis=1)
        return proba

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """The share of the votes of each class, float64 (M, C), for rows (M, D)."""
        codes = np.searchsorted(self.classes_, self._y[self.neighbours(X)])
        return (codes[:, :, None] == np.arange(len(self.classes_))).mean(axis=1)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Labels (M,) of rows (M, D): the class with most votes; of equal ones the first, or the earlier."""
        if self.ties == "example":
            return super().predict(X)
        earliest = np.argsort(self._by_class(self._y))
        return self.classes_[earliest[self.predict_proba(X)[:, earliest].argmax(axis=1)]]

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """A JSON-able dict and arrays: all examples."""
        meta = {"name": self.name, "k": self.k, "takes": self._has_takes}
        if self.ties != "example":  # what is not said: as it was before there was a choice
            meta["ties"] = self.ties
        if self._bounded:
            meta["bounded"] = True
        return meta, {"rows": self.rows_, "labels": self._y}  # never written to again

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """The head that `state` was taken of; it can be taught more."""
        head = cls(meta["k"], meta.get("ties", "example"))
        head._bounded = meta.get("bounded", False)
        head._rows, head._y = np.array(arrays["rows"]), np.array(arrays["labels"])
        head._n, head._has_takes = len(head._y), meta["takes"]
        head._classes = np.unique(head._y)
        return head

    def _learn(self, taught: TaughtRows, progress: Progress | None = None) -> Self:
        self._rows = self._directions(taught.X)
        self._n, self._y, self._voters = len(taught.y), taught.y, None
        self._has_takes = taught.takes is not None
        self._classes = taught.classes
        return self

    def _learn_more(self, more: TaughtRows) -> Self:
        """O(1) copies of a row each, amortised."""
        rows = need(self._rows, self.name)
        check_more(more, rows.shape[1], self._has_takes)
        new = self._directions(more.X)
        last = self._n + len(new)
        if last > len(rows):
            room = np.empty((max(last, self._n * 3 // 2), new.shape[1]), np.float32)
            room[: self._n] = rows[: self._n]
            self._rows = rows = room
        rows[self._n : last] = new
        self._n, self._y, self._voters = last, np.concatenate([self._y, more.y]), None
        if not {*more.y.tolist()} <= {*self.classes_.tolist()}:
            self._classes = np.union1d(self.classes_, more.y)
        return self

    def _voting(self) -> int:
        """How many neighbours vote: k', counted once after each change."""
        if self._voters is None:
            self._voters = self._voters_of(self._y)
        return self._voters

    def _voters_of(self, y: np.ndarray) -> int:
        """How many neighbours vote among examples of these labels (N,)."""
        smallest = int(np.unique(y, return_counts=True)[1].min()) if self._bounded else len(y)
        uneven = self._bounded and self.k % 2 == 1 and smallest % 2 == 0
        return min(self.k, smallest - uneven)

    @staticmethod
    def _by_class(y: np.ndarray) -> np.ndarray:
        """int64 (C,): the place of each class of labels y (N,) in the order in which JavaScript keeps the keys of an
        object."""
        classes, first = np.unique(y, return_index=True)
        keys = [
            (0, int(name)) if _WHOLE.fullmatch(name) and int(name) <= _MAX_INDEX else (1, place)
            for name, place in zip(classes.tolist(), first.tolist(), strict=True)
        ]
        return np.argsort(sorted(range(len(keys)), key=keys.__getitem__))

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
