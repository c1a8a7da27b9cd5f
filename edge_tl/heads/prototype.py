"""The mean of each class: works from one example, and learns in the time of one addition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from edge_tl.core.features import unit_rows
from edge_tl.errors import ConfigError, ShapeError
from edge_tl.heads.taught import Labels, Takes, Taught, check_rows, need
from edge_tl.nn.losses import softmax


class PrototypeHead:
    """Cosine similarity to the mean of each class's unit rows; probabilities are softmax(sharpness · cosine).

    A row of zeros has cosine 0 to all and adds nothing but its count. (Imprinting: Qi, Brown and Lowe, CVPR 2018.)
    """

    name = "prototype"

    def __init__(self, sharpness: float = 80.0) -> None:
        """sharpness: what a cosine is multiplied by, above 0; 80 is near calibrated for the default features."""
        if not 0 < sharpness < float("inf"):
            raise ConfigError(f"sharpness is {sharpness}; wanted a number above 0")
        self.sharpness = float(sharpness)
        self._classes: np.ndarray | None = None
        self._sums = np.empty((0, 0))  # (C, D) float64, of unit rows: what more examples are added to
        self._prototypes: np.ndarray = np.empty((0, 0), np.float32)
        self._apart: np.ndarray = self._prototypes
        self._has_takes: bool | None = None

    @property
    def classes_(self) -> np.ndarray:
        """(C,) str, sorted; NotFittedError before `fit`."""
        return need(self._classes, self.name)

    @property
    def prototypes_(self) -> np.ndarray:
        """The direction of each class (C, D), float32."""
        need(self._classes, self.name)
        return self._prototypes

    def fit(
        self,
        X: np.ndarray,
        y: Labels,
        takes: Takes = None,
        *,
        gram: np.ndarray | None = None,
        progress: Callable[[int, float, float], bool | None] | None = None,
    ) -> Self:
        """Learn from examples X (N, D) labelled y (N,), one class or more; takes, gram, progress are not needed."""
        taught = Taught.check(X, y, takes, gram)
        return self._learn(taught, taught.classes, np.zeros((len(taught.classes), taught.X.shape[1])))

    def partial_fit(self, X: np.ndarray, y: Labels, takes: Takes = None) -> Self:
        """Learn from more examples, new classes welcome; no earlier example is needed."""
        if self._classes is None:
            return self.fit(X, y, takes)
        more = Taught.check(X, y, takes)
        check_rows(X, self._sums.shape[1])
        if self._has_takes != (more.takes is not None):
            raise ShapeError("takes are known for some examples and not for others; give them always or never")
        classes = np.union1d(self._classes, more.classes)
        sums = np.zeros((len(classes), self._sums.shape[1]))
        sums[np.searchsorted(classes, self._classes)] = self._sums
        return self._learn(more, classes, sums)

    def remove_class(self, label: str) -> Self:
        """Forget a class; after the last one the head is as new."""
        keep = self.classes_ != label
        if keep.all():
            raise ShapeError(f"no class {label!r} was taught; there are {', '.join(map(str, self.classes_))}")
        self._classes = self.classes_[keep] if keep.any() else None
        self._point(self._sums[keep])
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (M, C) of rows (M, D); each row sums to 1."""
        columns = need(self._classes, self.name) is not None and self._sums.shape[1]
        rows = unit_rows(check_rows(X, columns))
        return softmax(rows @ self._apart.T)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Labels (M,) of rows (M, D)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def score(self, X: np.ndarray, y: Labels) -> float:
        """The share of rows (M, D) that get their label y (M,)."""
        return float(np.mean(self.predict(X) == np.asarray(y)))

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """A JSON-able dict and arrays: the sums of the classes."""
        meta = {
            "name": self.name,
            "classes": self.classes_.tolist(),
            "sharpness": self.sharpness,
            "takes": self._has_takes,
        }
        return meta, {"sums": self._sums}

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """The head that `state` was taken of; it can be taught more."""
        head = cls(meta["sharpness"])
        head._classes, head._has_takes = np.asarray(meta["classes"]), meta["takes"]
        head._point(arrays["sums"])
        return head

    def _learn(self, more: Taught, classes: np.ndarray, sums: np.ndarray) -> Self:
        members = (classes[:, None] == more.y[None, :]).astype(more.X.dtype)
        sums += members @ unit_rows(more.X)
        self._classes, self._has_takes = classes, more.takes is not None
        self._point(sums)
        return self

    def _point(self, sums: np.ndarray) -> None:
        """Keep the sums (C, D), the directions they have, and what rows are multiplied by."""
        self._sums, self._prototypes = sums, unit_rows(sums).astype(np.float32)
        # All scores less their mean are the same to a softmax, and small ones lose fewer digits in float32: a score of
        # 80 is stored to 4e-6, which on its own is half of what one fused file and two stages may be apart.
        middle = self._prototypes.mean(axis=0) if len(sums) else np.float32(0)
        self._apart = (self._prototypes - middle) * self.sharpness
