"""The head of one class: what stands in where nothing is left to tell apart from it but "nothing there"."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from edge_tl.heads.base import Head, Progress, TaughtRows


class OneClassHead(Head):
    """Answers its one class, always; made by the Recognizer in place of a head that wants two classes.

    Nothing is to be learned: whatever it is taught, it stays what it is.
    """

    def __init__(self, name: str, label: str) -> None:
        """name: of the head that would have been trained, so that it is once there are two; label: the class."""
        self.name = name
        self.label = label
        self._classes = np.array([label])

    def remove_class(self, label: object) -> Self:
        """It stays what it is."""
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Ones, float32 (M, 1)."""
        return np.ones((len(X), 1), np.float32)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The class, as `head_from_state` takes it."""
        return {"only": self.label}, {}

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """The head that `state` was taken of."""
        return cls(meta["name"], meta["only"])

    def _learn(self, taught: TaughtRows, progress: Progress | None = None) -> Self:
        return self

    def _learn_more(self, more: TaughtRows) -> Self:
        return self
