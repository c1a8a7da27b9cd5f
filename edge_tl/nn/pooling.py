"""The largest of a window."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from edge_tl.nn.layers import Gradient, Plain
from edge_tl.nn.windows import Pair, Window, pair, parts


class MaxPool(Plain):
    """The largest value of each window of pictures (N, height, width, C)."""

    kind = "max_pool"

    def __init__(self, size: Pair = (2, 2), strides: Pair | None = None, padding: str = "valid") -> None:
        """strides: the size by default; padding as in Window (what is beyond the border is never the largest)."""
        self.window = Window(size, strides or size, padding)

    @property
    def settings(self) -> dict[str, Any]:
        """Size, strides and padding."""
        return {"size": list(self.window.size), **self.window.settings}

    def forward(
        self, x: np.ndarray, rng: np.random.Generator | None = None, over: bool = False
    ) -> tuple[np.ndarray, Any]:
        """(N, height, width, C) → (N, rows, columns, C)."""
        y = np.full((len(x), *self.window.output(x.shape[1:3]), x.shape[3]), -np.inf, x.dtype)
        padded = self.window.frame(x.shape[1:3], -np.inf)(x)
        for _, _, met in self.window.shifts(padded):
            np.maximum(y, met, out=y)
        return y, (padded, y, x.shape)

    def backward(self, back: np.ndarray, saved: Any, below: bool) -> tuple[np.ndarray | None, dict[str, Gradient]]:
        """See Step; of equals the first of the window is the largest, as in TensorFlow."""
        if not below:
            return None, {}
        padded, y, shape = saved
        under = np.zeros_like(padded, dtype=back.dtype)
        alone = self.window.strides == self.window.size  # each pixel in one window at most: nothing to add up
        for part in parts(len(y), padded[:1].nbytes):
            left = np.ones(y[part].shape, bool)
            windows = zip(self.window.shifts(padded[part]), self.window.shifts(under[part]), strict=True)
            for (_, _, met), (_, _, to) in windows:
                chosen = (met == y[part]) & left
                left ^= chosen
                if alone:
                    np.multiply(back[part], chosen, out=to)
                else:
                    to += back[part] * chosen
        return self.window.unpad(under, shape[1:3]), {}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """See Layer."""
        return cls(pair(settings["size"]), pair(settings["strides"]), settings["padding"])
