"""Weight imprinting as Coral documents it for its Edge TPU: a class's weights are the mean of its unit embeddings.

The embedding is the pooled map scaled to unit length, and the mean is scaled to unit length too (Qi, Brown and Lowe,
*Low-Shot Learning with Imprinted Weights*). Coral's own library runs on its device alone, so this is NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers.child import serve
from benchmarks.peers.children.rows import Ask, Sets, cell_means

channels = 0


def unit(rows: np.ndarray) -> np.ndarray:
    """Each row of length 1."""
    scaled: np.ndarray = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return scaled


def imprint(X: np.ndarray, y: np.ndarray, seed: int) -> Ask:
    """One row of weights a class."""
    rows = unit(cell_means(X, channels))
    weights = unit(np.stack([rows[y == label].mean(axis=0) for label in range(y.max() + 1)]))
    return lambda asked: (unit(cell_means(asked, channels)) @ weights.T).argmax(axis=1)


def pool(values: int) -> dict[str, Any]:
    """How many channels a cell has."""
    global channels
    channels = values
    return {}


if __name__ == "__main__":
    serve({**Sets({"imprinting": imprint}).actions(), "pool": pool})
