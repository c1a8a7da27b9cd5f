"""Your own head (classifier): the nearest class, by the distance of each value from its mean in standard deviations.

python examples/own_head.py
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from edge_tl import HEADS, Head, Recognizer, SimulatedPlayer, TFLiteEmbedder, default_model
from edge_tl.heads.base import Progress, TaughtRows, check_rows, need


class BayesHead(Head):
    """Naive Bayes with one deviation for each value, shared by all classes."""

    name = "bayes"
    sharpness = 8.0  # factor for the mean squared distance

    def _learn(self, taught: TaughtRows, progress: Progress | None = None) -> Self:
        taught.need_two_classes(self.name)
        self._taught, self._classes = taught, taught.classes
        self._means = np.stack([taught.X[taught.y == label].mean(axis=0) for label in taught.classes])
        self._deviation = (taught.X - self._means[taught.codes()]).std(axis=0) + 1e-3
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (M, C) of rows (M, D); each row sums to 1."""
        need(self._classes, self.name)
        rows = check_rows(X, self._means.shape[1])
        far = np.stack([(((rows - mean) / self._deviation) ** 2).mean(axis=1) for mean in self._means], axis=1)
        likely = np.exp(-self.sharpness * (far - far.min(axis=1, keepdims=True)))
        return likely / likely.sum(axis=1, keepdims=True)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Everything that prediction needs."""
        meta = {"name": self.name, "classes": self.classes_.tolist()}
        return meta, {"means": self._means, "deviation": self._deviation}

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """Rebuild a head from its state."""
        head = cls()
        head._classes, head._means, head._deviation = np.array(meta["classes"]), arrays["means"], arrays["deviation"]
        return head


if __name__ == "__main__":
    HEADS[BayesHead.name] = BayesHead  # from here on the name works like `ridge`
    recognizer = Recognizer(TFLiteEmbedder.load(default_model()), "bayes")
    with SimulatedPlayer(seed=1) as player:
        for take in range(12):
            player.pose = ("up", "down", "left", "right")[take % 4]
            player.new_session()
            for _ in range(8):
                recognizer.teach(player.read(), player.pose, take)
    learned = recognizer.learn()
    print(f"{learned.head}: {recognizer.evaluate().accuracy:.0%} accuracy on held-out takes")
