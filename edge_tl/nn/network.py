"""Network: layers one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from edge_tl.errors import ConfigError, ShapeError
from edge_tl.nn.convolution import Conv2D
from edge_tl.nn.depthwise import DepthwiseConv2D
from edge_tl.nn.folding import folded
from edge_tl.nn.layers import Dense, Dropout, Flatten, Gradient, Layer, ReLU
from edge_tl.nn.normalisation import BatchNorm
from edge_tl.nn.pooling import MaxPool

KINDS: dict[str, type[Layer]] = {
    kind.kind: kind for kind in (BatchNorm, Conv2D, Dense, DepthwiseConv2D, Dropout, Flatten, MaxPool, ReLU)
}
"""The layers that a saved network may be made of."""
AT_ONCE = 128
"""Rows a forward pass takes at once: enough for BLAS, few enough for memory."""


class Network:
    """Layers, the output of each the input of the next; whether each is trained is its own `trainable`."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        if not layers:
            raise ConfigError("a network without layers came; one layer or more is wanted")
        self.layers = list(layers)

    @property
    def parameters(self) -> int:
        """How many numbers its layers learn or learned, frozen ones included."""
        return sum(array.size for layer in self.layers for array in layer.parameters.values())

    @property
    def trainable_parameters(self) -> int:
        """How many numbers a training would change."""
        return sum(array.size for array in self.learning())

    def learning(self) -> list[np.ndarray]:
        """The arrays that a training changes, in the order of the layers."""
        return [array for layer in self.layers if layer.trainable for array in layer.parameters.values()]

    @property
    def front(self) -> int:
        """How many layers at the front always give the same output: nothing learns there, and nothing is random."""
        for position, layer in enumerate(self.layers):
            if layer.trainable or (isinstance(layer, Dropout) and layer.rate):
                return position
        return len(self.layers)

    def __call__(self, x: np.ndarray, first: int = 0, last: int | None = None) -> np.ndarray:
        """The output for rows or pictures (M, …) of the layers from `first` up to, not including, `last`."""
        outputs = []
        for start in range(0, max(len(x), 1), AT_ONCE):  # no rows pass too, for the shape of what comes out
            y = x[start : start + AT_ONCE]
            over = False
            for layer in self.layers[first:last]:
                y = layer.forward(y, None, over)[0]
                over = layer.own
            outputs.append(y)
        return np.concatenate(outputs) if len(outputs) > 1 else outputs[0]

    def forward(self, x: np.ndarray, rng: np.random.Generator, first: int = 0) -> tuple[np.ndarray, list[Any]]:
        """While training: the output of the layers from `first` on, and what `backward` needs."""
        saved, over = [], False
        for step in folded(self.layers[first:]):
            x, kept = step.forward(x, rng, over)
            saved.append((step, kept))
            over = step.own
        return x, saved

    def backward(self, back: np.ndarray, saved: list[Any]) -> list[Gradient]:
        """The gradients of `learning()`, from the loss' gradient (M, C) by the output of `forward`."""
        lowest = next((place for place, (step, _) in enumerate(saved) if step.trainable), len(saved))
        found: list[list[Gradient]] = []
        for place in range(len(saved) - 1, lowest - 1, -1):
            step, kept = saved[place]
            under, gradients = step.backward(back, kept, place > lowest)
            if step.trainable:
                found.append([gradients[name] for name in step.parameters])
            if under is not None:
                back = under
        return [gradient for gradients in reversed(found) for gradient in gradients]

    def copy(self) -> Self:
        """The same layers with arrays of their own."""
        meta, arrays = self.state()
        return self.from_state(meta, {name: array.copy() for name, array in arrays.items()})

    def copy_arrays(self) -> list[np.ndarray]:
        """Copies of all that training may change, for `put_back`."""
        return [array.copy() for layer in self.layers if layer.trainable for array in layer.arrays.values()]

    def put_back(self, arrays: list[np.ndarray]) -> None:
        """Make the layers what they were at `copy_arrays`."""
        now = [array for layer in self.layers if layer.trainable for array in layer.arrays.values()]
        for array, before in zip(now, arrays, strict=True):
            array[...] = before

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """A JSON-able dict and arrays, for `from_state`."""
        meta = [{"kind": layer.kind, "trainable": layer.trainable, **layer.settings} for layer in self.layers]
        arrays = {
            f"{position}.{name}": array
            for position, layer in enumerate(self.layers)
            for name, array in layer.arrays.items()
        }
        return {"layers": meta}, arrays

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """The network that `state` was taken of; ConfigError or ShapeError (one line) where it is none."""
        layers: list[Layer] = []
        described = meta.get("layers")
        if not isinstance(described, list):
            raise ConfigError("a saved network without a list of layers came; what Network.state gives is wanted")
        for position, entry in enumerate(described):
            mine = {key.partition(".")[2]: array for key, array in arrays.items() if key.startswith(f"{position}.")}
            try:
                layer = KINDS[entry["kind"]].from_state(entry, mine)
                if layer.parameters:
                    layer.trainable = bool(entry["trainable"])
            except (ConfigError, ShapeError):
                raise
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                said = f"{type(error).__name__}: {error}"
                raise ConfigError(f"layer {position} of a saved network cannot be made ({said})") from error
            layers.append(layer)
        return cls(layers)


@dataclass(frozen=True)
class Upper:
    """What lies above the frozen convolutions, float32: relu(x·dense + dense_bias)·head + head_bias, then softmax."""

    dense: np.ndarray
    """(N, units)."""
    dense_bias: np.ndarray
    head: np.ndarray
    """(units, words)."""
    head_bias: np.ndarray

    def units(self, features: np.ndarray) -> np.ndarray:
        """The dense layer's answer, float32 (n, units), to the convolutions' (n, N)."""
        return np.asarray(np.maximum(features @ self.dense + self.dense_bias, 0), np.float32)

    def words(self, units: np.ndarray) -> np.ndarray:
        """Probabilities of the base's own words, (n, words), of the dense layer's answer (n, units)."""
        scores = (units @ self.head + self.head_bias).astype(np.float64)
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))
