"""The mean of each class: works from one example, and learns in the time of one addition."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from edge_tl.core.features import unit_rows
from edge_tl.errors import ConfigError
from edge_tl.heads.base import Head, Progress, TaughtRows, check_more, check_rows, need, of_class
from edge_tl.nn.losses import softmax


class PrototypeHead(Head):
    """Cosine similarity to the mean of each class's unit rows; probabilities are softmax(sharpness · cosine).

    A row of zeros has cosine 0 to all and adds nothing but its count. (Imprinting: Qi, Brown and Lowe, CVPR 2018.)
    """

    name = "prototype"

    def __init__(self, sharpness: float = 80.0) -> None:
        """sharpness: what a cosine is multiplied by, above 0; 80 is near calibrated for the default features."""
        if not 0 < sharpness < float("inf"):
            raise ConfigError(f"sharpness is {sharpness}; wanted a number above 0")
        self.sharpness = float(sharpness)
        self._sums = np.empty((0, 0))  # (C, D) float64, of unit rows: what more examples are added to
        self._prototypes: np.ndarray = np.empty((0, 0), np.float32)
        self._apart: np.ndarray = self._prototypes
        self._has_takes: bool | None = None

    @property
    def prototypes_(self) -> np.ndarray:
        """The direction of each class (C, D), float32."""
        need(self._classes, self.name)
        return self._prototypes

    def remove_class(self, label: object) -> Self:
        """Forget a class, ShapeError where it was not taught; after the last one the head is as new."""
        keep = ~of_class(label, self.classes_)
        self._classes = self.classes_[keep] if keep.any() else None
        self._point(self._sums[keep])
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (M, C) of rows (M, D); each row sums to 1."""
        need(self._classes, self.name)
        rows = unit_rows(check_rows(X, self._sums.shape[1]))
        return softmax(rows @ self._apart.T)

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
        head = cls(float(meta["sharpness"]))
        head._classes, head._has_takes = np.asarray(meta["classes"]), meta["takes"]
        head._point(arrays["sums"])
        return head

    def _learn(self, taught: TaughtRows, progress: Progress | None = None) -> Self:
        return self._add(taught, taught.classes, np.zeros((len(taught.classes), taught.X.shape[1])))

    def _learn_more(self, more: TaughtRows) -> Self:
        check_more(more, self._sums.shape[1], self._has_takes)
        classes = np.union1d(self.classes_, more.classes)
        sums = np.zeros((len(classes), self._sums.shape[1]))
        sums[np.searchsorted(classes, self.classes_)] = self._sums
        return self._add(more, classes, sums)

    def _add(self, more: TaughtRows, classes: np.ndarray, sums: np.ndarray) -> Self:
        """Add examples to the sums (C, D) of these classes."""
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
