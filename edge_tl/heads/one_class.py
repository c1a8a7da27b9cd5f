"""The head of one class: what stands in where nothing is left to tell apart from it but "nothing there"."""

from __future__ import annotations

from typing import Any, Self

import numpy as np


class OneClassHead:
    """Answers its one class, always; made by the Recognizer in place of a head that wants two classes."""

    def __init__(self, name: str, label: str) -> None:
        """name: of the head that would have been trained, so that it is once there are two; label: the class."""
        self.name = name
        self.label = label

    @property
    def classes_(self) -> np.ndarray:
        """(1,) str."""
        return np.array([self.label])

    def fit(self, X: np.ndarray, y: Any, takes: Any = None, *, gram: Any = None, progress: Any = None) -> Self:
        """Nothing is to be learned."""
        return self

    def partial_fit(self, X: np.ndarray, y: Any, takes: Any = None) -> Self:
        """Nothing is to be learned."""
        return self

    def remove_class(self, label: str) -> Self:
        """It stays what it is."""
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """The class for each row (M, D): (M,) str."""
        return np.full(len(X), self.label)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Ones, float32 (M, 1)."""
        return np.ones((len(X), 1), np.float32)

    def score(self, X: np.ndarray, y: Any) -> float:
        """The share of labels y (M,) that are the class."""
        return float(np.mean(np.asarray(y) == self.label))

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The class, as `head_from_state` takes it."""
        return {"only": self.label}, {}
