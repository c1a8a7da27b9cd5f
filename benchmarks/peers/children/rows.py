"""What the peers that train share: sets of rows on disk, and the rows of one draw. NumPy alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.peers.child import timed

Ask = Callable[[np.ndarray], np.ndarray]
"""Rows (M, D) → numbers of classes (M,)."""


class Sets:
    """The sets that were loaded, and training on a draw of one of them."""

    def __init__(self, contenders: dict[str, Callable[[np.ndarray, np.ndarray, int], Ask]]) -> None:
        self._contenders = contenders
        self._sets: dict[str, np.ndarray] = {}

    def load(self, name: str, path: str, values: int) -> dict[str, Any]:
        """Read a set: float32 rows of so many values, one after the other."""
        self._sets[name] = np.fromfile(path, np.float32).reshape(-1, values)
        return {"rows": len(self._sets[name])}

    def train(
        self, name: str, contender: str, taught: list[int], labels: list[int], asked: list[int], seed: int
    ) -> dict[str, Any]:
        """Milliseconds from the examples to a model that answers, and its answers."""
        X, y = self._sets[name][taught], np.array(labels)
        ask, took = timed(lambda: self._contenders[contender](X, y, seed))
        return {**took, "answers": np.asarray(ask(self._sets[name][asked])).tolist()}

    def actions(self) -> dict[str, Callable[..., dict[str, Any]]]:
        """For `serve`."""
        return {"load": self.load, "train": self.train}


def cell_means(rows: np.ndarray, channels: int) -> np.ndarray:
    """Global average pooling: the mean over the cells of maps (N, cells · channels)."""
    return rows.reshape(len(rows), -1, channels).mean(axis=1)
