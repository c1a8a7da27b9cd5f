"""Does it still work tomorrow? One person's hands in four rooms, one left out: it does not, and this says so."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.pictures import Embedded
from benchmarks.record import table
from edge_tl.core.features import FeatureMap
from edge_tl.core.metrics import confusion, recall
from edge_tl.heads import make_head
from edge_tl.judge.validation import random_split


def left_out(hands: Embedded, pool: str = FeatureMap().pool) -> dict[str, dict[str, float]]:
    """For each session, taught by the three others: accuracy, and the mean recall of the classes."""
    X, y, takes = hands.rows(pool), hands.y, hands.takes()
    scores = {}
    for session in np.unique(hands.groups):
        out = hands.groups == session
        answers = make_head("ridge").fit(X[~out], y[~out], takes[~out]).predict(X[out])
        shares = recall(confusion(y[out], answers, np.unique(y)))
        scores[str(session)] = {
            "pictures": int(out.sum()),
            "accuracy": float(np.mean(answers == y[out])),
            "recall": float(np.nanmean(shares)),
        }
    return scores


def measure(embedded: dict[str, Embedded]) -> dict[str, Any]:
    """Each session left out, and beside it what a random split of the same pictures claims."""
    result: dict[str, Any] = {"head": "ridge", "pool": FeatureMap().pool, "chance": 1 / 6}
    for name, hands in embedded.items():
        scores = left_out(hands)
        result[name] = {
            "sessions": scores,
            "accuracy": np.mean([one["accuracy"] for one in scores.values()]),
            "recall": np.mean([one["recall"] for one in scores.values()]),
            "random_split": random_split(lambda: make_head("ridge"), hands.rows(), hands.y).accuracy,
        }
    return result


def report(result: dict[str, Any]) -> str:
    """One row a session, their mean, and the random split's claim."""
    names = [name for name, value in result.items() if isinstance(value, dict)]
    sessions = result[names[0]]["sessions"]
    rows: list[list[object]] = [
        [
            f"{session} ({value['pictures']} pictures)",
            *[result[name]["sessions"][session]["accuracy"] for name in names],
        ]
        for session, value in sessions.items()
    ]
    rows.append(["**mean, session left out**", *[float(result[name]["accuracy"]) for name in names]])
    rows.append(["mean recall of the classes", *[float(result[name]["recall"]) for name in names]])
    rows.append(["random split would claim", *[float(result[name]["random_split"]) for name in names]])
    return table(["session left out", *names], rows)
