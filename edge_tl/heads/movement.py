"""The head for movements: one ridge on what random convolutions find in a window and how near it is to demonstrations.

Both see what the other misses: with one demonstration the warped distance leads, with more the convolutions do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from edge_tl.core.folds import takes_together
from edge_tl.core.strangers import Strangers
from edge_tl.errors import ConfigError
from edge_tl.heads import loo
from edge_tl.heads.base import Head, Progress, TaughtRows, check_rows, need
from edge_tl.heads.held_signs import HeldSigns
from edge_tl.labels import ORDINARY
from edge_tl.movements.convolutions import BIASES, KERNELS, Convolutions
from edge_tl.movements.demonstration import repeats
from edge_tl.movements.held import are_signs
from edge_tl.movements.spotter import LENGTHS_S
from edge_tl.movements.warping import warped_distances
from edge_tl.movements.windows import MOMENTS, ROW, VALUES, Rows, rows_of
from edge_tl.nn.losses import softmax

PENALTY = 0.3
"""λ of the ridge; both halves of its features have mean squared length of about 1."""
WIDTH = 0.15
"""The width of the kernel, as a share of the median distance of the demonstrations."""
CONVOLVED = 1.0
"""What the convolutions weigh beside the kernel, as a mean squared length. Chosen with the two above among .1, .3, 1;
.1, .15, .3; .5, 1, 2, on half of the people and of the streams (NOTES.md)."""
ORDINARY_WEIGHT = 4.0
"""Of all that is `nothing`, where a class weighs 1."""
MAX_PROTOTYPES = 40
"""Windows that others are compared with, as many of each class: beyond, the cost of an answer does not grow."""
MIN_MOVED, MAX_MOVED = 0.5, 2.0
"""A movement is as large as those taught: so many times the smallest, and the largest, of its class."""
MIN_LASTED, MAX_LASTED = 0.6, 1.6
"""… and takes as long: a hand that is taken back slowly does not swipe."""
SHORTEST, LONGEST = 0.75, 1.4
"""Windows are asked from so many times the 10 % quantile of the demonstrations' lengths to so many times the 90 %."""
THRESHOLDS = np.linspace(0.3, 0.8, 26)
"""What a class must score to be told, from the least on. Demonstrations score about 1, all else about 0."""
MARGIN = 0.05
"""… and so much more: what is left out of one minute flatters. Chosen among 0, .05, .1, .15 on half of the streams."""
UNTAUGHT = 0.5
"""The same where `nothing` was not taught."""
MAX_ORDINARY = 800
"""Windows of `nothing` that are taught and judged: more are thinned out evenly."""
_FOLDS = 5


@dataclass(frozen=True)
class _Ridge:
    """A linear map of what the convolutions found, centred and scaled, beside a kernel of the warped distances."""

    centre: np.ndarray
    scale: float
    width: float
    coef: np.ndarray
    """float32 (1500 + P, K)."""

    def features(self, found: np.ndarray, apart: np.ndarray) -> np.ndarray:
        """float32 (n, 1500 + P) of convolutions (n, 1500) and distances to P prototypes (n, P)."""
        return np.concatenate(
            [(found - self.centre) * np.float32(self.scale), np.exp(-apart / np.float32(self.width))], axis=1
        )

    def scores(self, found: np.ndarray, apart: np.ndarray) -> np.ndarray:
        """(n, K) of the same."""
        return np.asarray(self.features(found, apart) @ self.coef)


class MovementHead(Head):
    """Least squares towards one indicator a class on random convolutions beside a kernel of warped distances.

    Rows are windows as they are kept (`movements.windows.kept`), (N, 673). `nothing` (`ORDINARY`) has no column of its
    own: it is taught as zero in all, and is the answer where no class scores `threshold_`, the least of `THRESHOLDS` at
    which what is left out of it is taken for a movement so often as is allowed. Rows of hands that are held
    (`movements.held`) are learned beside them, as `signs`, and never told from them: each row says which of both it is.
    """

    name = "movement"

    def __init__(self, penalty: float = PENALTY, *, false_alarms: int = 0, strangers: Strangers | None = None) -> None:
        """penalty: λ, > 0; false_alarms: so many stretches of the taught `nothing` may pass for a movement; strangers:
        as of `Rejector.fit`, of signs."""
        if not 0 < penalty < float("inf") or false_alarms < 0:
            raise ConfigError(f"penalty is {penalty}, false_alarms {false_alarms}; above 0, and 0 or more are wanted")
        self.penalty, self.false_alarms, self.strangers = penalty, false_alarms, strangers
        self.signs: HeldSigns | None = None
        """What was learned of hands that are held; None where there were none."""
        self.threshold_ = UNTAUGHT
        self.temperature_ = float("nan")
        self._convolutions: Convolutions | None = None
        self._prototypes = np.empty((0, MOMENTS, ROW), np.float32)
        self._ridge: _Ridge | None = None
        self._moved = self._lasted = np.empty((0, 2), np.float32)
        self.lengths_s: tuple[float, ...] = LENGTHS_S
        """How long the windows are that it should be asked, ascending: about as long as what was taught."""
        self._repeating = np.empty(0, bool)
        self._moving: tuple[str, ...] = ()

    @property
    def moving(self) -> tuple[str, ...]:
        """The classes of movements, `nothing` among them, sorted: all but those that hold only signs."""
        need(self._classes, self.name)
        return self._moving

    @property
    def reported(self) -> list[str]:
        """The K movements that are told, all but `nothing`, in the order of the columns of `scores`."""
        return [label for label in self.moving if label != ORDINARY]

    @property
    def repeating(self) -> np.ndarray:
        """bool (K,): which of them go to and fro in most demonstrations."""
        need(self._classes, self.name)
        return self._repeating

    def scores(self, X: np.ndarray) -> np.ndarray:
        """How much windows (M, 673) are of each class of `reported`, (M, K): about 1 for its movements, else 0."""
        return self._scored(rows_of(check_rows(X, VALUES)))

    def judged(self, X: np.ndarray) -> np.ndarray:
        """The scores (M, K), −∞ where `weighed` says that they may not be told."""
        scores, may = self.weighed(X)
        return np.where(may, scores, -np.inf)

    def weighed(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The scores (M, K), and bool (M, K): not where they are below the threshold, where the hand moved much more or
        less, or for much longer or shorter, than in all demonstrations of the class, and, of one that goes to and fro,
        where the hand does not."""
        rows = rows_of(check_rows(X, VALUES))
        scores = self._scored(rows)
        may = self._alike(rows) & (scores >= self.threshold_)
        if self._repeating.any():
            may &= ~self._repeating | repeats(rows)[:, np.newaxis]
        return scores, may

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (M, C) of rows (M, 673); each row sums to 1. A hand that is held is a sign, if any is known,
        and a window a movement."""
        X, classes = check_rows(X, VALUES), [str(label) for label in self.classes_]
        if self.signs is None:
            return softmax(self._with_ordinary(self.scores(X)) / self.temperature_)
        held = are_signs(X) if self._ridge is not None else np.ones(len(X), bool)
        found = np.zeros((len(X), len(classes)), np.float32)
        if held.any():
            signs = np.array([classes.index(one) for one in self.signs.classes])
            found[np.ix_(held, signs)] = self.signs.probabilities(X[held])
        if not held.all():
            moving = np.array([classes.index(one) for one in self._moving])
            scores = self._with_ordinary(self.scores(X[~held]))
            found[np.ix_(~held, moving)] = softmax(scores / self.temperature_)
        return found

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What `predict` needs."""
        meta: dict[str, Any] = {
            "name": self.name,
            "classes": self.classes_.tolist(),
            "moving": list(self._moving),
            "penalty": self.penalty,
            "temperature": self.temperature_,
            "threshold": self.threshold_,
            "false_alarms": self.false_alarms,
        }
        arrays: dict[str, np.ndarray] = {}
        if self.signs is not None:
            meta["signs"], own = self.signs.state()
            arrays = {f"signs.{name}": array for name, array in own.items()}
        if self._ridge is None:
            return meta, arrays
        convolutions, ridge = need(self._convolutions, self.name), self._ridge
        meta |= {"width": ridge.width, "scale": ridge.scale}
        return meta, arrays | {
            "biases": convolutions.biases,
            "scales": convolutions.scales,
            "prototypes": self._prototypes,
            "centre": ridge.centre,
            "coef": ridge.coef,
            "moved": self._moved,
            "lasted": self._lasted,
            "lengths": np.array(self.lengths_s, np.float32),
            "repeating": self._repeating,
        }

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """A head that predicts as the one that `state` was taken of; it holds no examples."""
        head = cls(float(meta["penalty"]), false_alarms=int(meta["false_alarms"]))
        head._classes = np.asarray(meta["classes"])
        # What was trained before there were signs beside movements does not say which is which.
        head._moving = tuple(meta.get("moving", meta["classes"]))
        head.temperature_, head.threshold_ = float(meta["temperature"]), float(meta["threshold"])
        if "signs" in meta:
            own = {name.removeprefix("signs."): array for name, array in arrays.items() if name.startswith("signs.")}
            head.signs = HeldSigns.from_state(meta["signs"], own)
        if "width" not in meta:
            return head
        head._convolutions = Convolutions(arrays["biases"], arrays["scales"])
        head._prototypes, head._moved, head._repeating = arrays["prototypes"], arrays["moved"], arrays["repeating"]
        head._lasted = arrays["lasted"]
        head.lengths_s = tuple(arrays["lengths"].astype(np.float64).round(3).tolist())
        ridge = _Ridge(arrays["centre"], float(meta["scale"]), float(meta["width"]), arrays["coef"])
        head._ridge, columns = ridge, (BIASES + 2) * KERNELS + len(head._prototypes)
        if ridge.coef.shape != (columns, len(head.reported)) or head._prototypes.shape[1:] != (MOMENTS, ROW):
            raise ValueError(f"its weights have shape {ridge.coef.shape}, or are of an earlier edge-tl")
        return head

    def _learn(self, taught: TaughtRows, progress: Progress | None = None) -> Self:
        held = are_signs(check_rows(taught.X, VALUES))
        signs = HeldSigns.fit(taught.only(held), self.strangers) if held.any() else None
        moving = taught.only(~held)
        taught.need_two_classes(self.name, other="")
        if signs is None or set(moving.classes) - {ORDINARY}:
            self._learn_movements(moving)  # of one alone beside signs: a part of a profile, left out to judge it
        else:
            self._ridge, self.lengths_s, self._repeating = None, LENGTHS_S, np.empty(0, bool)
        self._taught, self._classes, self._moving = taught, taught.classes, tuple(map(str, moving.classes))
        self.signs = signs
        return self

    def _learn_movements(self, taught: TaughtRows) -> None:
        """What windows show."""
        self._moving = tuple(map(str, taught.classes))
        self._classes = taught.classes
        seconds = taught.X[:, -1]
        self.lengths_s = asked_lengths(seconds[taught.y != ORDINARY])
        at = _thinned(taught.y, (seconds > self.lengths_s[0] - 0.01) & (seconds < self.lengths_s[-1] + 0.01))
        rows, y = rows_of(taught.X[at]), taught.y[at]
        takes = None if taught.takes is None else taught.takes[at]
        codes = np.searchsorted(taught.classes, y)
        wholes = [whole_windows(np.flatnonzero(y == label), takes) for label in self.reported]
        chosen = np.concatenate([spread(own, MAX_PROTOTYPES // len(wholes)) for own in wholes])
        self._convolutions, self._prototypes = Convolutions.fit(rows.moments), rows.moments[chosen]
        found, apart = self._convolutions(rows.moments), warped_distances(rows.moments, self._prototypes)

        # Everything but the ridge is the same whatever is left out, so that each part costs one solution.
        parts = takes_together(y, takes).index % _FOLDS
        judged = np.array([len(np.unique(parts[y == label])) > 1 for label in taught.classes])[codes]
        held_out = np.zeros((len(y), len(wholes)), np.float32)
        for part in np.unique(parts[judged]):
            out, columns = parts == part, parts[chosen] != part
            if not columns.any():
                continue
            count = sum(int((parts[own] != part).sum()) for own in wholes) / len(wholes)
            ridge = self._solved(
                found[~out], apart[np.ix_(~out, columns)], apart[chosen[columns]][:, columns], y[~out], count
            )
            held_out[out] = ridge.scores(found[out], apart[np.ix_(out, columns)])
        count = sum(map(len, wholes)) / len(wholes)
        self._ridge = self._solved(found, apart, apart[chosen], y, count)

        self._moved, self._lasted = (
            np.array([(of[own].min(), of[own].max()) for own in wholes], np.float32)
            for of in (rows.moved, rows.seconds)
        )
        self.threshold_ = self._least(held_out[(y == ORDINARY) & judged])
        repeating = repeats(rows)
        self._repeating = np.array([repeating[own].mean() > 0.5 for own in wholes])
        if len(taught.classes) == 1:
            self.temperature_ = 1.0
        elif judged.any():
            weights = 1 / np.bincount(codes)[codes]
            scores = self._with_ordinary(held_out)
            self.temperature_ = loo.fit_temperature(scores[judged], codes[judged], weights[judged])
        else:
            own = self._with_ordinary(self._ridge.scores(found, apart))
            self.temperature_ = loo.unchecked_temperature(own, codes)

    def _solved(self, found: np.ndarray, apart: np.ndarray, between: np.ndarray, y: np.ndarray, count: float) -> _Ridge:
        """The ridge on convolutions (n, 1500) and warped distances to P prototypes (n, P), of labels (n,).

        between: of the prototypes among themselves (P, P); count: demonstrations of a class on average, each of which
        weighs about 1 however often it is cut, so that λ means the same.
        """
        ordinary = y == ORDINARY
        others = ~np.eye(len(between), dtype=bool)
        width = 2 * WIDTH * float(np.median(between[others])) if others.any() else 1.0
        shown = found[~ordinary]
        centre = shown.mean(axis=0)
        scale = float(np.sqrt(CONVOLVED / max(float(((shown - centre) ** 2).sum(axis=1).mean()), 1e-6)))
        ridge = _Ridge(centre, scale, max(width, 1e-6), np.empty((0, 0), np.float32))
        codes = np.unique(y, return_inverse=True)[1].reshape(-1)
        weights = count / np.bincount(codes)[codes]
        weights[ordinary] *= ORDINARY_WEIGHT
        s = np.sqrt(weights)[:, np.newaxis].astype(np.float32)
        weighed = s * ridge.features(found, apart)
        gram = weighed @ weighed.T + np.float32(self.penalty) * np.eye(len(y), dtype=np.float32)
        dual = np.linalg.solve(gram, s * (y[:, np.newaxis] == np.array(self.reported)))
        return replace(ridge, coef=(weighed.T @ dual).astype(np.float32))

    def _least(self, scores: np.ndarray) -> float:
        """The least threshold at which so many stretches of `nothing`, scores (n, K), are over it as are allowed."""
        if not scores.size:
            return UNTAUGHT
        for threshold in THRESHOLDS:
            over = (scores >= threshold).any(axis=1).astype(np.int64)
            if (np.diff(over, prepend=0) == 1).sum() <= self.false_alarms:
                return float(threshold + MARGIN)
        return float(THRESHOLDS[-1])

    def _alike(self, rows: Rows) -> np.ndarray:
        """bool (M, K): whether rows are about as large, and about as long, as the demonstrations of each class."""
        moved, seconds = rows.moved[:, np.newaxis], rows.seconds[:, np.newaxis]
        large = (moved >= MIN_MOVED * self._moved[:, 0]) & (moved <= MAX_MOVED * self._moved[:, 1])
        # What is kept is rounded to half precision.
        long = (seconds > MIN_LASTED * self._lasted[:, 0] - 0.01) & (seconds < MAX_LASTED * self._lasted[:, 1] + 0.01)
        return np.asarray(large & long)

    def _scored(self, rows: Rows) -> np.ndarray:
        """The scores (M, K) of rows."""
        ridge, convolutions = need(self._ridge, self.name), need(self._convolutions, self.name)
        return ridge.scores(convolutions(rows.moments), warped_distances(rows.moments, self._prototypes))

    def _with_ordinary(self, scores: np.ndarray) -> np.ndarray:
        """Scores (M, C) in the order of `moving`, of those (M, K) of `reported`."""
        if ORDINARY not in self._moving:
            return scores
        return np.insert(scores, self._moving.index(ORDINARY), self.threshold_, axis=1)


def asked_lengths(seconds: np.ndarray) -> tuple[float, ...]:
    """Those of `LENGTHS_S` that are about as long as most demonstrations, given how long those are (n,)."""
    least, most = np.quantile(seconds, (0.1, 0.9)) * (SHORTEST, LONGEST)
    lengths = [one for one in LENGTHS_S if least <= one <= most]
    # One at least, however short or long what was taught is.
    return tuple(lengths) or (min(LENGTHS_S, key=lambda one: abs(one - float(np.median(seconds)))),)


def _thinned(y: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Positions, ascending, of all that is not `nothing` and of `MAX_ORDINARY` of that at most, evenly spread.

    asked: bool (n,): which are as long as windows that will be asked; the other ones of `nothing` are left out, unless
    all of it are.
    """
    ordinary = np.flatnonzero((y == ORDINARY) & asked)
    if not len(ordinary):
        ordinary = np.flatnonzero(y == ORDINARY)
    return np.sort(np.concatenate([np.flatnonzero(y != ORDINARY), spread(ordinary, MAX_ORDINARY)]))


def whole_windows(rows: np.ndarray, takes: np.ndarray | None) -> np.ndarray:
    """Of the rows of a class, ascending, the middle one of each take: the demonstration as it was, between its cuts."""
    if takes is None:
        return rows
    return np.array([own[len(own) // 2] for own in (rows[takes[rows] == take] for take in np.unique(takes[rows]))])


def spread(rows: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the rows (at least one), evenly spread over them."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(max(1, most), len(rows))).round().astype(np.int64))]
