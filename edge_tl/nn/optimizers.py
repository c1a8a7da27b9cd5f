"""How gradients change weights: SGD, RMSProp and Adam, each with the update exactly as Keras 3 has it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import cos, pi, sqrt
from typing import Any, Protocol

import numpy as np

from edge_tl.nn.layers import Gradient

PART_VALUES = 2**15
"""An update of millions of weights is memory moved about: so many values are taken through all its steps at a time."""


class Optimizer(Protocol):
    """Takes steps; remembers the steps before, so it belongs to one training of the same arrays in the same order."""

    def step(self, arrays: list[np.ndarray], gradients: list[Gradient]) -> None:
        """Change the arrays in place; the gradients may be overwritten."""
        ...


@dataclass
class SGD:
    """w ← w + m, where m ← momentum·m − rate·g."""

    rate: float
    momentum: float = 0.0
    _moves: list[np.ndarray] = field(default_factory=list)

    def step(self, arrays: list[np.ndarray], gradients: list[Gradient]) -> None:
        """See Optimizer."""
        if not self._moves:
            self._moves = [np.zeros_like(array) for array in arrays]
        for array, gradient, move in in_parts(arrays, gradients, self._moves):
            gradient *= array.dtype.type(self.rate)
            if not self.momentum:
                array -= gradient
                continue
            move *= array.dtype.type(self.momentum)
            move -= gradient
            array += move


@dataclass
class RMSProp:
    """w ← w − rate·g/√(v + ε), where v ← rho·v + (1 − rho)·g² (Hinton's lecture 6e; ε inside the root is Keras')."""

    rate: float
    rho: float = 0.9
    epsilon: float = 1e-7
    _squares: list[np.ndarray] = field(default_factory=list)

    def step(self, arrays: list[np.ndarray], gradients: list[Gradient]) -> None:
        """See Optimizer."""
        if not self._squares:
            self._squares = [np.zeros_like(array) for array in arrays]
        for array, gradient, v in in_parts(arrays, gradients, self._squares):
            kind = array.dtype.type
            squared = np.square(gradient)
            squared *= kind(1 - self.rho)
            v *= kind(self.rho)
            v += squared
            np.add(v, kind(self.epsilon), out=squared)
            np.sqrt(squared, out=squared)
            gradient *= kind(self.rate)
            gradient /= squared
            array -= gradient


@dataclass
class Adam:
    """Kingma and Ba's method (2015) with the update as Keras 3 has it: ε is added to the uncorrected √v."""

    rate: float
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-7
    _t: int = 0
    _moments: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])

    def step(self, arrays: list[np.ndarray], gradients: list[Gradient]) -> None:
        """See Optimizer."""
        if not self._t:
            self._moments = [np.zeros_like(array) for array in arrays], [np.zeros_like(array) for array in arrays]
        self._t += 1
        alpha = self.rate * sqrt(1 - self.beta2**self._t) / (1 - self.beta1**self._t)
        for array, gradient, m, v in in_parts(arrays, gradients, *self._moments):
            kind = array.dtype.type
            change = gradient - m
            change *= kind(1 - self.beta1)
            m += change
            gradient *= gradient
            gradient -= v
            gradient *= kind(1 - self.beta2)
            v += gradient
            np.sqrt(v, out=gradient)
            gradient += kind(self.epsilon)
            np.divide(m, gradient, out=gradient)
            gradient *= kind(alpha)
            array -= gradient


@dataclass
class Cosine:
    """Another optimizer whose rate falls from what it is to nothing along half a cosine (Loshchilov, Hutter 2017).

    Keras' CosineDecay with its defaults.
    """

    optimizer: Any
    """Of a `rate`."""
    steps: int
    """After so many the rate is 0."""
    _t: int = 0
    _first: float = 0.0

    def step(self, arrays: list[np.ndarray], gradients: list[Gradient]) -> None:
        """See Optimizer."""
        if not self._t:
            self._first = self.optimizer.rate
        self.optimizer.rate = self._first * 0.5 * (1 + cos(pi * min(self._t / self.steps, 1)))
        self._t += 1
        self.optimizer.step(arrays, gradients)


def in_parts(
    arrays: list[np.ndarray], gradients: list[Gradient], *kept: list[np.ndarray]
) -> Iterator[tuple[np.ndarray, ...]]:
    """Each array, its gradient and what is kept of it, rows of them at a time, which all fit into the cache."""
    for array, gradient, *others in zip(arrays, gradients, *kept, strict=True):
        if array.size <= PART_VALUES:
            yield array, gradient[:], *others
            continue
        rows = max(1, PART_VALUES * len(array) // array.size)
        for first in range(0, len(array), rows):
            part = slice(first, first + rows)
            yield array[part], gradient[part], *(other[part] for other in others)
