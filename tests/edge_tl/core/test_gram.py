"""The growing Gram matrix, and training in the span of the examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rounding import apart

from edge_tl.core.gram import GrowingGram, GrowingRows, Span, products
from edge_tl.errors import ShapeError

pytestmark = pytest.mark.exact


@given(st.lists(st.one_of(st.integers(1, 90), st.just("remove")), max_size=8), st.integers(0, 1000))
@settings(max_examples=40)
def test_the_gram_matrix_is_that_of_the_rows_at_any_time(steps: list[int | str], seed: int) -> None:
    """However rows are appended and removed, X holds them in order and K = X·Xᵀ."""
    rng = np.random.default_rng(seed)
    gram, wanted = GrowingGram(), np.empty((0, 7), np.float32)
    for step in steps:
        if step == "remove":
            gone = rng.permutation(len(wanted))[: len(wanted) // 3]
            gram.remove(gone)
            wanted = np.delete(wanted, gone, axis=0)
        else:
            new = rng.normal(size=(int(step), 7)).astype(np.float32)
            gram.append(new[0] if step == 1 else new)
            wanted = np.concatenate([wanted, new])
        assert len(gram) == len(wanted)
        if len(wanted):
            np.testing.assert_array_equal(gram.X, wanted)
            assert (np.abs(gram.K - wanted @ wanted.T) <= apart(wanted, wanted.T)).all()
            np.testing.assert_array_equal(gram.K, gram.K.T)


def test_storage_grows_seldom() -> None:
    """A thousand rows, one at a time, move the storage a dozen times at most."""
    gram, moves, place = GrowingGram(3), 0, 0
    for i in range(1000):
        gram.append(np.full(3, i, np.float32))
        now = gram.X.__array_interface__["data"][0]
        moves, place = moves + (now != place), now
    assert moves <= 12


def test_rows_that_do_not_fit_are_refused() -> None:
    """A row of another length, with NaN, or a position that is not there is one line, and nothing changes."""
    gram = GrowingGram()
    gram.append(np.ones((2, 4), np.float32))
    for bad in (np.ones(5), np.ones((1, 1, 4)), np.array([1, np.nan, 0, 0])):
        with pytest.raises(ShapeError):
            gram.append(bad)
    for position in (2, -1):
        with pytest.raises(ShapeError, match=f"no row {position}; there are 2"):
            gram.remove([position])
    np.testing.assert_array_equal(gram.K, np.full((2, 2), 4))


@pytest.mark.parametrize(("n", "columns"), [(12, 40), (40, 12), (12, 12)])
def test_the_rotation_keeps_every_product(n: int, columns: int) -> None:
    """L·Lᵀ is X·Xᵀ, and weights found on L act on X as they do on L, also where rows are repeated."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, columns))
    X[3] = X[5]
    span = Span.of(X)
    assert span.L.shape[1] <= min(n, columns)
    np.testing.assert_allclose(span.L @ span.L.T, X @ X.T, atol=1e-9)
    V = rng.normal(size=(span.L.shape[1], 3))
    np.testing.assert_allclose(X @ span.expand(V), span.L @ V, atol=1e-9)


def test_many_rows_take_the_cholesky_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit the coordinates come from a Cholesky factor, near enough even where rows repeat."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 90))
    X[3] = X[5]
    monkeypatch.setattr("edge_tl.core.gram.EIGH_ROWS", 10)
    span = Span.of(X)
    np.testing.assert_allclose(span.L @ span.L.T, X @ X.T, atol=2e-4)
    V = rng.normal(size=(30, 2))
    np.testing.assert_allclose(X @ span.expand(V), span.L @ V, atol=2e-2)
    others = np.delete(np.arange(30), [3, 5])
    np.testing.assert_allclose((X @ span.expand(V))[others], (span.L @ V)[others], atol=1e-4)


def test_products_of_many_rows_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit there is no K, for good, and rows come and go as before; as many as columns keep it."""
    monkeypatch.setattr("edge_tl.core.gram.GRAM_ROWS", 10)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 4)).astype(np.float32)
    gram = GrowingGram()
    gram.append(X[:10])
    assert gram.keeps
    gram.append(X[10])
    assert not gram.keeps
    with pytest.raises(ShapeError, match="11 rows"):
        _ = gram.K
    gram.append(X[11:])
    np.testing.assert_array_equal(gram.X, X)
    gram.remove(range(30))
    np.testing.assert_array_equal(gram.X, X[30:])
    assert products(X) is None
    wide = rng.normal(size=(12, 12)).astype(np.float32)
    assert products(wide) is not None
    gram = GrowingGram()
    gram.append(wide)
    np.testing.assert_allclose(gram.K, wide @ wide.T, atol=1e-5)


def test_many_rows_at_once_are_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of many are kept where they are, and never written to."""
    monkeypatch.setattr("edge_tl.core.gram.GRAM_ROWS", 10)
    X = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    before = X.copy()
    rows = GrowingRows()
    rows.append(X, ["a"] * 40, [True] * 40, [0] * 40, [0] * 40)
    assert np.shares_memory(rows.X, X)
    rows.append(X[:1], ["b"], [True], [1], [0])
    assert rows.gram is None
    assert len(rows) == 41
    gram = GrowingGram()
    gram.append(X)
    gram.remove([0, 1])
    np.testing.assert_array_equal(X, before)


def test_rows_in_strips_are_those_that_came_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many that come at once give the same products, to rounding, as one after the other."""
    X = np.random.default_rng(0).normal(size=(90, 7)).astype(np.float32)
    alone, strips = GrowingRows(), GrowingRows()
    more = (["a"] * 90, [True] * 90, [0] * 90, [0] * 90)
    alone.append(X, *more)
    monkeypatch.setattr("edge_tl.core.gram.ONE_BY_ONE", 20)
    monkeypatch.setattr("edge_tl.core.gram._STRIP", 16)
    strips.append(X, *more)
    assert alone.gram is not None
    assert strips.gram is not None
    np.testing.assert_allclose(strips.gram, alone.gram, atol=1e-5)
    np.testing.assert_array_equal(strips.gram[:20, :20], alone.gram[:20, :20])
