"""The ridge head against scikit-learn and against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.linear_model import Ridge, RidgeCV

from edge_tl.errors import ConfigError
from edge_tl.heads import loo
from edge_tl.heads.factored import inverse_lower
from edge_tl.heads.ridge import RidgeHead
from edge_tl.heads.ridge_sums import FEW, LAMBDAS

pytestmark = pytest.mark.exact


def clusters(
    n: int = 30, columns: int = 50, classes: int = 3, seed: int = 0, noise: float = 1.5
) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping clusters: float64 rows (n·classes, columns) and labels a, b, c …, in mixed order."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(classes, columns))
    codes = rng.permutation(np.repeat(np.arange(classes), n))
    return centres[codes] + noise * rng.normal(size=(n * classes, columns)), np.array(list("abcdefgh"))[codes]


def indicators(y: np.ndarray) -> np.ndarray:
    """One column a class, in sorted order, 1 where the label is that class."""
    return (y[:, None] == np.unique(y)[None, :]).astype(np.float64)


def balanced(y: np.ndarray) -> np.ndarray:
    """Weights with which every class weighs the same and all sum to N."""
    _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    return len(y) / (len(counts) * counts[codes])


def refit(X: np.ndarray, y: np.ndarray, lambda_: float, out: np.ndarray) -> np.ndarray:
    """What scikit-learn's Ridge says of the rows `out` after learning from all others."""
    keep = np.setdiff1d(np.arange(len(y)), out)
    model = Ridge(alpha=lambda_, solver="cholesky").fit(X[keep], indicators(y)[keep], sample_weight=balanced(y)[keep])
    return model.predict(X[out])


@pytest.mark.parametrize("columns", [20, 200], ids=["more rows than columns", "more columns than rows"])
@pytest.mark.parametrize("lose", [0, 25], ids=["equal classes", "unequal classes"])
def test_weights_equal_those_of_scikit_learn(columns: int, lose: int) -> None:
    """Weights, intercept and scores are those of Ridge on class indicators with the same λ and class weights."""
    X, y = clusters(columns=columns)
    keep = np.delete(np.arange(len(y)), np.flatnonzero(y == "b")[:lose])
    X, y = X[keep], y[keep]
    head = RidgeHead().fit(X, y)
    reference = Ridge(alpha=head.lambda_, solver="cholesky").fit(X, indicators(y), sample_weight=balanced(y))
    np.testing.assert_allclose(head.coef_, reference.coef_, atol=1e-9)
    np.testing.assert_allclose(head.intercept_, reference.intercept_, atol=1e-9)
    np.testing.assert_allclose(head.scores(X), reference.predict(X), atol=1e-9)


def test_without_balance_it_is_the_plain_ridge() -> None:
    """`balance=False` gives every example the weight 1."""
    X, y = clusters()
    X, y = X[20:], y[20:]
    head = RidgeHead(balance=False).fit(X, y)
    reference = Ridge(alpha=head.lambda_, solver="cholesky").fit(X, indicators(y))
    np.testing.assert_allclose(head.coef_, reference.coef_, atol=1e-9)


def test_lambda_is_the_one_that_scikit_learn_chooses() -> None:
    """The λ with the least leave-one-out error is the choice of RidgeCV among the same candidates."""
    X, y = clusters(n=20, noise=3)
    head = RidgeHead().fit(X, y)
    centred = X - X.mean(axis=0)
    candidates = np.asarray(head.lambdas) * np.trace(centred @ centred.T) / len(y)
    reference = RidgeCV(alphas=candidates, scoring=None).fit(X, indicators(y))
    assert head.lambda_ == pytest.approx(reference.alpha_, rel=1e-9)
    assert candidates[0] < head.lambda_ < candidates[-1]


@pytest.mark.parametrize("columns", [20, 200])
def test_leave_one_out_equals_real_refits(columns: int) -> None:
    """Every left-out probability is that of a fit on all others with the same λ, weights and temperature."""
    X, y = clusters(n=10, columns=columns)
    X, y = X[:-4], y[:-4]
    head = RidgeHead().fit(X, y)
    scores = np.concatenate([refit(X, y, head.lambda_, np.array([i])) for i in range(len(y))])
    np.testing.assert_allclose(head.loo_proba_, loo.softmax(scores / head.temperature_), atol=1e-6)
    assert head.loo_accuracy_ == np.mean(np.unique(y)[scores.argmax(axis=1)] == y)


def test_leave_one_take_out_equals_real_refits() -> None:
    """With takes, whole takes are left out: each probability is that of a real fit without the take."""
    X, y = clusters(n=20, columns=80)
    takes = np.arange(len(y)) % 7
    head = RidgeHead().fit(X, y, takes)
    scores = np.empty((len(y), 3))
    for take in range(7):
        scores[takes == take] = refit(X, y, head.lambda_, np.flatnonzero(takes == take))
    np.testing.assert_allclose(head.loo_proba_, loo.softmax(scores / head.temperature_), atol=1e-6)
    assert head.loo_method_ == "leave-one-take-out"


def test_long_takes_are_solved_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few blocks fit in memory at once, the left-out scores are the same."""
    X, y = clusters(n=20, columns=80)
    takes = np.arange(len(y)) % 3
    wanted = RidgeHead().fit(X, y, takes).loo_proba_
    monkeypatch.setattr("edge_tl.heads.loo.BLOCK_VALUES", 900)
    np.testing.assert_allclose(RidgeHead().fit(X, y, takes).loo_proba_, wanted, atol=1e-12)


def test_single_precision_agrees_with_double() -> None:
    """float32 rows, as in use, give the same left-out scores as float64 to 1e-4, and weights in float32."""
    X, y = clusters(columns=300)
    double, single = RidgeHead().fit(X, y), RidgeHead().fit(X.astype(np.float32), y)
    assert single.coef_.dtype == np.float32
    np.testing.assert_allclose(single.loo_proba_, double.loo_proba_, atol=1e-4)
    np.testing.assert_allclose(single.scores(X[:5]), double.scores(X[:5]), atol=1e-4)


def test_many_rows_take_the_other_way_to_the_same_place() -> None:
    """The Cholesky way of large sets gives the weights and left-out scores of the eigenvector way for its λ."""
    X, y = clusters(n=60, columns=300, noise=4)
    takes = np.arange(len(y)) % 12
    large = RidgeHead(exact_rows=90).fit(X, y, takes)
    small = RidgeHead([1.0]).fit(X, y, takes)
    small = RidgeHead([large.lambda_ / small.lambda_]).fit(X, y, takes)
    assert small.lambda_ == pytest.approx(large.lambda_)
    np.testing.assert_allclose(large.coef_, small.coef_, atol=1e-8)
    np.testing.assert_allclose(large.loo_proba_, small.loo_proba_, atol=1e-6)


def test_the_triangular_inverse_is_exact() -> None:
    """A lower triangular matrix times its inverse by halves is the identity."""
    rng = np.random.default_rng(1)
    C = np.tril(rng.normal(size=(301, 301))) + 20 * np.eye(301)
    np.testing.assert_allclose(inverse_lower(C) @ C, np.eye(301), atol=1e-12)


def test_the_temperature_is_the_likeliest() -> None:
    """Newton's temperature is the one that a bounded scalar minimiser of SciPy finds."""
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 3, 80)
    scores = 0.5 * np.eye(3)[codes] + 0.4 * rng.normal(size=(80, 3))
    weights = rng.uniform(0.5, 2, 80)
    slack = 1 / 82
    targets = np.where(np.eye(3)[codes] == 1, 1 - slack, slack / 2)

    def cost(log_beta: float) -> float:
        return float(-weights @ (targets * np.log(loo.softmax(scores * np.exp(log_beta)))).sum(axis=1))

    reference = minimize_scalar(cost, bounds=(-2, 6), method="bounded", options={"xatol": 1e-9})
    assert loo.fit_temperature(scores, codes, weights) == pytest.approx(np.exp(-reference.x), rel=1e-4)


def test_probabilities_are_calibrated() -> None:
    """On rows it never saw, the mean confidence of the winner is near the share of right answers."""
    X, y = clusters(n=400, columns=40, noise=4)
    head = RidgeHead().fit(X[:240], y[:240])
    proba = head.predict_proba(X[240:])
    assert 0.5 < head.score(X[240:], y[240:]) < 0.95
    assert proba.max(axis=1).mean() == pytest.approx(head.score(X[240:], y[240:]), abs=0.05)
    assert head.loo_accuracy_ == pytest.approx(head.score(X[240:], y[240:]), abs=0.05)


def test_a_wrong_label_is_the_first_suspect() -> None:
    """An example with another class's label is found, with what it looks like, from the left-out probabilities."""
    X, y = clusters(noise=0.5)
    y = y.copy()
    mistake = int(np.flatnonzero(y == "a")[4])
    y[mistake] = "c"
    first = RidgeHead().fit(X, y).suspects()[0]
    assert (first.index, first.label, first.likely) == (mistake, "c", "a")
    assert first.margin > 0.5


def test_one_example_a_class_is_enough_to_predict() -> None:
    """Two examples of two classes make a head that tells them apart, and that says that it cannot judge itself."""
    head = RidgeHead().fit(np.eye(2, dtype=np.float32), ["yes", "no"])
    assert head.predict(np.eye(2, dtype=np.float32)).tolist() == ["yes", "no"]
    assert np.isnan(head.loo_accuracy_)
    np.testing.assert_allclose(head.predict_proba(np.eye(2)).sum(axis=1), 1)


def test_rows_that_say_nothing_give_equal_probabilities() -> None:
    """Equal rows under two labels leave both equally likely."""
    proba = RidgeHead().fit(np.ones((6, 4), np.float32), list("aabbbb")).predict_proba(np.ones((1, 4), np.float32))
    np.testing.assert_allclose(proba, 0.5, atol=1e-6)


def test_candidates_for_lambda_must_be_positive() -> None:
    """No candidate, or one of zero and below, is one clear line."""
    for lambdas in ([], [0.0, 1.0], [-1.0]):
        with pytest.raises(ConfigError, match="above 0"):
            RidgeHead(lambdas)


def few(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """So many rows (4·count, 60) of each of four classes that differ in a few large directions, and small noise."""
    rng = np.random.default_rng(seed)
    codes = np.tile(np.arange(4), count)
    X = np.repeat(rng.normal(size=(1, 60)), len(codes), axis=0)
    X[:, :4] += 3 * np.eye(4)[codes]
    return X + 0.5 * rng.normal(size=X.shape), np.array(list("abcd"))[codes]


def unit_of(X: np.ndarray) -> float:
    """The unit of λ for rows (N, D) of classes of one size: the mean eigenvalue."""
    return float(((X - X.mean(axis=0)) ** 2).sum() / len(X))


def test_with_one_example_a_class_the_prior_is_the_choice() -> None:
    """Where nothing can be left out λ is the candidate next to the prior; without one, the middle candidate."""
    X, y = few(1)
    for prior, wanted in ((None, 10**-1.5), (1.0, 1.0), (0.9, 1.0), (1e9, 10.0)):
        assert RidgeHead(prior=prior).fit(X, y).lambda_ == pytest.approx(wanted * unit_of(X), rel=1e-6)
    assert RidgeHead([0.1, 2, 30]).fit(X, y).lambda_ == pytest.approx(2 * unit_of(X), rel=1e-6)
    for prior in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(ConfigError, match="wanted a number above 0"):
            RidgeHead(prior=prior)


def test_the_prior_fades() -> None:
    """λ wanders from the prior to the choice of what is left out, without a jump, and is there with FEW examples."""
    off = []
    for count in (1, 2, 3, 5, 10, FEW - 1, FEW):
        X, y = few(count)
        chosen = RidgeHead(LAMBDAS).fit(X, y).lambda_  # given candidates alone: what is left out chooses
        off.append([np.log10(RidgeHead(prior=10).fit(X, y).lambda_ / of) for of in (10 * unit_of(X), chosen)])
    from_prior, from_choice = np.abs(off).T
    assert from_prior[0] == pytest.approx(0, abs=1e-6)
    assert from_choice[-1] == 0
    assert np.all(np.diff(from_prior) >= -1e-6)
    assert np.diff(from_prior).max() <= 1


def test_with_enough_examples_the_prior_changes_nothing() -> None:
    """From FEW examples of the smallest class on every array is bit for bit that of a head without a prior."""
    X, y = clusters(n=FEW, columns=80)
    takes = np.arange(len(y)) % 7
    some, other = (RidgeHead(prior=prior).fit(X, y, takes) for prior in (1e-4, 10))
    assert some.lambda_ == other.lambda_ == RidgeHead(LAMBDAS).fit(X, y, takes).lambda_
    np.testing.assert_array_equal(some.coef_, other.coef_)
    np.testing.assert_array_equal(some.loo_proba_, other.loo_proba_)


def test_a_temperature_that_nothing_checked() -> None:
    """With one example a class what was taught is told with .85 of six classes, whatever λ makes of the scores."""
    X, y = np.eye(6, 9), np.array(list("abcdef"))
    for prior in (1e-3, 1.0):
        np.testing.assert_allclose(RidgeHead(prior=prior).fit(X, y).predict_proba(X).max(axis=1), 0.849, atol=1e-3)
    assert loo.unchecked_temperature(np.zeros((6, 6)), np.arange(6)) == 0.002


def test_of_many_rows_a_part_chooses_the_penalty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond `LONG_ROWS` the head is that of the λ it chose, and what is left out is exact under that λ."""
    X, y = clusters(n=60, columns=20)
    takes = np.arange(len(y)) % 12
    monkeypatch.setattr("edge_tl.heads.ridge.LONG_ROWS", 50)
    many = RidgeHead(exact_rows=40).fit(X, y, takes)
    monkeypatch.undo()
    same = RidgeHead([many.lambda_ / unit_of(X)]).fit(X, y, takes)
    assert many.lambda_ == pytest.approx(same.lambda_, rel=1e-6)
    np.testing.assert_allclose(many.coef_, same.coef_, atol=1e-4)
    np.testing.assert_allclose(many.loo_scores_, same.loo_scores_, atol=1e-4)
