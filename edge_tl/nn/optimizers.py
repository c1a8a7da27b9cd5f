"""How gradients change weights: SGD, RMSProp and Adam, each with the update exactly as Keras 3 has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import Protocol

import numpy as np


class Optimizer(Protocol):
    """Takes steps; remembers the steps before, so it belongs to one training of the same arrays in the same order."""

    def step(self, arrays: list[np.ndarray], gradients: list[np.ndarray]) -> None:
        """Change the arrays in place; the gradients may be overwritten."""
        ...


@dataclass
class SGD:
    """w ← w + m, where m ← momentum·m − rate·g."""

    rate: float
    momentum: float = 0.0
    _moves: list[np.ndarray] = field(default_factory=list)

    def step(self, arrays: list[np.ndarray], gradients: list[np.ndarray]) -> None:
        """See Optimizer."""
        if self.momentum and not self._moves:
            self._moves = [np.zeros_like(array) for array in arrays]
        for position, (array, gradient) in enumerate(zip(arrays, gradients, strict=True)):
            gradient *= array.dtype.type(self.rate)
            if self.momentum:
                move = self._moves[position]
                move *= array.dtype.type(self.momentum)
                move -= gradient
                array += move
            else:
                array -= gradient


@dataclass
class RMSProp:
    """w ← w − rate·g/√(v + ε), where v ← rho·v + (1 − rho)·g² (Hinton's lecture 6e; ε inside the root is Keras')."""

    rate: float
    rho: float = 0.9
    epsilon: float = 1e-7
    _squares: list[np.ndarray] = field(default_factory=list)

    def step(self, arrays: list[np.ndarray], gradients: list[np.ndarray]) -> None:
        """See Optimizer."""
        if not self._squares:
            self._squares = [np.zeros_like(array) for array in arrays]
        for array, gradient, v in zip(arrays, gradients, self._squares, strict=True):
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
    _moments: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    def step(self, arrays: list[np.ndarray], gradients: list[np.ndarray]) -> None:
        """See Optimizer."""
        if not self._moments:
            self._moments = [(np.zeros_like(array), np.zeros_like(array)) for array in arrays]
        self._t += 1
        alpha = self.rate * sqrt(1 - self.beta2**self._t) / (1 - self.beta1**self._t)
        for array, gradient, (m, v) in zip(arrays, gradients, self._moments, strict=True):
            m += (gradient - m) * (1 - self.beta1)
            gradient *= gradient
            v += (gradient - v) * (1 - self.beta2)
            np.sqrt(v, out=gradient)
            gradient += self.epsilon
            np.divide(m, gradient, out=gradient)
            gradient *= alpha
            array -= gradient
