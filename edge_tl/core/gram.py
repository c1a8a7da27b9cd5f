"""N examples in D dimensions, N « D: the Gram matrix that grows with the examples, and training in their span.

Every gradient of a first layer W (D, H) is a combination of the examples, so W never leaves W(0) plus their span.
With X = L·Qᵀ, L (N, r) and Q (D, r) orthonormal, training V = QᵀW on L is training W on X: exact for gradient descent,
momentum, L2, L-BFGS and Newton, which do not care how the axes are turned. Adam does care, and is another method here.
Distances are made of the same products.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_tl.errors import ShapeError, counted

EIGH_ROWS = 1000
"""Up to here the eigenvectors are worth their time (0.77 s at 2 000 rows); beyond, a Cholesky factor serves."""
GRAM_ROWS = 1500
"""Up to here, or up to as many rows as columns, the products of all pairs are kept; beyond, whoever learns multiplies
columns instead (`heads/factored.py`), and N² values would only be in the way."""
ONE_BY_ONE = 1000
"""So many rows are multiplied one by one, to the bit as if they had come so; more that come at once, in strips."""
_STRIP = 256  # rows that are mirrored at once, so that no copy of the whole is made


class GrowingGram:
    """Rows X (N, D) float32 and K = X·Xᵀ (N, N) float32, ready at any time.

    A new row costs one product with the rows so far, O(N·D); the storage grows by half its size at a time. `X` and
    `K` are views that stay valid until the next `append` or `remove`; copy what must outlive that. Of more rows than
    `GRAM_ROWS` and columns there is no K: it is dropped for good. So many that come at once, first of all, are not
    copied; whoever gave them leaves them as they are.
    """

    def __init__(self, columns: int | None = None) -> None:
        self._n = 0
        self._X = np.empty((0, columns or 0), np.float32)
        self._K = np.empty((0, 0), np.float32)
        self._columns = columns
        self._kept = True  # K

    def __len__(self) -> int:
        return self._n

    @property
    def X(self) -> np.ndarray:  # noqa: N802
        """The rows so far, (N, D) float32."""
        return self._X[: self._n]

    @property
    def K(self) -> np.ndarray:  # noqa: N802
        """The products of all pairs of rows, (N, N) float32; ShapeError where they are too many."""
        if not self._kept:
            raise ShapeError(f"of {counted(self._n, 'row')} the products of all pairs are not kept: X @ X.T makes them")
        return self._K[: self._n, : self._n]

    @property
    def keeps(self) -> bool:
        """Whether there is `K`."""
        return self._kept

    def append(self, rows: np.ndarray) -> None:
        """Add one row (D,) or several (M, D), finite; anything else raises ShapeError and adds nothing."""
        new = np.atleast_2d(np.asarray(rows, np.float32))
        if self._columns is None and new.ndim == 2 and new.shape[1] > 0:
            self._columns = new.shape[1]
            self._X = np.empty((0, self._columns), np.float32)
        if new.ndim != 2 or new.shape[1] != self._columns:
            raise ShapeError(f"a row has shape {np.shape(rows)}; wanted ({self._columns},)")
        if not np.isfinite(new).all():
            raise ShapeError("a row holds NaN or infinity; leave this example out")
        first, last = self._n, self._n + len(new)
        if last > max(GRAM_ROWS, new.shape[1]):
            self._kept, self._K = False, np.empty((0, 0), np.float32)
        if not first and not self._kept:
            self._X = new
        elif last > len(self._X):
            self._grow(max(last, 64, len(self._X) * 3 // 2))
        if self._X is not new:
            self._X[first:last] = new
        self._n = last
        if self._kept:
            self._multiply(first, last)

    def _multiply(self, first: int, last: int) -> None:
        """Write the products of some rows with all up to the last of them."""
        new = self._X[first:last]
        products = self._X[:last] @ new[0] if len(new) == 1 else self._X[:last] @ new.T
        self._K[:last, first:last] = products.reshape(last, -1)
        self._K[first:last, :first] = self._K[:first, first:last].T
        if len(new) == 1:
            return
        for at in range(first, last, _STRIP):  # a product of matrices need not be symmetric to the bit: kernels differ
            strip = slice(at, min(at + _STRIP, last))
            inner = self._K[strip, strip]
            self._K[strip, strip] = np.triu(inner) + np.triu(inner, 1).T
            self._K[strip.stop : last, strip] = self._K[strip, strip.stop : last].T

    def remove(self, indices: Sequence[int] | np.ndarray) -> None:
        """Forget the rows at these positions (0 … N − 1); the others keep their order."""
        gone = np.asarray(indices, np.int64).reshape(-1)
        if len(gone) and (gone.min() < 0 or gone.max() >= self._n):
            raise ShapeError(f"no row {gone.min() if gone.min() < 0 else gone.max()}; there are {self._n}")
        keep = np.setdiff1d(np.arange(self._n), gone)
        if self._kept:
            self._X[: len(keep)] = self._X[keep]
            self._K[: len(keep), : len(keep)] = self._K[np.ix_(keep, keep)]
        else:
            self._X = self._X[keep]
        self._n = len(keep)

    def _grow(self, capacity: int) -> None:
        X = np.empty((capacity, self._X.shape[1]), np.float32)
        X[: self._n] = self.X
        self._X = X
        if self._kept:
            K = np.empty((capacity, capacity), np.float32)
            K[: self._n, : self._n] = self.K
            self._K = K


def products(X: np.ndarray) -> np.ndarray | None:
    """X·Xᵀ (N, N) of rows (N, D), None of so many that it is not kept."""
    return X @ X.T if len(X) <= max(GRAM_ROWS, X.shape[1]) else None


class GrowingRows:
    """Rows with all that is known of them; an example of several views has one row after the other."""

    def __init__(self) -> None:
        self._gram = GrowingGram()
        self._y: list[str] = []
        self._takes: list[int] = []
        self._sessions: list[int] = []
        self._found: list[bool] = []
        self._parts: list[int] = []

    def __len__(self) -> int:
        return len(self._y)

    def append(
        self,
        X: np.ndarray,
        y: Sequence[str],
        found: Sequence[bool],
        takes: Sequence[int],
        sessions: Sequence[int],
        parts: Sequence[int] = (),
    ) -> None:
        """Add examples with rows X (N · views, F) and labels, finds, takes, sessions and, if known, parts (N,)."""
        views = len(X) // max(len(y), 1)
        if len(self._gram) + len(X) > max(GRAM_ROWS, X.shape[1]):
            self._gram.append(X)
        else:
            alone = max(0, ONE_BY_ONE - len(self._gram))
            for row in X[:alone]:
                self._gram.append(row)
            for first in range(alone, len(X), _STRIP):
                self._gram.append(X[first : first + _STRIP])
        self._y += np.repeat(y, views).tolist()
        self._takes += np.repeat(takes, views).tolist()
        self._sessions += np.repeat(sessions, views).tolist()
        self._found += np.repeat(found, views).tolist()
        self._parts += np.repeat(parts or [-1] * len(y), views).tolist()

    @property
    def X(self) -> np.ndarray:  # noqa: N802 — the field's letter
        """(N, F) float32."""
        return self._gram.X

    @property
    def gram(self) -> np.ndarray | None:
        """(N, N) float32, X·Xᵀ; valid until the next row. None of many, as in `GrowingGram`."""
        return self._gram.K if self._gram.keeps else None

    @property
    def y(self) -> np.ndarray:
        """(N,) str."""
        return np.array(self._y, dtype=str)

    @property
    def takes(self) -> np.ndarray:
        """(N,) int64."""
        return np.array(self._takes, dtype=np.int64)

    @property
    def sessions(self) -> np.ndarray:
        """(N,) int64."""
        return np.array(self._sessions, dtype=np.int64)

    @property
    def parts(self) -> np.ndarray | None:
        """(N,) int64: which part of its take each is in, −1 where unknown; None where that is known of none."""
        return np.array(self._parts, dtype=np.int64) if any(part >= 0 for part in self._parts) else None

    def parts_up_to(self, count: int) -> np.ndarray | None:
        """`parts` of so many rows; those that come after the last of these are in no part that is known."""
        parts = self.parts
        return None if parts is None else np.append(parts, np.full(count - len(parts), -1))

    @property
    def found(self) -> np.ndarray:
        """(N,) bool: False where what is looked for is not there; those rows are zeros."""
        return np.array(self._found, dtype=bool)


@dataclass(frozen=True)
class Span:
    """The examples in as few coordinates as they need."""

    L: np.ndarray
    """(N, r), r ≤ min(N, D): X in an orthonormal basis of its rows' span (X itself where D ≤ N)."""
    _X: np.ndarray
    _back: np.ndarray | None

    @classmethod
    def of(cls, X: np.ndarray, gram: np.ndarray | None = None) -> Span:
        """The span of the rows X (N, D); `gram` is X·Xᵀ where it is already known. float64 inside."""
        n, columns = X.shape
        if columns <= n:
            return cls(X.astype(np.float64), X, None)
        K = np.asarray(X @ X.T if gram is None else gram, np.float64)
        if n > EIGH_ROWS:
            # A Cholesky factor is as good a set of coordinates; the ridge keeps rounding from making K indefinite.
            ridge = 1e-6 * np.trace(K) / n
            L = np.linalg.cholesky(K + ridge * np.eye(n))
            return cls(L, X, np.linalg.solve(L.T, np.eye(n)))
        values, vectors = np.linalg.eigh(K)
        keep = values > values[-1] * max(n * np.finfo(X.dtype).eps, 1e-12)
        roots = np.sqrt(values[keep])
        return cls(vectors[:, keep] * roots, X, vectors[:, keep] / roots)

    def expand(self, V: np.ndarray) -> np.ndarray:
        """The weights W (D, H) on X that do what V (r, H) does on L, in the dtype of X."""
        if self._back is None:
            return V.astype(self._X.dtype)
        return self._X.T @ (self._back @ V).astype(self._X.dtype)


def squared_distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Squared distances (M, N) of rows (M, F) and (N, F)."""
    return np.maximum((one * one).sum(axis=1)[:, None] + (other * other).sum(axis=1) - 2 * one @ other.T, 0)
