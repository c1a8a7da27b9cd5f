"""Ridge regression on class indicators: the default head, trained and judged in milliseconds."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from edge_tl.core.folds import Folds, whole_takes
from edge_tl.core.metrics import Suspect, suspects
from edge_tl.errors import ConfigError
from edge_tl.heads import loo
from edge_tl.heads.base import LinearHead, Progress, Taught
from edge_tl.nn.losses import softmax

LAMBDAS = np.logspace(-4, 1, 21)
"""Where λ is searched, in units of the mean eigenvalue of the centred Gram matrix."""
FEW = 20
"""From so many examples of the smallest class on only what was left out chooses λ; below, the prior has a say."""
PULL = 10.0
"""How much of a say, with one example: in squared decades of λ off the prior, as a logarithm of likelihood. Chosen with
FEW among 3, 5, 10, 20, 30 and 10, 20, all, on half of the people (NOTES.md)."""
EXACT_ROWS = 1500
"""Above this many rows and columns λ is chosen on a part of the rows, and one factorisation serves the rest."""


class RidgeHead(LinearHead):
    """Least squares with an L2 penalty towards one indicator a class; λ and the temperature by leaving takes out.

    With few examples a class what is left out says little of λ, and with one nothing: there a prior is weighed in,
    which has faded out at `FEW`.
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
        if n <= columns or columns > self.exact_rows:  # one λ: a Cholesky factor is cheaper than a decomposition
            held_out = loo.factorised(taught.X, taught.gram, s, Y, self.lambda_, groups)[1]
        else:
            held_out = loo.left_out(loo.spectrum(taught.X, None, s), Y, np.array([self.lambda_]), groups)[0]
        return softmax(held_out / self.temperature_)

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

    def _learn(self, taught: Taught, progress: Progress | None = None) -> Self:
        taught.need_two_classes(self.name)
        classes, codes = taught.classes, taught.codes()
        counts = np.bincount(codes)
        Y, weights = self._targets(taught)
        folds = whole_takes(taught.y, taught.takes)
        lambda_, dual, held_out = self._solve(taught, Y, np.sqrt(weights), folds)
        # A class with one example vanishes when that is left out: it can teach neither λ's nor T's choice.
        judged = counts[codes] > 1
        some = judged.any()
        dtype = taught.X.dtype
        coef = dual.T.astype(dtype) @ taught.X
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

    def _targets(self, taught: Taught) -> tuple[np.ndarray, np.ndarray]:
        """The indicators (N, C) of the classes and the weights (N,) of the examples."""
        codes, count = taught.codes(), len(taught.classes)
        weights = len(codes) / (count * np.bincount(codes)[codes]) if self.balance else np.ones(len(codes))
        return np.eye(count)[codes], weights

    def _solve(
        self, taught: Taught, Y: np.ndarray, s: np.ndarray, folds: Folds
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """λ, the dual weights (N, C) and the held-out scores (N, C)."""
        groups = folds.groups()
        if min(taught.X.shape) > self.exact_rows:
            part = np.sort(np.concatenate(spread(groups, self.exact_rows)))
            place = {int(row): i for i, row in enumerate(part)}
            inner = [np.array([place[int(row)] for row in group if int(row) in place]) for group in groups]
            gram = None if taught.gram is None else taught.gram[np.ix_(part, part)]
            of = loo.spectrum(taught.X[part], gram, s[part])
            lambda_, _ = self._choose(of, Y[part], [group for group in inner if len(group)])
            return lambda_, *loo.factorised(taught.X, taught.gram, s, Y, lambda_, groups)
        of = loo.spectrum(taught.X, taught.gram, s)
        lambda_, held_out = self._choose(of, Y, groups)
        return lambda_, loo.dual_weights(of, Y, lambda_), held_out

    def _choose(self, of: loo.Spectrum, Y: np.ndarray, groups: list[np.ndarray]) -> tuple[float, np.ndarray]:
        """The λ with the least squared error on the examples left out, and their scores (N, C) under it.

        With few examples the likeliest, of normal errors of unknown size and a prior that is normal in log λ.
        """
        lambdas = self.lambdas * of.scale
        held_out = loo.left_out(of, Y, lambdas, groups)
        judged = (Y.sum(axis=0) > 1)[Y.argmax(axis=1)]
        errors = ((Y - held_out) ** 2).sum(axis=2) @ (of.s**2 * judged)
        few = 1 - (Y.sum(axis=0).min() - 1) / (FEW - 1)
        if few > 0 and self.prior is not None:
            decades_off = np.log10(self.lambdas / self.prior)
            known = judged.sum() * np.log(np.maximum(errors, np.finfo(np.float64).tiny))
            errors = known + PULL * min(few, 1.0) * decades_off**2
        elif not judged.any():
            return float(lambdas[len(lambdas) // 2]), held_out[len(lambdas) // 2]
        best = int(errors.argmin())
        return float(lambdas[best]), held_out[best]


def same(some: list[np.ndarray], others: list[np.ndarray]) -> bool:
    """Whether two lists hold equal arrays in the same order."""
    return len(some) == len(others) and all(map(np.array_equal, some, others))


def spread(groups: list[np.ndarray], rows: int) -> list[np.ndarray]:
    """Whole groups, evenly spread over all of them, of about this many rows in all; two at least."""
    total = sum(map(len, groups))
    wanted = max(2, len(groups) * rows // total)
    return [groups[i] for i in np.unique(np.linspace(0, len(groups) - 1, wanted).round().astype(int))]
