"""The source text's head: one hidden layer of 100 units, Adam; and its fast form in the span of the examples."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from edge_tl.core.gram import Span
from edge_tl.errors import ConfigError
from edge_tl.heads.base import Head, Progress, TaughtRows, check_rows, need
from edge_tl.nn import Adam, CrossEntropy, Dense, Network, ReLU, fit
from edge_tl.nn.layers import variance_scaling
from edge_tl.nn.losses import softmax

RATE = 1e-4
"""The recipe's learning rate (spec S2)."""
FAST_RATE, FAST_NORM = 3e-3, 10.0
"""In the span: Adam's rate, and the mean length that rows are scaled to (algorithms A)."""


class MLPHead(Head):
    """dense(units, relu, bias) → dense(classes, softmax, no bias), Adam, categorical cross-entropy (spec S2).

    `fast=False` is the recipe to the letter: rows as they come, rate 1e-4, batches of 0.4 of the set, 20 epochs.
    `fast=True` trains in the span of the examples with rows scaled to a mean length of 10 and rate 3e-3: another path
    (Adam depends on the axes), tens of times quicker and better at few examples. The same examples and seed give the
    same weights. After `fit`, `curve_` lists (epoch, loss, accuracy).
    """

    name = "mlp"

    def __init__(
        self,
        units: int = 100,
        epochs: int = 20,
        batch_fraction: float = 0.4,
        rate: float | None = None,
        fast: bool = True,
        seed: int = 0,
    ) -> None:
        """units, epochs: 1 or more; batch_fraction: of the set, in (0, 1]; rate: Adam's learning rate, above 0, None
        for 3e-3 (fast) or 1e-4; seed: of the first weights and of the order of the batches.
        """
        if units < 1 or epochs < 1 or not 0 < batch_fraction <= 1 or (rate is not None and not rate > 0):
            raise ConfigError(
                f"units {units}, epochs {epochs}, batch_fraction {batch_fraction}, rate {rate}; wanted "
                "units and epochs of 1 or more, a fraction in (0, 1] and a rate above 0"
            )
        self.units, self.epochs, self.batch_fraction, self.fast, self.seed = units, epochs, batch_fraction, fast, seed
        self.rate = rate if rate is not None else FAST_RATE if fast else RATE
        self._network: Network | None = None

    @property
    def weights_(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """W1 (D, units), b1 (units,) and W2 (units, C), as they act on rows (M, D)."""
        hidden, _, top = need(self._network, self.name).layers
        return hidden.parameters["W"], hidden.parameters["b"], top.parameters["W"]

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (M, C) of rows (M, D); each row sums to 1."""
        return softmax(need(self._network, self.name)(check_rows(X, len(self.weights_[0]))))

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What `predict` needs: a JSON-able dict and arrays."""
        meta = {
            "name": self.name,
            "classes": self.classes_.tolist(),
            "units": self.units,
            "epochs": self.epochs,
            "batch_fraction": self.batch_fraction,
            "rate": self.rate,
            "fast": self.fast,
            "seed": self.seed,
        }
        return meta, dict(zip(("W1", "b1", "W2"), self.weights_, strict=True))

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """A head that predicts as the one that `state` was taken of; it holds no examples."""
        settings = {key: meta[key] for key in ("units", "epochs", "batch_fraction", "rate", "fast", "seed")}
        head = cls(**settings)
        head._classes = np.asarray(meta["classes"])
        head._network = two_layers(arrays["W1"], arrays["b1"], arrays["W2"])
        return head

    def _learn(self, taught: TaughtRows, progress: Progress | None = None) -> Self:
        taught.need_two_classes(self.name)
        rng = np.random.default_rng(self.seed)
        classes, n = taught.classes, len(taught.y)
        span, scale = None, np.float32(1)
        rows = taught.X.astype(np.float32, copy=False)
        if self.fast:
            span = Span.of(taught.X, taught.gram)
            length = float(np.sqrt((span.L * span.L).sum(axis=1)).mean())
            scale = np.float32(FAST_NORM / length if length > 0 else 1)
            rows = span.L.astype(np.float32) * scale
        network = two_layers(
            variance_scaling((rows.shape[1], self.units), rng),
            np.zeros(self.units, np.float32),
            variance_scaling((self.units, len(classes)), rng),
        )
        curve = fit(
            network,
            rows,
            np.eye(len(classes), dtype=np.float32)[taught.codes()],
            loss=CrossEntropy(),
            optimizer=Adam(self.rate),
            epochs=self.epochs,
            batch=max(1, int(n * self.batch_fraction)),
            rng=rng,
            progress=progress and (lambda epoch: progress(epoch.number, epoch.loss, epoch.score)),
        )
        self._network = network
        if span is not None:
            W1, b1, W2 = self.weights_
            self._network = two_layers(span.expand(W1 * scale).astype(np.float32, copy=False), b1, W2)
        self._taught, self._classes = taught, classes
        self.curve_ = [(epoch.number, epoch.loss, epoch.score) for epoch in curve]
        return self


def two_layers(W1: np.ndarray, b1: np.ndarray, W2: np.ndarray) -> Network:
    """dense(H, relu, bias) → dense(C, no bias)."""
    return Network([Dense(W1, b1), ReLU(), Dense(W2)])
