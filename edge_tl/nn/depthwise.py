"""Convolution of every channel by a kernel of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from edge_tl.errors import ShapeError
from edge_tl.nn.layers import Gradient, ReLU, across, total
from edge_tl.nn.memory import empty
from edge_tl.nn.windows import Pair, Window, check_channels, pair, parts


class DepthwiseConv2D:
    """A convolution of every channel by a kernel of its own, over pictures (N, height, width, C)."""

    kind = "depthwise"
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
        """W (kernel height, kernel width, C), b (C,) or None for none; padding as in Window; then as in Conv2D."""
        if W.ndim != 3 or (b is not None and b.shape != W.shape[2:]):
            raise ShapeError(f"depthwise: W is {W.shape}, b {None if b is None else b.shape}; (h, w, C), (C,) wanted")
        self.W, self.b, self.trainable, self.then = W, b, trainable, then
        self.window = Window((W.shape[0], W.shape[1]), strides, padding)

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
        """(N, height, width, C) → (N, rows, columns, C)."""
        check_channels(self.kind, x, self.W.shape[2])
        y = empty((len(x), *self.window.output(x.shape[1:3]), x.shape[3]), np.result_type(x, self.W))
        frame = self.window.frame(x.shape[1:3])
        b = None if self.b is None else across(self.b, y.shape[1:])
        for part in self._parts(x):
            slide(frame(x[part]), self.W, self.window.strides, y[part])
            if b is not None:
                to = y[part].reshape(len(y[part]), -1)
                to += b
            if self.then is not None:
                self.then.forward(y[part], rng, True)
        return y, (x, y)

    def backward(self, back: np.ndarray, saved: Any, below: bool) -> tuple[np.ndarray | None, dict[str, Gradient]]:
        """See Step."""
        x, y = saved
        slope = np.zeros_like(self.W) if self.trainable else None
        under = empty(x.shape, back.dtype) if below else None
        # What reaches a pixel is the kernel turned around, over what comes back with zeros around and between.
        frame, turned = self.window.frame(x.shape[1:3]), self.window.turned(x.shape[1:3])
        for part in self._parts(x):
            if self.then is not None:
                self.then.backward(back[part], y[part], True)
            if slope is not None:
                for i, j, met in self.window.shifts(frame(x[part])):
                    slope[i, j] += np.einsum("nhwc,nhwc->c", met, back[part])
            if under is not None:
                slide(turned(back[part]), self.W[::-1, ::-1], (1, 1), under[part])
        gradients: dict[str, Gradient] = {}
        if slope is not None:
            gradients["W"] = slope
            if self.b is not None:
                gradients["b"] = total(back)
        return under, gradients

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """See Layer."""
        return cls(arrays["W"], arrays.get("b"), pair(settings["strides"]), settings["padding"])

    def _parts(self, x: np.ndarray) -> Iterator[slice]:
        return parts(len(x), x[:1].nbytes)


def slide(padded: np.ndarray, W: np.ndarray, strides: Pair, y: np.ndarray) -> None:
    """Every channel of pictures (N, height, width, C) met by its kernel in W (kernel height, kernel width, C).

    Into y (N, rows, columns, C). A row of pixels with its channels is one run of memory for einsum, so the kernel is
    laid out as often as there are columns.
    """
    (count, height, width, channels), (high, wide, _) = padded.shape, W.shape
    rows, columns = height - high + 1, width - wide + 1
    runs = np.lib.stride_tricks.sliding_window_view(
        padded.reshape(count, height, -1), (rows, columns * channels), axis=(1, 2)
    )[:, :, ::channels]
    kernel = np.repeat(W[:, :, None], columns, axis=2).reshape(high, wide, -1)
    if strides == (1, 1):
        np.einsum("nijrx,ijx->nrx", runs, kernel, out=y.reshape(count, rows, -1))
    else:
        met = np.einsum("nijrx,ijx->nrx", runs, kernel).reshape(count, rows, columns, channels)
        y[...] = met[:, :: strides[0], :: strides[1]]
