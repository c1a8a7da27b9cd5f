"""Batch normalisation (Ioffe, Szegedy 2015), frozen and while training."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from edge_tl.errors import ConfigError, ShapeError

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

    def forward(self, x: np.ndarray, rng: np.random.Generator | None = None) -> tuple[np.ndarray, Any]:
        """Any shape (…, C)."""
        if x.shape[-1:] != self.gamma.shape:
            raise ShapeError(f"batch_norm: {x.shape} came; (…, {len(self.gamma)}) is wanted")
        learning = rng is not None and self.trainable
        if not learning:
            scale = self.gamma / np.sqrt(self.variance + x.dtype.type(self.epsilon))
            y = x * scale
            y += self.beta - self.mean * scale
            return y, scale
        rows = x.reshape(-1, x.shape[-1])
        count = x.dtype.type(len(rows))
        mean = total(rows) / count
        centred = x - mean
        variance = np.einsum("nc,nc->c", flat := centred.reshape(rows.shape), flat) / count
        keep = x.dtype.type(self.momentum)
        for running, now in ((self.mean, mean), (self.variance, variance)):
            running *= keep
            running += now * (1 - keep)
        wide = 1 / np.sqrt(variance + x.dtype.type(self.epsilon))
        y = centred * (self.gamma * wide)
        y += self.beta
        return y, (centred, wide)

    def backward(self, back: np.ndarray, saved: Any, below: bool) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
        """See Layer."""
        if isinstance(saved, np.ndarray):  # frozen: the running statistics are constants
            return back * saved if below else None, {}
        centred, wide = saved
        rows, flat = back.reshape(-1, back.shape[-1]), centred.reshape(-1, back.shape[-1])
        gradients = {"gamma": np.einsum("nc,nc->c", rows, flat) * wide, "beta": total(rows)}
        if not below:
            return None, gradients
        # The batch's own mean and variance move with every value: what is common to the channel falls out.
        count = back.dtype.type(len(rows))
        under = centred * (-wide * gradients["gamma"] / count)
        under += back
        under -= gradients["beta"] / count
        under *= self.gamma * wide
        return under, gradients

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """See Layer."""
        values = [arrays[name] for name in ("gamma", "beta", "mean", "variance")]
        return cls(*values, epsilon=float(settings["epsilon"]), momentum=float(settings["momentum"]))


def total(rows: np.ndarray) -> np.ndarray:
    """The sum (C,) of rows (M, C), by BLAS."""
    return np.ones(len(rows), rows.dtype) @ rows
