"""Two dense layers by hand: forward, backward, Adam as Keras has it, and a loop over shuffled batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import sqrt

import numpy as np

from edge_tl.heads.taught import softmax


@dataclass
class Layers:
    """dense(H, relu, bias) → dense(C, softmax, no bias)."""

    W1: np.ndarray
    """(D, H)"""
    b1: np.ndarray
    """(H,)"""
    W2: np.ndarray
    """(H, C)"""

    @classmethod
    def new(cls, columns: int, units: int, classes: int, rng: np.random.Generator) -> Layers:
        """Fresh float32 layers: variance-scaling kernels, zero bias."""
        return cls(
            variance_scaling((columns, units), rng),
            np.zeros(units, np.float32),
            variance_scaling((units, classes), rng),
        )

    def parts(self) -> list[np.ndarray]:
        """The three arrays, in the order of the gradients."""
        return [self.W1, self.b1, self.W2]

    def copy(self) -> Layers:
        """Layers with arrays of their own."""
        return Layers(self.W1.copy(), self.b1.copy(), self.W2.copy())

    def forward(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (M, C) of rows (M, D)."""
        return softmax(np.maximum(X @ self.W1 + self.b1, 0) @ self.W2)

    def gradients(self, X: np.ndarray, Y: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Of the mean categorical cross-entropy against indicators Y (M, C), and the probabilities (M, C)."""
        hidden = np.maximum(X @ self.W1 + self.b1, 0)
        proba = softmax(hidden @ self.W2)
        errors = (proba - Y) / len(X)
        back = errors @ self.W2.T
        back *= hidden > 0
        return [X.T @ back, back.sum(axis=0), hidden.T @ errors], proba


def variance_scaling(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Float32 (inputs, outputs): normal, cut at two standard deviations, of variance 1/inputs after the cut.

    Keras' VarianceScaling with its defaults; 0.8796 is the standard deviation of the cut standard normal.
    """
    values = rng.standard_normal(shape, np.float32)
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.standard_normal(int(outside.sum()), np.float32)
    return values * np.float32(1 / (0.87962566103423978 * np.sqrt(shape[0])))


@dataclass
class Adam:
    """Kingma and Ba's method (2015) with the update exactly as Keras 3 has it: ε is added to the uncorrected √v."""

    rate: float
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-7
    _t: int = 0
    _moments: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    def step(self, parts: list[np.ndarray], gradients: list[np.ndarray]) -> None:
        """Change the arrays in place."""
        if not self._moments:
            self._moments = [(np.zeros_like(part), np.zeros_like(part)) for part in parts]
        self._t += 1
        alpha = self.rate * sqrt(1 - self.beta2**self._t) / (1 - self.beta1**self._t)
        for part, gradient, (m, v) in zip(parts, gradients, self._moments, strict=True):
            m += (gradient - m) * (1 - self.beta1)
            gradient *= gradient
            v += (gradient - v) * (1 - self.beta2)
            np.sqrt(v, out=gradient)
            gradient += self.epsilon
            np.divide(m, gradient, out=gradient)
            gradient *= alpha
            part -= gradient


def train(
    layers: Layers,
    X: np.ndarray,
    codes: np.ndarray,
    *,
    epochs: int,
    batch: int,
    optimizer: Adam,
    rng: np.random.Generator,
    progress: Callable[[int, float, float], bool | None] | None = None,
) -> tuple[Layers, list[tuple[int, float, float]]]:
    """Train for some epochs over shuffled batches; the layers, and (epoch, loss, accuracy) of every epoch.

    X (N, D) and codes int (N,); `layers` is changed. Loss and accuracy are means over the epoch's batches, each before
    its step, as Keras shows them. Where `progress` returns True the layers after the epoch
    with the least loss are given back.
    """
    n = len(X)
    Y = np.eye(layers.W2.shape[1], dtype=X.dtype)[codes]
    curve: list[tuple[int, float, float]] = []
    best, lowest = layers, np.inf
    for epoch in range(1, epochs + 1):
        order = rng.permutation(n)
        loss = right = 0.0
        for first in range(0, n, batch):
            rows = order[first : first + batch]
            gradients, proba = layers.gradients(X[rows], Y[rows])
            optimizer.step(layers.parts(), gradients)
            likely = proba[np.arange(len(rows)), codes[rows]]
            loss -= float(np.log(np.maximum(likely, 1e-7)).sum())
            right += float((proba.argmax(axis=1) == codes[rows]).sum())
        curve.append((epoch, loss / n, right / n))
        if progress is not None:
            if loss < lowest:
                best, lowest = layers.copy(), loss
            if progress(*curve[-1]) is True:
                return best, curve
    return layers, curve
