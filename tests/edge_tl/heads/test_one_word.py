"""One word told from the world: the cosine to its mean where nothing else was taught, and exact without a take."""

from __future__ import annotations

import numpy as np
import pytest

from edge_tl.core.world import Distance, Moments, WorldSums
from edge_tl.heads.base import TaughtRows
from edge_tl.heads.one_word import PENALTY, OneWord

pytestmark = pytest.mark.exact

COLUMNS = 12


def world_and_word() -> tuple[Distance, Moments, np.ndarray, TaughtRows]:
    """A world of few directions, its distance, moments and spread, and a word of four takes of three rows."""
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(COLUMNS, COLUMNS)) * np.linspace(0.1, 2, COLUMNS)
    rows = (rng.normal(size=(5000, COLUMNS)) @ mixing + 1).astype(np.float32)
    adding = WorldSums(COLUMNS)
    adding.add(rows)
    world = adding.world(1.0)
    X = (3 * rng.normal(size=COLUMNS) + 0.5 * rng.normal(size=(12, COLUMNS))).astype(np.float32)
    taught = TaughtRows(X, np.array(["ant"] * 12), np.repeat(np.arange(4), 3))
    return *Distance.of(world, PENALTY), world.spread, taught


def test_a_distance_counts_directions_by_how_little_the_world_spreads_in_them() -> None:
    """It is Mahalanobis' with the penalty added, by an inverse of the whole matrix, but for rounding."""
    distance, moments, spread, taught = world_and_word()
    covariance = moments.second - np.outer(moments.mean, moments.mean)
    A = covariance / np.outer(spread, spread) + PENALTY * np.eye(COLUMNS)
    z = (taught.X - moments.mean) / spread
    expected = np.sqrt(PENALTY * np.einsum("nd,dk,nk->n", z, np.linalg.inv(A), z))
    assert np.allclose(distance(taught.X), expected, rtol=2e-3)


def test_the_score_of_a_word_alone_is_the_cosine_to_its_mean() -> None:
    """Of rows in the metric of the distance, to a thousandth; the mean itself has the greatest."""
    distance, moments, spread, taught = world_and_word()
    word = OneWord(taught, np.ones(12), "ant", moments, spread)
    mean = taught.X.mean(axis=0, dtype=np.float64)
    rows = np.vstack([taught.X, -taught.X, mean[np.newaxis]]).astype(np.float32)
    scores = (rows @ word.coef + word.intercept) / distance(rows) * np.sqrt(PENALTY)
    covariance = moments.second - np.outer(moments.mean, moments.mean)
    half = np.linalg.cholesky(np.linalg.inv(covariance / np.outer(spread, spread) + PENALTY * np.eye(COLUMNS)))
    seen = ((rows - moments.mean) / spread) @ half
    seen /= np.linalg.norm(seen, axis=1, keepdims=True)
    assert np.allclose(scores, seen @ seen[-1], atol=5e-3)


@pytest.mark.parametrize("rival", [False, True])
def test_what_a_take_scores_without_it_is_what_a_fit_without_it_says(rival: bool) -> None:
    """But for one factor, the length of the direction, within a hundredth; also of takes of another word."""
    _, moments, spread, taught = world_and_word()
    if rival:
        other = TaughtRows(-taught.X[:6] + 1, np.array(["bee"] * 6), np.repeat([4, 5], 3))
        taught = taught.plus(other)
    word = OneWord(taught, np.ones(len(taught.y)), "ant", moments, spread)
    for take in (0, 2):
        out = taught.takes == take
        rest = TaughtRows(taught.X[~out], taught.y[~out], taught.takes[~out])
        again = OneWord(rest, np.ones(len(rest.y)), "ant", moments, spread)
        expected = taught.X[out] @ again.coef + again.intercept
        assert np.allclose(word.held_out[out] / expected, word.held_out[out][0] / expected[0], rtol=1e-2)
        assert word.held_out[out][0] / expected[0] == pytest.approx(1, abs=0.1)


def test_a_word_that_was_said_once_is_unknown_without_that_take() -> None:
    """Nothing is left to tell it by: every score is that of the world's mean."""
    _, moments, spread, taught = world_and_word()
    once = TaughtRows(taught.X[:3], taught.y[:3], taught.takes[:3])
    assert not OneWord(once, np.ones(3), "ant", moments, spread).held_out.any()
