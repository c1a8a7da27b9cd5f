"""The rows that a head is to learn from, as they arrive: with labels, takes, sessions, and their Gram matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_tl.core.gram import GrowingGram


class GrowingRows:
    """Rows with all that is known of them; an example of several views has one row after the other."""

    def __init__(self) -> None:
        self._gram = GrowingGram()
        self._y: list[str] = []
        self._takes: list[int] = []
        self._sessions: list[int] = []
        self._found: list[bool] = []

    def __len__(self) -> int:
        return len(self._y)

    def append(
        self, X: np.ndarray, y: Sequence[str], takes: Sequence[int], sessions: Sequence[int], found: Sequence[bool]
    ) -> None:
        """Add examples with rows X (N · views, F) and labels, takes, sessions and finds of theirs (N,)."""
        views = len(X) // max(len(y), 1)
        for row in X:
            self._gram.append(row)
        self._y += np.repeat(y, views).tolist()
        self._takes += np.repeat(takes, views).tolist()
        self._sessions += np.repeat(sessions, views).tolist()
        self._found += np.repeat(found, views).tolist()

    @property
    def X(self) -> np.ndarray:  # noqa: N802 — the field's letter
        """(N, F) float32."""
        return self._gram.X

    @property
    def gram(self) -> np.ndarray:
        """(N, N) float32, X·Xᵀ; valid until the next row."""
        return self._gram.K

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
    def found(self) -> np.ndarray:
        """(N,) bool: False where what is looked for is not there; those rows are zeros."""
        return np.array(self._found, dtype=bool)
