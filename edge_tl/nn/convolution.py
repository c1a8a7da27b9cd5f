"""Layers that slide over pictures: convolution, depthwise convolution, the largest of a window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from edge_tl.errors import ConfigError, ShapeError
from edge_tl.nn.layers import Plain, glorot_uniform

Pair = tuple[int, int]
PATCH_BYTES = 2**19
"""Patches are laid out for so many pictures at once that they stay in the processor's cache."""
LEAST_RUN = 16
"""Values in a row of a kernel from which on a convolution is computed by runs of pixels."""
PLANE_BYTES = 2**19
"""The same for depthwise convolution, which reads its pictures nine times."""


class Window:
    """A kernel's way over a picture: its size, its strides, and what is beyond the border."""

    def __init__(self, size: Pair, strides: Pair, padding: str) -> None:
        """padding: "valid", only where the whole kernel fits, or "same", zeros around, as TensorFlow places them."""
        if min(*size, *strides) < 1 or padding not in ("valid", "same"):
            raise ConfigError(
                f"kernel {size}, strides {strides}, padding {padding!r}; wanted numbers of 1 or more, valid or same"
            )
        self.size, self.strides, self.padding = size, strides, padding

    @property
    def settings(self) -> dict[str, Any]:
        """Strides and padding, JSON-able."""
        return {"strides": list(self.strides), "padding": self.padding}

    def border(self, shape: Pair) -> tuple[Pair, Pair]:
        """Rows above and below, columns left and right, that pad a picture (height, width)."""
        if self.padding == "valid":
            return (0, 0), (0, 0)
        sides = []
        for length, kernel, stride in zip(shape, self.size, self.strides, strict=True):
            missing = max((-(-length // stride) - 1) * stride + kernel - length, 0)
            # An odd one goes below and to the right.
            sides.append((missing // 2, missing - missing // 2))
        return sides[0], sides[1]

    def pad(self, x: np.ndarray, value: float = 0.0) -> np.ndarray:
        """The pictures (N, height, width, C) with their border."""
        above, beside = self.border(x.shape[1:3])
        if not any((*above, *beside)):
            return x
        return np.pad(x, ((0, 0), above, beside, (0, 0)), constant_values=value)

    def unpad(self, padded: np.ndarray, shape: Pair) -> np.ndarray:
        """The pictures of height and width `shape` without their border."""
        (top, _), (left, _) = self.border(shape)
        return padded[:, top : top + shape[0], left : left + shape[1]]

    def output(self, padded: np.ndarray) -> Pair:
        """Height and width of what comes out of padded pictures; ShapeError where the kernel does not fit."""
        rows = (padded.shape[1] - self.size[0]) // self.strides[0] + 1
        columns = (padded.shape[2] - self.size[1]) // self.strides[1] + 1
        if rows < 1 or columns < 1:
            raise ShapeError(f"pictures of {padded.shape[1]}×{padded.shape[2]} are smaller than the kernel {self.size}")
        return rows, columns

    def shifts(self, padded: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
        """For each place in the kernel: its row, its column, and the pixels (N, rows, columns, C) it meets, a view."""
        rows, columns = self.output(padded)
        down, right = self.strides
        for i in range(self.size[0]):
            for j in range(self.size[1]):
                yield i, j, padded[:, i : i + (rows - 1) * down + 1 : down, j : j + (columns - 1) * right + 1 : right]

    def patches(self, padded: np.ndarray) -> np.ndarray:
        """Each patch a row: (N·rows·columns, kernel height·kernel width·C), in the order of a kernel's values."""
        count, (rows, columns), channels = len(padded), self.output(padded), padded.shape[3]
        if self.size == (1, 1):
            return next(self.shifts(padded))[2].reshape(-1, channels)
        # A view (N, rows, columns, C, kernel rows, kernel columns) first: only the copy into rows moves memory.
        view = np.lib.stride_tricks.sliding_window_view(padded, self.size, axis=(1, 2))
        view = view[:, :: self.strides[0], :: self.strides[1]].transpose(0, 1, 2, 4, 5, 3)
        return view.reshape(count * rows * columns, -1)

    def runs(self, pictures: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """All runs of a kernel's width of pixels, a share at a time: where they begin, and their values, a view.

        pictures (N, height, width, C), contiguous, are taken as one line of pixels, in which runs that begin a kernel's
        width apart lie side by side as rows (M, kernel width·C): nothing is copied. Those that reach over the right
        border mean nothing, and the last pixels, fewer than a kernel's width, begin none.
        """
        line, wide, channels = pictures.reshape(-1), self.size[1], pictures.shape[3]
        for first in range(wide):
            stop = first + (line.size // channels - first) // wide * wide
            yield slice(first, stop, wide), line[first * channels : stop * channels].reshape(-1, wide * channels)


class Conv2D:
    """A convolution over pictures (N, height, width, C), as TensorFlow defines it (no flipping of the kernel)."""

    kind = "conv2d"

    def __init__(
        self,
        W: np.ndarray,
        b: np.ndarray | None = None,
        strides: Pair = (1, 1),
        padding: str = "valid",
        *,
        trainable: bool = True,
    ) -> None:
        """W (kernel height, kernel width, C, filters), b (filters,) or None for none; padding as in Window."""
        if W.ndim != 4 or (b is not None and b.shape != W.shape[3:]):
            raise ShapeError(f"conv2d: W is {W.shape}, b {None if b is None else b.shape}; (h, w, C, F), (F,) wanted")
        self.W, self.b, self.trainable = W, b, trainable
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

    def forward(self, x: np.ndarray, rng: np.random.Generator | None = None) -> tuple[np.ndarray, Any]:
        """(N, height, width, C) → (N, rows, columns, filters)."""
        check_channels(self.kind, x, self.W.shape[2])
        padded = self.window.pad(x)
        y = np.empty((len(x), *self.window.output(padded), self.W.shape[3]), np.result_type(x, self.W))
        for part in self._parts(padded):
            if self.by_runs:
                self._runs_forward(padded[part], y[part])
            else:
                kernel = self.W.reshape(-1, self.W.shape[3])
                np.matmul(self.window.patches(padded[part]), kernel, out=y[part].reshape(-1, kernel.shape[1]))
            if self.b is not None:
                y[part] += self.b
        return y, (padded, x.shape)

    def backward(self, back: np.ndarray, saved: Any, below: bool) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
        """See Layer."""
        padded, shape = saved
        slope = np.zeros_like(self.W) if self.trainable else None
        under = np.zeros(padded.shape, padded.dtype) if below else None
        step = self._runs_backward if self.by_runs else self._patches_backward
        for part in self._parts(padded):
            step(padded[part], back[part], slope, None if under is None else under[part])
        gradients = {}
        if slope is not None:
            gradients["W"] = slope
            if self.b is not None:
                # The sum over all but the last axis, by BLAS.
                gradients["b"] = np.ones(back[..., 0].size, back.dtype) @ back.reshape(-1, back.shape[3])
        return None if under is None else self.window.unpad(under, shape[1:3]), gradients

    @property
    def by_runs(self) -> bool:
        """Whether it is computed by runs of pixels, all rows of the kernel at once, and the rows added up afterwards.

        Nothing is laid out for it and BLAS gets squarer matrices, at the price of the pixels at the border, which not
        every row of the kernel meets; nothing is gained where there are few channels.
        """
        height, width, channels, _ = self.W.shape
        return height > 1 and self.window.strides == (1, 1) and width * channels >= LEAST_RUN

    def _runs_forward(self, padded: np.ndarray, y: np.ndarray) -> None:
        """Every run of pixels against all rows of the kernel; each goes to the output that it belongs to."""
        rows, columns, filters = y.shape[1:]
        kernel = self.W.transpose(1, 2, 0, 3).reshape(-1, len(self.W) * filters)
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
        """Add what one part of the pictures contributes to the gradients by the kernel and by the padded pictures."""
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
            spread = (rows @ self.W.reshape(-1, rows.shape[1]).T).reshape(*back.shape[:3], *self.W.shape[:3])
            for i, j, met in self.window.shifts(under):
                met += spread[:, :, :, i, j]

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """See Layer."""
        return cls(arrays["W"], arrays.get("b"), pair(settings["strides"]), settings["padding"])

    def _parts(self, padded: np.ndarray) -> Iterator[slice]:
        rows, columns = self.window.output(padded)
        patch_bytes = rows * columns * self.W[..., 0].size * padded.itemsize
        if self.by_runs:
            patch_bytes = padded.shape[1] * padded.shape[2] * self.W[:, 0, 0].size * padded.itemsize
        # Where the kernel is a point the patches are the pictures: nothing is laid out.
        return parts(len(padded), patch_bytes if self.window.size != (1, 1) else 0, PATCH_BYTES)


class DepthwiseConv2D:
    """A convolution of every channel by a kernel of its own, over pictures (N, height, width, C)."""

    kind = "depthwise"

    def __init__(
        self,
        W: np.ndarray,
        b: np.ndarray | None = None,
        strides: Pair = (1, 1),
        padding: str = "valid",
        *,
        trainable: bool = True,
    ) -> None:
        """W (kernel height, kernel width, C), b (C,) or None for none; padding as in Window."""
        if W.ndim != 3 or (b is not None and b.shape != W.shape[2:]):
            raise ShapeError(f"depthwise: W is {W.shape}, b {None if b is None else b.shape}; (h, w, C), (C,) wanted")
        self.W, self.b, self.trainable = W, b, trainable
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

    def forward(self, x: np.ndarray, rng: np.random.Generator | None = None) -> tuple[np.ndarray, Any]:
        """(N, height, width, C) → (N, rows, columns, C)."""
        check_channels(self.kind, x, self.W.shape[2])
        padded = self.window.pad(x)
        rows, columns = self.window.output(padded)
        down, right = self.window.strides
        y = np.empty((len(x), rows, columns, x.shape[3]), np.result_type(x, self.W))
        for part in self._parts(padded):
            y[part] = slid(padded[part], self.W)[:, ::down, ::right]
        if self.b is not None:
            y += self.b
        return y, (padded, x.shape)

    def backward(self, back: np.ndarray, saved: Any, below: bool) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
        """See Layer."""
        padded, shape = saved
        gradients = {}
        if self.trainable:
            slope = np.zeros_like(self.W)
            for part in self._parts(padded):
                for i, j, met in self.window.shifts(padded[part]):
                    slope[i, j] += np.einsum("nhwc,nhwc->c", met, back[part])
            gradients["W"] = slope
            if self.b is not None:
                gradients["b"] = back.sum(axis=(0, 1, 2))
        if not below:
            return None, gradients
        # What reaches a pixel is the kernel turned around, over what comes back with zeros around and between.
        (height, width), (down, right) = self.window.size, self.window.strides
        under = np.empty(padded.shape, back.dtype)
        for part in self._parts(padded):
            count, rows, columns, channels = padded[part].shape
            wide = np.zeros((count, rows + height - 1, columns + width - 1, channels), back.dtype)
            met = wide[:, height - 1 : rows : down, width - 1 : columns : right]
            met[:, : back.shape[1], : back.shape[2]] = back[part]
            under[part] = slid(wide, self.W[::-1, ::-1])
        return self.window.unpad(under, shape[1:3]), gradients

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """See Layer."""
        return cls(arrays["W"], arrays.get("b"), pair(settings["strides"]), settings["padding"])

    def _parts(self, planes: np.ndarray) -> Iterator[slice]:
        return parts(len(planes), planes[:1].nbytes, PLANE_BYTES)


def slid(padded: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Every channel of pictures (N, height, width, C) met by its kernel in W (kernel height, kernel width, C), step 1.

    (N, rows, columns, C) of the places where the kernel fits. A row of pixels with its channels is one run of memory
    for einsum, so the kernel is laid out as often as there are columns.
    """
    (count, height, width, channels), (high, wide, _) = padded.shape, W.shape
    rows, columns = height - high + 1, width - wide + 1
    runs = np.lib.stride_tricks.sliding_window_view(
        padded.reshape(count, height, -1), (rows, columns * channels), axis=(1, 2)
    )[:, :, ::channels]
    kernel = np.repeat(W[:, :, None], columns, axis=2).reshape(high, wide, -1)
    return np.einsum("nijrx,ijx->nrx", runs, kernel).reshape(count, rows, columns, channels)


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

    def forward(self, x: np.ndarray, rng: np.random.Generator | None = None) -> tuple[np.ndarray, Any]:
        """(N, height, width, C) → (N, rows, columns, C)."""
        padded = self.window.pad(x, -np.inf)
        y = np.full((len(x), *self.window.output(padded), x.shape[3]), -np.inf, x.dtype)
        for _, _, met in self.window.shifts(padded):
            np.maximum(y, met, out=y)
        return y, (padded, y, x.shape)

    def backward(self, back: np.ndarray, saved: Any, below: bool) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
        """See Layer; of equals the first of the window is the largest, as in TensorFlow."""
        if not below:
            return None, {}
        padded, y, shape = saved
        under = np.zeros_like(padded, dtype=back.dtype)
        alone = self.window.strides == self.window.size  # each pixel in one window at most: nothing to add up
        for part in parts(len(y), padded[:1].nbytes, PLANE_BYTES):
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


def parts(count: int, each_bytes: int, most_bytes: int) -> Iterator[slice]:
    """Slices over `count` pictures, each of as many as fit into `most_bytes`, and of one at least."""
    step = max(1, most_bytes // each_bytes) if each_bytes else max(1, count)
    for first in range(0, count, step):
        yield slice(first, min(first + step, count))


def pair(values: Any) -> Pair:
    """Two whole numbers from JSON; ConfigError for anything else."""
    if not (isinstance(values, (list, tuple)) and len(values) == 2 and all(type(value) is int for value in values)):
        raise ConfigError(f"{values!r} came where two whole numbers are wanted")
    return values[0], values[1]


def check_channels(kind: str, x: np.ndarray, channels: int) -> None:
    """Raise ShapeError unless x is (N, height, width, channels)."""
    if x.ndim != 4 or x.shape[3] != channels:
        raise ShapeError(f"{kind}: pictures of shape {x.shape} came; (N, height, width, {channels}) are wanted")
