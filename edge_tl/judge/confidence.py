"""How sure an answer may be: as sure as it earned near what was taught, and as sure as it earned elsewhere.

One temperature cannot say both. Fitted on takes left out it is honest in another place and flattens every answer in the
places that were taught; fitted on frames it is the other way round. So there are two, and the distance of a row to what
was taught chooses between them: p = (1 − w)·softmax(z / T_near) + w·softmax(z / T_far), z the logarithms of the head's
own probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from edge_tl.core.features import cosines, unit_rows
from edge_tl.core.folds import Folds, half_takes, in_parts, whole_sessions, whole_takes
from edge_tl.heads import Head
from edge_tl.heads.base import ENOUGH_ROWS, TaughtRows
from edge_tl.heads.knn import KNNHead
from edge_tl.heads.loo import fit_temperature, unchecked_temperature
from edge_tl.heads.rejection import VALUES, thinned
from edge_tl.heads.ridge import RidgeHead
from edge_tl.heads.tuned import TunedHead
from edge_tl.judge.validation import cross_validate, fitted_ridge
from edge_tl.labels import few_of
from edge_tl.nn.losses import softmax

FAR_COUNTS = 2.0
"""How much more what was left out far away counts than what was left out near by, where the distance is chosen at which
one becomes the other. Chosen on every other choice of the sets of `benchmarks/proof_confidence.py` among 1, 2, 4, 8: at
1 a whole picture of another day claims .31 where .22 are right, from 2 on .25; at 4 hand-crop loses right answers."""
SOFT = (0.05, 0.1, 0.2, 0.4)
"""How wide the change from near to far may be, in standard deviations of the logarithm of the distance."""
CUTS = 25
"""How many distances are tried as the middle of that change."""
MIN_CHANCE, MIN_OF_VOTES = 1e-30, 1e-3
"""Probabilities are not taken below this; votes of a few neighbours say less than they seem to: a class without a vote
among three may still be the right one."""
MAX_PAIRS = 16_000_000
"""Of taught rows and the rows that distances are measured to; beyond, a part of the taught ones serves. With 3 000
lessons of a fleet all of them took 8.7 GB and 20 s."""
STRIP = 512
"""So many rows are measured at once."""
CLOSEST = 1e-3
"""Distances of unit rows are not taken below this: what is stored is rounded to float16."""
GUESSES = 0.05
"""What was left out is answered by guessing where the mean confidence is above chance by less than this."""


@dataclass(frozen=True)
class LeftOut:
    """What heads said of taught rows that they had not seen."""

    logits: np.ndarray
    """(M, C): logarithms of their probabilities."""
    codes: np.ndarray
    """int (M,): the columns of the true labels."""
    weights: np.ndarray
    """(M,): so that every class counts the same."""
    away: np.ndarray
    """(M,): the logarithm of the distance to the nearest row that was not left out."""


class Confidence:
    """Turns a head's probabilities into ones that mean what they say, near what was taught and elsewhere.

    Until `fit` it changes nothing. Where nothing could be left out it makes no claims: `unchecked` says how sure it is
    then. After `fit`: `near_` and `far_`, the temperatures; `guessing_`, whether answers elsewhere are no better than
    guesses.
    """

    def __init__(self) -> None:
        """What changes nothing."""
        self.near_ = self.far_ = 1.0
        self.guessing_ = False
        self._least = MIN_CHANCE
        self._middle, self._soft = -np.inf, 1.0
        self._rows = np.empty((0, 0), np.float32)

    def fit(
        self,
        make_head: Callable[[], Head],
        head: Head | None,
        taught: TaughtRows,
        sessions: np.ndarray | None = None,
        *,
        in_time: bool = True,
    ) -> Self:
        """Learn it from the rows that `head` was fitted on.

        make_head: makes heads like it, which are fitted without a part each; a ridge head needs none, its left-out
        scores are exact. head: None where it was fitted on more than these. sessions: int (N,), where they are known.
        in_time: whether the rows of a take follow each other in time, as frames do and the views of a recording do not.
        Where takes are not known, nothing is changed.
        """
        fresh = Confidence()
        if isinstance(head, TunedHead):  # another fit takes minutes; it has kept takes back by itself
            fresh._believe_held_out(head, taught)
        elif taught.takes is not None and len(taught.classes) > 1:
            fresh._learn(make_head, head, taught, sessions, in_time)
        self.__dict__.update(fresh.__dict__)
        return self

    def __call__(self, probabilities: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Probabilities (M, C) of rows X (M, F), of the head that this was fitted for; (M, C), each row sums to 1."""
        if self.near_ == self.far_ == 1.0:
            return probabilities
        z = logits(probabilities, self._least)
        far = softmax(z / self.far_)
        if not len(self._rows):
            return far
        w = gate(away(X, self._rows), self._middle, self._soft)[:, None]
        return np.asarray((1 - w) * softmax(z / self.near_) + w * far)

    def elsewhere(self) -> Confidence:
        """As sure as answers may be where nothing was taught, at any distance: one temperature, as one file has."""
        made = Confidence()
        made.near_ = made.far_ = self.far_
        made.guessing_, made._least = self.guessing_, self._least
        return made

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """A JSON-able dict and arrays for `from_state`."""
        meta = {"near": self.near_, "far": self.far_, "guessing": self.guessing_, "least": self._least}
        if not len(self._rows):
            return meta, {}
        # The rows were rounded to half precision when they were learned, so nothing is lost here.
        return meta | {"middle": self._middle, "soft": self._soft}, {"rows": self._rows.astype(np.float16)}

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """What `state` was taken of."""
        made = cls()
        made.near_, made.far_, made.guessing_ = float(meta["near"]), float(meta["far"]), bool(meta["guessing"])
        made._least = float(meta["least"])
        if "rows" in arrays:
            made._middle, made._soft = float(meta["middle"]), float(meta["soft"])
            made._rows = arrays["rows"].astype(np.float32)
        return made

    def _believe_held_out(self, head: TunedHead, taught: TaughtRows) -> None:
        """One temperature, by the takes that the head's own training held out."""
        held = head.held_out_[: len(taught.y)]
        codes = np.searchsorted(head.classes_, taught.y[held])
        if len(np.unique(codes)) > 1:
            said = LeftOut(
                logits(head.predict_proba(taught.X[held]), MIN_CHANCE), codes, balance(codes), np.zeros(len(codes))
            )
            self.near_ = self.far_ = temperature(said)

    def _learn(
        self,
        make_head: Callable[[], Head],
        head: Head | None,
        taught: TaughtRows,
        sessions: np.ndarray | None,
        in_time: bool,
    ) -> None:
        assert taught.takes is not None
        takes, y = taught.takes, taught.y
        exact = isinstance(make_head(), RidgeHead)
        if len(y) > ENOUGH_ROWS and not (exact and head is not None):
            some = taught.part()
            taught, sessions = taught.only(some), None if sessions is None else sessions[some]
            head, y = None, taught.y
            assert taught.takes is not None
            takes = taught.takes
        self._least = MIN_OF_VOTES if isinstance(make_head(), KNNHead) else MIN_CHANCE
        fitted = head if isinstance(head, RidgeHead) else fitted_ridge(make_head, taught)
        measured = LeaveOutMeasurement(taught, make_head, fitted, self._least)
        whole, halves = whole_takes(y, takes, taught.parts), half_takes(y, takes)
        fars = [measured(whole, whole if exact else whole_takes(y, in_parts(y, takes)))]
        if sessions is not None and len(np.unique(sessions)) > 1:
            fars.append(measured(whole_sessions(y, sessions)))
        found = [one for one in fars if one is not None]
        if not found:
            self.near_ = self.far_ = unchecked(head or make_head().fit(taught.X, y, takes), taught, self._least)
            return
        near = None
        if in_time and halves.count > len(np.unique(takes)):
            near = measured(halves, halves if exact else first_or_second(halves, takes))
        elif len(found) > 1:
            near = found.pop(0)  # another recording of the same word is as near as it gets
        # A ridge head's own temperature was fitted on takes left out.
        own = fitted is not None and taught.parts is None and found[-1] is fars[0]
        self.far_ = self.near_ = 1.0 if own else temperature(found[-1])
        sure = softmax(found[-1].logits / self.far_).max(axis=1)
        self.guessing_ = float(np.average(sure, weights=found[-1].weights)) < 1 / len(taught.classes) + GUESSES
        if near is not None:
            self.near_ = min(temperature(near), self.far_)
            self._middle, self._soft = self._chosen(near, found)
            self._rows = measured.basis

    def _chosen(self, near: LeftOut, fars: Sequence[LeftOut]) -> tuple[float, float]:
        """The middle and the width of the change under which all that was left out is likeliest."""
        pools = [near, *fars]
        every = np.concatenate([one.away for one in pools])
        spread_ = float(every.std()) + 1e-6
        middles = np.quantile(every, np.linspace(0.02, 0.98, CUTS))
        middles = np.concatenate([[every.min() - 4 * spread_], middles, [every.max() + 4 * spread_]])
        tried = [(float(middle), soft * spread_) for middle in middles for soft in SOFT]
        losses = np.zeros(len(tried))
        grid = np.array(tried)
        for one in pools:
            own = np.arange(len(one.codes)), one.codes
            sure, unsure = (softmax(one.logits / t)[own] for t in (self.near_, self.far_))
            w = gate(one.away[None, :], grid[:, :1], grid[:, 1:])
            # Nobody is certain: of n examples one is taken to be wrong by half, as in `fit_temperature`.
            n, classes = one.logits.shape
            p = ((sure + w * (unsure - sure)) * n + 0.5 / classes) / (n + 0.5)
            counts = one.weights / one.weights.sum() * (1.0 if one is near else FAR_COUNTS)
            losses -= np.log(p) @ counts
        return tried[int(losses.argmin())]


class LeaveOutMeasurement:
    """Leaves out parts of what was taught, and says what heads made of them and how far away they were."""

    def __init__(
        self, taught: TaughtRows, make_head: Callable[[], Head], fitted: RidgeHead | None, least: float
    ) -> None:
        self._taught, self._make_head, self._fitted, self._least = taught, make_head, fitted, least
        self._kept = np.asarray(thinned(taught.codes(), max(VALUES // taught.X.shape[1], 10 * len(taught.classes))))
        chosen = unit_rows(taught.X[self._kept].astype(np.float32, copy=False))
        self.basis = chosen.astype(np.float16).astype(np.float32)
        """(K, F) float32: the directions of taught rows that distances are measured to, rounded as they are stored."""
        self._asked = np.ones(len(taught.y), bool)
        if taught.gram is None and len(taught.y) * len(self.basis) > MAX_PAIRS:
            self._asked = np.isin(np.arange(len(taught.y)), taught.part())

    def __call__(self, folds: Folds, fitted: Folds | None = None) -> LeftOut | None:
        """What becomes of each fold left out; None where that cannot be told.

        fitted: what one fit leaves out, several folds together where fits are dear.
        """
        fitted = fitted or folds
        if fitted.count < 2:
            return None
        said = cross_validate(self._make_head, self._taught, fitted, None, self._fitted)
        rows = np.flatnonzero(said.judged & self._asked)
        codes = self._taught.codes()[rows]
        if len(np.unique(codes)) < 2:
            return None
        return LeftOut(logits(said.proba[rows], self._least), codes, balance(codes), self._away(rows, folds))

    def _away(self, rows: np.ndarray, folds: Folds) -> np.ndarray:
        """(M,): how far each of these rows is from the nearest of the basis that is not of its fold, some at a time."""
        made, own = np.empty(len(rows)), folds.index[self._kept]
        for first in range(0, len(rows), STRIP):
            some = rows[first : first + STRIP]
            alike = self._alike(some)
            alike[folds.index[some, None] == own] = -1
            made[first : first + STRIP] = log_distance(alike)
        return made

    def _alike(self, rows: np.ndarray) -> np.ndarray:
        """(M, K): the cosines of some taught rows and the basis."""
        gram = self._taught.gram
        if gram is None:
            return cosines(self._taught.X[rows], self.basis)
        # The same but for the rounding, and already there: half the time of a training of 200 examples.
        lengths = np.sqrt(np.maximum(gram.diagonal(), np.finfo(np.float32).tiny))
        return np.asarray(gram[np.ix_(rows, self._kept)] / np.outer(lengths[rows], lengths[self._kept]))


def balance(codes: np.ndarray) -> np.ndarray:
    """Weights (M,) of examples of these classes under which every class counts the same, 1 on average."""
    weights = 1 / np.bincount(codes)[codes]
    return np.asarray(weights / weights.mean())


def cautions(taught: TaughtRows, confidence: Confidence, *, rejects: bool = True) -> tuple[str, ...]:
    """What a teacher must know of the answers of a head that was taught these, a sentence each.

    rejects: whether "none of these" may be an answer.
    Each is a case in which probabilities are flat, or cannot be checked, for a reason that more examples would mend.
    """
    if not (taught.X[0] != taught.X).any():
        return ("all examples are the same picture or sound: the classes cannot be distinguished",)
    said = []
    if confidence.guessing_:
        said.append(
            "on held-out takes its answers are no better than chance, so it is confident only where it was "
            "recorded: record each class in other places too"
        )
    single = whole_takes(taught.y, taught.takes).split_classes
    if single:
        for_it = "" if len(single) == len(taught.classes) else " for it" if len(single) == 1 else " for them"
        off = f", and 'none of these' is off{for_it}" if rejects else ""
        names = few_of(single)
        said.append(
            f"{names}: one take only, so its confidence in other places is not known{off}; record a second take"
        )
    return tuple(said)


def unchecked(head: Head, taught: TaughtRows, least: float) -> float:
    """The temperature of a head that was taught these, of which none can be left out; 1 or more.

    One neighbour's vote says next to nothing of the others: it counts as one of two in the rule of succession.
    """
    if isinstance(head, KNNHead):
        return float(-np.log(least) / np.log(2))
    return max(1.0, unchecked_temperature(logits(head.predict_proba(taught.X), least), taught.codes()))


def temperature(of: LeftOut) -> float:
    """The temperature that makes these the likeliest; `fit_temperature` says how."""
    return fit_temperature(of.logits, of.codes, of.weights)


def logits(probabilities: np.ndarray, least: float) -> np.ndarray:
    """Logarithms of probabilities (M, C), float64, none below that of `least`."""
    return np.asarray(np.log(np.maximum(probabilities.astype(np.float64), least)))


def away(X: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(M,): the logarithm of the distance of the directions of X (M, F) to the nearest of unit rows (N, F)."""
    return log_distance(cosines(X, rows))


def log_distance(alike: np.ndarray) -> np.ndarray:
    """(M,): the logarithm of the distance to the nearest, of cosines (M, N)."""
    return np.asarray(0.5 * np.log(np.maximum(2 - 2 * alike.max(axis=1).astype(np.float64), CLOSEST**2)))


def gate(far: np.ndarray, middle: Any, soft: Any) -> np.ndarray:
    """The weight of the far temperature, 0 to 1, for logarithms of distances."""
    return np.asarray(1 / (1 + np.exp(-np.clip((far - middle) / soft, -30, 30))))


def first_or_second(halves: Folds, takes: np.ndarray) -> Folds:
    """Two folds in all: the first halves of all takes, and the second; for heads of which every fit is dear."""
    index = np.zeros(len(takes), np.int64)
    for take in np.unique(takes):
        own = takes == take
        index[own] = np.unique(halves.index[own], return_inverse=True)[1].reshape(-1) % 2
    return Folds(index, halves.method)
