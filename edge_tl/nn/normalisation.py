"""Batch normalisation (Ioffe, Szegedy 2015), frozen and while training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from edge_tl.errors import ConfigError, ShapeError
from edge_tl.nn.layers import Gradient, across, total
from edge_tl.nn.memory import empty
from edge_tl.nn.windows import parts

MOMENTUM = 0.99
"""How much of the running mean and variance stays at each step; Keras' default."""
EPSILON = 1e-3
"""Added to the variance; Keras' default, and MobileNet's."""


class BatchNorm:
    """Each channel (the last axis) shifted and scaled to mean 0 and variance 1, then by what was learned.

    In use, and where it is not trainable, the running statistics say what the mean and variance are. While it is
    trained they are those of the batch, and the running ones follow: what Keras does with `trainable`.
    """

    kind = "batch_norm"
    own = True

    def __init__(
        self,
        gamma: np.ndarray,
        beta: np.ndarray,
        mean: np.ndarray,
        variance: np.ndarray,
        *,
        epsilon: float = EPSILON,
        momentum: float = MOMENTUM,
        trainable: bool = True,
    ) -> None:
        """gamma, beta, mean, variance: (C,), the running ones as they were."""
        shapes = {array.shape for array in (gamma, beta, mean, variance)}
        if len(shapes) != 1 or gamma.ndim != 1:
            raise ShapeError(f"batch_norm: arrays of shapes {sorted(shapes)} came; four of (C,) are wanted")
        if not (epsilon > 0 and 0 <= momentum < 1):
            raise ConfigError(
                f"batch_norm: epsilon {epsilon}, momentum {momentum}; above 0, and 0 to below 1, are wanted"
            )
        self.gamma, self.beta, self.mean, self.variance = gamma, beta, mean, variance
        self.epsilon, self.momentum, self.trainable = epsilon, momentum, trainable

    @classmethod
    def new(cls, channels: int) -> Self:
        """A fresh float32 layer that changes nothing yet."""
        one, zero = np.ones(channels, np.float32), np.zeros(channels, np.float32)
        return cls(one, zero, zero.copy(), one.copy())

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """gamma and beta."""
        return {"gamma": self.gamma, "beta": self.beta}

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The parameters, and the running mean and variance."""
        return {**self.parameters, "mean": self.mean, "variance": self.variance}

    @property
    def settings(self) -> dict[str, Any]:
        """epsilon and momentum."""
        return {"epsilon": self.epsilon, "momentum": self.momentum}

    def line(self) -> tuple[np.ndarray, np.ndarray]:
        """The scale and the shift (C,) that it comes to while it does not learn."""
        scale = self.gamma / np.sqrt(self.variance + self.variance.dtype.type(self.epsilon))
        return scale, self.beta - self.mean * scale

    def forward(
        self, x: np.ndarray, rng: np.random.Generator | None = None, over: bool = False
    ) -> tuple[np.ndarray, Any]:
        """Any shape (N, …, C)."""
        if x.shape[-1:] != self.gamma.shape:
            raise ShapeError(f"batch_norm: {x.shape} came; (…, {len(self.gamma)}) is wanted")
        y = x if over else empty(x.shape, x.dtype)
        if rng is None or not self.trainable:
            scale, shift = self.line()
            stretch(x, scale, shift, y)
            return y, scale
        count = x.dtype.type(x.size // len(self.gamma))
        mean = total(x) / count
        middle, squares = across(mean, x.shape[1:]), np.zeros(x[0].size, x.dtype)
        for values, centred in rows(x, y):
            np.subtract(values, middle, out=centred)
            squares += np.einsum("nc,nc->c", centred, centred)
        variance = squares.reshape(-1, len(mean)).sum(axis=0) / count
        keep = x.dtype.type(self.momentum)
        for running, now in ((self.mean, mean), (self.variance, variance)):
            running *= keep
            running += now * (1 - keep)
        wide = 1 / np.sqrt(variance + x.dtype.type(self.epsilon))
        stretch(y, self.gamma * wide, self.beta, normed := empty(x.shape, x.dtype))
        return normed, (y, wide)

    def backward(self, back: np.ndarray, saved: Any, below: bool) -> tuple[np.ndarray | None, dict[str, Gradient]]:
        """See Step."""
        if isinstance(saved, np.ndarray):  # it did not learn: its statistics are constants
            if below:
                back *= saved
            return back, {}
        centred, wide = saved
        dots = np.zeros(back[0].size, back.dtype)
        for values, met in rows(centred, back):
            dots += np.einsum("nc,nc->c", values, met)
        gamma, beta = dots.reshape(-1, len(wide)).sum(axis=0) * wide, total(back)
        if below:
            # The batch's own mean and variance move with every value: what is common to the channel falls out.
            count = back.dtype.type(back.size // len(wide))
            common = -wide * gamma / count, -beta / count
            slope, shift, scale = (across(values, back.shape[1:]) for values in (*common, self.gamma * wide))
            for values, met in rows(centred, back):
                values *= slope
                values += shift
                met += values
                met *= scale
        return back if below else None, {"gamma": gamma, "beta": beta}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """See Layer."""
        values = [arrays[name] for name in ("gamma", "beta", "mean", "variance")]
        return cls(*values, epsilon=float(settings["epsilon"]), momentum=float(settings["momentum"]))


def stretch(x: np.ndarray, scale: np.ndarray, shift: np.ndarray, y: np.ndarray) -> None:
    """Into y: x·scale + shift, for each channel its own."""
    scale, shift = across(scale, x.shape[1:]), across(shift, x.shape[1:])
    for values, to in rows(x, y):
        np.multiply(values, scale, out=to)
        to += shift


def rows(*arrays: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """Some of the pictures (N, …, C) of each array, as many as fit into the cache, each picture a row; views."""
    for part in parts(len(arrays[0]), arrays[0][:1].nbytes):
        yield tuple(array[part].reshape(len(array[part]), -1) for array in arrays)
