"""Recorded examples, and what it shows when each take is judged by the others: what the guide's sentences rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from edge_tl.core.absent import nobody_class
from edge_tl.core.folds import thinned_takes, whole_takes
from edge_tl.core.metrics import confusion, recall
from edge_tl.errors import ShapeError, counted
from edge_tl.heads.ridge import RidgeHead
from edge_tl.labels import label_texts

MAX_ROWS = 1500
"""Of more examples a part is judged, of all takes; the take that has just ended stays whole."""
LAMBDA_ROWS = 300
"""How many examples choose λ: of 1000, all of them take 203 ms on one core, these 58; all sentences then take 69 ms,
and 11 ms with 200 examples."""


@dataclass(frozen=True)
class RecordedEvidence:
    """Recorded examples so far; ShapeError where the parts do not fit together."""

    X: np.ndarray
    """(N, F) the rows that a head sees."""
    y: np.ndarray
    """(N,) labels, str; others are taken by their text."""
    takes: np.ndarray
    """(N,) whole numbers, one for each hold of the key."""
    sessions: np.ndarray | None = None
    """(N,) whole numbers, one for each place and day; None where they are not known."""
    gram: np.ndarray | None = None
    """(N, N) X·Xᵀ where it is known."""
    labels: tuple[str, ...] = ()
    """Classes that are to be taught, with or without examples."""
    minimum: int = 20
    """Examples that each class should have."""
    fewer: Mapping[str, int] = field(default_factory=dict)
    """Label → what is enough of it, where that is another number."""
    take: int | None = None
    """The take that has just ended; None looks at all takes, the newest first."""
    looks_for: str = ""
    """What the way to look looks for, "hand" or "face"; empty where it sees all of the picture."""
    finds: np.ndarray | None = None
    """(N,) bool: False where it was not there; None where it always was."""
    spots: np.ndarray | None = None
    """(N, 2) where it was found, x and y as shares of the width and height; NaN where that is not known."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "y", label_texts(self.y))
        count = len(self.y)
        for name in ("X", "takes", "sessions", "finds", "spots"):
            values = getattr(self, name)
            if values is not None and len(values) != count:
                raise ShapeError(
                    f"{len(values)} {name} came with {counted(count, 'label')}; wanted one for each example"
                )

    def only(self, rows: np.ndarray) -> RecordedEvidence:
        """The same of some of the examples, by positions (M,)."""

        def of(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else values[rows]

        return replace(
            self,
            X=self.X[rows],
            y=self.y[rows],
            takes=self.takes[rows],
            sessions=of(self.sessions),
            gram=None if self.gram is None else self.gram[np.ix_(rows, rows)],
            finds=of(self.finds),
            spots=of(self.spots),
        )

    @cached_property
    def nothing(self) -> np.ndarray:
        """bool (N,): examples in which nothing was found."""
        return np.zeros(len(self.y), bool) if self.finds is None else ~self.finds

    @cached_property
    def real(self) -> np.ndarray:
        """(C,) str, sorted: the classes that mean something to be seen, not that nothing is there."""
        return np.array([c for c in np.unique(self.y) if c != nobody_class(self.y, ~self.nothing)], dtype=str)

    @cached_property
    def able(self) -> np.ndarray:
        """Positions of the examples that can be judged: something was found, and its class has another one."""
        kept = np.flatnonzero(~self.nothing & np.isin(self.y, self.real))
        names, which, counts = np.unique(self.y[kept], return_inverse=True, return_counts=True)
        return kept[(counts > 1)[which.reshape(-1)]] if len(names) else kept

    @cached_property
    def judged(self) -> np.ndarray:
        """Positions of the examples that are judged: of very many that can be, a part."""
        if len(self.able) <= MAX_ROWS:
            return self.able
        y, takes = self.y[self.able], self.takes[self.able]
        part = thinned_takes(y, whole_takes(y, takes), MAX_ROWS)
        return self.able[np.union1d(part, np.flatnonzero(takes == self.take))]

    @property
    def looked_at(self) -> str:
        """What must be said after numbers of examples where only a part was judged."""
        return " looked at" if len(self.judged) < len(self.able) else ""

    @cached_property
    def held_out(self) -> tuple[np.ndarray, np.ndarray]:
        """(C,) classes and (J, C) probabilities of the judged examples by a head without their take.

        No classes where there are fewer than two.
        """
        X, y, takes, gram = self.X, self.y, self.takes, self.gram
        if len(np.unique(y[self.judged])) < 2:
            return np.empty(0, str), np.empty((len(self.judged), 0))
        if len(self.judged) < len(y):
            X, y, takes = X[self.judged], y[self.judged], takes[self.judged]
            gram = None if gram is None else gram[np.ix_(self.judged, self.judged)]
        head = RidgeHead(exact_rows=LAMBDA_ROWS).fit(X, y, takes, gram=gram)
        return head.classes_, head.loo_proba_

    @cached_property
    def answers(self) -> np.ndarray:
        """(J,) str: what the judged examples were taken for; empty where nothing could be judged."""
        classes, proba = self.held_out
        return classes[proba.argmax(axis=1)] if len(classes) else np.empty(0, str)

    @cached_property
    def counts(self) -> np.ndarray:
        """int64 (C, C): rows are true classes, columns answers."""
        classes, _ = self.held_out
        return confusion(self.y[self.judged], self.answers, classes) if len(classes) else np.zeros((0, 0), np.int64)

    @cached_property
    def found(self) -> dict[str, float]:
        """The share found of each judged class."""
        return dict(zip(map(str, self.held_out[0]), recall(self.counts).tolist(), strict=True))

    def number_of_takes(self, label: str) -> int:
        """The takes of a class."""
        return len(np.unique(self.takes[self.y == label]))

    @cached_property
    def likeness(self) -> dict[str, float]:
        """For each class with two takes or more: the mean squared distance of its takes over that of the classes.

        Distances are those of mean rows. Empty where there are fewer than two classes, or where they do not differ.
        """
        spread = pairwise(np.array([self.X[self.y == name].mean(axis=0) for name in self.real]))
        if not spread > 0:
            return {}
        several = [str(name) for name in self.real if self.number_of_takes(name) > 1]
        return {name: pairwise(self.take_means(name)) / spread for name in several}

    def take_means(self, label: str) -> np.ndarray:
        """(T, F): the mean row of each take of a class."""
        rows = np.flatnonzero(self.y == label)
        takes = self.takes[rows]
        return np.array([self.X[rows[takes == take]].mean(axis=0) for take in np.unique(takes)])


def pairwise(rows: np.ndarray) -> float:
    """The mean squared distance of all pairs of rows (M, F); 0 for fewer than two."""
    if len(rows) < 2:
        return 0.0
    # Twice the variance, with M/(M − 1) for pairs of different rows.
    return float(2 * ((rows - rows.mean(axis=0)) ** 2).sum() / (len(rows) - 1))
