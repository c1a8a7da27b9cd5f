"""What a layer is, and those without a picture in them: dense, rectifiers, flatten, dropout."""

from __future__ import annotations

from math import prod
from typing import Any, Protocol, Self

import numpy as np

from edge_tl.errors import ConfigError, ShapeError
from edge_tl.nn.memory import empty

BOOL = np.dtype(bool)


class Product:
    """The sum over the rows of each value of `left` (M, D) times each of `right` (M, H): a dense layer's gradient.

    It is as large as the weights and is used once, some rows at a time: computed then, it never leaves the cache.
    """

    def __init__(self, left: np.ndarray, right: np.ndarray) -> None:
        self.left, self.right = left, right
        self.shape = left.shape[1], right.shape[1]

    def __getitem__(self, rows: slice) -> np.ndarray:
        """Some of its D rows."""
        return self.left[:, rows].T @ self.right

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """All of it."""
        return np.asarray(self[:], dtype)


Gradient = np.ndarray | Product
"""Of an array, of its shape; what `[rows]` of it gives may be overwritten."""


class Step(Protocol):
    """What a training runs forward and backward; what that leaves travels in `saved`, not in the step."""

    trainable: bool
    """False: training leaves its arrays alone, bit for bit."""
    own: bool
    """Whether its output is an array of its own that its backward pass does not need: the next may write over it."""

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The arrays that training changes, in place."""
        ...

    def forward(
        self, x: np.ndarray, rng: np.random.Generator | None = None, over: bool = False
    ) -> tuple[np.ndarray, Any]:
        """The output, and what `backward` needs. rng: given while training, None in use.

        over: whether the output may be written over x, which nobody needs any more.
        """
        ...

    def backward(self, back: np.ndarray, saved: Any, below: bool) -> tuple[np.ndarray | None, dict[str, Gradient]]:
        """From the loss' gradient by the output: by the input (None unless `below` is wanted), and by the parameters.

        The parameters' are left out where the step is not trainable. `back` and `saved` are used up: what comes out may
        be written over them.
        """
        ...


class Layer(Step, Protocol):
    """A step of a network that can be saved."""

    kind: str
    """Its name in a saved network."""

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """All that has to be saved: the parameters, and statistics that no gradient reaches."""
        ...

    @property
    def settings(self) -> dict[str, Any]:
        """JSON-able: what `from_state` needs beside the arrays."""
        ...

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """The layer with these `settings` and `arrays`; ConfigError or ShapeError where they do not fit."""
        ...


class Dense:
    """x·W + b."""

    kind = "dense"
    own = True

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

    def forward(
        self, x: np.ndarray, rng: np.random.Generator | None = None, over: bool = False
    ) -> tuple[np.ndarray, Any]:
        """(M, inputs) → (M, outputs)."""
        y = x @ self.W
        if self.b is not None:
            y += self.b
        return y, x

    def backward(self, back: np.ndarray, saved: Any, below: bool) -> tuple[np.ndarray | None, dict[str, Gradient]]:
        """See Step."""
        gradients: dict[str, Gradient] = {}
        if self.trainable:
            gradients["W"] = Product(saved, back)
            if self.b is not None:
                gradients["b"] = total(back)
        if not below:
            return None, gradients
        return np.matmul(back, self.W.T, out=empty(saved.shape, back.dtype)), gradients

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """See Layer."""
        return cls(arrays["W"], arrays.get("b"))


class Plain:
    """What layers without arrays share: nothing to train, nothing to save."""

    trainable = False
    own = False

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

    def forward(
        self, x: np.ndarray, rng: np.random.Generator | None = None, over: bool = False
    ) -> tuple[np.ndarray, Any]:
        """Any shape."""
        to = x if over else None
        y = np.maximum(x, 0, out=to) if self.most is None else np.clip(x, 0, self.most, out=to)
        return y, y

    def backward(self, back: np.ndarray, saved: Any, below: bool) -> tuple[np.ndarray | None, dict[str, Gradient]]:
        """See Step; at the kinks the gradient is 0, as TensorFlow has it."""
        if not below:
            return None, {}
        passes = np.greater(saved, 0, out=empty(saved.shape, BOOL))
        if self.most is not None:
            passes &= np.less(saved, self.most, out=empty(saved.shape, BOOL))
        back *= passes
        return back, {}

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

    def forward(
        self, x: np.ndarray, rng: np.random.Generator | None = None, over: bool = False
    ) -> tuple[np.ndarray, Any]:
        """Any shape."""
        return x.reshape(len(x), prod(x.shape[1:])), x.shape

    def backward(self, back: np.ndarray, saved: Any, below: bool) -> tuple[np.ndarray | None, dict[str, Gradient]]:
        """See Step."""
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

    def forward(
        self, x: np.ndarray, rng: np.random.Generator | None = None, over: bool = False
    ) -> tuple[np.ndarray, Any]:
        """Any shape."""
        if rng is None or not self.rate:
            return x, None
        kept = (rng.random(x.shape, np.float32) >= self.rate) * x.dtype.type(1 / (1 - self.rate))
        return x * kept, kept

    def backward(self, back: np.ndarray, saved: Any, below: bool) -> tuple[np.ndarray | None, dict[str, Gradient]]:
        """See Step."""
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


def total(values: np.ndarray) -> np.ndarray:
    """The sum over all but the last axis of values (…, C), by BLAS."""
    rows = values.reshape(-1, values.shape[-1])
    return np.ones(len(rows), rows.dtype) @ rows


def across(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Values (C,) once for each pixel of a picture of a shape (…, C): one long row is faster than many short ones."""
    return np.tile(values, prod(shape) // len(values))
