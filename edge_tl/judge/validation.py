"""How good is a head really: by leaving whole takes out, with an interval, and beside it what a random split claims."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from edge_tl.core.absent import missed_counts, nobody_class
from edge_tl.core.folds import Folds, random_parts, takes_together, whole_sessions, whole_takes
from edge_tl.core.metrics import accuracy, confusion, grouped_interval, recall
from edge_tl.errors import ShapeError, counted
from edge_tl.heads import Head
from edge_tl.heads.base import Labels, Takes, TaughtRows
from edge_tl.heads.knn import KNNHead
from edge_tl.heads.rejection import Rejector
from edge_tl.heads.ridge import RidgeHead, many
from edge_tl.judge.evaluation import AnswerShares, BySession, Evaluation, SessionScore
from edge_tl.judge.suspects import suspected
from edge_tl.labels import few_of

__all__ = [
    "BySession",
    "Evaluation",
    "SessionScore",
    "Validation",
    "cross_validate",
    "evaluate",
    "leave_one_session_out",
    "leave_one_take_out",
    "random_split",
]

Progress = Callable[[int, int], object]
"""Called with how many folds are done, and of how many."""
MAX_REFUSING = 8
"""So many sessions are left out to see what "none of these" does to them."""
NOTHING = ""
"""The answer to an example in which nothing was found, where no class means that."""


@dataclass(frozen=True)
class Validation:
    """What heads said of examples that they had not seen."""

    classes: np.ndarray
    """(C,) str, sorted."""
    y_true: np.ndarray
    """(N,) str."""
    y_pred: np.ndarray
    """(N,) str; `NOTHING` where nothing was found and no class means that."""
    proba: np.ndarray
    """(N, C); NaN in the rows that could not be judged, zeros where the answer is `NOTHING`."""
    judged: np.ndarray
    """bool (N,): False for a class that lies in one fold (e.g. its single example): nothing else could teach it."""
    folds: np.ndarray
    """int (N,): which examples were left out together."""
    method: str
    """How, in words for a person."""

    def only(self, asked: np.ndarray) -> Validation:
        """The same with some examples alone judged, bool (N,)."""
        return replace(self, judged=self.judged & asked, proba=np.where(asked[:, None], self.proba, np.nan))

    @property
    def accuracy(self) -> float:
        """The share of right answers among the judged; NaN where none could be judged."""
        return accuracy(self.y_true[self.judged], self.y_pred[self.judged])


def leave_one_take_out(
    make_head: Callable[[], Head],
    X: np.ndarray,
    y: Labels,
    takes: Takes = None,
    *,
    gram: np.ndarray | None = None,
    progress: Progress | None = None,
    fitted: RidgeHead | None = None,
) -> Validation:
    """Each take answered by a head that was taught all others; `folds.whole_takes` says how takes are left out.

    X (N, D), y (N,), takes (N,) integers or None; gram: X·Xᵀ where known; progress, fitted: as in `cross_validate`.
    At least two examples, or ShapeError.
    """
    taught = TaughtRows.check(X, y, takes, gram)
    return cross_validate(make_head, taught, whole_takes(taught.y, taught.takes), progress, fitted)


def leave_one_session_out(
    make_head: Callable[[], Head],
    X: np.ndarray,
    y: Labels,
    sessions: np.ndarray,
    takes: Takes = None,
    *,
    gram: np.ndarray | None = None,
    progress: Progress | None = None,
    fitted: RidgeHead | None = None,
) -> Validation:
    """Each session answered by a head that was taught all others: what to expect in another place, on another day.

    sessions (N,) integers, two different ones or more, or ShapeError; the rest as in `leave_one_take_out`.
    """
    taught = TaughtRows.check(X, y, takes, gram)
    return cross_validate(make_head, taught, whole_sessions(taught.y, sessions), progress, fitted)


def random_split(
    make_head: Callable[[], Head],
    X: np.ndarray,
    y: Labels,
    *,
    gram: np.ndarray | None = None,
    seed: int = 0,
    found: np.ndarray | None = None,
    progress: Progress | None = None,
    fitted: RidgeHead | None = None,
    asked: np.ndarray | None = None,
) -> Validation:
    """The naive claim: five random parts, each answered by a head that was taught the other four, takes ignored.

    fitted: a ridge head that was fitted on just these with takes, to spare its work; asked: as in `cross_validate`.
    """
    taught = TaughtRows.check(X, y, None, gram)
    folds = random_parts(taught.y, seed)
    # Who believes such a split also chooses λ by it.
    head = None if fitted is None else fitted.retaken(folds.index)
    return cross_validate(make_head, replace(taught, takes=folds.index), folds, progress, head, found, asked)


def cross_validate(
    make_head: Callable[[], Head],
    taught: TaughtRows,
    folds: Folds,
    progress: Progress | None = None,
    fitted: RidgeHead | None = None,
    found: np.ndarray | None = None,
    asked: np.ndarray | None = None,
) -> Validation:
    """Each fold answered by a head that was taught the others; progress(done, total) is called after each.

    found: bool (N,), in which examples there is what is looked for, None for all; heads see only those. asked: bool
    (N,), those that are judged, None for all.

    For a ridge head nothing is fitted twice: the exact block formula gives the same, with the λ and temperature of
    `fitted`, a head fitted on all of it (made here where it is None). Where the others hold one class only, the answer
    is that class.
    """
    classes, codes = taught.classes, taught.codes()
    if folds.count < 2:
        raise ShapeError(
            f"{counted(len(codes), 'example')} came in one part; wanted two or more: one must be left to learn from"
        )
    parts = np.array([len(np.unique(folds.index[codes == code])) for code in range(len(classes))])
    judged = parts[codes] > 1
    method = folds.method
    single = ~judged & (np.bincount(codes)[codes] == 1)
    if single.any():
        method += f"; one example only, so not judged: {few_of(classes[codes[single]].tolist())}"
    asked = np.ones(len(codes), bool) if asked is None else asked
    judged &= asked
    if found is None or found.all():
        proba = _answers(make_head, taught, folds, progress, fitted, asked)
    else:
        proba = _with_nothing(make_head, taught, folds, found, progress, asked)
    y_pred = np.where(proba.any(axis=1), classes[proba.argmax(axis=1)], NOTHING)
    proba[~judged] = np.nan
    return Validation(classes, taught.y, y_pred, proba, judged, folds.index, method)


def quickly_asked(X: np.ndarray, y: np.ndarray, takes: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """bool (N,): which of the examples to be asked, bool (N,), heads without a formula for leaving out are asked.

    Of many rows X (N, D) it is a part, of all takes.
    """
    if not many(X):
        return asked
    rows = np.flatnonzero(asked)
    few = np.zeros(len(y), bool)
    few[rows[TaughtRows(X[:0], y[rows], takes[rows]).part()]] = True
    return few


def fitted_ridge(make_head: Callable[[], Head], taught: TaughtRows) -> RidgeHead | None:
    """The head fitted on everything where it is a ridge head and has something to tell apart; else None."""
    head = make_head()
    if not isinstance(head, RidgeHead) or len(taught.classes) < 2:
        return None
    return head.fit(taught.X, taught.y, taught.takes, gram=taught.gram)


def _answers(
    make_head: Callable[[], Head],
    taught: TaughtRows,
    folds: Folds,
    progress: Progress | None,
    fitted: RidgeHead | None,
    asked: np.ndarray,
) -> np.ndarray:
    """Probabilities (N, C) of each example by a head that was taught the other folds; zeros where none was asked."""
    fitted = fitted or fitted_ridge(make_head, taught)
    if fitted is not None:
        return fitted.held_out_proba(folds.groups())
    head = make_head()
    if isinstance(head, KNNHead):  # it learns by remembering, so it forgets by looking away
        return head.fit(taught.X, taught.y, taught.takes).held_out_proba(folds.groups(), asked)
    codes = taught.codes()
    proba = np.zeros((len(codes), len(taught.classes)))
    for done, out in enumerate(folds.groups()):
        if progress and done:
            progress(done, folds.count)
        keep, out = np.delete(np.arange(len(codes)), out), out[asked[out]]
        known = np.unique(codes[keep])
        if len(known) == 1:
            proba[out, known[0]] = 1
        if len(known) < 2 or not len(out):
            continue
        others = taught.only(keep)
        fold_head = make_head().fit(others.X, others.y, others.takes, gram=others.gram)
        proba[np.ix_(out, known)] = fold_head.predict_proba(taught.X[out])
    return proba


def _with_nothing(
    make_head: Callable[[], Head],
    taught: TaughtRows,
    folds: Folds,
    found: np.ndarray,
    progress: Progress | None,
    asked: np.ndarray,
) -> np.ndarray:
    """As `_answers`, where in some examples nothing was found: no head is taught or asked those.

    Their answer is the class that means so among the other folds, for certain; zeros where none does.
    """
    proba = np.zeros((len(taught.y), len(taught.classes)))
    if found.any():
        seen = taught.only(found)
        columns = np.searchsorted(taught.classes, seen.classes)
        # Folds in which nothing was found at all are gone; the others are counted anew.
        parts = Folds(np.unique(folds.index[found], return_inverse=True)[1].reshape(-1), folds.method)
        proba[np.ix_(found, columns)] = _answers(make_head, seen, parts, progress, None, asked[found])
    for fold in np.unique(folds.index[~found]):
        others = folds.index != fold
        nobody = nobody_class(taught.y[others], found[others])
        if nobody is not None:
            proba[~found & ~others, np.searchsorted(taught.classes, nobody)] = 1.0
    return proba


def evaluate(
    make_head: Callable[[], Head],
    X: np.ndarray,
    y: Labels,
    takes: Takes = None,
    sessions: np.ndarray | None = None,
    *,
    gram: np.ndarray | None = None,
    found: np.ndarray | None = None,
    known: np.ndarray | None = None,
    make_rejector: Callable[[TaughtRows], Rejector] | None = None,
    asked: np.ndarray | None = None,
    names: Mapping[int, str] | None = None,
    seed: int = 0,
    limit: int = 10,
    progress: Progress | None = None,
    parts: np.ndarray | None = None,
    fitted: RidgeHead | None = None,
) -> Evaluation:
    """The honest account: sessions left out, takes left out, with intervals, confusion, recall, suspects, and the
    naive claim.

    X (N, D), y (N,), takes and sessions (N,) integers or None, gram X·Xᵀ where known; found: bool (N,), in which
    examples there is what is looked for, None for all; known: bool (N,), what a Rejector said of each example without
    having seen its take (`Rejector.held_out_known_`); make_rejector: fits one like it, for whole sessions left out;
    asked: bool (N,), the examples that count, None for all (of the views of a recording one is enough); names: of
    sessions, by number; limit: how many suspects; progress: as in `cross_validate`; parts: as in `whole_takes`;
    fitted: a ridge head that was fitted on just these, to spare its work.
    """
    taught = TaughtRows.check(X, y, takes, gram)
    every = np.ones(len(taught.y), bool)
    asked, found = every if asked is None else asked, every if found is None else found
    fitted = (fitted or fitted_ridge(make_head, taught)) if found.all() else None
    by_take = takes_together(taught.y, taught.takes, parts)
    honest = cross_validate(make_head, taught, by_take, progress, fitted, found, asked)
    parted = random_parts(taught.y, seed)
    loose = None if fitted is None else fitted.retaken(parted.index)  # who believes such a split chooses λ by it
    naive = cross_validate(make_head, replace(taught, takes=parted.index), parted, progress, loose, found, asked)
    across = None
    if sessions is not None and len(np.unique(sessions)) > 1:
        folds = whole_sessions(taught.y, sessions)
        unseen = cross_validate(make_head, taught, folds, progress, fitted, found, asked)
        across = by_session(unseen, np.asarray(sessions), folds.split_classes, names or {})
        if make_rejector is not None and across.examples:
            some, lets = let_through(unseen, taught, found, make_rejector, progress)
            numbers = np.asarray(sessions)
            scores = tuple(answered_too(one, unseen, numbers, some, lets) for one in across.sessions)
            across = replace(across, answers=answers_of(unseen.only(some), lets), sessions=scores)
    judged = honest.judged
    right = (honest.y_true == honest.y_pred)[judged]
    interval, effective = grouped_interval(right, honest.folds[judged])
    counts, shares = counts_of(honest)
    return Evaluation(
        accuracy=honest.accuracy,
        interval95=interval,
        effective_examples=effective,
        method=honest.method,
        classes=tuple(map(str, honest.classes)),
        confusion=counts,
        recall=dict(zip(map(str, honest.classes), shares.tolist(), strict=True)),
        examples=int(judged.sum()),
        takes=None if takes is None else len(np.unique(takes)),
        random_split_accuracy=naive.accuracy,
        suspects=suspected(honest.y_true, honest.classes, honest.proba, naive.proba, loose, taught.X, limit),
        answers=None if known is None or not len(right) else answers_of(honest, np.asarray(known, bool)),
        by_session=across,
        nothing_found=missed_counts(honest.y_true[asked], found[asked]),
    )


def by_session(
    unseen: Validation, sessions: np.ndarray, unjudged: tuple[str, ...], names: Mapping[int, str]
) -> BySession:
    """The account of a validation whose folds are sessions."""
    judged = unseen.judged
    right = (unseen.y_true == unseen.y_pred)[judged]
    interval, effective = grouped_interval(right, unseen.folds[judged])
    counts, shares = counts_of(unseen)
    scores = []
    for number in map(int, np.unique(sessions)):
        rows = judged & (sessions == number)
        share = accuracy(unseen.y_true[rows], unseen.y_pred[rows])
        scores.append(SessionScore(number, names.get(number, ""), int(rows.sum()), share))
    found = dict(zip(map(str, unseen.classes), shares.tolist(), strict=True))
    whole = (unseen.accuracy, interval, effective, unseen.method)
    return BySession(*whole, counts, found, int(judged.sum()), unjudged, tuple(scores))


def answered_too(
    score: SessionScore, unseen: Validation, sessions: np.ndarray, some: np.ndarray, lets: np.ndarray
) -> SessionScore:
    """A session's score, with the share of what was asked of it, `some` bool (N,), that is right and passes `lets`."""
    rows = unseen.judged & some & (sessions == score.session)
    if not rows.any():
        return score
    return replace(score, answered=float(np.mean((unseen.y_true == unseen.y_pred)[rows] & lets[rows])))


def answers_of(validation: Validation, known: np.ndarray) -> AnswerShares:
    """What the judged examples get where some, known bool (N,), are let through and the others are refused."""
    judged = validation.judged
    right, answered = (validation.y_true == validation.y_pred)[judged], known[judged]
    interval, _ = grouped_interval(right & answered, validation.folds[judged])
    return AnswerShares(
        float(np.mean(right & answered)), interval, float(np.mean(~right & answered)), int(judged.sum())
    )


def let_through(
    unseen: Validation,
    taught: TaughtRows,
    found: np.ndarray,
    make_rejector: Callable[[TaughtRows], Rejector],
    progress: Progress | None,
) -> tuple[np.ndarray, np.ndarray]:
    """bool (N,) twice: which examples were asked, and which of them pass a rejector that was taught the other folds.

    Each fold takes as long as a training, so at most `MAX_REFUSING` are asked, evenly spread. Where nothing was found
    the answer is that, and passes where a class means it.
    """
    count = int(unseen.folds.max()) + 1
    some = np.unique(np.linspace(0, count - 1, min(count, MAX_REFUSING)).round().astype(int))
    known = ~found & (unseen.y_pred != NOTHING)
    for done, fold in enumerate(some):
        if progress and done:
            progress(done, len(some))
        out, keep = found & (unseen.folds == fold), found & (unseen.folds != fold)
        if not out.any() or not keep.any():
            continue
        takes = None if taught.takes is None else taught.takes[keep]
        rejector = make_rejector(TaughtRows(taught.X[keep], taught.y[keep], takes))
        known[out] = rejector.known(taught.X[out], unseen.y_pred[out])
    return np.isin(unseen.folds, some), known


def counts_of(validation: Validation) -> tuple[np.ndarray, np.ndarray]:
    """The confusion (C, C) of the judged examples, `NOTHING` left out, and the recall (C,), where it is a mistake."""
    answered = validation.judged & (validation.y_pred != NOTHING)
    counts = confusion(validation.y_true[answered], validation.y_pred[answered], validation.classes)
    silent = np.searchsorted(validation.classes, validation.y_true[validation.judged & ~answered])
    return counts, recall(np.column_stack([counts, np.bincount(silent, minlength=len(counts))]))
