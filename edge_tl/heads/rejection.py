"""“None of these”: a calibrated refusal to answer for pictures unlike anything that was taught."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from edge_tl.core.features import cosines, unit_rows
from edge_tl.core.folds import whole_takes
from edge_tl.core.strangers import Strangers
from edge_tl.errors import ConfigError, NotFittedError
from edge_tl.heads.base import Labels, Takes, TaughtRows, check_rows
from edge_tl.heads.known_or_other import KnownOrOther
from edge_tl.heads.ridge import RidgeHead, many
from edge_tl.labels import few_of

NEAREST = 3
"""Taught rows whose mean distance counts."""
KEPT = 100
"""Of so many examples a class strangers are made."""
VALUES = 1_000_000
"""Numbers kept of the taught rows (2 MB as float16); evenly thinned beyond, which keeps a query below 0.2 ms."""

STRIP = 1024
"""So many taught rows are judged at once."""
PEOPLE = (3, 7)
"""As so many people, at least and at most, an example is shown where people are made; of as many fewer examples."""
SURELY = 0.98
"""Where strangers are made, the threshold lets no more than this share of the examples pass that are named rightly."""


class Rejector:
    """Tells pictures of the taught classes from all others, once one of them was taught in two takes.

    Two questions are asked of a row: how far are the three nearest taught rows (a face, when hands were taught), and
    how far are the ridge scores from a clear answer, the indicator of one class (a fifth finger, when four were
    taught). Both are divided by their spread over known examples and added. The threshold lets `accept` of the known
    examples pass, each judged without its take. Until it is `ready` everything passes. Of a class with one take nobody
    knows what another looks like: it does not choose the threshold, and what is answered so passes (`free`).

    Chosen by measurement: sign_digits, four of the six digits taught with 30 pictures each in takes, all 15 choices,
    MobileNet v1 .25. Area under the ROC against the two other digits / against faces: both questions .93 / 1.00;
    distance alone .77 / 1.00, doubt alone .91 / .95, the winner's probability .82 / .95, leverage .75 / 1.00, the
    distance to the own class over that to the others .85 / .97. Noise and blank pictures 1.00.
    The price: examples of another day or place are often refused too (half of them where 97 % are named rightly).
    Where an embedder can say what else there might be (`strangers`, of a hand or a face), one question takes the place
    of both: is it likelier one of those than of any class? The threshold then lets a few of the made strangers pass
    instead of many of the known, for takes of one day or person are alike and do not know how another day or person
    looks; never more than SURELY of the known, so that what was made too far away does not open it (NOTES.md).
    After `fit`: `threshold`, `held_out_` float64 (N,), the novelty of each example judged without its take, −inf where
    it is answered with one of `free`, NaN where it was not judged, and `held_out_known_` bool (N,); both empty where it
    is not ready.
    """

    def __init__(self, accept: float = 0.95) -> None:
        """accept: the share of known examples that must pass, in (0, 1); where strangers are made these decide."""
        if not 0 < accept < 1:
            raise ConfigError(f"accept is {accept}; wanted the share of known pictures that must pass, between 0 and 1")
        self.accept = accept
        self.threshold = float("inf")
        self.reason = "nothing was taught yet"
        self.free: tuple[str, ...] = ()
        """Classes with one take: an answer with one of these is never refused."""
        self.softness = 1.0
        self.held_out_ = np.empty(0)
        self.held_out_known_ = np.empty(0, bool)
        self._rows = np.empty((0, 0), np.float32)
        self._coef = np.empty((0, 0), np.float32)
        self._intercept = np.empty(0, np.float32)
        self._centre = self._spread = np.empty(0)
        self._known: KnownOrOther | None = None

    @property
    def ready(self) -> bool:
        """True once it can refuse; `reason` says in words why not."""
        return not self.reason

    @property
    def off(self) -> str:
        """For what it is off and why, to end "it is off" with; empty where it is on for all classes."""
        if self.free:
            return f" for {few_of(self.free)}: a second take is needed"
        return f": {self.reason}" if self.reason else ""

    def fit(
        self,
        X: np.ndarray,
        y: Labels,
        takes: Takes = None,
        *,
        head: RidgeHead | None = None,
        strangers: Strangers | None = None,
    ) -> Self:
        """Learn what the known look like from rows X (N, D), labels y (N,) and takes (N,).

        head: a ridge head that was fitted on exactly these, to spare fitting one here; a restored one is no help.
        Without, a part of very many examples serves (`TaughtRows.part`), and the others are not judged. strangers: what
        makes rows of none of the classes. ShapeError as of a head.
        """
        taught = TaughtRows.check(X, y, takes)
        if head is not None and len(head.loo_scores_) != len(taught.y):
            head = None
        part = taught.part() if head is None and many(taught.X) else None
        fresh = Rejector(self.accept)
        fresh._fit(taught if part is None else taught.only(part), head, strangers)
        if part is not None and fresh.ready:
            judged, known = fresh.held_out_, fresh.held_out_known_
            fresh.held_out_, fresh.held_out_known_ = np.full(len(taught.y), np.nan), np.zeros(len(taught.y), bool)
            fresh.held_out_[part], fresh.held_out_known_[part] = judged, known
        self.__dict__.update(fresh.__dict__)
        return self

    def _fit(self, taught: TaughtRows, head: RidgeHead | None, strangers: Strangers | None) -> None:
        """As `fit`, of all of these."""
        self.reason = why_not(taught)
        if self.ready:
            self.free = one_take_only(taught)
            head = head or RidgeHead().fit(taught.X, taught.y, taught.takes)
            if strangers is None or not self._learn_strangers(taught, head, strangers):
                self._learn(taught, head)
            self._settle(taught, head)

    def novelty(self, X: np.ndarray, best: Labels | None = None) -> np.ndarray:
        """How strange rows (M, D) are, float64 (M,): larger is stranger, above `threshold` is none of these.

        best: the likeliest class of each, (M,), where one is to be answered; −inf for one of `free`.
        """
        if not self.ready:
            raise NotFittedError(f'"none of these" is off: {self.reason}')
        if self._known is not None:
            judged = self._known.rows.shape[1]
            strange = self._known.strange(check_rows(check_rows(X)[:, :judged], judged))
        else:
            rows = check_rows(X, self._coef.shape[1])
            scores = rows @ self._coef.T + self._intercept
            strange = self._combine(far(cosines(rows, self._rows)), unclear(scores))
        return strange if best is None else np.where(np.isin(best, self.free), -np.inf, strange)

    def known(self, X: np.ndarray, best: Labels | None = None) -> np.ndarray:
        """bool (M,): which rows (M, D) may be answered, all of them until it is ready; best: as in `novelty`."""
        return self.novelty(X, best) <= self.threshold if self.ready else np.ones(len(X), bool)

    def familiar(self, X: np.ndarray, best: Labels | None = None) -> np.ndarray:
        """How well rows (M, D) are known, float64 (M,), 0 to 1: 1/2 at the threshold; 1 for all until it is ready.

        best: as in `novelty`.
        """
        return self.soften(self.novelty(X, best)) if self.ready else np.ones(len(X))

    def named(self, probabilities: np.ndarray, X: np.ndarray, classes: Sequence[str]) -> np.ndarray:
        """Probabilities (M, C) of rows (M, D) as they are, for one that has no say in which class it is."""
        return probabilities

    def named_held_out(self, probabilities: np.ndarray, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """The same of the rows that it was fitted on, each judged without its take; and how familiar they are, (N,)."""
        return probabilities, self.soften(self.held_out_) if self.ready else np.ones(len(probabilities))

    def soften(self, novelty: np.ndarray) -> np.ndarray:
        """Familiarity, 0 to 1, of novelties (M,): logistic, half the spread of the known's novelties wide.

        For listeners, who may ask for more than 1/2: on four commands of ten speakers each, against eight other words,
        the strictness that 24 of 29 known words still pass lets 12 of 80 others through instead of 22.
        """
        return np.asarray(1 / (1 + np.exp(np.clip((novelty - self.threshold) / self.softness, -50, 50))))

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """A JSON-able dict and arrays from which `from_state` makes a rejector with the same answers."""
        meta: dict[str, Any] = {"accept": self.accept, "reason": self.reason}
        if not self.ready:
            return meta, {}
        meta |= {"threshold": self.threshold, "softness": self.softness, "free": list(self.free)}
        if self._known is not None:
            of = self._known
            meta["width"] = of.width
            return meta, {"rows": of.rows.astype(np.float16), "dual": of.dual, "intercept": of.intercept}
        meta |= {"centre": self._centre.tolist(), "spread": self._spread.tolist()}
        # The rows were rounded to half precision when they were learned, so nothing is lost here.
        return meta, {"rows": self._rows.astype(np.float16), "coef": self._coef, "intercept": self._intercept}

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """The rejector that `state` was taken of, without its held-out figures."""
        rejector = cls(meta["accept"])
        rejector.reason = meta["reason"]
        if rejector.ready:
            rejector.threshold = float(meta["threshold"])
            rejector.softness = float(meta.get("softness", 1.0))
            rejector.free = tuple(meta.get("free", ()))
            rows = arrays["rows"].astype(np.float32)
            if "width" in meta:
                rejector._known = KnownOrOther(rows, arrays["dual"], arrays["intercept"], float(meta["width"]))
                return rejector
            rejector._centre, rejector._spread = np.array(meta["centre"]), np.array(meta["spread"])
            rejector._rows = rows
            rejector._coef, rejector._intercept = arrays["coef"], arrays["intercept"]
        return rejector

    def _learn(self, taught: TaughtRows, head: RidgeHead) -> None:
        folds = whole_takes(taught.y, taught.takes).index
        most = max(VALUES // taught.X.shape[1], 10 * len(taught.classes))
        kept = thinned(taught.codes(), most)
        self._rows = unit_rows(taught.X[kept].astype(np.float32, copy=False)).astype(np.float16).astype(np.float32)
        self._coef = head.coef_.astype(np.float32, copy=False)
        self._intercept = head.intercept_.astype(np.float32, copy=False)
        distances = np.empty(len(taught.y))
        for first in range(0, len(taught.y), STRIP):
            some = slice(first, first + STRIP)
            alike = cosines(taught.X[some], self._rows)
            alike[folds[some, None] == folds[kept]] = -1  # what lies in the same take does not count
            distances[some] = far(alike)
        both = np.stack([distances, unclear(head.loo_scores_)])
        even = self._deciding(taught)
        self._centre = np.median(both[:, even], axis=1)
        self._spread = np.maximum(both[:, even].std(axis=1), 1e-6)
        self.held_out_ = self._combine(*both)

    def _learn_strangers(self, taught: TaughtRows, head: RidgeHead, strangers: Strangers) -> bool:
        """Learn what is other than the classes; False where there is nothing to learn it from."""
        codes = taught.codes()
        # What even its own class's other takes call something else was seen wrongly: it would pass for known.
        right = np.flatnonzero(head.loo_scores_.argmax(axis=1) == codes)
        if len(np.unique(codes[right])) < len(taught.classes):
            return False
        most = KEPT * len(taught.classes)
        kept = right[thinned(codes[right], most if strangers.people is None else most // PEOPLE[0])]
        every = whole_takes(taught.y, taught.takes).index
        turns = 1 if strangers.people is None else min(max(most // len(kept), PEOPLE[0]), PEOPLE[1])
        rows, y, folds = taught.X[kept], np.tile(taught.y[kept], turns), np.tile(every[kept], turns)
        if strangers.people is not None:
            rows = np.concatenate([strangers.people(rows, turn) for turn in range(turns)])
        made, fresh = strangers.make(rows, y, 0), strangers.make(rows, y, 1)
        if not len(made) or not len(fresh):
            return False
        judged, codes = made.shape[1], np.searchsorted(taught.classes, y)
        self._known, strange = KnownOrOther.fit(rows[:, :judged], codes, folds, made, strangers.width)
        self.held_out_ = self._known.strange(taught.X[:, :judged])
        beside = next_of_take(kept, every)
        self.held_out_ = np.where(beside < 0, self.held_out_, np.maximum(self.held_out_, strange[beside]))
        self.held_out_[kept] = strange[: len(kept)]
        named = self._deciding(taught)
        named = named[np.isin(named, right)]
        # Takes of one day are alike and what was made knows no days: it says how strange another day may be.
        at = float(np.quantile(self._known.strange(fresh), strangers.passing))
        self.threshold = min(at, float(np.quantile(self.held_out_[named], SURELY)))
        return True

    def _deciding(self, taught: TaughtRows) -> np.ndarray:
        """Positions that the threshold is chosen by: of classes with several takes, each as often as the largest."""
        several = np.flatnonzero(~np.isin(taught.y, self.free))
        return several[balanced(taught.codes()[several])]

    def _settle(self, taught: TaughtRows, head: RidgeHead) -> None:
        """Choose the threshold, where no strangers did, by the examples, each judged without its take."""
        even = self._deciding(taught)
        if self._known is None:
            self.threshold = float(np.quantile(self.held_out_[even], self.accept))
        self.softness = max(0.5 * float(self.held_out_[even].std()), 1e-6)
        best = taught.classes[head.loo_scores_.argmax(axis=1)]
        self.held_out_ = np.where(np.isin(best, self.free), -np.inf, self.held_out_)
        self.held_out_known_ = self.held_out_ <= self.threshold

    def _combine(self, distance: np.ndarray, doubt: np.ndarray) -> np.ndarray:
        strange: np.ndarray = (np.stack([distance, doubt], axis=1) - self._centre) / self._spread
        return strange.sum(axis=1)


def why_not(taught: TaughtRows) -> str:
    """Why these examples cannot tell the known from strangers, in words; empty where they can."""
    if len(taught.classes) < 2:
        return "two classes are needed"
    if taught.takes is None:
        return "the takes of the examples are not known"
    few = one_take_only(taught)
    return f"a second take is needed of {few_of(few)}" if len(few) == len(taught.classes) else ""


def one_take_only(taught: TaughtRows) -> tuple[str, ...]:
    """The classes whose examples are of one take; none where takes are not known."""
    takes = taught.takes
    if takes is None:
        return ()
    return tuple(str(label) for label in taught.classes if len(np.unique(takes[taught.y == label])) < 2)


def balanced(codes: np.ndarray) -> np.ndarray:
    """Positions in which every class comes as often as the largest does, its examples in turn.

    Else a class of many examples that are all alike (minutes of background noise) decides what is strange.
    """
    most = int(np.bincount(codes).max())
    return np.concatenate([np.resize(np.flatnonzero(codes == code), most) for code in np.unique(codes)])


def next_of_take(kept: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Of each example which of the kept positions (K,) is the next of its fold (N,), int (N,) below K; −1 for none.

    What was not kept is judged by a machine that saw its neighbours: no less strange than these are without their take.
    """
    beside = np.full(len(folds), -1)
    for fold in np.unique(folds[kept]):
        own, mates = np.flatnonzero(folds == fold), np.flatnonzero(folds[kept] == fold)
        beside[own] = mates[np.abs(own[:, None] - kept[mates]).argmin(axis=1)]
    return beside


def far(alike: np.ndarray) -> np.ndarray:
    """Mean distance (M,) to the nearest rows, of cosine similarities (M, N), which are lost by it.

    The largest of thousands, three times, is found sooner than three are set apart by `np.partition`.
    """
    each, nearest = np.arange(len(alike)), np.empty((len(alike), min(NEAREST, alike.shape[1])), alike.dtype)
    for place in range(nearest.shape[1]):
        best = alike.argmax(axis=1)
        nearest[:, place] = alike[each, best]
        alike[each, best] = -np.inf
    return np.sqrt(np.maximum(2 - 2 * nearest.astype(np.float64), 0)).mean(axis=1)


def unclear(scores: np.ndarray) -> np.ndarray:
    """Squared distance (M,) of ridge scores (M, C) to the indicator of the class with the largest."""
    scores = scores.astype(np.float64)
    best = scores.max(axis=1)
    return (scores * scores).sum(axis=1) - 2 * best + 1


def thinned(codes: np.ndarray, most: int) -> Sequence[int] | np.ndarray:
    """Positions of at most about `most` examples, evenly spread over each class from its first to its last."""
    if len(codes) <= most:
        return np.arange(len(codes))
    share = most // len(np.unique(codes))
    classes = (np.flatnonzero(codes == code) for code in np.unique(codes))
    return np.sort(
        np.concatenate([rows[np.linspace(0, len(rows) - 1, min(share, len(rows))).astype(int)] for rows in classes])
    )
