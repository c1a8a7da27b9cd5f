"""Softmax regression with an L2 penalty (multinomial logistic regression), fitted in the span of the examples."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from edge_tl.core.gram import Span
from edge_tl.errors import ConfigError
from edge_tl.heads.base import LinearHead, Progress, TaughtRows
from edge_tl.heads.lbfgs import minimize
from edge_tl.nn.losses import softmax


class SoftmaxHead(LinearHead):
    """Minimises C·Σᵢ wᵢ·cross-entropyᵢ + ½|W|²; the intercept is free. L-BFGS, float64 inside.

    The loss, and so the solution, is that of scikit-learn's LogisticRegression for three classes and more; its binary
    case has one weight vector instead of two, which is this with C/2. Unequal classes weigh the same.
    After `fit`, `curve_` lists (iteration, mean cross-entropy, accuracy) on the examples, as `progress` is told.
    """

    name = "softmax"

    def __init__(self, C: float = 1000.0, balance: bool = True, tolerance: float = 1e-5, iterations: int = 300) -> None:
        """C: weight of the examples against the penalty, above 0 (1000 suits rows of unit length); balance: every
        class weighs the same; tolerance: of the largest component of the gradient of the loss divided by C·N;
        iterations: at most so many.
        """
        if not 0 < C < float("inf"):
            raise ConfigError(f"C is {C}; wanted a number above 0")
        self.C, self.balance, self.tolerance, self.iterations = float(C), balance, float(tolerance), int(iterations)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (M, C) of rows (M, D); each row sums to 1."""
        return softmax(self.scores(X))

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What `predict` needs: a JSON-able dict and arrays."""
        meta = {
            "name": self.name,
            "classes": self.classes_.tolist(),
            "C": self.C,
            "balance": self.balance,
            "tolerance": self.tolerance,
            "iterations": self.iterations,
        }
        return meta, {"coef": self._coef, "intercept": self._intercept}

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """A head that predicts as the one that `state` was taken of; it holds no examples."""
        head = cls(meta["C"], meta["balance"], meta["tolerance"], meta["iterations"])
        head._classes = np.asarray(meta["classes"])
        head._coef, head._intercept = arrays["coef"], arrays["intercept"]
        return head

    def _learn(self, taught: TaughtRows, progress: Progress | None = None) -> Self:
        taught.need_two_classes(self.name)
        classes, codes = taught.classes, taught.codes()
        n, k = len(codes), len(classes)
        Y = np.eye(k)[codes]
        weights = n / (k * np.bincount(codes)[codes]) if self.balance else np.ones(n)
        span = Span.of(taught.X, taught.gram)
        # The intercept is free, so the rows may be centred for it: the search is shorter.
        middle = weights @ span.L / weights.sum()
        L = span.L - middle
        curve: list[tuple[int, float, float]] = []
        entropy = np.empty(n)
        right = np.empty(n, bool)

        def loss(x: np.ndarray) -> tuple[float, np.ndarray]:
            V, b = x[:-k].reshape(-1, k), x[-k:]
            scores = L @ V + b
            scores -= scores.max(axis=1, keepdims=True)
            powers = np.exp(scores)
            sums = powers.sum(axis=1)
            entropy[:] = np.log(sums) - scores[np.arange(n), codes]
            right[:] = scores[np.arange(n), codes] == 0
            # Divided by C·N, so that the tolerance means the same for every set.
            errors = (powers / sums[:, None] - Y) * (weights / n)[:, None]
            gradient = np.concatenate([(L.T @ errors + V / (self.C * n)).ravel(), errors.sum(axis=0)])
            return float(weights @ entropy / n + (V * V).sum() / (2 * self.C * n)), gradient

        def step(iteration: int, value: float, x: np.ndarray) -> bool:
            curve.append((iteration, float(entropy.mean()), float(right.mean())))
            return progress is not None and progress(*curve[-1]) is True

        start = np.zeros((L.shape[1] + 1) * k)
        x = minimize(loss, start, tolerance=self.tolerance, iterations=self.iterations, progress=step)
        V, b = x[:-k].reshape(-1, k), x[-k:]
        self._coef = np.ascontiguousarray(span.expand(V).T)
        self._intercept = (b - middle @ V).astype(taught.X.dtype)
        self._taught, self._classes, self.curve_ = taught, classes, curve
        return self
