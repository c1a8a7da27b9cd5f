"""A single wrong label is found by its neighbours in time, a whole take of wrong labels by the other takes."""

from __future__ import annotations

import numpy as np
import pytest

from edge_tl.core.folds import random_parts
from edge_tl.heads.ridge import RidgeHead
from edge_tl.judge.suspects import suspected
from edge_tl.judge.validation import evaluate


def scenes(takes: int = 8, frames: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two classes in takes, each of which looks mostly like its own place."""
    random = np.random.default_rng(0)
    X, y, numbers = [], [], []
    for take in range(takes):
        place = 2.0 * random.normal(size=24)
        for _ in range(frames):
            X.append(place + 0.4 * np.eye(24)[take % 2] + 0.15 * random.normal(size=24))
            y.append(("fist", "palm")[take % 2])
            numbers.append(take)
    return np.array(X, np.float32), np.array(y), np.array(numbers)


def test_single_wrong_labels_lead_the_suspects() -> None:
    """All of five planted ones are the first five, though leaving takes out finds none of the places familiar."""
    X, y, takes = scenes()
    told, wrong = y.copy(), [3, 20, 41, 60, 88]
    told[wrong] = np.where(y[wrong] == "fist", "palm", "fist")
    found = evaluate(RidgeHead, X, told, takes, limit=5).suspects
    assert sorted(one.index for one in found) == wrong
    assert all(one.label == told[one.index] and one.likely == y[one.index] for one in found)


def test_a_wrong_take_comes_after_them() -> None:
    """What only the other takes contradict is named too, after single ones, and nothing twice."""
    y = np.repeat(["a", "b"], 6)
    honest, naive = np.full((12, 2), 0.5), np.full((12, 2), 0.5)
    naive[2], honest[[2, 7]] = (0.1, 0.9), ((0.2, 0.8), (0.95, 0.05))
    found = suspected(y, np.array(["a", "b"]), honest, naive, None, np.zeros((12, 3)), 10)
    assert [(one.index, one.likely, pytest.approx(one.margin)) for one in found] == [(2, "b", 0.8), (7, "a", 0.9)]
    assert len(suspected(y, np.array(["a", "b"]), honest, naive, None, np.zeros((12, 3)), 1)) == 1


def test_what_was_not_judged_is_no_suspect() -> None:
    """A row of NaN stays out, also where each example is left out alone."""
    X, y, takes = scenes(4, 6)
    told = y.copy()
    told[3] = "palm"
    head = RidgeHead().fit(X, told, takes)
    parts = random_parts(told)
    loose = head.retaken(parts.index)
    naive = loose.held_out_proba(parts.groups())
    assert 3 in [one.index for one in suspected(told, head.classes_, naive, naive, loose, X, 4)]
    naive[3] = np.nan
    assert 3 not in [one.index for one in suspected(told, head.classes_, naive, naive, loose, X, 24)]
