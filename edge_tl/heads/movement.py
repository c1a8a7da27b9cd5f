"""The head for movements: one ridge on what random convolutions find in a window and how near it is to demonstrations.

Both see what the other misses: with one demonstration the warped distance leads, with more the convolutions do.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from edge_tl.core.folds import takes_together
from edge_tl.errors import ConfigError
from edge_tl.heads import loo
from edge_tl.heads.base import Head, Progress, Taught, check_rows, need
from edge_tl.labels import ORDINARY
from edge_tl.movements.convolutions import BIASES, KERNELS, Convolutions
from edge_tl.movements.demonstration import repeats
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
MOST_PROTOTYPES = 40
"""Windows that others are compared with, as many of each class: beyond, the cost of an answer does not grow."""
LEAST_MOVED, MOST_MOVED = 0.5, 2.0
"""A movement is as large as those taught: so many times the smallest, and the largest, of its class."""
THRESHOLDS = np.linspace(0.3, 0.8, 26)
"""What a class must score to be told, from the least on. Demonstrations score about 1, all else about 0."""
UNTAUGHT = 0.5
"""The same where `nothing` was not taught."""
MOST_ORDINARY = 800
"""Windows of `nothing` that are taught: more are thinned out evenly, and judged all the same."""
_FOLDS = 5


class MovementHead(Head):
    """Least squares towards one indicator a class on random convolutions beside a kernel of warped distances.

    Rows are windows as they are kept (`movements.windows.kept`), (N, 672). `nothing` (`ORDINARY`) has no column of its
    own: it is taught as zero in all, and is the answer where no class scores `threshold_`, the least of `THRESHOLDS` at
    which what is left out of it is taken for a movement so often as is allowed.
    """

    name = "movement"

    def __init__(self, penalty: float = PENALTY, *, false_alarms: int = 0) -> None:
        """penalty: λ, > 0; false_alarms: so many stretches of the taught `nothing` may pass for a movement."""
        if not 0 < penalty < float("inf") or false_alarms < 0:
            raise ConfigError(f"penalty is {penalty}, false_alarms {false_alarms}; above 0, and 0 or more are wanted")
        self.penalty, self.false_alarms = penalty, false_alarms
        self.threshold_ = UNTAUGHT
        self.temperature_ = float("nan")
        self._convolutions: Convolutions | None = None
        self._prototypes = np.empty((0, MOMENTS, ROW), np.float32)
        self._width = 1.0
        self._centre = np.empty(0, np.float32)
        self._scale = 1.0
        self._coef = np.empty((0, 0), np.float32)
        self._moved = np.empty((0, 2), np.float32)
        self._repeating = np.empty(0, bool)

    @property
    def told(self) -> list[str]:
        """The K classes that are told, all but `nothing`, in the order of the columns of `scores`."""
        return [str(label) for label in self.classes_ if label != ORDINARY]

    @property
    def repeating(self) -> np.ndarray:
        """bool (K,): which of them go to and fro in most demonstrations."""
        need(self._classes, self.name)
        return self._repeating

    def scores(self, X: np.ndarray) -> np.ndarray:
        """How much windows (M, 672) are of each class of `told`, (M, K): about 1 for its movements and 0 for others."""
        need(self._classes, self.name)
        return self._features(rows_of(check_rows(X, VALUES))) @ self._coef

    def judged(self, X: np.ndarray) -> np.ndarray:
        """The scores (M, K), −∞ where they are below the threshold, where the hand moved much more or less than in all
        demonstrations of the class, and, of one that goes to and fro, where the hand does not."""
        need(self._classes, self.name)
        rows = rows_of(check_rows(X, VALUES))
        scores, moved = self._features(rows) @ self._coef, rows.moved[:, np.newaxis]
        large = (moved >= LEAST_MOVED * self._moved[:, 0]) & (moved <= MOST_MOVED * self._moved[:, 1])
        may = large & (scores >= self.threshold_)
        if self._repeating.any():
            may &= ~self._repeating | repeats(rows)[:, np.newaxis]
        return np.where(may, scores, -np.inf)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (M, C) of windows (M, 672); each row sums to 1."""
        return softmax(self._with_ordinary(self.scores(X)) / self.temperature_)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What `predict` needs."""
        meta = {
            "name": self.name,
            "classes": self.classes_.tolist(),
            "penalty": self.penalty,
            "temperature": self.temperature_,
            "width": self._width,
            "scale": self._scale,
            "threshold": self.threshold_,
            "false_alarms": self.false_alarms,
        }
        convolutions = need(self._convolutions, self.name)
        return meta, {
            "biases": convolutions.biases,
            "scales": convolutions.scales,
            "prototypes": self._prototypes,
            "centre": self._centre,
            "coef": self._coef,
            "moved": self._moved,
            "repeating": self._repeating,
        }

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """A head that predicts as the one that `state` was taken of; it holds no examples."""
        head = cls(float(meta["penalty"]), false_alarms=int(meta["false_alarms"]))
        head._classes = np.asarray(meta["classes"])
        head.temperature_, head._width = float(meta["temperature"]), float(meta["width"])
        head._scale, head.threshold_ = float(meta["scale"]), float(meta["threshold"])
        head._convolutions = Convolutions(arrays["biases"], arrays["scales"])
        head._prototypes, head._centre = arrays["prototypes"], arrays["centre"]
        head._coef, head._moved, head._repeating = arrays["coef"], arrays["moved"], arrays["repeating"]
        columns = (BIASES + 2) * KERNELS + len(head._prototypes)
        if head._coef.shape != (columns, len(head.told)) or head._prototypes.shape[1:] != (MOMENTS, ROW):
            raise ValueError(f"its weights have shape {head._coef.shape}")
        return head

    def _learn(self, taught: Taught, progress: Progress | None = None) -> Self:
        taught.need_two_classes(self.name)
        rows, codes = rows_of(check_rows(taught.X, VALUES)), taught.codes()
        if (taught.y == ORDINARY).sum() > MOST_ORDINARY:
            few = np.sort(
                np.append(
                    np.flatnonzero(taught.y != ORDINARY), spread(np.flatnonzero(taught.y == ORDINARY), MOST_ORDINARY)
                )
            )
        else:
            few = np.arange(len(codes))
        takes = None if taught.takes is None else taught.takes
        parts = takes_together(taught.y, takes).index % _FOLDS
        held_out = np.zeros((len(codes), len(taught.classes)))
        judged = np.array([len(np.unique(parts[taught.y == label])) > 1 for label in taught.classes])[codes]
        for part in np.unique(parts[judged]):
            out, keep = parts == part, few[parts[few] != part]
            other = MovementHead(self.penalty)
            other._fit(
                Rows(rows.moments[keep], rows.moved[keep]), taught.y[keep], None if takes is None else takes[keep]
            )
            scores = other._features(Rows(rows.moments[out], rows.moved[out])) @ other._coef
            columns = np.searchsorted(taught.classes, other.told)
            held_out[np.ix_(out, columns)] = scores
        self._fit(Rows(rows.moments[few], rows.moved[few]), taught.y[few], None if takes is None else takes[few])
        self._taught = taught
        told = np.searchsorted(taught.classes, self.told)
        ordinary = taught.y == ORDINARY
        self.threshold_ = self._least(held_out[np.ix_(ordinary & judged, told)])
        weights = 1 / np.bincount(codes)[codes]
        if judged.any():
            scores = self._with_ordinary(held_out[:, told])
            self.temperature_ = loo.fit_temperature(scores[judged], codes[judged], weights[judged])
        else:
            own = self._with_ordinary(self._features(rows) @ self._coef)
            self.temperature_ = loo.unchecked_temperature(own, codes)
        return self

    def _least(self, scores: np.ndarray) -> float:
        """The least threshold at which so many stretches of `nothing`, scores (n, K), are over it as are allowed."""
        if not scores.size:
            return UNTAUGHT
        for threshold in THRESHOLDS:
            over = (scores >= threshold).any(axis=1).astype(np.int64)
            if (np.diff(over, prepend=0) == 1).sum() <= self.false_alarms:
                return float(threshold)
        return float(THRESHOLDS[-1])

    def _fit(self, rows: Rows, y: np.ndarray, takes: np.ndarray | None) -> None:
        """Learn from rows with labels (N,) str."""
        self._classes, codes = np.unique(y, return_inverse=True)
        told, ordinary, codes = self.told, y == ORDINARY, codes.reshape(-1)
        wholes = {str(label): whole_windows(np.flatnonzero(y == label), takes) for label in told}
        self._prototypes = rows.moments[
            np.concatenate([spread(own, MOST_PROTOTYPES // len(told)) for own in wholes.values()])
        ]
        apart = warped_distances(self._prototypes, self._prototypes)
        others = ~np.eye(len(apart), dtype=bool)
        self._width = 2 * WIDTH * float(np.median(apart[others])) if others.any() else 1.0
        self._convolutions = Convolutions.fit(rows.moments)
        found = self._convolutions(rows.moments[~ordinary])
        self._centre = found.mean(axis=0)
        self._scale = float(np.sqrt(CONVOLVED / max(float(((found - self._centre) ** 2).sum(axis=1).mean()), 1e-6)))
        # So that λ means the same however often a demonstration is cut: each weighs about 1.
        weights = sum(map(len, wholes.values())) / len(told) / np.bincount(codes)[codes]
        weights[ordinary] *= ORDINARY_WEIGHT
        s = np.sqrt(weights)[:, np.newaxis].astype(np.float32)
        weighed = s * self._features(rows)
        gram = weighed @ weighed.T + np.float32(self.penalty) * np.eye(len(y), dtype=np.float32)
        self._coef = (weighed.T @ np.linalg.solve(gram, s * (y[:, np.newaxis] == np.array(told)))).astype(np.float32)
        repeating = repeats(rows)
        sizes = [rows.moved[own] for own in wholes.values()]
        self._repeating = np.array([repeating[own].mean() > 0.5 for own in wholes.values()])
        self._moved = np.array([(of.min(), of.max()) for of in sizes], np.float32)

    def _features(self, rows: Rows) -> np.ndarray:
        """What the ridge sees of rows, float32 (N, 1500 + prototypes)."""
        convolutions = need(self._convolutions, self.name)
        found = (convolutions(rows.moments) - self._centre) * np.float32(self._scale)
        near = np.exp(-warped_distances(rows.moments, self._prototypes) / np.float32(self._width))
        return np.concatenate([found, near], axis=1)

    def _with_ordinary(self, scores: np.ndarray) -> np.ndarray:
        """Scores (M, C) in the order of `classes_`, of those (M, K) of `told`."""
        ordinary = self.classes_ == ORDINARY
        if not ordinary.any():
            return scores
        return np.insert(scores, int(ordinary.argmax()), self.threshold_, axis=1)


def whole_windows(rows: np.ndarray, takes: np.ndarray | None) -> np.ndarray:
    """Of the rows of a class, ascending, the middle one of each take: the demonstration as it was, between its cuts."""
    if takes is None:
        return rows
    return np.array([own[len(own) // 2] for own in (rows[takes[rows] == take] for take in np.unique(takes[rows]))])


def spread(rows: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the rows (at least one), evenly spread over them."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(max(1, most), len(rows))).round().astype(np.int64))]
