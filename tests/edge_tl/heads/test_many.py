"""Many rows: the smaller side, blocks of the hat matrix and thinned takes give what the exact way gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.heads import loo
from edge_tl.heads.base import TaughtRows
from edge_tl.heads.factored import DualSide, PrimalSide, inverse_root, parts_of, side_of
from edge_tl.heads.knn import KNNHead
from edge_tl.heads.rejection import Rejector
from edge_tl.heads.ridge import RidgeHead
from edge_tl.judge.validation import quickly_asked

pytestmark = pytest.mark.exact


def taught(
    n: int, columns: int, seed: int, classes: int = 3, takes: int = 9, dtype: type = np.float32
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of unit length of classes of unequal sizes, labels and takes, of which some are much longer than others."""
    rng = np.random.default_rng(seed)
    codes = np.minimum(rng.geometric(0.5, n) - 1, classes - 1)
    codes[:classes] = np.arange(classes)
    takes_of = np.minimum(rng.geometric(0.3, n) - 1, takes - 1)
    places = rng.normal(size=(classes, columns)) + 0.5 * rng.normal(size=(takes, classes, columns))
    X = places[takes_of, codes] + rng.normal(size=(n, columns))
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(dtype), np.array(list("abcdefgh"))[codes], takes_of


@given(st.integers(6, 90), st.integers(2, 60), st.integers(1, 20), st.floats(-3, 1), st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_both_sides_equal_the_decomposition(n: int, columns: int, takes: int, decade: float, seed: int) -> None:
    """For random rows, takes and class weights both sides give the decomposition's weights and left-out scores."""
    X, y, groups = taught(n, columns, seed, takes=takes, dtype=np.float64)
    Y, weights = RidgeHead()._targets(TaughtRows(X, y))
    s = np.sqrt(weights)
    left = [np.flatnonzero(groups == take) for take in np.unique(groups)]
    of = loo.spectrum(X, None, s)
    wanted = loo.left_out(of, Y, np.array([10**decade]), left)[0]
    coef = loo.dual_weights(of, Y, 10**decade).T @ X
    for side in (PrimalSide(X, s), DualSide(X, None, s)):
        found = side.solved(Y, 10**decade)
        np.testing.assert_allclose(found.coef(), coef, atol=1e-7)
        if len(left) > 1:
            np.testing.assert_allclose(found.left_out(left), wanted, atol=1e-6)


def test_single_precision_is_enough() -> None:
    """float32 rows, of which only sums over all are float64, give the scores of float64 to 1e-4."""
    X, y, takes = taught(1200, 300, 3, takes=40)
    groups = [np.flatnonzero(takes == take) for take in np.unique(takes)]
    Y, weights = RidgeHead()._targets(TaughtRows(X, y))
    single = PrimalSide(X, np.sqrt(weights)).solved(Y, 0.02)
    double = PrimalSide(X.astype(np.float64), np.sqrt(weights)).solved(Y, 0.02)
    assert single.coef().shape == (3, 300)
    np.testing.assert_allclose(single.left_out(groups), double.left_out(groups), atol=1e-4)


def test_long_groups_are_left_out_on_the_other_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group of more rows than directions gives the same scores by the formula that never makes its block."""
    X, y, takes = taught(200, 12, 5, takes=3, dtype=np.float64)
    groups = [np.flatnonzero(takes == take) for take in np.unique(takes)]
    Y, weights = RidgeHead()._targets(TaughtRows(X, y))
    of = loo.spectrum(X, None, np.sqrt(weights))
    lambdas = np.array([0.01, 1.0])
    wanted = loo.left_out(of, Y, lambdas, groups)
    monkeypatch.setattr("edge_tl.heads.loo.LONG", 5)
    np.testing.assert_allclose(loo.left_out(of, Y, lambdas, groups), wanted, atol=1e-9)


@pytest.mark.parametrize(("n", "columns"), [(260, 60), (120, 200)], ids=["columns", "rows"])
def test_a_head_of_many_rows_is_the_exact_one(n: int, columns: int) -> None:
    """For the λ that it chose, weights and all that is left out are those of the decomposition, also later."""
    X, y, takes = taught(n, columns, 7, takes=16, dtype=np.float64)
    large = RidgeHead(exact_rows=50).fit(X, y, takes)
    unit = RidgeHead([1.0]).fit(X, y, takes).lambda_
    exact = RidgeHead([large.lambda_ / unit], exact_rows=5000).fit(X, y, takes)
    np.testing.assert_allclose(large.coef_, exact.coef_, atol=1e-7)
    np.testing.assert_allclose(large.intercept_, exact.intercept_, atol=1e-7)
    np.testing.assert_allclose(large.loo_scores_, exact.loo_scores_, atol=1e-6)
    halves = [np.arange(0, n, 2), np.arange(1, n, 2)]
    wanted = exact.held_out_proba(halves)
    assert large.temperature_ == pytest.approx(exact.temperature_, rel=1e-5)
    assert large.knows(X, y, takes)
    assert not large.knows(X, y, takes[::-1])
    np.testing.assert_allclose(large.held_out_proba(halves), wanted, atol=1e-5)
    large.release()
    assert not large.knows(X, y, takes)
    np.testing.assert_allclose(large.held_out_proba(halves), wanted, atol=1e-5)


def test_other_takes_of_the_same_rows_cost_no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """`retaken` judges by other takes with what was multiplied already, and the same λ; a small head is fitted anew."""
    X, y, takes = taught(260, 60, 7, takes=16, dtype=np.float64)
    other = np.arange(260) % 5
    small = RidgeHead().fit(X, y, takes).retaken(other)
    np.testing.assert_array_equal(small.loo_scores_, RidgeHead().fit(X, y, other).loo_scores_)
    large = RidgeHead(exact_rows=50).fit(X, y, takes)
    monkeypatch.setattr("edge_tl.heads.ridge.side_of", None)  # nothing may be multiplied again
    again = large.retaken(other)
    assert again.lambda_ == large.lambda_
    wanted = large.held_out_proba([np.arange(i, 260, 5) for i in range(5)])
    np.testing.assert_allclose(loo.softmax(again.loo_scores_ / large.temperature_), wanted, atol=1e-12)


def test_progress_is_told_of_one_step() -> None:
    """Where a training takes seconds it says how many hundredths are done, in order, and NaN for a loss."""
    X, y, takes = taught(3000, 20, 7)
    told: list[tuple[int, float]] = []
    head = RidgeHead(exact_rows=10)
    head.fit(X, y, takes, progress=lambda done, loss, _: told.append((done, loss)))
    assert len(told) == parts_of(X)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[0][0] > 0
    assert told[-1][0] == 99
    assert np.isnan([loss for _, loss in told]).all()


def test_the_inverse_of_a_root_is_exact() -> None:
    """C⁻¹·A·C⁻ᵀ is the identity, and C⁻¹ is lower triangular, where the matrix is cut into halves too."""
    rng = np.random.default_rng(1)
    A = rng.normal(size=(601, 700))
    A = A @ A.T + np.eye(601)
    inverse = inverse_root(A)
    np.testing.assert_allclose(inverse @ A @ inverse.T, np.eye(601), atol=1e-9)
    assert not np.triu(inverse, 1).any()


def test_the_smaller_side_is_taken() -> None:
    """N ≤ D goes by rows, N > D by columns."""
    assert isinstance(side_of(np.ones((3, 3)), None, np.ones(3)), DualSide)
    assert isinstance(side_of(np.ones((4, 3)), None, np.ones(4)), PrimalSide)


@pytest.mark.parametrize("ties", ["example", "class"])
def test_neighbours_left_out_are_those_of_heads_without_them(ties: str) -> None:
    """Looking away from a group gives what a head says that was never taught it, ties included."""
    X, y, takes = taught(120, 4, 11)
    X = np.round(4 * X) / 4 + np.float32(0.01)  # many equal rows
    head = KNNHead(3, ties).fit(X, y, takes)
    groups = [np.flatnonzero(takes == take) for take in np.unique(takes)]
    asked = np.arange(120) % 3 > 0
    found, some = head.held_out_proba(groups), head.held_out_proba(groups, asked)
    for group in groups:
        keep = np.setdiff1d(np.arange(120), group)
        other = KNNHead(3, ties).fit(X[keep], y[keep], takes[keep])
        wanted = np.zeros((len(group), 3))
        wanted[:, np.searchsorted(head.classes_, other.classes_)] = other.predict_proba(X[group])
        np.testing.assert_array_equal(found[group], wanted)
    np.testing.assert_array_equal(some[asked], found[asked])
    assert not some[~asked].any()


def test_blocks_of_neighbours_are_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few similarities fit into memory at once, the neighbours are the same."""
    X, y, takes = taught(90, 5, 2)
    head = KNNHead().fit(X, y, takes)
    wanted = head.neighbours(X)
    monkeypatch.setattr("edge_tl.heads.knn.BLOCK_VALUES", 200)
    np.testing.assert_array_equal(head.neighbours(X), wanted)


def test_of_many_rows_a_part_teaches_what_is_strange(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a ridge head of all rows the rejector learns from a part of every take, and judges no others."""
    monkeypatch.setattr("edge_tl.heads.ridge.MAX_VALUES", 1000)
    X, y, takes = taught(3200, 8, 4, takes=30)
    rejector = Rejector().fit(X, y, takes)
    judged = ~np.isnan(rejector.held_out_)
    assert rejector.ready
    assert 1000 < judged.sum() <= 1600
    assert set(takes[judged]) == set(takes)
    assert rejector.held_out_known_[judged].mean() > 0.9
    assert not rejector.held_out_known_[~judged].any()
    every = np.ones(len(y), bool)
    np.testing.assert_array_equal(quickly_asked(X, y, takes, every), judged)
    assert quickly_asked(X[:100], y[:100], takes[:100], every[:100]).all()
