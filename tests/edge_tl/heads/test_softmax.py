"""Softmax regression and its minimiser against scikit-learn and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der
from sklearn.linear_model import LogisticRegression

from edge_tl.errors import ConfigError
from edge_tl.heads import lbfgs
from edge_tl.heads.softmax import SoftmaxHead

pytestmark = pytest.mark.exact


def clusters(
    n: int = 40, columns: int = 25, classes: int = 3, noise: float = 2.0, lose: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping clusters of which the first has `lose` examples fewer: float64 rows and labels."""
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(classes), n)[lose:]
    X = rng.normal(size=(classes, columns))[codes] + noise * rng.normal(size=(len(codes), columns))
    return X, np.array(list("abcdef"))[codes]


def cost(X: np.ndarray, y: np.ndarray, C: float, coef: np.ndarray, intercept: np.ndarray) -> float:
    """C·Σ cross-entropy + ½|W|², written the long way."""
    scores = X @ coef.T + intercept
    entropy = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(y)), np.searchsorted(np.unique(y), y)]
    return float(C * entropy.sum() + 0.5 * (coef**2).sum())


@pytest.mark.parametrize("columns", [25, 300], ids=["more rows than columns", "more columns than rows"])
@pytest.mark.parametrize("C", [0.01, 1.0, 30.0])
def test_weights_equal_those_of_scikit_learn(columns: int, C: float) -> None:
    """Coefficients, intercepts, probabilities and loss are those of LogisticRegression with the same C."""
    X, y = clusters(columns=columns)
    head = SoftmaxHead(C, tolerance=1e-9, iterations=5000).fit(X, y)
    reference = LogisticRegression(C=C, tol=1e-10, max_iter=20000).fit(X, y)
    np.testing.assert_allclose(head.coef_, reference.coef_, atol=1e-3)
    np.testing.assert_allclose(head.intercept_, reference.intercept_, atol=1e-3)
    np.testing.assert_allclose(head.predict_proba(X), reference.predict_proba(X), atol=1e-4)
    found = cost(X, y, C, head.coef_, head.intercept_)
    assert found == pytest.approx(cost(X, y, C, reference.coef_, reference.intercept_), rel=1e-6)


def test_unequal_classes_weigh_the_same() -> None:
    """With balance the weights are those of class_weight="balanced", without it those of plain examples."""
    X, y = clusters(lose=30)
    for balance, weight in ((True, "balanced"), (False, None)):
        head = SoftmaxHead(1.0, balance, tolerance=1e-9, iterations=5000).fit(X, y)
        reference = LogisticRegression(C=1.0, class_weight=weight, tol=1e-10, max_iter=20000).fit(X, y)
        np.testing.assert_allclose(head.coef_, reference.coef_, atol=1e-3)


def test_two_classes_are_the_binary_case_with_half_the_weight() -> None:
    """For two classes the probabilities are those of scikit-learn's sigmoid with half the C."""
    X, y = clusters(classes=2)
    head = SoftmaxHead(0.5, tolerance=1e-9, iterations=5000).fit(X, y)
    reference = LogisticRegression(C=1.0, tol=1e-10, max_iter=20000).fit(X, y)
    np.testing.assert_allclose(head.predict_proba(X), reference.predict_proba(X), atol=1e-4)
    np.testing.assert_allclose(head.coef_[1] - head.coef_[0], reference.coef_[0], atol=1e-3)


def test_the_default_stops_near_the_end() -> None:
    """With the default tolerance, on float32 rows of unit length, the loss is within 1 % of the true minimum's."""
    X, y = clusters(columns=300, noise=1)
    X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
    quick, exact = SoftmaxHead().fit(X, y), SoftmaxHead(tolerance=1e-9, iterations=5000).fit(X, y)
    assert quick.coef_.dtype == np.float32
    found, least = (cost(X, y, quick.C, head.coef_, head.intercept_) for head in (quick, exact))
    assert least <= found * (1 + 1e-6)
    assert found < 1.01 * least
    np.testing.assert_allclose(quick.predict_proba(X), exact.predict_proba(X), atol=0.02)


def test_progress_shows_the_curve_and_can_stop() -> None:
    """Every iteration is shown as it is kept in `curve_`; True stops there and leaves a head that works."""
    X, y = clusters()
    seen: list[tuple[int, float, float]] = []

    def watch(iteration: int, loss: float, accuracy: float) -> bool:
        seen.append((iteration, loss, accuracy))
        return iteration == 4

    head = SoftmaxHead(1.0).fit(X, y, progress=watch)
    assert seen == head.curve_
    assert [point[0] for point in seen] == [1, 2, 3, 4]
    assert seen[0][1] > seen[-1][1] > 0
    assert seen[-1][2] == pytest.approx(head.score(X, y), abs=0.02)
    assert len(SoftmaxHead(1.0).fit(X, y).curve_) > 4


def test_the_minimiser_finds_what_scipy_finds() -> None:
    """L-BFGS reaches the minimum of a badly scaled quadratic and of Rosenbrock's valley, as SciPy's does."""
    rng = np.random.default_rng(0)
    A = rng.normal(size=(30, 30))
    A = A @ A.T + np.diag(np.logspace(-2, 3, 30))
    b = rng.normal(size=30)
    came = lbfgs.minimize(lambda x: (0.5 * x @ A @ x - b @ x, A @ x - b), np.zeros(30), tolerance=1e-9, iterations=2000)
    np.testing.assert_allclose(came, np.linalg.solve(A, b), atol=1e-7)
    start = np.array([-1.2, 1.0, -0.5, 0.8])
    came = lbfgs.minimize(lambda x: (float(rosen(x)), rosen_der(x)), start, tolerance=1e-9, iterations=500)
    reference = minimize(rosen, start, jac=rosen_der, method="L-BFGS-B", options={"gtol": 1e-9, "ftol": 1e-15})
    np.testing.assert_allclose(came, reference.x, atol=1e-5)


def test_a_penalty_must_be_positive() -> None:
    """C of zero, below, infinite or NaN is one clear line."""
    for C in (0, -1, float("inf"), float("nan")):
        with pytest.raises(ConfigError, match="above 0"):
            SoftmaxHead(C)
