"""Every head as a classifier of scikit-learn: for `clone`, `cross_val_score`, `Pipeline`, `GridSearchCV` and the rest.

    from edge_tl.heads.estimators import SoftmaxEstimator

    GridSearchCV(SoftmaxEstimator(), {"C": [10, 1000]}).fit(X, y).best_estimator_.head_

Parameters and results bear scikit-learn's names:

    here                             of a head
    alphas, exact_rows               ridge: lambdas, exact_rows
    C, tol, max_iter                 softmax: C, tolerance, iterations
    class_weight "balanced" or None  ridge, softmax: balance True or False
    hidden_layer_sizes (one size), max_iter, learning_rate_init, random_state, batch_fraction, fast
                                     mlp: units, epochs, rate, seed, batch_fraction, fast
    n_neighbors, ties                knn: k, ties
    sharpness                        prototype: sharpness
    fit(X, y, groups)                fit(X, y, takes): whole numbers there, labels of any kind here
    classes_, predict                in the labels' own dtype here, text there

`head_` is the fitted head itself, with text labels, `partial_fit`, `remove_class` and `state`. Of scikit-learn's own
checks (`sklearn.utils.estimator_checks`) those that cannot pass are listed in tests/edge_tl/heads/test_estimators.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from edge_tl.errors import ConfigError, MissingDependency, to_install
from edge_tl.heads import Head
from edge_tl.heads.knn import KNNHead
from edge_tl.heads.mlp import MLPHead
from edge_tl.heads.prototype import PrototypeHead
from edge_tl.heads.ridge import EXACT_ROWS, RidgeHead
from edge_tl.heads.softmax import SoftmaxHead
from edge_tl.labels import label_texts

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d, validate_data
except ImportError as error:
    raise MissingDependency(
        "heads as estimators need scikit-learn 1.6 or newer: " + to_install("scikit-learn>=1.6")
    ) from error

ROWS = (np.float32, np.float64)
"""The dtypes that heads take as they are."""


class HeadEstimator(ClassifierMixin, BaseEstimator):
    """What the estimators share; after `fit`: `head_`, `classes_` (C,) sorted, in the dtype of y, `n_features_in_`."""

    head_: Any

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Learn from X (N, D), labels y (N,) and the take of each example, groups (N,) of any kind, or None.

        ValueError, in the words of scikit-learn or of the head, for what does not fit together.
        """
        X, y = validate_data(self, X, y, dtype=ROWS)
        check_classification_targets(y)
        takes = None
        if groups is not None:
            check_consistent_length(X, groups)
            takes = np.unique(column_or_1d(groups), return_inverse=True)[1]
        self.head_ = self._head().fit(X, y, takes)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Labels (M,) of rows (M, D), in the dtype of those that were taught."""
        X = self._rows(X)
        said = np.searchsorted(self.head_.classes_, self.head_.predict(X))
        return np.asarray(self.classes_[self._by_text()[said]])

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities (M, C) of rows (M, D), columns in the order of `classes_`."""
        X = self._rows(X)
        return self.head_.predict_proba(X)[:, np.argsort(self._by_text())]

    def _rows(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, dtype=ROWS, reset=False))

    def _by_text(self) -> np.ndarray:
        """int64 (C,): which of `classes_` each class of the head is, that sorts them by their text: 10 before 9."""
        return np.argsort(label_texts(self.classes_))

    def _head(self) -> Head:
        """A new head of these parameters; ConfigError for one out of range."""
        raise NotImplementedError


class RidgeEstimator(HeadEstimator):
    """The ridge head (`edge_tl.heads.ridge`)."""

    def __init__(self, alphas: Any = None, class_weight: str | None = "balanced", exact_rows: int = EXACT_ROWS) -> None:
        """alphas: the λ to choose from, None for the head's own; the rest as in the table above."""
        self.alphas = alphas
        self.class_weight = class_weight
        self.exact_rows = exact_rows

    def _head(self) -> Head:
        return RidgeHead(self.alphas, balanced(self.class_weight), exact_rows=self.exact_rows)


class SoftmaxEstimator(HeadEstimator):
    """Softmax regression (`edge_tl.heads.softmax`)."""

    def __init__(
        self, C: float = 1000.0, class_weight: str | None = "balanced", tol: float = 1e-5, max_iter: int = 300
    ) -> None:
        """As in the table above."""
        self.C = C
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter

    def _head(self) -> Head:
        return SoftmaxHead(self.C, balanced(self.class_weight), self.tol, self.max_iter)

    @property
    def n_iter_(self) -> int:
        """How many iterations it took."""
        return len(self.head_.curve_)


class MLPEstimator(HeadEstimator):
    """The head of one hidden layer (`edge_tl.heads.mlp`)."""

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] = (100,),
        max_iter: int = 20,
        batch_fraction: float = 0.4,
        learning_rate_init: float | None = None,
        fast: bool = True,
        random_state: Any = 0,
    ) -> None:
        """random_state: the head's seed, or None or a RandomState to draw one; the rest as in the table above."""
        self.hidden_layer_sizes = hidden_layer_sizes
        self.max_iter = max_iter
        self.batch_fraction = batch_fraction
        self.learning_rate_init = learning_rate_init
        self.fast = fast
        self.random_state = random_state

    def _head(self) -> Head:
        sizes = np.atleast_1d(self.hidden_layer_sizes)
        if sizes.shape != (1,):
            raise ConfigError(f"hidden_layer_sizes is {self.hidden_layer_sizes}; wanted the size of one layer")
        seed = self.random_state
        if not isinstance(seed, (int, np.integer)):
            seed = check_random_state(seed).randint(2**31)
        return MLPHead(int(sizes[0]), self.max_iter, self.batch_fraction, self.learning_rate_init, self.fast, int(seed))

    @property
    def n_iter_(self) -> int:
        """How many epochs it took."""
        return len(self.head_.curve_)


class KNNEstimator(HeadEstimator):
    """k nearest neighbours (`edge_tl.heads.knn`)."""

    def __init__(self, n_neighbors: int = 3, ties: str = "example") -> None:
        """As in the table above."""
        self.n_neighbors = n_neighbors
        self.ties = ties

    def _head(self) -> Head:
        return KNNHead(self.n_neighbors, self.ties)


class PrototypeEstimator(HeadEstimator):
    """The mean of each class (`edge_tl.heads.prototype`)."""

    def __init__(self, sharpness: float = 80.0) -> None:
        """As in the table above."""
        self.sharpness = sharpness

    def _head(self) -> Head:
        return PrototypeHead(self.sharpness)


ESTIMATORS: dict[str, type[HeadEstimator]] = {
    "ridge": RidgeEstimator,
    "softmax": SoftmaxEstimator,
    "mlp": MLPEstimator,
    "knn": KNNEstimator,
    "prototype": PrototypeEstimator,
}
"""The estimators by the names of `HEADS`."""


def balanced(class_weight: str | None) -> bool:
    """Whether classes weigh the same; ConfigError for any weight but "balanced" and None."""
    if class_weight is not None and class_weight != "balanced":
        raise ConfigError(f"class_weight is {class_weight!r}; wanted 'balanced' or None")
    return class_weight is not None
