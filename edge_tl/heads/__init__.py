"""Heads: what is trained on the device. One contract, scikit-learn's, for all of them.

Declared departures: `partial_fit` may bring new classes and equals `fit` on all examples so far; labels are text; and
the examples' takes are an argument, because frames of one take are near-duplicates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np

from edge_tl.errors import ConfigError
from edge_tl.heads.knn import KNNHead
from edge_tl.heads.mlp import MLPHead
from edge_tl.heads.one_class import OneClassHead
from edge_tl.heads.prototype import PrototypeHead
from edge_tl.heads.ridge import RidgeHead
from edge_tl.heads.softmax import SoftmaxHead
from edge_tl.heads.taught import Labels, Takes
from edge_tl.heads.tuned import TunedHead


@runtime_checkable
class Head(Protocol):
    """A classifier of rows (N, D) float32 with text labels; its errors are ShapeError and NotFittedError.

    A head that `from_state` gave back predicts bit for bit as before, but holds no examples: `fit` it on all of them
    before `partial_fit` or `remove_class` (kNN and prototype hold what they need and carry on).
    """

    name: str

    @property
    def classes_(self) -> np.ndarray:
        """(C,) str, sorted; NotFittedError before `fit`."""

    def fit(
        self,
        X: np.ndarray,
        y: Labels,
        takes: Takes = None,
        *,
        gram: np.ndarray | None = None,
        progress: Callable[[int, float, float], bool | None] | None = None,
    ) -> Self:
        """Forget everything and learn from X (N, D), labels y (N,), takes (N,) or None.

        gram: X·Xᵀ (N, N) where it is already known. progress(epoch, loss, accuracy) is called by the heads that go
        through the examples again and again; what returns True stops there and keeps the best so far.
        """

    def partial_fit(self, X: np.ndarray, y: Labels, takes: Takes = None) -> Self:
        """Learn from more examples, new classes welcome: the same as `fit` on all examples so far."""

    def remove_class(self, label: str) -> Self:
        """Forget a class and its examples."""

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Labels (M,) str of rows (M, D): the class of the largest probability, the first one of a tie."""

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (M, C) of rows (M, D), columns in the order of `classes_`; each row sums to 1."""

    def score(self, X: np.ndarray, y: Labels) -> float:
        """The share of rows (M, D) that get their label y (M,)."""

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """All that `predict` needs: a JSON-able dict and arrays."""


HEADS: dict[str, Any] = {head.name: head for head in (RidgeHead, SoftmaxHead, MLPHead, KNNHead, PrototypeHead)}
"""The heads by name; the first is the default."""
WITH_BASE: dict[str, Any] = {TunedHead.name: TunedHead}
"""Heads that go on from a base's own layers, which they are given as `upper`."""


def make_head(name: str = "ridge", **parameters: Any) -> Head:
    """A new head by its name; ConfigError for an unknown name or parameter."""
    known = HEADS | WITH_BASE
    if name not in known:
        raise ConfigError(f"no head {name!r}; choose one of {', '.join(known)}")
    try:
        head: Head = known[name](**parameters)
    except TypeError as error:
        raise ConfigError(f"the {name} head was given {parameters}: {error}") from None
    return head


def head_from_state(meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Head:
    """The head that `state` was taken of; ConfigError for an unknown name."""
    known = HEADS | WITH_BASE
    if meta.get("name") not in known:
        raise ConfigError(f"no head {meta.get('name')!r}; this profile needs a newer edge-tl, or retrain it")
    if "only" in meta:
        return OneClassHead(meta["name"], meta["only"])
    head: Head = known[meta["name"]].from_state(meta, arrays)
    return head
