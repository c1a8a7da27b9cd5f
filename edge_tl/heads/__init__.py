"""Heads: what is trained on the device. One contract, that of `Head`, for all of them.

It is close to scikit-learn's, with declared departures: `partial_fit` may bring new classes and equals `fit` on all
examples so far; labels are text; and the examples' takes are an argument, because frames of one take are
near-duplicates. `edge_tl.heads.estimators` has every head as a scikit-learn classifier.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_tl.errors import ConfigError
from edge_tl.heads.base import Head
from edge_tl.heads.knn import KNNHead
from edge_tl.heads.mlp import MLPHead
from edge_tl.heads.movement import MovementHead
from edge_tl.heads.one_class import OneClassHead
from edge_tl.heads.prototype import PrototypeHead
from edge_tl.heads.ridge import RidgeHead
from edge_tl.heads.softmax import SoftmaxHead
from edge_tl.heads.tuned import TunedHead

HEADS: dict[str, Any] = {head.name: head for head in (RidgeHead, SoftmaxHead, MLPHead, KNNHead, PrototypeHead)}
"""The heads by name; the first is the default."""
WITH_BASE: dict[str, Any] = {TunedHead.name: TunedHead}
"""Heads that go on from a base's own layers, which they are given as `upper`."""

OF_MOVEMENTS: dict[str, Any] = {MovementHead.name: MovementHead}
"""Heads of windows of a hand's track (`edge_tl.movements`), and of nothing else."""


def make_head(name: str = "ridge", **parameters: Any) -> Head:
    """A new head by its name; ConfigError for an unknown name or parameter."""
    known = HEADS | WITH_BASE | OF_MOVEMENTS
    if name not in known:
        raise ConfigError(f"no head {name!r}; choose one of {', '.join(known)}")
    try:
        head: Head = known[name](**parameters)
    except TypeError as error:
        raise ConfigError(f"the {name} head was given {parameters}: {error}") from None
    return head


def head_from_state(meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Head:
    """The head that `state` was taken of; ConfigError for an unknown name."""
    known = HEADS | WITH_BASE | OF_MOVEMENTS
    if meta.get("name") not in known:
        raise ConfigError(f"no head {meta.get('name')!r}; this profile needs a newer edge-tl, or retrain it")
    head: Head = (OneClassHead if "only" in meta else known[meta["name"]]).from_state(meta, arrays)
    return head
