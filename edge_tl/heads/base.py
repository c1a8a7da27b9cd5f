"""What every head is: it checks examples, keeps them, learns more of them or fewer, and names rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from edge_tl.errors import NotFittedError
from edge_tl.heads.taught import Labels, Progress, Takes, Taught, check_rows, need
from edge_tl.labels import label_texts


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
    _taught: Taught | None = None
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
        return self._learn(Taught.check(X, y, takes, gram), progress)

    def partial_fit(self, X: np.ndarray, y: Labels, takes: Takes = None) -> Self:
        """Learn from more examples, new classes welcome: the same as `fit` on all examples so far."""
        more = Taught.check(X, y, takes)
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
    def _learn(self, taught: Taught, progress: Progress | None = None) -> Self:
        """Forget everything and learn from these, which fit together."""

    def _learn_more(self, more: Taught) -> Self:
        """Learn from more, after the first were learned."""
        return self._learn(self._examples.plus(more))

    @property
    def _examples(self) -> Taught:
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
