"""What a layer is, and those without a picture in them: dense, rectifiers, flatten, dropout."""

from __future__ import annotations

from math import prod
from typing import Any, Protocol, Self

import numpy as np

from edge_tl.errors import ConfigError, ShapeError


class Layer(Protocol):
    """One step of a network. What a forward pass leaves for the backward pass travels in `saved`, not in the layer."""

    kind: str
    """Its name in a saved network."""
    trainable: bool
    """False: training leaves its arrays alone, bit for bit."""

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The arrays that training changes, in place."""
        ...

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """All that has to be saved: the parameters, and statistics that no gradient reaches."""
        ...

    @property
    def settings(self) -> dict[str, Any]:
        """JSON-able: what `from_state` needs beside the arrays."""
        ...

    def forward(self, x: np.ndarray, rng: np.random.Generator | None = None) -> tuple[np.ndarray, Any]:
        """The output, and what `backward` needs. rng: given while training, None in use."""
        ...

    def backward(self, back: np.ndarray, saved: Any, below: bool) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
        """From the loss' gradient by the output: by the input (None unless `below` is wanted), and by the parameters.

        The parameters' are left out where the layer is not trainable.
        """
        ...

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """The layer with these `settings` and `arrays`; ConfigError or ShapeError where they do not fit."""
        ...


class Dense:
    """x·W + b."""

    kind = "dense"

    def __init__(self, W: np.ndarray, b: np.ndarray | None = None, *, trainable: bool = True) -> None:
        """W (inputs, outputs), b (outputs,) or None for none."""
        if W.ndim != 2 or (b is not None and b.shape != W.shape[1:]):
            raise ShapeError(f"dense: W is {W.shape}, b {None if b is None else b.shape}; (D, H) and (H,) are wanted")
        self.W, self.b, self.trainable = W, b, trainable

    @classmethod
    def new(cls, inputs: int, outputs: int, rng: np.random.Generator) -> Self:
        """A fresh float32 layer as Keras makes it: GlorotUniform, zero bias."""
        return cls(glorot_uniform((inputs, outputs), rng), np.zeros(outputs, np.float32))

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """W, and b where there is one."""
        return {"W": self.W} if self.b is None else {"W": self.W, "b": self.b}

    arrays = parameters

    @property
    def settings(self) -> dict[str, Any]:
        """None."""
        return {}

    def forward(self, x: np.ndarray, rng: np.random.Generator | None = None) -> tuple[np.ndarray, Any]:
        """(M, inputs) → (M, outputs)."""
        y = x @ self.W
        if self.b is not None:
            y += self.b
        return y, x

    def backward(self, back: np.ndarray, saved: Any, below: bool) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
        """See Layer."""
        gradients = {}
        if self.trainable:
            gradients["W"] = saved.T @ back
            if self.b is not None:
                gradients["b"] = back.sum(axis=0)
        return back @ self.W.T if below else None, gradients

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """See Layer."""
        return cls(arrays["W"], arrays.get("b"))


class Plain:
    """What layers without arrays share: nothing to train, nothing to save."""

    trainable = False

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """None."""
        return {}

    arrays = parameters


class ReLU(Plain):
    """max(x, 0), and never above `most`: 6 makes it ReLU6."""

    kind = "relu"

    def __init__(self, most: float | None = None) -> None:
        if most is not None and not most > 0:
            raise ConfigError(f"relu: never above {most}; a number above 0, or None, is wanted")
        self.most = most

    @property
    def settings(self) -> dict[str, Any]:
        """`most`."""
        return {"most": self.most}

    def forward(self, x: np.ndarray, rng: np.random.Generator | None = None) -> tuple[np.ndarray, Any]:
        """Any shape."""
        y = np.maximum(x, 0) if self.most is None else np.clip(x, 0, self.most)
        return y, y

    def backward(self, back: np.ndarray, saved: Any, below: bool) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
        """See Layer; at the kinks the gradient is 0, as TensorFlow has it."""
        if not below:
            return None, {}
        passes = saved > 0
        if self.most is not None:
            passes &= saved < self.most
        return back * passes, {}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """See Layer."""
        return cls(settings["most"])


class Flatten(Plain):
    """(M, …) → (M, product of the rest)."""

    kind = "flatten"

    @property
    def settings(self) -> dict[str, Any]:
        """None."""
        return {}

    def forward(self, x: np.ndarray, rng: np.random.Generator | None = None) -> tuple[np.ndarray, Any]:
        """Any shape."""
        return x.reshape(len(x), prod(x.shape[1:])), x.shape

    def backward(self, back: np.ndarray, saved: Any, below: bool) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
        """See Layer."""
        return back.reshape(saved) if below else None, {}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """See Layer."""
        return cls()


class Dropout(Plain):
    """While training, zeroes a share of the values and enlarges the others to make up for them."""

    kind = "dropout"

    def __init__(self, rate: float) -> None:
        if not 0 <= rate < 1:
            raise ConfigError(f"dropout: a share of {rate}; wanted 0 or more, below 1")
        self.rate = rate

    @property
    def settings(self) -> dict[str, Any]:
        """`rate`."""
        return {"rate": self.rate}

    def forward(self, x: np.ndarray, rng: np.random.Generator | None = None) -> tuple[np.ndarray, Any]:
        """Any shape."""
        if rng is None or not self.rate:
            return x, None
        kept = (rng.random(x.shape, np.float32) >= self.rate) * x.dtype.type(1 / (1 - self.rate))
        return x * kept, kept

    def backward(self, back: np.ndarray, saved: Any, below: bool) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
        """See Layer."""
        if not below:
            return None, {}
        return back if saved is None else back * saved, {}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """See Layer."""
        return cls(settings["rate"])


def variance_scaling(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Float32 (…, inputs, outputs): normal, cut at two standard deviations, of variance 1/fan-in after the cut.

    Keras' VarianceScaling with its defaults; 0.8796 is the standard deviation of the cut standard normal.
    """
    values = rng.standard_normal(shape, np.float32)
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.standard_normal(int(outside.sum()), np.float32)
    return values * np.float32(1 / (0.87962566103423978 * np.sqrt(prod(shape[:-1]))))


def glorot_uniform(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Float32 (…, inputs, outputs): uniform up to ±√(6 / (fan-in + fan-out)), Keras' default (Glorot, Bengio 2010)."""
    field = prod(shape[:-2])
    most = np.sqrt(6 / (field * (shape[-2] + shape[-1])))
    return rng.uniform(-most, most, shape).astype(np.float32)
