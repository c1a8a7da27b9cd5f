"""scikit-learn: LogisticRegression with its defaults until it converges, MLPClassifier with the recipe's settings."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from benchmarks.peers.child import serve
from benchmarks.peers.children.rows import Ask, Sets
from benchmarks.peers.recipe import BATCH_SHARE, EPOCHS, RATE, UNITS


def logistic(X: np.ndarray, y: np.ndarray, seed: int) -> Ask:
    """The default penalty."""
    ask: Ask = LogisticRegression(max_iter=2000).fit(X, y).predict
    return ask


def perceptron(X: np.ndarray, y: np.ndarray, seed: int) -> Ask:
    """Twenty epochs, as everyone's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that 20 epochs are few
        network = MLPClassifier(
            UNITS,
            batch_size=int(BATCH_SHARE * len(y)),
            learning_rate_init=RATE,
            max_iter=EPOCHS,
            alpha=0,
            random_state=seed,
        )
        ask: Ask = network.fit(X, y).predict
        return ask


if __name__ == "__main__":
    serve(Sets({"LogisticRegression": logistic, "MLPClassifier": perceptron}).actions())
