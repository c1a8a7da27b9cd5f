"""A sum by Flower's SecAgg+: the server adds masked numbers, and the masks cancel in the total alone."""

from __future__ import annotations

import json
from math import ceil, log2
from types import SimpleNamespace
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Context
from flwr.common import FitIns, parameters_to_ndarrays
from flwr.server.compat.legacy_context import LegacyContext
from flwr.server.workflow import SecAggPlusWorkflow
from flwr.server.workflow.constant import MAIN_CONFIGS_RECORD, MAIN_PARAMS_RECORD, Key
from flwr.serverapp import Grid

NEIGHBOURS = 31
"""Of many nodes each shares its secrets with so many others."""
KEPT = 0.5
"""So many of these shares are needed to take the masks off: up to half of the nodes may die on the way."""


class _Total:
    """What SecAggPlusWorkflow needs of a strategy: which nodes are asked for what, and where the mean goes."""

    def __init__(self, nodes: list[int], asked: dict[str, Any]) -> None:
        self._nodes, self._asked = nodes, asked
        self.mean: np.ndarray | None = None
        self.answered: list[int] = []

    def configure_fit(self, server_round: int, parameters: Any, client_manager: Any) -> list[Any]:
        """The nodes, each with the same request."""
        request = FitIns(parameters, {"json": json.dumps(self._asked)})
        return [(SimpleNamespace(node_id=node), request) for node in self._nodes]

    def aggregate_fit(self, server_round: int, results: list[Any], failures: list[Any]) -> tuple[None, dict[str, Any]]:
        """Every result holds the same mean."""
        if results:
            (self.mean,) = parameters_to_ndarrays(results[0][1].parameters)
        self.answered = [proxy.node_id for proxy, _ in results]
        return None, {}


def secure_total(
    grid: Grid, context: Context, nodes: list[int], asked: dict[str, Any], numbers: np.ndarray, timeout_s: float
) -> tuple[np.ndarray, list[int]]:
    """What the nodes' answers to `asked` add up to, and who answered; RuntimeError where too many died on the way.

    asked["bound"]: no number of any node is larger. Each is rounded, at random up or down, to one of 2^30 levels, of
    fewer with more nodes, so that all together stay below SecAgg+'s modulus of 2^32.
    """
    strategy = _Total(nodes, asked)
    levels = 2 ** min(30, 32 - ceil(log2(len(nodes) + 1)))
    legacy = LegacyContext(context, strategy=strategy)
    legacy.state.config_records[MAIN_CONFIGS_RECORD] = ConfigRecord({Key.CURRENT_ROUND: 1})
    legacy.state.array_records[MAIN_PARAMS_RECORD] = ArrayRecord([numbers])
    SecAggPlusWorkflow(
        num_shares=min(1.0, NEIGHBOURS / len(nodes)),
        reconstruction_threshold=KEPT,
        max_weight=1.0,
        clipping_range=1.0,
        quantization_range=levels,
        modulus_range=2**32,
        timeout=timeout_s,
    )(grid, legacy)
    if strategy.mean is None:
        raise RuntimeError("SecAgg+ could not finish: more than half of the nodes are needed until its end")
    return strategy.mean * len(strategy.answered) * asked["bound"], strategy.answered
