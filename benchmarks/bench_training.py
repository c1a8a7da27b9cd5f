"""“Train” is pressed: how long until ready? 200 pictures of 4 classes, against Keras, scikit-learn and plain NumPy."""

from __future__ import annotations

import importlib.util
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.interleaved import against, times_ms, words
from benchmarks.pictures import Embedded, numbers, split
from benchmarks.record import table
from edge_tl.core.features import FeatureMap
from edge_tl.core.gram import GrowingGram
from edge_tl.heads import Head, make_head
from edge_tl.heads.base import TaughtRows
from edge_tl.heads.rejection import Rejector
from edge_tl.judge.confidence import Confidence

CLASSES, COUNT, TAKE = 4, 50, 10
SEEDS = 10
ROUNDS = 15
UNITS, EPOCHS, BATCH, RATE = 100, 20, 80, 1e-4
"""The source text's recipe, spec S2; 80 is 0.4 of 200."""
KERAS = "Keras, the recipe"
GOALS = {"ridge, Gram kept": 200.0, "ridge, Gram kept, takes unknown": 200.0, "MLP in the span": 40.0}
"""Times faster than Keras."""

Ask = Callable[[np.ndarray], np.ndarray]
"""Raw embeddings (M, D) → labels (M,)."""


class Contest:
    """One split: raw embeddings X (200, D), labels y, and what has been computed while the examples arrived."""

    def __init__(self, digits: Embedded, seed: int) -> None:
        taught, asked = split(digits.y, CLASSES, COUNT, seed)
        self.seed, self.shape = seed, digits.shape
        self.X, self.y = digits.X[taught], digits.y[taught]
        self.asked, self.answers = digits.X[asked], digits.y[asked]
        self.takes = np.arange(len(taught)) // TAKE
        self.whole, self.pooled = FeatureMap("flatten"), FeatureMap()
        self.raw, self.rows, self.few = GrowingGram(), GrowingGram(), GrowingGram()
        for x in self.X:
            self.raw.append(x)
            self.rows.append(self.whole(x, self.shape))
            self.few.append(self.pooled(x, self.shape))

    def contenders(self) -> dict[str, Callable[[], Ask]]:
        """What is timed: from the examples to a function that names pictures."""
        found: dict[str, Callable[[], Ask]] = {
            "ridge, Gram kept": lambda: self._ask(self._fit("ridge", self.rows), self.whole),
            "ridge, Gram kept, takes unknown": self.without_takes,
            "ridge, Gram kept, 2×2 means": lambda: self._ask(self._fit("ridge", self.few), self.pooled),
            "ridge, “none of these” and confidence, 2×2 means": self.learn,
            "ridge from raw embeddings": self.from_raw,
            "softmax in the span": lambda: self._ask(self._fit("softmax", self.rows), self.whole),
            "MLP in the span": lambda: self._fit("mlp", self.raw).predict,
            "NumPy Adam, the recipe": lambda: make_head("mlp", fast=False, seed=self.seed).fit(self.X, self.y).predict,
        }
        if importlib.util.find_spec("sklearn"):
            found |= {"scikit-learn LogisticRegression": self.logistic, "scikit-learn MLPClassifier": self.perceptron}
        if importlib.util.find_spec("tensorflow"):
            found[KERAS] = self.keras
        return found

    def _fit(self, name: str, grown: GrowingGram) -> Head:
        parameters = {"seed": self.seed} if name == "mlp" else {}
        return make_head(name, **parameters).fit(grown.X, self.y, self.takes, gram=grown.K)

    def _ask(self, head: Head, features: FeatureMap) -> Ask:
        return lambda X: head.predict(features(X, self.shape))

    def without_takes(self) -> Ask:
        """λ by leaving out single examples instead of whole takes: optimistic, and quicker."""
        return self._ask(make_head("ridge").fit(self.rows.X, self.y, gram=self.rows.K), self.whole)

    def learn(self) -> Ask:
        """What Recognizer.learn does: the head, the rejection calibrated on it, and how sure it may be."""
        head = self._fit("ridge", self.few)
        Rejector().fit(self.few.X, self.y, self.takes, head=head)  # type: ignore[arg-type]
        taught = TaughtRows.check(self.few.X, self.y, self.takes, self.few.K)
        Confidence().fit(lambda: make_head("ridge"), head, taught)
        return self._ask(head, self.pooled)

    def from_raw(self) -> Ask:
        """Nothing prepared: features, Gram matrix and fit."""
        return self._ask(make_head("ridge").fit(self.whole(self.X, self.shape), self.y, self.takes), self.whole)

    def logistic(self) -> Ask:
        """scikit-learn's default penalty on the raw embeddings, until it converges."""
        from sklearn.linear_model import LogisticRegression

        return predictor(LogisticRegression(max_iter=2000).fit(self.X, self.y))

    def perceptron(self) -> Ask:
        """scikit-learn's network with the recipe's settings."""
        from sklearn.neural_network import MLPClassifier

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that 20 epochs are few
            network = MLPClassifier(UNITS, batch_size=BATCH, learning_rate_init=RATE, max_iter=EPOCHS, alpha=0)
            return predictor(network.set_params(random_state=self.seed).fit(self.X, self.y))

    def keras(self) -> Ask:
        """The source text's head in Keras: made, compiled and fitted anew, as when the button is pressed."""
        keras = quiet_keras()
        keras.utils.set_random_seed(self.seed)
        kernel = keras.initializers.VarianceScaling
        model = keras.Sequential(
            [
                keras.Input((self.X.shape[1],)),
                keras.layers.Dense(UNITS, activation="relu", kernel_initializer=kernel()),
                keras.layers.Dense(CLASSES, activation="softmax", use_bias=False, kernel_initializer=kernel()),
            ]
        )
        model.compile(keras.optimizers.Adam(RATE), "categorical_crossentropy")
        classes = np.unique(self.y)
        model.fit(self.X, np.eye(CLASSES, dtype=np.float32)[numbers(self.y)], BATCH, EPOCHS, verbose=0)
        return lambda X: classes[np.asarray(model(X)).argmax(axis=1)]

    def score(self, ask: Ask) -> float:
        """The share of the pictures that were not taught that get their label."""
        return float(np.mean(ask(self.asked) == self.answers))


def predictor(model: Any) -> Ask:
    """A scikit-learn model's `predict`."""
    ask: Ask = model.predict
    return ask


def quiet_keras() -> Any:
    """Keras, without TensorFlow's chatter."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    return keras


def measure(digits: Embedded) -> dict[str, Any]:
    """Times on one split in turns, and accuracies on what was not taught over SEEDS splits."""
    first = Contest(digits, 0)
    contenders = first.contenders()
    if KERAS not in contenders:
        print("Keras is left out: TensorFlow is not installed (pip install -e .[host])", file=sys.stderr)
    times = times_ms(contenders, ROUNDS)  # type: ignore[arg-type]
    result = against(times, KERAS if KERAS in times else "NumPy Adam, the recipe")
    scores: dict[str, list[float]] = {name: [] for name in contenders}
    for seed in range(SEEDS):
        contest = Contest(digits, seed)
        for name, run in contest.contenders().items():
            scores[name].append(contest.score(run()))
    for name, values in scores.items():
        result[name]["held_out_accuracy"] = np.mean(values)
    row = first.whole(first.X[:1], first.shape)[0]
    grown = GrowingGram()
    grown.append(first.rows.X[:-1])

    def append() -> None:
        grown.append(row)
        grown.remove([len(grown) - 1])

    gram = times_ms({"append": append}, 20)["append"]
    return {
        "examples": len(first.y),
        "values": first.X.shape[1],
        "classes": CLASSES,
        "reference": KERAS if KERAS in times else "NumPy Adam, the recipe",
        "contenders": result,
        "gram_row_ms": float(np.median(gram)),
    }


def report(result: dict[str, Any]) -> str:
    """One row a contender."""
    rows: list[list[object]] = [
        [
            name,
            words(one["ms"], 1),
            words(one["times_faster"], 1),
            f"≥ {GOALS[name]:.0f}" if name in GOALS else "",
            float(one["held_out_accuracy"]),
        ]
        for name, one in result["contenders"].items()
    ]
    head = [
        f"N={result['examples']}, D={result['values']}, 4 classes",
        "ms",
        f"× {result['reference']}",
        "goal",
        "held out",
    ]
    return (
        table(head, rows) + f"\n\nA row appended to the Gram matrix and removed again: {result['gram_row_ms']:.2f} ms."
    )
