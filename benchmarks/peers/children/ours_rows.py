"""edge-tl: every head on the rows of a draw, whose Gram matrix has grown while the examples came, as in the product."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.peers.child import serve, timed
from benchmarks.peers.children.rows import Ask
from edge_tl.core.features import FeatureMap
from edge_tl.core.gram import GrowingGram
from edge_tl.heads import Head, make_head
from edge_tl.heads.base import TaughtRows
from edge_tl.heads.rejection import Rejector
from edge_tl.judge.confidence import Confidence


class Draw:
    """The examples of one draw: raw embeddings X (N, D), labels y, and what was computed when each arrived."""

    def __init__(self, X: np.ndarray, y: np.ndarray, takes: np.ndarray, shape: tuple[int, ...], seed: int) -> None:
        self.X, self.y, self.takes, self.shape, self.seed = X, y, takes, shape, seed
        self.whole, self.pooled = FeatureMap("flatten"), FeatureMap()
        self.raw, self.rows, self.few = GrowingGram(), GrowingGram(), GrowingGram()
        for x in X:
            self.raw.append(x)
            self.rows.append(self.whole(x, shape))
            self.few.append(self.pooled(x, shape))

    def contenders(self) -> dict[str, Callable[[], Ask]]:
        """What is timed: from the examples to a function that names pictures."""
        return {
            "ridge": lambda: self._ask(self._fit("ridge", self.rows), self.whole),
            "ridge, takes unknown": self.without_takes,
            "ridge, 2×2": lambda: self._ask(self._fit("ridge", self.few), self.pooled),
            "learn, 2×2": self.learn,
            "ridge, from raw": self.from_raw,
            "softmax": lambda: self._ask(self._fit("softmax", self.rows), self.whole),
            "MLP": lambda: self._fit("mlp", self.raw).predict,
            "MLP, 2×2": lambda: self._ask(self._fit("mlp", self.few), self.pooled),
            "recipe": lambda: make_head("mlp", fast=False, seed=self.seed).fit(self.X, self.y).predict,
        }

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


class OurSets:
    """The sets that were loaded, and the draw that is asked about."""

    def __init__(self) -> None:
        self._sets: dict[str, tuple[np.ndarray, tuple[int, ...]]] = {}
        self._key: tuple[Any, ...] = ()
        self._draw: Draw | None = None
        self._knn: tuple[Head, np.ndarray] | None = None

    def load(self, name: str, path: str, values: int, shape: list[int]) -> dict[str, Any]:
        """Read a set of raw embeddings."""
        self._sets[name] = np.fromfile(path, np.float32).reshape(-1, values), tuple(shape)
        return {"rows": len(self._sets[name][0])}

    def train(
        self,
        name: str,
        contender: str,
        taught: list[int],
        labels: list[int],
        takes: list[int],
        asked: list[int],
        seed: int,
    ) -> dict[str, Any]:
        """Milliseconds from the examples to a model that answers, and its answers."""
        X, shape = self._sets[name]
        if self._draw is None or self._key != (name, taught):
            y = np.array(labels).astype(str)
            self._draw, self._key = Draw(X[taught], y, np.array(takes), shape, seed), (name, taught)
        ask, took = timed(self._draw.contenders()[contender])
        return {**took, "answers": ask(X[asked]).astype(int).tolist()}

    def remember(self, path: str, values: int, labels: list[int], query: str) -> dict[str, Any]:
        """The rows that a query is compared with."""
        X = np.fromfile(path, np.float32).reshape(-1, values)
        head = make_head("knn", k=3).fit(X, np.array(labels).astype(str))
        self._knn = head, np.fromfile(query, np.float32)[None]
        return {"rows": len(X)}

    def query(self, calls: int, k: int) -> dict[str, Any]:
        """Milliseconds a query, and its answer."""
        assert self._knn is not None
        head, row = self._knn
        _, took = timed(lambda: [head.predict(row) for _ in range(calls)])
        return {key: value / calls for key, value in took.items()} | {"label": int(head.predict(row)[0])}


if __name__ == "__main__":
    ours = OurSets()
    serve({"load": ours.load, "train": ours.train, "remember": ours.remember, "query": ours.query})
