"""What more takes would bring: accuracy on takes left out against the number of takes that were taught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge_tl.heads import Head
from edge_tl.heads.base import Labels, TaughtRows

POINTS = 6
"""At most so many numbers of takes, the smallest and the largest among them."""


@dataclass(frozen=True)
class Point:
    """What so many takes of each class teach."""

    takes: int
    """Taught takes of each class."""
    examples: float
    """Their examples of one class, on average."""
    accuracy: float
    """The mean over the draws of the share of right answers on all takes that were not taught, each class alike."""
    low: float
    high: float
    """The worst and the best draw."""


def learning_curve(
    make_head: Callable[[], Head],
    X: np.ndarray,
    y: Labels,
    takes: np.ndarray,
    *,
    gram: np.ndarray | None = None,
    draws: int = 8,
    seed: int = 0,
) -> tuple[Point, ...]:
    """Teach 1, 2, … takes of each class, drawn at random, and ask all takes that were not drawn.

    X (N, D), y (N,), takes (N,) integers, gram X·Xᵀ where known. Every head is fitted, none is estimated. A class with
    a single take teaches nothing here and is left out; empty where fewer than two classes have two takes. The same
    seed gives the same draws.
    """
    taught = TaughtRows.check(X, y, takes, gram)
    assert taught.takes is not None
    of_class = {str(label): np.unique(taught.takes[taught.y == label]) for label in taught.classes}
    of_class = {label: numbers for label, numbers in of_class.items() if len(numbers) > 1}
    if len(of_class) < 2:
        return ()
    most = min(map(len, of_class.values())) - 1
    steps = np.unique(np.geomspace(1, most, POINTS).round().astype(int))
    rng = np.random.default_rng(seed)
    points = []
    for step in steps:
        scores, sizes = [], []
        for _ in range(draws):
            chosen = {label: rng.choice(numbers, step, replace=False) for label, numbers in of_class.items()}
            inside = np.zeros(len(taught.y), bool)
            outside = np.zeros(len(taught.y), bool)
            for label, numbers in chosen.items():
                mine = taught.y == label
                drawn = mine & np.isin(taught.takes, numbers)
                inside |= drawn
                outside |= mine & ~drawn
            scores.append(score(make_head(), taught, np.flatnonzero(inside), np.flatnonzero(outside)))
            sizes.append(inside.sum() / len(of_class))
        points.append(Point(int(step), float(np.mean(sizes)), float(np.mean(scores)), min(scores), max(scores)))
    return tuple(points)


def score(head: Head, taught: TaughtRows, inside: np.ndarray, outside: np.ndarray) -> float:
    """The mean over the classes of the share found in `outside`, after teaching `inside` (positions)."""
    assert taught.takes is not None
    gram = None if taught.gram is None else taught.gram[np.ix_(inside, inside)]
    head.fit(taught.X[inside], taught.y[inside], taught.takes[inside], gram=gram)
    y = taught.y[outside]
    right = head.predict(taught.X[outside]) == y
    return float(np.mean([right[y == label].mean() for label in np.unique(y)]))
