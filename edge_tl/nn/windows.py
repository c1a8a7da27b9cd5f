"""A kernel's way over pictures, and how many pictures are worked on at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from edge_tl.errors import ConfigError, ShapeError

Pair = tuple[int, int]
PART_BYTES = 2**19
"""What is laid out for a kernel is laid out for so many pictures at a time that it stays in the processor's cache."""


class PaddedPictures:
    """Puts pictures (N, height, width, C) into larger ones; what is around them is written once, for the first."""

    def __init__(self, shape: Pair, rows: slice, columns: slice, value: float = 0.0) -> None:
        """shape: of the larger pictures (height, width); rows, columns: where the others lie; value: around them."""
        self._shape, self._rows, self._columns, self._value = shape, rows, columns, value
        self._laid: np.ndarray | None = None

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Valid until the next call, which may bring as many pictures or fewer; x itself where nothing is around it."""
        if x.shape[1:3] == self._shape:
            return x
        if self._laid is None:
            self._laid = np.full((len(x), *self._shape, x.shape[3]), self._value, x.dtype)
        laid = self._laid[: len(x)]
        laid[:, self._rows, self._columns] = x
        return laid


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

    def frame(self, shape: Pair, value: float = 0.0) -> PaddedPictures:
        """What puts the border around pictures (height, width)."""
        (above, below), (left, right) = self.border(shape)
        height, width = shape
        rows, columns = slice(above, above + height), slice(left, left + width)
        return PaddedPictures((above + height + below, left + width + right), rows, columns, value)

    def turned(self, shape: Pair) -> PaddedPictures:
        """What puts what comes back from an output into zeros, so that the kernel turned around meets it as it came.

        shape: of the pictures (height, width). The strides lie between, and around is what the border leaves.
        """
        (above, _), (left, _) = self.border(shape)
        (high, wide), (down, right) = self.size, self.strides
        first, begin = high - 1 - above, wide - 1 - left
        rows, columns = self.output(shape)
        return PaddedPictures(
            (shape[0] + high - 1, shape[1] + wide - 1),
            slice(first, first + (rows - 1) * down + 1, down),
            slice(begin, begin + (columns - 1) * right + 1, right),
        )

    def unpad(self, padded: np.ndarray, shape: Pair) -> np.ndarray:
        """The pictures of height and width `shape` without their border."""
        (top, _), (left, _) = self.border(shape)
        return padded[:, top : top + shape[0], left : left + shape[1]]

    def output(self, shape: Pair) -> Pair:
        """Height and width of what comes out of pictures (height, width); ShapeError where the kernel does not fit."""
        above, beside = self.border(shape)
        rows, columns = self._places((shape[0] + sum(above), shape[1] + sum(beside)))
        if rows < 1 or columns < 1:
            raise ShapeError(f"pictures of {shape[0]}×{shape[1]} are smaller than the kernel {self.size}")
        return rows, columns

    def _places(self, padded: Pair) -> Pair:
        """How often the kernel fits into the height and the width of padded pictures."""
        rows, columns = (
            (length - kernel) // stride + 1
            for length, kernel, stride in zip(padded, self.size, self.strides, strict=True)
        )
        return rows, columns

    def shifts(self, padded: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
        """For each place in the kernel: its row, its column, and the pixels (N, rows, columns, C) it meets, a view."""
        rows, columns = self._places(padded.shape[1:3])
        down, right = self.strides
        for i in range(self.size[0]):
            for j in range(self.size[1]):
                yield i, j, padded[:, i : i + (rows - 1) * down + 1 : down, j : j + (columns - 1) * right + 1 : right]

    def patches(self, padded: np.ndarray) -> np.ndarray:
        """Each patch a row: (N·rows·columns, kernel height·kernel width·C), in the order of a kernel's values."""
        count, (rows, columns), channels = len(padded), self._places(padded.shape[1:3]), padded.shape[3]
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


def parts(count: int, each_bytes: int) -> Iterator[slice]:
    """Slices over `count` pictures, each of as many as fit into PART_BYTES, and of one at least."""
    step = max(1, PART_BYTES // each_bytes) if each_bytes else max(1, count)
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
