"""What training makes small: cross-entropy of classes, squared errors of numbers, and both together."""

from __future__ import annotations

from typing import Protocol

import numpy as np

MIN_CHANCE = 1e-7
"""Probabilities are not taken below this; Keras' epsilon."""


class Loss(Protocol):
    """How wrong outputs are."""

    def __call__(self, outputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(M,) losses of the rows, and the gradient (M, C) of their mean by the outputs."""
        ...

    def score(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """(M,): how good each row is, for a person: 1 for a right answer, 0 for a wrong one."""
        ...


class CrossEntropy:
    """−Σ t·log softmax(z), of outputs z against indicators t; its score is whether the class is right."""

    def __call__(self, outputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """outputs: logits (M, C); targets: (M, C), rows that sum to 1."""
        proba = softmax(outputs)
        losses = -(targets * np.log(np.maximum(proba, MIN_CHANCE))).sum(axis=1)
        return losses, (proba - targets) / proba.dtype.type(len(outputs))

    def score(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """1 where the likeliest class is the true one."""
        return (outputs.argmax(axis=1) == targets.argmax(axis=1)).astype(np.float64)


class MeanSquared:
    """The mean over the columns of (output − scale·target)²; the scale says how loud each column is (spec S6)."""

    def __init__(self, scale: np.ndarray | float = 1.0) -> None:
        """scale: a number, or (C,), one a column."""
        self.scale = np.asarray(scale)

    def __call__(self, outputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """outputs, targets: (M, C)."""
        errors = outputs - (targets * self.scale).astype(outputs.dtype)
        return np.square(errors).mean(axis=1), errors * outputs.dtype.type(2 / errors.size)

    def score(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Minus the mean absolute error, in the columns' own units."""
        return -np.abs(outputs / self.scale - targets).mean(axis=1)


class Joint:
    """Cross-entropy of the first columns, plus a weight times the mean squared error of the others (spec S6).

    Rows whose other targets are NaN, things that have a class but no place, count for their class only.
    """

    def __init__(self, classes: int, weight: float) -> None:
        """classes: how many columns at the front are logits."""
        self.classes, self.weight = classes, weight
        self._entropy, self._squares = CrossEntropy(), MeanSquared()

    def __call__(self, outputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """outputs: logits and numbers (M, C); targets: indicators and numbers, or NaN (M, C)."""
        front, rest = slice(None, self.classes), slice(self.classes, None)
        losses, back = self._entropy(outputs[:, front], targets[:, front])
        # Where there is no target, what came is taken for right: neither loss nor slope.
        wanted = np.where(np.isnan(targets[:, rest]), outputs[:, rest], targets[:, rest])
        squares, slopes = self._squares(outputs[:, rest], wanted)
        weight = outputs.dtype.type(self.weight)
        return losses + weight * squares, np.concatenate([back, weight * slopes], axis=1)

    def score(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """1 where the likeliest class is the true one."""
        return self._entropy.score(outputs[:, : self.classes], targets[:, : self.classes])


def softmax(scores: np.ndarray) -> np.ndarray:
    """Rows of scores (M, C) as probabilities that sum to 1, in the dtype of the scores."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)
