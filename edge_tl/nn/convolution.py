"""Convolution over pictures, by BLAS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from edge_tl.errors import ShapeError
from edge_tl.nn.layers import Gradient, ReLU, across, glorot_uniform, total
from edge_tl.nn.memory import empty
from edge_tl.nn.windows import Pair, Window, check_channels, pair, parts

MIN_RUN = 16
"""Values in a row of a kernel from which on a convolution is computed by runs of pixels."""


class Conv2D:
    """A convolution over pictures (N, height, width, C), as TensorFlow defines it (no flipping of the kernel)."""

    kind = "conv2d"
    own = True

    def __init__(
        self,
        W: np.ndarray,
        b: np.ndarray | None = None,
        strides: Pair = (1, 1),
        padding: str = "valid",
        *,
        trainable: bool = True,
        then: ReLU | None = None,
    ) -> None:
        """W (kernel height, kernel width, C, filters), b (filters,) or None for none; padding as in Window.

        then: what rectifies the output at once, see edge_tl/nn/folding.py; it is not saved with the layer.
        """
        if W.ndim != 4 or (b is not None and b.shape != W.shape[3:]):
            raise ShapeError(f"conv2d: W is {W.shape}, b {None if b is None else b.shape}; (h, w, C, F), (F,) wanted")
        self.W, self.b, self.trainable, self.then = W, b, trainable, then
        self.window = Window((W.shape[0], W.shape[1]), strides, padding)

    @classmethod
    def new(
        cls,
        size: Pair,
        inputs: int,
        filters: int,
        rng: np.random.Generator,
        strides: Pair = (1, 1),
        padding: str = "valid",
    ) -> Self:
        """A fresh float32 layer as Keras makes it: GlorotUniform, zero bias."""
        return cls(glorot_uniform((*size, inputs, filters), rng), np.zeros(filters, np.float32), strides, padding)

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """W, and b where there is one."""
        return {"W": self.W} if self.b is None else {"W": self.W, "b": self.b}

    arrays = parameters

    @property
    def settings(self) -> dict[str, Any]:
        """Strides and padding."""
        return self.window.settings

    def forward(
        self, x: np.ndarray, rng: np.random.Generator | None = None, over: bool = False
    ) -> tuple[np.ndarray, Any]:
        """(N, height, width, C) → (N, rows, columns, filters)."""
        check_channels(self.kind, x, self.W.shape[2])
        y = empty((len(x), *self.window.output(x.shape[1:3]), self.W.shape[3]), np.result_type(x, self.W))
        frame = self.window.frame(x.shape[1:3])
        b = None if self.b is None else across(self.b, y.shape[1:])
        for part in self._parts(x):
            padded = frame(x[part])
            if self.by_runs:
                self._runs_forward(padded, y[part])
            else:
                kernel = self.W.reshape(-1, self.W.shape[3])
                np.matmul(self.window.patches(padded), kernel, out=y[part].reshape(-1, kernel.shape[1]))
            if b is not None:
                to = y[part].reshape(len(padded), -1)
                to += b
            if self.then is not None:
                self.then.forward(y[part], rng, True)
        return y, (x, y)

    def backward(self, back: np.ndarray, saved: Any, below: bool) -> tuple[np.ndarray | None, dict[str, Gradient]]:
        """See Step."""
        x, y = saved
        slope = np.zeros_like(self.W) if self.trainable else None
        under = empty(x.shape, back.dtype) if below else None
        step = self._runs_backward if self.by_runs else self._patches_backward
        frame = self.window.frame(x.shape[1:3])
        for part in self._parts(x):
            padded = frame(x[part])
            if self.then is not None:
                self.then.backward(back[part], y[part], True)
            if under is None:
                step(padded, back[part], slope, None)
            elif padded.shape[1:] == under.shape[1:]:
                step(padded, back[part], slope, under[part])
            else:
                step(padded, back[part], slope, to := empty(padded.shape, back.dtype))
                under[part] = self.window.unpad(to, x.shape[1:3])
        gradients: dict[str, Gradient] = {}
        if slope is not None:
            gradients["W"] = slope
            if self.b is not None:
                gradients["b"] = total(back)
        return under, gradients

    @property
    def by_runs(self) -> bool:
        """Whether it is computed by runs of pixels, all rows of the kernel at once, and the rows added up afterwards.

        Nothing is laid out for it and BLAS gets squarer matrices, at the price of the pixels at the border, which not
        every row of the kernel meets; nothing is gained where there are few channels.
        """
        height, width, channels, _ = self.W.shape
        return height > 1 and self.window.strides == (1, 1) and width * channels >= MIN_RUN

    def _runs_forward(self, padded: np.ndarray, y: np.ndarray) -> None:
        """Every run of pixels against all rows of the kernel; each goes to the output that it belongs to."""
        rows, columns, filters = y.shape[1:]
        kernel = self.W.transpose(1, 2, 0, 3).reshape(-1, len(self.W) * filters)
        # Not `empty`: what was freed last, by the part before, is still in the cache.
        met = np.empty((padded[..., 0].size, kernel.shape[1]), y.dtype)
        for begin, pixels in self.window.runs(padded):
            np.matmul(pixels, kernel, out=met[begin])
        met = met.reshape(*padded.shape[:3], len(self.W), filters)[:, :, :columns]
        np.add(met[:, :rows, :, 0], met[:, 1 : rows + 1, :, 1], out=y)
        for i in range(2, len(self.W)):
            y += met[:, i : i + rows, :, i]

    def _runs_backward(
        self, padded: np.ndarray, back: np.ndarray, slope: np.ndarray | None, under: np.ndarray | None
    ) -> None:
        """Of some pictures: what they add to the kernel's gradient, and in `under` that by the padded pictures."""
        rows, columns, filters = back.shape[1:]
        height, width, channels, _ = self.W.shape
        # What comes back to where each run begins, through each row of the kernel; nothing beyond the border.
        met = np.empty((*padded.shape[:3], height, filters), back.dtype)
        met[:, :, columns:] = 0
        for i in range(height):
            met[:, :i, :, i] = met[:, i + rows :, :, i] = 0
            met[:, i : i + rows, :columns, i] = back
        wide = met.reshape(-1, height * filters)
        if slope is not None:
            found = sum(pixels.T @ wide[begin] for begin, pixels in self.window.runs(padded))
            slope += np.reshape(found, (width, channels, height, filters)).transpose(2, 0, 1, 3)
        if under is not None:
            under.fill(0)
            kernel = self.W.transpose(0, 3, 1, 2).reshape(height * filters, -1)
            for begin, pixels in self.window.runs(under):
                pixels += wide[begin] @ kernel

    def _patches_backward(
        self, padded: np.ndarray, back: np.ndarray, slope: np.ndarray | None, under: np.ndarray | None
    ) -> None:
        """The same with whole patches."""
        rows = back.reshape(-1, back.shape[3])
        if slope is not None:
            slope += (self.window.patches(padded).T @ rows).reshape(slope.shape)
        if under is not None and self.window.size == self.window.strides == (1, 1):
            np.matmul(rows, self.W[0, 0].T, out=under.reshape(-1, under.shape[3]))
        elif under is not None:
            under.fill(0)
            spread = (rows @ self.W.reshape(-1, rows.shape[1]).T).reshape(*back.shape[:3], *self.W.shape[:3])
            for i, j, met in self.window.shifts(under):
                met += spread[:, :, :, i, j]

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """See Layer."""
        return cls(arrays["W"], arrays.get("b"), pair(settings["strides"]), settings["padding"])

    def _parts(self, x: np.ndarray) -> Iterator[slice]:
        height, width = x.shape[1:3] if self.by_runs else self.window.output(x.shape[1:3])
        values = self.W[:, 0, 0].size if self.by_runs else max(self.W[..., 0].size, self.W.shape[3])
        return parts(len(x), height * width * values * x.itemsize)
