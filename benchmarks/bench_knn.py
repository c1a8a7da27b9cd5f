"""One question to k nearest neighbours, as the examples grow: against scikit-learn's brute force."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.interleaved import against, times_ms, words
from benchmarks.record import table
from edge_tl.heads import make_head

EXAMPLES = (200, 1000, 5000)
VALUES = {"2×2 means": 1024, "whole map": 12_544}
"""Of MobileNet v1 .25, the source text's embedder."""
ROUNDS = 15
OURS, PEER = "edge_tl knn", "scikit-learn brute, cosine"


def measure() -> dict[str, Any]:
    """Milliseconds for one row, k = 3, at each number of examples and of values."""
    found = {}
    for kind, values in VALUES.items():
        for examples in EXAMPLES:
            rng = np.random.default_rng(0)
            X = rng.standard_normal((examples, values), np.float32)
            np.abs(X, out=X)
            y = np.array(list("abcd"))[np.arange(examples) % 4]
            row = X[7:8] + 0.1 * X[8:9]
            head = make_head("knn", k=3).fit(X, y)
            contenders: dict[str, Callable[[], object]] = {OURS: lambda head=head, row=row: head.predict(row)}  # type: ignore[misc]
            if importlib.util.find_spec("sklearn"):
                from sklearn.neighbors import KNeighborsClassifier

                peer = KNeighborsClassifier(3, algorithm="brute", metric="cosine").fit(X, y)
                contenders[PEER] = lambda peer=peer, row=row: peer.predict(row)  # type: ignore[misc]
                assert peer.predict(row) == head.predict(row)
            times = times_ms(contenders, ROUNDS, calls=5)
            found[f"{kind}, {examples} examples"] = against(times, PEER if PEER in times else OURS)
    if not importlib.util.find_spec("sklearn"):
        print("scikit-learn is left out: it is not installed", file=sys.stderr)
    return found


def report(result: dict[str, Any]) -> str:
    """One row a size."""
    rows: list[list[object]] = []
    for name, of in result.items():
        peer = words(of[PEER]["ms"]) if PEER in of else "not installed"
        rows.append([name, words(of[OURS]["ms"]), peer, words(of[OURS]["times_faster"], 1)])
    return table(["one query, k = 3", f"{OURS}, ms", f"{PEER}, ms", "times faster"], rows)
