"""Ridge regression on class indicators: the default head, trained and judged in milliseconds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np

from edge_tl.core.folds import Folds, whole_takes
from edge_tl.core.metrics import Suspect, suspects
from edge_tl.errors import ConfigError
from edge_tl.heads import loo
from edge_tl.heads.base import LinearHead, Percent, Progress, TaughtRows
from edge_tl.heads.factored import RidgeSolution, no_beat, parts_of, side_of
from edge_tl.heads.ridge_sums import LAMBDAS, likeliest
from edge_tl.nn.losses import softmax

EXACT_ROWS = 1500
"""Above this many rows and columns λ is chosen on a part of the rows, and one factorisation serves the rest."""
LONG_ROWS = 6000
"""Above this many rows λ is chosen on a part of them though all can be decomposed: for each λ all are left out once."""
MAX_VALUES = 16_000_000
"""So it is above this many values too: a decomposition holds the rows in float64, 128 MB, and their like besides."""


class RidgeHead(LinearHead):
    """Least squares with an L2 penalty towards one indicator a class; λ and the temperature by leaving takes out.

    With few examples a class what is left out says little of λ, and with one nothing: there a prior is weighed in,
    which has faded out at `ridge_sums.FEW`.
    Scores are X·W + b, near 1 for the class and near 0 for the others; probabilities are softmax(scores / temperature).
    Unequal classes weigh the same.
    After `fit`: `lambda_`; `temperature_`; `loo_proba_` (N, C), the probabilities of each example by a fit without
    its take (without takes: without itself), with the λ and temperature of the whole; `loo_scores_` (N, C), the scores
    behind them; `loo_accuracy_`, over the classes with two examples or more (NaN where there is none); `loo_method_`,
    in words.
    """

    name = "ridge"

    def __init__(
        self,
        lambdas: np.ndarray | list[float] | None = None,
        balance: bool = True,
        *,
        exact_rows: int = EXACT_ROWS,
        prior: float | None = None,
    ) -> None:
        """lambdas: candidates, in units of the mean eigenvalue, > 0; balance: give every class the same weight;
        exact_rows: above this many rows and columns λ is chosen on about so many; prior: where λ is expected, in the
        same units, > 0; None for the middle of the head's own candidates, which suits pictures as an image embedder
        sees them, and of given `lambdas` for no expectation."""
        self.lambdas = LAMBDAS if lambdas is None else np.asarray(lambdas, np.float64).reshape(-1)
        if not len(self.lambdas) or not (self.lambdas > 0).all():
            raise ConfigError(f"lambdas are {lambdas}; wanted one or more numbers above 0")
        if prior is not None and not 0 < prior < float("inf"):
            raise ConfigError(f"prior is {prior}; wanted a number above 0")
        self.prior = self.lambdas[len(LAMBDAS) // 2] if prior is None and lambdas is None else prior
        self.balance, self.exact_rows = balance, exact_rows
        self.lambda_ = self.temperature_ = self.loo_accuracy_ = float("nan")
        self.loo_scores_ = self.loo_proba_ = np.empty((0, 0))
        self.loo_method_ = ""
        self._solved: RidgeSolution | None = None  # of many rows, what others are left out with

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Calibrated probabilities (M, C) of rows (M, D); each row sums to 1."""
        return softmax(self.scores(X) / self.temperature_)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Labels (M,) of rows (M, D)."""
        return self.classes_[self.scores(X).argmax(axis=1)]

    def suspects(self, limit: int = 10) -> list[Suspect]:
        """The examples most likely mislabelled, judged by `loo_proba_`, the worst first."""
        taught = self._examples
        return suspects(taught.y, self.loo_proba_, self.classes_, limit)

    def held_out_proba(self, groups: list[np.ndarray]) -> np.ndarray:
        """Probabilities (N, C) of each example by a fit without its group, with the λ and temperature of the whole.

        groups: positions of the examples left out together, each example in exactly one group. Exact, by the block
        formula (`heads/loo.py`), and without another search for λ.
        """
        taught = self._examples
        if same(groups, whole_takes(taught.y, taught.takes).groups()):
            return self.loo_proba_.copy()
        Y, weights = self._targets(taught)
        s, (n, columns) = np.sqrt(weights), taught.X.shape
        if self._solved is not None:
            held_out = self._solved.left_out(groups)
        elif n <= columns or self._many(taught):  # one λ: a Cholesky factor is cheaper than a decomposition
            held_out = side_of(taught.X, taught.gram, s).solved(Y, self.lambda_).left_out(groups)
        else:
            held_out = loo.left_out(loo.spectrum(taught.X, None, s), Y, np.array([self.lambda_]), groups)[0]
        return softmax(held_out / self.temperature_)

    def retaken(self, takes: np.ndarray) -> RidgeHead:
        """A head like this one, fitted on the same examples with other takes (N,).

        Of many rows it keeps λ, for which takes matter little, and shares what was multiplied.
        """
        taught = replace(self._examples, takes=takes)
        head = RidgeHead(self.lambdas, self.balance, exact_rows=self.exact_rows, prior=self.prior)
        if self._solved is None:
            return head._learn(taught)
        head._solved = self._solved
        folds = whole_takes(taught.y, taught.takes)
        return head._conclude(taught, folds, self.lambda_, self._coef, self._solved.left_out(folds.groups()))

    def knows(self, X: np.ndarray, y: np.ndarray, takes: np.ndarray) -> bool:
        """Whether it was fitted on just these many rows (N, D), labels and takes (N,), and can leave any of them out
        quickly."""
        of = self._taught
        if self._solved is None or of is None or of.takes is None:
            return False
        return np.array_equal(of.takes, takes) and np.array_equal(of.y, y) and np.array_equal(of.X, X)

    def release(self) -> None:
        """As of `Head`: forget what others are left out with."""
        self._solved = None

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What `predict` needs: a JSON-able dict and arrays."""
        meta = {
            "name": self.name,
            "classes": self.classes_.tolist(),
            "lambda": self.lambda_,
            "temperature": self.temperature_,
            "loo_accuracy": None if np.isnan(self.loo_accuracy_) else self.loo_accuracy_,
            "balance": self.balance,
        }
        return meta, {"coef": self._coef, "intercept": self._intercept}

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """A head that predicts as the one that `state` was taken of; it holds no examples."""
        head = cls(balance=meta["balance"])
        head._classes = np.asarray(meta["classes"])
        head._coef, head._intercept = arrays["coef"], arrays["intercept"]
        head.lambda_, head.temperature_ = float(meta["lambda"]), float(meta["temperature"])
        head.loo_accuracy_ = float("nan") if meta["loo_accuracy"] is None else meta["loo_accuracy"]
        return head

    def _learn(self, taught: TaughtRows, progress: Progress | None = None) -> Self:
        taught.need_two_classes(self.name)
        folds = whole_takes(taught.y, taught.takes)
        Y, weights = self._targets(taught)
        if self._many(taught):
            lambda_ = self._chosen_on_a_part(taught, Y, weights)
            self.release()  # first of all, so that two are never kept
            beat = Percent(progress, parts_of(taught.X)) if progress else no_beat
            self._solved = side_of(taught.X, taught.gram, np.sqrt(weights)).solved(Y, lambda_, beat)
            coef = self._solved.coef().astype(taught.X.dtype)
            return self._conclude(taught, folds, lambda_, coef, self._solved.left_out(folds.groups()))
        self.release()
        of = loo.spectrum(taught.X, taught.gram, np.sqrt(weights))
        if len(Y) > LONG_ROWS:
            lambda_ = self._chosen_on_a_part(taught, Y, weights)
            held_out = loo.left_out(of, Y, np.array([lambda_]), folds.groups())[0]
        else:
            lambda_, held_out = self._choose(of, Y, folds.groups())
        coef = loo.dual_weights(of, Y, lambda_).T.astype(taught.X.dtype) @ taught.X
        return self._conclude(taught, folds, lambda_, coef, held_out)

    def _conclude(
        self, taught: TaughtRows, folds: Folds, lambda_: float, coef: np.ndarray, held_out: np.ndarray
    ) -> Self:
        """Keep what was learned: λ, weights (C, D) and held-out scores (N, C); the rest follows."""
        classes, codes = taught.classes, taught.codes()
        Y, weights = self._targets(taught)
        # A class with one example vanishes when that is left out: it can teach neither λ's nor T's choice.
        judged = np.bincount(codes)[codes] > 1
        some = judged.any()
        dtype = taught.X.dtype
        mean_row_scores = ((weights / weights.sum()).astype(dtype) @ taught.X) @ coef.T
        self._coef = coef
        self._intercept = (weights @ Y / weights.sum() - mean_row_scores).astype(dtype)
        self._taught, self._classes = taught, classes
        if some:
            temperature = loo.fit_temperature(held_out[judged], codes[judged], weights[judged])
        else:
            temperature = loo.unchecked_temperature(self.scores(taught.X), codes)
        self.lambda_, self.temperature_ = lambda_, temperature
        self.loo_scores_, self.loo_proba_ = held_out, softmax(held_out / temperature)
        right = held_out.argmax(axis=1) == codes
        self.loo_accuracy_ = float(right[judged].mean()) if some else float("nan")
        self.loo_method_ = folds.method
        return self

    def _many(self, taught: TaughtRows) -> bool:
        """Whether the examples are too many to be decomposed."""
        return many(taught.X, self.exact_rows)

    def _targets(self, taught: TaughtRows) -> tuple[np.ndarray, np.ndarray]:
        """The indicators (N, C) of the classes and the weights (N,) of the examples."""
        codes, count = taught.codes(), len(taught.classes)
        weights = len(codes) / (count * np.bincount(codes)[codes]) if self.balance else np.ones(len(codes))
        return np.eye(count)[codes], weights

    def _chosen_on_a_part(self, taught: TaughtRows, Y: np.ndarray, weights: np.ndarray) -> float:
        """λ as it is chosen on some examples of every take."""
        part = taught.part(self.exact_rows)
        some = taught.only(part)
        of = loo.spectrum(some.X, some.gram, np.sqrt(weights[part]))
        return self._choose(of, Y[part], whole_takes(some.y, some.takes).groups())[0]

    def _choose(self, of: loo.Spectrum, Y: np.ndarray, groups: list[np.ndarray]) -> tuple[float, np.ndarray]:
        """The λ that `likeliest` takes by the squared errors of the examples left out, and their scores (N, C)."""
        lambdas = self.lambdas * of.scale
        held_out = loo.left_out(of, Y, lambdas, groups)
        judged = (Y.sum(axis=0) > 1)[Y.argmax(axis=1)]
        errors = ((Y - held_out) ** 2).sum(axis=2) @ (of.s**2 * judged)
        best = likeliest(errors, self.lambdas, self.prior, int(judged.sum()), int(Y.sum(axis=0).min()))
        return float(lambdas[best]), held_out[best]


def many(X: np.ndarray, exact_rows: int = EXACT_ROWS) -> bool:
    """Whether a decomposition of rows X (N, D) would take too long, or too much memory."""
    return min(X.shape) > exact_rows or X.size > MAX_VALUES


def same(some: list[np.ndarray], others: list[np.ndarray]) -> bool:
    """Whether two lists hold equal arrays in the same order."""
    return len(some) == len(others) and all(map(np.array_equal, some, others))
