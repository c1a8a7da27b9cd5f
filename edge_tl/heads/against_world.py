"""Is it a taught word, or anything else that is ever heard? Each word against hours of the world.

A row counts by the cosine between it and the word, seen from the world's mean, where every direction counts by how
little the world spreads in it: noise draws rows towards other places, and makes them shorter, but leaves their
direction longer than their length (NOTES.md, "The word's mean alone").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from edge_tl.core.answers import Variations
from edge_tl.core.examples import rows_of
from edge_tl.core.world import Distance, World
from edge_tl.errors import NotFittedError
from edge_tl.heads.base import Labels, Takes, TaughtRows, check_rows
from edge_tl.heads.one_word import PENALTY, VARIED, OneWord
from edge_tl.heads.rejection import Rejector, Strangers
from edge_tl.heads.ridge import RidgeHead
from edge_tl.labels import NOISE, OTHER
from edge_tl.nn.losses import softmax

NEAR = 1
"""How far from the middle a view may lie that teaches its word: told rightly of other people's words .90, with all five
views .88 (proof_words_open.py, speakers to choose on)."""
TYPED_SHARE = 0.3
"""How much of what a word is told by its typed takes are, where there are recordings too."""
SURE = 0.85
"""How familiar a row is whose score the world reaches as often as is allowed."""
OPEN, CLOSED = "open", "closed"
ALARMS_PER_HOUR = {OPEN: 0.5, CLOSED: 20.0}
"""So often: words among everything that is ever said, and commands of somebody who means to be heard."""
MAX_OPEN = 3
"""So many words are told from everything; more are commands, where nobody says which."""
TAIL = 0.1
"""The share of the bank's moments that the tail of the world's scores is told by."""
POWER = 1.25
"""Of a cosine, before its tail: on a sphere tails are thinner than exponential ones. Chosen for as many alarms as are
promised (NOTES.md)."""
RAREST = 50.0
"""So much rarer than at `SURE` the world may be said to sound: nobody listened for long enough to claim more."""
MOMENT_ROWS = 12
"""Rows of a stretch that are one moment, about a second: a listener tells one word in it."""
DISTANCE = ("mean", "spread", "directions")
"""The arrays of a `Distance`, as they are kept."""
NOT_WORDS = frozenset({NOISE, OTHER})


@dataclass(frozen=True)
class Tail:
    """How often the world scores so high, an hour: `rate`·exp(−(score − from_)/scale), from `from_` on."""

    from_: float
    rate: float
    scale: float

    @classmethod
    def of(cls, scores: np.ndarray, stretches: np.ndarray, hours: float) -> Self:
        """Of the scores of the bank (M,), in stretches (M,), which it takes so long to hear: the likeliest."""
        moments = np.sort(highest(scores, stretches))
        count = max(1, round(TAIL * len(moments)))
        from_ = float(moments[-count])
        scale = float((moments[-count:] - from_).mean())
        return cls(from_, count / hours, max(scale, 1e-3))

    def odds(self, scores: np.ndarray, per_hour: float) -> np.ndarray:
        """Logarithms of the odds that a row is known, of scores (M,): at `per_hour` those of `SURE`."""
        rarer = (scores - self.from_) / self.scale - np.log(self.rate / per_hour)
        rarer = np.minimum(rarer, np.log(RAREST))
        return np.asarray(rarer + np.log(SURE / (1 - SURE)))


def highest(scores: np.ndarray, stretches: np.ndarray) -> np.ndarray:
    """The highest score of each moment of each stretch."""
    found = []
    for stretch in np.unique(stretches):
        own = scores[stretches == stretch]
        found += [own[first : first + MOMENT_ROWS].max() for first in range(0, len(own), MOMENT_ROWS)]
    return np.array(found)


class AgainstWorld(Rejector):
    """A Rejector for words: it knows hours of the world, and says of each word how rarely the world sounds so.

    Familiarity is a rate: a row of .85 scores what the world reaches half a time an hour (of commands 20 times), and
    odds twice as high mean half as often. That is the same for every word, and needs no second take.
    After `fit`: `words`, `held_out_odds_` float64 (N, K), what the rows say to each word, judged without their takes;
    and as of Rejector.
    """

    def __init__(self, world: World | None = None, listens: str = OPEN) -> None:
        """world: what words are told from; None for one that was saved. listens: `OPEN` or `CLOSED`."""
        super().__init__()
        self.world, self.listens = world, listens
        self.words: tuple[str, ...] = ()
        self.tails: tuple[Tail, ...] = ()
        self.distance: Distance | None = None
        """What scores are divided by; None of one that was trained before they were."""
        self.held_out_odds_ = np.empty((0, 0))

    @property
    def open(self) -> bool:
        """Whether words are told from everything that is ever said."""
        return self.listens == OPEN

    @property
    def per_hour(self) -> float:
        """How often the world may sound like a word that counts `SURE`."""
        return ALARMS_PER_HOUR[self.listens]

    def fit(
        self,
        X: np.ndarray,
        y: Labels,
        takes: Takes = None,
        *,
        head: RidgeHead | None = None,
        strangers: Strangers | None = None,
        weights: np.ndarray | None = None,
        varied: tuple[TaughtRows, np.ndarray] | None = None,
    ) -> Self:
        """Learn from rows X (N, D), labels y (N,), takes (N,); weights: (N,), how much a row teaches its word
        beside the others of it, 0 for one that is only asked, None for all alike. varied: variations of the rows, with
        the takes of what they vary, and their weights. head, strangers: as of Rejector, and not needed. ShapeError as
        of a head.
        """
        assert self.world is not None
        taught = TaughtRows.check(X, y, takes)
        self.words = tuple(str(label) for label in taught.classes if label not in NOT_WORDS)
        self.reason = "" if self.words else "no word was taught yet"
        if not self.ready:
            return self
        rows = np.ones(len(taught.y)) if weights is None else weights
        self.distance, told_from = Distance.of(self.world, PENALTY)
        spread = self.world.spread
        fitted = [OneWord(*heard_too(taught, rows, word, varied), word, told_from, spread) for word in self.words]
        # As they are kept: what is judged now is judged so after a restart.
        self._coef = np.stack([one.coef for one in fitted]).astype(np.float32)
        self._intercept = np.array([one.intercept for one in fitted], np.float32)
        bank = self._scores(self.world.bank)
        hours = self.world.hours * len(self.world.bank) / self.world.count
        self.tails = tuple(Tail.of(scores, self.world.stretches, hours) for scores in bank.T)
        self.threshold, self.softness = 0.0, 1.0
        held_out = np.stack([one.held_out[: len(taught.y)] for one in fitted], axis=1)
        self.held_out_odds_ = self._odds(bent(held_out / self.distance(taught.X)[:, np.newaxis]))
        best = None if head is None or len(head.loo_scores_) != len(taught.y) else head.loo_scores_.argmax(axis=1)
        self.held_out_ = self._strange(self.held_out_odds_, None if best is None else taught.classes[best])
        self.held_out_known_ = self.held_out_ <= self.threshold
        return self

    def odds(self, X: np.ndarray) -> np.ndarray:
        """Logarithms of the odds that rows (M, D) are each of `words`: (M, K)."""
        if not self.ready:
            raise NotFittedError(f'"none of these" is off: {self.reason}')
        return self._odds(self._scores(check_rows(X, self._coef.shape[1])))

    def novelty(self, X: np.ndarray, best: Labels | None = None) -> np.ndarray:
        """As of Rejector: the odds of the word that is answered, against it; noise is never strange."""
        return self._strange(self.odds(X), best)

    def named(self, probabilities: np.ndarray, X: np.ndarray, classes: Sequence[str]) -> np.ndarray:
        """As of Rejector; of few words that are told from everything each by its own odds."""
        return self._named(probabilities, self.odds(X), classes) if self.open else probabilities

    def named_held_out(self, probabilities: np.ndarray, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """As of Rejector."""
        said = self._named(probabilities, self.held_out_odds_, classes) if self.open else probabilities
        return said, self.soften(self._strange(self.held_out_odds_, np.array(classes)[said.argmax(axis=1)]))

    def _named(self, probabilities: np.ndarray, odds: np.ndarray, classes: Sequence[str]) -> np.ndarray:
        """Probabilities (M, C): which of the words, where it is likelier one than none; elsewhere as they are."""
        each = np.zeros((len(odds), len(classes)))
        each[:, [classes.index(word) for word in self.words]] = softmax(odds)
        return np.where(odds.max(axis=1, keepdims=True) > 0, each, probabilities)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """A JSON-able dict and arrays from which `from_state` makes a rejector with the same answers."""
        tails = [[one.from_, one.rate, one.scale] for one in self.tails]
        meta = {"accept": self.accept, "reason": self.reason, "listens": self.listens}
        meta |= {"words": list(self.words), "tails": tails}
        arrays = {"coef": self._coef, "intercept": self._intercept} if self.ready else {}
        if self.ready and self.distance is not None:
            arrays |= {name: getattr(self.distance, name) for name in DISTANCE}
        return meta, arrays

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """The rejector that `state` was taken of, without its held-out figures."""
        made = cls(None, meta["listens"] if meta["listens"] in ALARMS_PER_HOUR else OPEN)
        made.reason, made.words = meta["reason"], tuple(map(str, meta["words"]))
        if made.ready:
            made.threshold = 0.0
            made.tails = tuple(Tail(*map(float, one)) for one in meta["tails"])
            made._coef, made._intercept = arrays["coef"], arrays["intercept"]
            if DISTANCE[-1] in arrays:
                parts = [arrays[name] for name in DISTANCE]
                made.distance = Distance(*parts)
                if {one.shape[-1] for one in (*parts, made._coef)} != {len(parts[0])}:
                    raise ValueError("its distance does not fit")
            if not len(made.words) == len(made.tails) == len(made._coef) == len(made._intercept):
                raise ValueError("its words do not fit together")
        return made

    def _scores(self, X: np.ndarray) -> np.ndarray:
        """(M, K) of rows (M, D), as their tails have them."""
        plain = X @ self._coef.T + self._intercept
        return plain if self.distance is None else bent(plain / self.distance(X)[:, np.newaxis])

    def _odds(self, scores: np.ndarray) -> np.ndarray:
        each = [tail.odds(scores[:, word], self.per_hour) for word, tail in enumerate(self.tails)]
        return np.stack(each, axis=1)

    def _strange(self, odds: np.ndarray, best: Labels | None) -> np.ndarray:
        if best is None:
            return -odds.max(axis=1)
        strange = np.full(len(odds), -np.inf)
        for word, label in enumerate(self.words):
            own = np.asarray(best) == label
            strange[own] = -odds[own, word]
        return strange


def bent(cosines: np.ndarray) -> np.ndarray:
    """Cosines, or what is proportional to them, as their tail is nearest to an exponential one."""
    return np.asarray(np.copysign(np.abs(cosines) ** POWER, cosines))


def heard_too(
    taught: TaughtRows, teaches: np.ndarray, word: str, varied: tuple[TaughtRows, np.ndarray] | None
) -> tuple[TaughtRows, np.ndarray]:
    """What a word is told by, rows and weights: with its variations, where there are some that teach; else as given."""
    if varied is None:
        return taught, teaches
    more, vary = varied
    own, made = taught.y == word, more.y == word
    if not vary[made].any():
        return taught, teaches
    both = np.append((1 - VARIED) * teaches / teaches[own].sum(), VARIED * vary / vary[made].sum())
    return TaughtRows(taught.X, taught.y, taught.takes).plus(more), both


def against_world(
    world: World,
    listens: str,
    taught: TaughtRows,
    head: RidgeHead | None,
    views: int,
    typed: frozenset[int],
    more: Variations | None = None,
) -> AgainstWorld:
    """A fitted rejector of words; listens: `OPEN`, `CLOSED`, or "" for by how many words were taught.

    views: rows of each recording, which lie around the middle one; of words those teach that are next to it.
    typed: the takes that are typed. more: variations of them all.
    """
    words = len(set(taught.classes.tolist()) - NOT_WORDS)
    made = AgainstWorld(world, listens or (OPEN if words <= MAX_OPEN else CLOSED))
    varied = None
    if more is not None:
        rows = TaughtRows(more.X, more.y, more.takes)
        varied = rows, teaching(rows, views, typed)
    weights = teaching(taught, views, typed)
    return made.fit(taught.X, taught.y, taught.takes, head=head, weights=weights, varied=varied)


def teaching(of: TaughtRows, views: int, typed: frozenset[int]) -> np.ndarray:
    """How much each row (N,) teaches its class beside the others of it."""
    aside = np.abs(np.arange(len(of.y)) % views - views // 2)
    near = (aside <= NEAR) | np.isin(of.y, list(NOT_WORDS))
    return near * shared(of.y, rows_of(of.takes, typed), near)


def shared(labels: np.ndarray, typed: np.ndarray, teaching: np.ndarray) -> np.ndarray:
    """How much each row (N,) teaches its class: where it has both, `TYPED_SHARE` of it is typed, the rest recorded."""
    weights = np.ones(len(labels))
    for label in np.unique(labels[typed]):
        made, said = (teaching & (labels == label) & of for of in (typed, ~typed))
        if made.any() and said.any():
            weights[made], weights[said] = TYPED_SHARE / made.sum(), (1 - TYPED_SHARE) / said.sum()
    return weights


def rejector_from_state(meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Rejector:
    """The rejector, of either kind, that `state` was taken of."""
    return (AgainstWorld if "tails" in meta else Rejector).from_state(meta, arrays)
