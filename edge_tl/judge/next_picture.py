"""The next picture worth showing: of pictures that were seen and have no name yet, the one whose name helps most.

A ridge head on class indicators is the mean of a Gaussian process, so what it would say of every other picture z once x
was named c is known without training: f(z) + k(z, x) / (k(x, x) + λ) · (e_c − f(x)), k the covariance that what was
taught leaves (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, 2.2). The gain of x is how much
surer the head is then of all that was seen, in expected right answers, c as likely as the head has it (expected error
reduction: Roy and McCallum, ICML 2001; Zhu, Lafferty and Ghahramani, ICML workshop 2003).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_tl.core.folds import whole_sessions
from edge_tl.errors import ShapeError
from edge_tl.heads.base import TaughtRows
from edge_tl.heads.ridge import RidgeHead
from edge_tl.judge.evidence import LAMBDA_ROWS, RecordedEvidence
from edge_tl.nn.losses import softmax

MAX_SEEN = 300
"""Of more pictures that were seen so many are weighed, evenly spread: the time grows with their square."""
MAX_TAUGHT = 1500
"""Of more taught rows so many, of all takes, say what they leave open."""
UNLIKELY = 0.02
"""A class that a picture is less likely than this is not asked what it would bring."""


@dataclass(frozen=True)
class Suggestion:
    """A picture that is worth a name."""

    index: int
    """Its position among those that were seen."""
    gain: float
    """So many more of all that were seen are expected to be named rightly."""
    likely: str
    """What the head takes it for."""


def worth_naming(taught: TaughtRows, seen: np.ndarray, count: int = 1, prior: float | None = None) -> list[Suggestion]:
    """The pictures most worth a name, the best first, at most `count`: each as if only it were named.

    seen: rows (M, F) of pictures in which something was found. prior: as of `RidgeHead`. None where fewer than two
    classes were taught, or nothing was seen; ShapeError for rows of another width.
    """
    if len(seen) and seen.shape[1:] != taught.X.shape[1:]:
        raise ShapeError(f"rows of {seen.shape[1:]} were seen; those that were taught are {taught.X.shape[1:]}")
    if not len(seen) or len(taught.classes) < 2:
        return []
    some = np.unique(np.linspace(0, len(seen) - 1, min(len(seen), MAX_SEEN)).round().astype(int))
    if len(taught.y) > MAX_TAUGHT:
        taught = taught.only(taught.part(MAX_TAUGHT))
    head = RidgeHead(prior=prior).fit(taught.X, taught.y, taught.takes, gram=taught.gram)
    rows = seen[some].astype(np.float64)
    scores = head.scores(seen[some]).astype(np.float64)
    gains = expected_gains(scores, covariance(taught, rows, head.lambda_), head.lambda_, head.temperature_)
    order = np.argsort(-gains, kind="stable")[:count]
    likely = head.classes_[scores.argmax(axis=1)]
    return [Suggestion(int(some[i]), float(gains[i]), str(likely[i])) for i in order]


def covariance(taught: TaughtRows, rows: np.ndarray, lambda_: float) -> np.ndarray:
    """(M, M): what is open of rows (M, F) after what was taught, of a ridge with this λ; classes weigh alike."""
    codes = taught.codes()
    weights = len(codes) / (len(taught.classes) * np.bincount(codes)[codes])
    mean = weights @ taught.X / weights.sum()
    known = (taught.X - mean) * np.sqrt(weights)[:, None]
    new = rows - mean
    inner = known @ known.T
    inner[np.diag_indices(len(inner))] += lambda_
    cross = new @ known.T
    return np.asarray(new @ new.T - cross @ np.linalg.solve(inner, cross.T) + lambda_ / weights.sum())


def expected_gains(scores: np.ndarray, open_: np.ndarray, lambda_: float, temperature: float) -> np.ndarray:
    """(M,): how many more of M rows are expected to be right once each alone is named; scores (M, C), open_ (M, M)."""
    chances, (count, classes) = softmax(scores / temperature), scores.shape
    now = chances.max(axis=1).sum()
    moves = open_ / (np.diag(open_) + lambda_)  # column x: what naming x moves
    gains = np.zeros(count)
    for x in range(count):
        for c in np.flatnonzero(chances[x] >= UNLIKELY):
            then = softmax((scores + np.outer(moves[:, x], np.eye(classes)[c] - scores[x])) / temperature)
            gains[x] += chances[x, c] * (then.max(axis=1).sum() - now)
    return gains


def weakest_class(of: RecordedEvidence) -> str:
    """Which class to show next where no picture is there to choose from, in a line; empty where none is better.

    It is the one of which most is missed when its takes, or its sessions where there are several, are left out.
    """
    classes = np.unique(of.y[of.judged])
    if len(classes) < 2:
        return ""
    missed = left_out_misses(of)
    label = max(missed, key=lambda name: missed[name], default="")
    if not label or missed[label] <= 0:
        return ""
    where = "in a session" if several_sessions(of) else "in takes"
    return f"show {label}: {missed[label]:.0%} of it is missed {where} that taught nothing, the most of all classes"


def several_sessions(of: RecordedEvidence) -> bool:
    """Whether some class was taught in two sessions or more."""
    return of.sessions is not None and any(len(np.unique(of.sessions[of.y == name])) > 1 for name in of.real)


def left_out_misses(of: RecordedEvidence) -> dict[str, float]:
    """Label → the share that is missed when its session, or where there is one only its take, is left out."""
    if not several_sessions(of):
        return {label: 1 - share for label, share in of.found.items() if np.isfinite(share)}
    assert of.sessions is not None
    y, sessions = of.y[of.judged], of.sessions[of.judged]
    taught = TaughtRows.check(of.X[of.judged], y, of.takes[of.judged])
    head = RidgeHead(exact_rows=LAMBDA_ROWS).fit(taught.X, taught.y, taught.takes)
    folds = whole_sessions(y, sessions)
    named = head.classes_[head.held_out_proba(folds.groups()).argmax(axis=1)]
    return {
        str(label): float(np.mean(named[y == label] != label))
        for label in np.unique(y)
        if str(label) not in folds.split_classes
    }
