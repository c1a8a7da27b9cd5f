"""The head for movements: one ridge on what random convolutions find in a window and how near it is to demonstrations.

Both see what the other misses: with one demonstration the warped distance leads, with more the convolutions do. It is
near in two ways: by all landmarks, which finds movements among all that a hand does, and by what fingers and palm do as
well, which names what was found.
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
from edge_tl.movements.windows import MOMENTS, PLAIN_ROW, ROW, VALUES, Rows, rows_of
from edge_tl.nn.losses import softmax

PENALTY = 0.3
"""λ of the ridge; each part of its features has a mean squared length of about 1."""
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
MARGIN = 0.07
"""… and so much more: what is left out of one minute flatters. Chosen among 0, .05, .07, .1, .15 on half of the
streams."""
UNTAUGHT = 0.5
"""The same where `nothing` was not taught."""
MAX_ORDINARY = 800
"""Windows of `nothing` that are taught and judged: more are thinned out evenly."""
_FOLDS = 5


@dataclass(frozen=True)
class _Ridge:
    """A linear map of what the convolutions found, centred and scaled, beside kernels of the warped distances."""

    centre: np.ndarray
    scale: float
    widths: np.ndarray
    """float32 (2,): of the kernels, by all landmarks and by fingers and palm."""
    finding: np.ndarray
    """float32 (1500 + P, K): without the second kernel."""
    naming: np.ndarray
    """float32 (1500 + 2 P, K)."""

    def features(self, found: np.ndarray, apart: np.ndarray) -> np.ndarray:
        """float32 (n, 1500 + k P) of convolutions (n, 1500) and k distances, 1 or 2, to P prototypes (n, k, P)."""
        near = np.exp(-apart / self.widths[: apart.shape[1], np.newaxis])
        return np.concatenate([(found - self.centre) * np.float32(self.scale), *near.transpose(1, 0, 2)], axis=1)

    def scores(self, found: np.ndarray, apart: np.ndarray) -> np.ndarray:
        """(n, K) of the same: to find movements by one distance, to name them by two."""
        return np.asarray(self.features(found, apart) @ (self.finding if apart.shape[1] == 1 else self.naming))


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
        self._named_least = UNTAUGHT
        self._convolutions: Convolutions | None = None
        self._prototypes = np.empty((0, MOMENTS, ROW), np.float32)
        self._plain_prototypes = np.empty((0, MOMENTS, PLAIN_ROW), np.float32)
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
        return self._scored(rows_of(check_rows(X, VALUES)), 1)

    def judged(self, X: np.ndarray) -> np.ndarray:
        """The scores (M, K), −∞ where `weighed` says that they may not be told."""
        scores, may = self.weighed(X)
        return np.where(may, scores, -np.inf)

    def weighed(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The scores (M, K), and bool (M, K): not where they are below the threshold, where the hand moved much more or
        less, or for much longer or shorter, than in all demonstrations of the class, and, of one that goes to and fro,
        where the hand does not. Of those that may be told only the one that it is named by both kernels may."""
        rows = rows_of(check_rows(X, VALUES))
        scores = self._scored(rows, 1)
        alike = self._alike(rows)
        if self._repeating.any():
            alike &= ~self._repeating | repeats(rows)[:, np.newaxis]
        may = alike & (scores >= self.threshold_)
        at = np.flatnonzero(may.any(axis=1))
        if len(at):
            highest = np.where(may[at], scores[at], -np.inf).max(axis=1)
            named = np.where(alike[at], self._scored(rows.only(at), 2), -np.inf).argmax(axis=1)
            may[at] = False
            may[at, named], scores[at, named] = True, highest
        return scores, may

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (M, C) of rows (M, 673); each row sums to 1. A hand that is held is a sign, if any is known,
        and a window a movement."""
        X, classes = check_rows(X, VALUES), [str(label) for label in self.classes_]
        if self.signs is None:
            return softmax(self._named(X) / self.temperature_)
        held = are_signs(X) if self._ridge is not None else np.ones(len(X), bool)
        found = np.zeros((len(X), len(classes)), np.float32)
        if held.any():
            signs = np.array([classes.index(one) for one in self.signs.classes])
            found[np.ix_(held, signs)] = self.signs.probabilities(X[held])
        if not held.all():
            moving = np.array([classes.index(one) for one in self._moving])
            found[np.ix_(~held, moving)] = softmax(self._named(X[~held]) / self.temperature_)
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
            "named_least": self._named_least,
            "false_alarms": self.false_alarms,
        }
        arrays: dict[str, np.ndarray] = {}
        if self.signs is not None:
            meta["signs"], own = self.signs.state()
            arrays = {f"signs.{name}": array for name, array in own.items()}
        if self._ridge is None:
            return meta, arrays
        convolutions, ridge = need(self._convolutions, self.name), self._ridge
        meta["scale"] = ridge.scale
        return meta, arrays | {
            "biases": convolutions.biases,
            "scales": convolutions.scales,
            "prototypes": self._prototypes,
            "plain_prototypes": self._plain_prototypes,
            "widths": ridge.widths,
            "centre": ridge.centre,
            "finding": ridge.finding,
            "naming": ridge.naming,
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
        if "scale" not in meta:
            return head
        if "naming" not in arrays:
            raise ValueError("its weights are of an earlier edge-tl")
        head._convolutions = Convolutions(arrays["biases"], arrays["scales"])
        head._prototypes, head._plain_prototypes = arrays["prototypes"], arrays["plain_prototypes"]
        head._moved, head._lasted, head._repeating = arrays["moved"], arrays["lasted"], arrays["repeating"]
        head.lengths_s = tuple(arrays["lengths"].astype(np.float64).round(3).tolist())
        head._named_least = float(meta["named_least"])
        head._ridge = _Ridge(
            arrays["centre"], float(meta["scale"]), arrays["widths"], arrays["finding"], arrays["naming"]
        )
        count, told, convolved = len(head._prototypes), len(head.reported), (BIASES + 2) * KERNELS
        shapes = [of.shape for of in (arrays["finding"], arrays["naming"], head._prototypes, head._plain_prototypes)]
        weights = [(convolved + kernels * count, told) for kernels in (1, 2)]
        if shapes != [*weights, (count, MOMENTS, ROW), (count, MOMENTS, PLAIN_ROW)]:
            raise ValueError(f"its weights have shapes {shapes[0]} and {shapes[1]}, or are of an earlier edge-tl")
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
        self._convolutions = Convolutions.fit(rows.moments)
        self._prototypes, self._plain_prototypes = rows.moments[chosen], rows.plain[chosen]
        found, apart = self._convolutions(rows.moments), self._apart(rows, 2)

        # Everything but the ridge is the same whatever is left out, so that each part costs one solution.
        parts = takes_together(y, takes).index % _FOLDS
        judged = np.array([len(np.unique(parts[y == label])) > 1 for label in taught.classes])[codes]
        held_out = np.zeros((2, len(y), len(wholes)), np.float32)  # found, and named
        for part in np.unique(parts[judged]):
            out, columns = parts == part, parts[chosen] != part
            if not columns.any():
                continue
            count = sum(int((parts[own] != part).sum()) for own in wholes) / len(wholes)
            asked = apart[:, :, columns]
            ridge = self._solved(found[~out], asked[~out], asked[chosen[columns]], y[~out], count)
            for kernels in (1, 2):
                held_out[kernels - 1, out] = ridge.scores(found[out], asked[out, :kernels])
        count = sum(map(len, wholes)) / len(wholes)
        self._ridge = self._solved(found, apart, apart[chosen], y, count)

        self._moved, self._lasted = (
            np.array([(of[own].min(), of[own].max()) for own in wholes], np.float32)
            for of in (rows.moved, rows.seconds)
        )
        self.threshold_, self._named_least = (self._least(of[(y == ORDINARY) & judged]) for of in held_out)
        repeating = repeats(rows)
        self._repeating = np.array([repeating[own].mean() > 0.5 for own in wholes])
        if len(taught.classes) == 1:
            self.temperature_ = 1.0
        elif judged.any():
            weights = 1 / np.bincount(codes)[codes]
            scores = self._with_ordinary(held_out[1])
            self.temperature_ = loo.fit_temperature(scores[judged], codes[judged], weights[judged])
        else:
            own = self._with_ordinary(self._ridge.scores(found, apart))
            self.temperature_ = loo.unchecked_temperature(own, codes)

    def _solved(self, found: np.ndarray, apart: np.ndarray, between: np.ndarray, y: np.ndarray, count: float) -> _Ridge:
        """The ridge on convolutions (n, 1500) and warped distances to P prototypes (n, 2, P), of labels (n,).

        between: of the prototypes among themselves (P, 2, P); count: demonstrations of a class on average, each of
        which weighs about 1 however often it is cut, so that λ means the same.
        """
        ordinary = y == ORDINARY
        others = ~np.eye(len(between), dtype=bool)
        widths = np.ones(2, np.float32)
        if others.any():
            widths = np.maximum(2 * WIDTH * np.median(between.transpose(0, 2, 1)[others], axis=0), 1e-6)
        shown = found[~ordinary]
        centre = shown.mean(axis=0)
        scale = float(np.sqrt(CONVOLVED / max(float(((shown - centre) ** 2).sum(axis=1).mean()), 1e-6)))
        ridge = _Ridge(centre, scale, widths.astype(np.float32), *2 * [np.empty((0, 0), np.float32)])
        codes = np.unique(y, return_inverse=True)[1].reshape(-1)
        weights = count / np.bincount(codes)[codes]
        weights[ordinary] *= ORDINARY_WEIGHT
        s = np.sqrt(weights)[:, np.newaxis].astype(np.float32)
        weighed = s * ridge.features(found, apart)
        towards = s * (y[:, np.newaxis] == np.array(self.reported))

        def solved(weighed: np.ndarray) -> np.ndarray:
            gram = weighed @ weighed.T + np.float32(self.penalty) * np.eye(len(y), dtype=np.float32)
            return np.asarray(weighed.T @ np.linalg.solve(gram, towards), np.float32)

        return replace(ridge, finding=solved(weighed[:, : weighed.shape[1] - len(between)]), naming=solved(weighed))

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

    def _scored(self, rows: Rows, kernels: int) -> np.ndarray:
        """The scores (M, K) of rows: 1 kernel finds, 2 name."""
        ridge, convolutions = need(self._ridge, self.name), need(self._convolutions, self.name)
        return ridge.scores(convolutions(rows.moments), self._apart(rows, kernels))

    def _apart(self, rows: Rows, kernels: int) -> np.ndarray:
        """How far rows are from the P prototypes, by all landmarks, then by fingers: float32 (M, 1 | 2, P)."""
        apart = [warped_distances(rows.plain, self._plain_prototypes)]
        if kernels > 1:
            apart.append(warped_distances(rows.moments, self._prototypes))
        return np.stack(apart, axis=1)

    def _named(self, X: np.ndarray) -> np.ndarray:
        """Scores (M, C) of windows (M, 673) in the order of `moving`, by both kernels."""
        return self._with_ordinary(self._scored(rows_of(check_rows(X, VALUES)), 2))

    def _with_ordinary(self, scores: np.ndarray) -> np.ndarray:
        """Scores (M, C) in the order of `moving`, of those (M, K) of `reported`."""
        if ORDINARY not in self._moving:
            return scores
        return np.insert(scores, self._moving.index(ORDINARY), self._named_least, axis=1)


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
