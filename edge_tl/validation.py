"""How good is a head really: by leaving whole takes out, with an interval, and beside it what a random split claims."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge_tl.errors import ShapeError
from edge_tl.folds import Folds, random_parts, whole_takes
from edge_tl.heads import Head
from edge_tl.heads.ridge import RidgeHead
from edge_tl.heads.taught import Labels, Takes, Taught
from edge_tl.metrics import Suspect, accuracy, confusion, effective_size, recall, suspects, wilson_interval

Progress = Callable[[int, int], object]
"""Called with how many folds are done, and of how many."""


@dataclass(frozen=True)
class Validation:
    """What heads said of examples that they had not seen."""

    classes: np.ndarray
    """(C,) str, sorted."""
    y_true: np.ndarray
    """(N,) str."""
    y_pred: np.ndarray
    """(N,) str."""
    proba: np.ndarray
    """(N, C); NaN in the rows that could not be judged."""
    judged: np.ndarray
    """bool (N,): False for the single example of a class, which nothing else could have taught."""
    folds: np.ndarray
    """int (N,): which examples were left out together."""
    method: str
    """How, in words for a person."""

    @property
    def accuracy(self) -> float:
        """The share of right answers among the judged; NaN where none could be judged."""
        return accuracy(self.y_true[self.judged], self.y_pred[self.judged])


@dataclass(frozen=True)
class Evaluation:
    """An honest account of a head, for a person."""

    accuracy: float
    """By leaving whole takes out, always answering; NaN where nothing could be judged."""
    interval95: tuple[float, float]
    """Where the accuracy lies with 95 % confidence: Wilson's interval for `effective_examples` trials."""
    effective_examples: float
    """The frames of a take are alike: this many independent examples would tell as much."""
    method: str
    """How it was found out, with what must be said about it."""
    classes: tuple[str, ...]
    confusion: np.ndarray
    """int64 (C, C): rows are the true classes, columns the answers."""
    recall: dict[str, float]
    """The share found of each class; NaN for a class that could not be judged."""
    examples: int
    """Judged examples."""
    takes: int | None
    """Takes, None where they are not known."""
    random_split_accuracy: float
    """What a random split that ignores the takes would have claimed."""
    suspects: tuple[Suspect, ...]
    """The examples most likely mislabelled, the worst first; `index` counts the rows of X."""
    accepted: float | None = None
    """With "none of these": the share of these (known) examples that were not rejected."""
    accuracy_of_accepted: float | None = None
    """With "none of these": the share of right answers among the accepted."""

    def as_dict(self) -> dict[str, Any]:
        """The same as plain JSON-able values; NaN becomes None."""

        def plain(value: Any) -> Any:
            if isinstance(value, np.ndarray):
                return value.tolist()
            if isinstance(value, dict):
                return {key: plain(inner) for key, inner in value.items()}
            if isinstance(value, (tuple, list)):
                return [plain(inner) for inner in value]
            return None if isinstance(value, float) and np.isnan(value) else value

        return {key: plain(value) for key, value in asdict(self).items()}


def leave_one_take_out(
    make_head: Callable[[], Head],
    X: np.ndarray,
    y: Labels,
    takes: Takes = None,
    *,
    gram: np.ndarray | None = None,
    progress: Progress | None = None,
) -> Validation:
    """Each take answered by a head that was taught all others; `folds.whole_takes` says how takes are left out.

    X (N, D), y (N,), takes (N,) integers or None; gram: X·Xᵀ where known; progress: as in `cross_validate`.
    At least two examples, or ShapeError.
    """
    taught = Taught.check(X, y, takes, gram)
    return cross_validate(make_head, taught, whole_takes(taught.y, taught.takes), progress)


def random_split(
    make_head: Callable[[], Head],
    X: np.ndarray,
    y: Labels,
    *,
    gram: np.ndarray | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Validation:
    """The naive claim: five random parts, each answered by a head that was taught the other four, takes ignored."""
    taught = Taught.check(X, y, None, gram)
    return cross_validate(make_head, taught, random_parts(taught.y, seed), progress)


def cross_validate(
    make_head: Callable[[], Head], taught: Taught, folds: Folds, progress: Progress | None = None
) -> Validation:
    """Each fold answered by a head that was taught the others; progress(done, total) is called after each.

    For a ridge head nothing is fitted twice: the exact block formula gives the same, with the λ and temperature that
    were chosen on all folds. Where the others hold one class only, the answer is that class.
    """
    classes, codes = taught.classes, taught.codes()
    if folds.count < 2:
        raise ShapeError(f"{len(codes)} examples came; wanted two or more: one must be left to learn from")
    judged = np.bincount(codes)[codes] > 1
    method = folds.method
    if not judged.all():
        method += f"; one example only, so not judged: {', '.join(classes[codes[~judged]])}"
    head = make_head()
    if isinstance(head, RidgeHead) and len(classes) > 1:
        proba = head.fit(taught.X, taught.y, folds.index, gram=taught.gram).loo_proba_.copy()
    else:
        proba = np.zeros((len(codes), len(classes)))
        for done, out in enumerate(folds.groups()):
            if progress and done:
                progress(done, folds.count)
            keep = np.delete(np.arange(len(codes)), out)
            known = np.unique(codes[keep])
            if len(known) == 1:
                proba[out, known[0]] = 1
                continue
            gram = None if taught.gram is None else taught.gram[np.ix_(keep, keep)]
            takes = None if taught.takes is None else taught.takes[keep]
            fitted = make_head().fit(taught.X[keep], taught.y[keep], takes, gram=gram)
            proba[np.ix_(out, known)] = fitted.predict_proba(taught.X[out])
    y_pred = classes[proba.argmax(axis=1)]
    proba[~judged] = np.nan
    return Validation(classes, taught.y, y_pred, proba, judged, folds.index, method)


def evaluate(
    make_head: Callable[[], Head],
    X: np.ndarray,
    y: Labels,
    takes: Takes = None,
    *,
    gram: np.ndarray | None = None,
    known: np.ndarray | None = None,
    seed: int = 0,
    limit: int = 10,
    progress: Progress | None = None,
) -> Evaluation:
    """The honest account: leave one take out, with interval, confusion, recall, suspects and the naive claim.

    X (N, D), y (N,), takes (N,) integers or None, gram X·Xᵀ where known; known: bool (N,), what a Rejector said of
    each example without having seen its take (`Rejector.held_out_known_`); limit: how many suspects;
    progress: as in `cross_validate`.
    """
    honest = leave_one_take_out(make_head, X, y, takes, gram=gram, progress=progress)
    naive = random_split(make_head, X, y, gram=gram, seed=seed, progress=progress)
    judged = honest.judged
    right = (honest.y_true == honest.y_pred)[judged]
    effective = effective_size(right, honest.folds[judged]) if len(right) else 0.0
    share = float(right.mean()) if len(right) else 0.0
    counts = confusion(honest.y_true[judged], honest.y_pred[judged], honest.classes)
    accepted = None if known is None or not len(right) else np.asarray(known, bool)[judged]
    return Evaluation(
        accuracy=honest.accuracy,
        interval95=wilson_interval(share * effective, effective),
        effective_examples=effective,
        method=honest.method,
        classes=tuple(map(str, honest.classes)),
        confusion=counts,
        recall=dict(zip(map(str, honest.classes), recall(counts).tolist(), strict=True)),
        examples=int(judged.sum()),
        takes=None if takes is None else len(np.unique(takes)),
        random_split_accuracy=naive.accuracy,
        suspects=tuple(suspects(honest.y_true, honest.proba, honest.classes, limit)),
        accepted=None if accepted is None else float(accepted.mean()),
        accuracy_of_accepted=float(right[accepted].mean()) if accepted is not None and accepted.any() else None,
    )
