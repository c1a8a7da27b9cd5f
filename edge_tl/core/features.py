"""What a head sees of an embedding: means over a coarse grid, the signed square root, unit length."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from math import prod
from typing import Any, Protocol

import numpy as np

from edge_tl.errors import ConfigError, ShapeError

GRIDS = {"flatten": 0, "mean": 1, "grid2": 2, "grid3": 3}
"""Cells along each side of the grid by name of the pooling; 0 keeps every value."""


class Features(Protocol):
    """A fixed map from embeddings to the rows of a head."""

    def __call__(self, embeddings: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """The rows of a head: float32 (N, F) of embeddings (N, D) of this shape, or (F,) of one embedding (D,)."""

    def saved(self) -> dict[str, Any]:
        """What is kept with the head, as JSON."""


@dataclass(frozen=True)
class FeatureMap:
    """A fixed map from embeddings to the rows of a head; saved with the head as three plain values.

    The defaults won the comparison that docs call algorithms B: 2×2 means keep all but a few tenths of the accuracy
    of the whole map with 12 times fewer numbers; the global mean loses three to five points.
    """

    pool: str = "grid2"
    """`flatten`, `mean`, `grid2` or `grid3`: means over a 1×1, 2×2 or 3×3 grid of a (height, width, channels) map.
    A one-dimensional embedding is left as it is."""
    root: bool = True
    """Take sign(x)·√|x|, so that a few large activations do not drown the others."""
    unit: bool = True
    """Divide each row by its L2 norm; a zero row stays zero."""

    def __post_init__(self) -> None:
        if self.pool not in GRIDS:
            raise ConfigError(f"pool is {self.pool!r}; choose one of {', '.join(GRIDS)}")

    def saved(self) -> dict[str, Any]:
        """The three values."""
        return asdict(self)

    def dim(self, shape: tuple[int, ...]) -> int:
        """The number of values in a row, for embeddings of this shape."""
        cells = GRIDS[self.pool]
        return cells * cells * shape[-1] if cells and len(shape) == 3 else prod(shape)

    def __call__(self, embeddings: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """The rows of a head: float32 (N, F) of embeddings (N, D), or (F,) of one embedding (D,).

        `shape` is the embedding's shape without the batch axis, (height, width, channels) or (D,), and D is its
        product; anything else raises ShapeError. The embeddings are not changed.
        """
        if len(shape) not in (1, 3):
            raise ShapeError(f"an embedding has shape {shape}; wanted (values,) or (height, width, channels)")
        if embeddings.ndim not in (1, 2) or embeddings.shape[-1] != prod(shape):
            raise ShapeError(f"embeddings have shape {embeddings.shape}; wanted (N, {prod(shape)}) or ({prod(shape)},)")
        rows = np.asarray(embeddings, np.float32).reshape(-1, prod(shape))
        cells = GRIDS[self.pool]
        if cells and len(shape) == 3:
            height, width, channels = shape
            pooled = cell_means(cells, height, width) @ rows.reshape(len(rows), height * width, channels)
            rows = pooled.reshape(len(rows), cells * cells * channels)
        if self.root:
            rows = np.copysign(np.sqrt(np.abs(rows)), rows)
        if self.unit:
            rows = unit_rows(rows)
        rows = rows[0] if embeddings.ndim == 1 else rows
        return rows.copy() if np.may_share_memory(rows, embeddings) else rows


PLAIN = FeatureMap("flatten", root=False, unit=False)
"""The embedding as it is."""


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """Rows (N, F) divided by their L2 norms, in their own dtype; a zero row stays zero."""
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    return rows / np.where(norms > 0, norms, 1)[:, None]


ROWS = 2048
"""Rows that are brought to unit length at once where nobody keeps them."""


def cosines(rows: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """The cosines (N, M) of rows (N, F) and rows (M, F) of unit length, float32; 0 for a zero row."""
    out = np.empty((len(rows), len(unit)), np.float32)
    for first in range(0, len(rows), ROWS):
        at = slice(first, first + ROWS)
        np.matmul(unit_rows(rows[at].astype(np.float32, copy=False)), unit.T, out=out[at])
    return out


@lru_cache(maxsize=16)
def cell_means(cells: int, height: int, width: int) -> np.ndarray:
    """The (cells², height·width) float32 matrix that takes the mean of each cell of a map.

    Cell i of n over a side of s pixels is [⌊i·s/n⌋, ⌈(i+1)·s/n⌉): where the side does not divide evenly the
    neighbours share a pixel, so that a mirrored picture gives the mirrored cells.
    """

    def side(size: int) -> np.ndarray:
        means = np.zeros((cells, size), np.float32)
        for i in range(cells):
            first, last = i * size // cells, -(-(i + 1) * size // cells)
            means[i, first:last] = 1 / (last - first)
        return means

    matrix = np.kron(side(height), side(width))
    matrix.flags.writeable = False
    return matrix


def as_taught(kept: dict[str, Any], own: Features) -> Features:
    """The map that a saved head was taught with: its three values, or the embedder's own where they say that one."""
    return own if own.saved() == kept else FeatureMap(**kept)
