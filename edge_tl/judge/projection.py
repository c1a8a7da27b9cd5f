"""The examples as points in a plane: what lies together looks alike to the embedder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_tl.errors import ShapeError
from edge_tl.heads.loo import centred_gram

MAX_ROWS = 1500
"""Beyond these the plane is found from evenly spread rows only, which takes 0.6 s at most."""


@dataclass(frozen=True)
class Plane:
    """The two directions in which rows differ most (principal components)."""

    points: np.ndarray
    """float64 (N, 2)."""
    shares: tuple[float, float]
    """How much of all variance each direction holds, 0 to 1."""


def principal_plane(X: np.ndarray, gram: np.ndarray | None = None) -> Plane:
    """The principal plane of rows X (N, D), with X·Xᵀ where it is known; the larger values of each axis lie right.

    Rows in a point, or one row, are all at 0. ShapeError for no rows.
    """
    if X.ndim != 2 or not len(X):
        raise ShapeError(f"rows of shape {X.shape} came; wanted one or more of (values,)")
    some = np.arange(len(X))
    if len(X) > MAX_ROWS:
        some = np.linspace(0, len(X) - 1, MAX_ROWS).astype(int)
    K = X[some] @ X[some].T if gram is None else gram[np.ix_(some, some)]
    values, vectors = np.linalg.eigh(centred_gram(K, np.ones(len(some))))
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    total = float(values.sum())
    if not total > 1e-12 * max(1.0, float(np.trace(K))):
        return Plane(np.zeros((len(X), 2)), (0.0, 0.0))
    points = np.zeros((len(X), 2))
    middle = X[some].mean(axis=0)
    for axis in range(min(2, len(values))):
        if values[axis] <= 1e-12 * values[0]:
            continue
        direction = vectors[:, axis] @ (X[some] - middle) / np.sqrt(values[axis])
        along = (X - middle) @ direction
        # An eigenvector has no sign of its own: the longer tail lies right, so that the same rows give the same map.
        points[:, axis] = along * (1 if along[int(np.abs(along).argmax())] > 0 else -1)
    shares = [float(value) / total for value in values[:2]] + [0.0]
    return Plane(points, (shares[0], shares[1]))
