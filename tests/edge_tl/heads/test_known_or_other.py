"""Known or other: the kernel machine against scikit-learn's, and its judgement of what it was taught."""

from __future__ import annotations

import numpy as np
import pytest

from edge_tl.core.gram import squared_distances
from edge_tl.heads.factored import DualSide
from edge_tl.heads.known_or_other import SMOOTH, KnownOrOther, solved

WIDTH = 0.15

pytestmark = pytest.mark.exact


def clusters(seed: int = 0, each: int = 20) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rows of two classes, their codes and folds, and others between and around them."""
    random = np.random.default_rng(seed)
    codes = np.repeat([0, 1], each)
    X = np.where(codes[:, None], 1.0, -1.0) + 0.15 * random.normal(size=(2 * each, 4))
    others = random.uniform(-2, 2, (60, 4))
    apart = np.abs(np.abs(others).mean(axis=1) - 1) > 0.3
    return X.astype(np.float32), codes, np.repeat(np.arange(2 * each // 5), 5), others[apart].astype(np.float32)


def test_it_is_weighted_kernel_ridge() -> None:
    """Its scores are scikit-learn's kernel ridge on the same weighted, centred problem."""
    kernel_ridge = pytest.importorskip("sklearn.kernel_ridge", reason="scikit-learn is not installed")
    X, codes, folds, others = clusters()
    machine, _ = KnownOrOther.fit(X, codes, folds, others, WIDTH)
    count = np.array([20, 20, len(others)])
    every = np.concatenate([codes, np.full(len(others), 2)])
    weights = np.array([1, 1, 2])[every] / count[every]
    weights /= weights.mean()
    rows = machine.rows.astype(np.float64)
    K = np.exp(-squared_distances(rows, rows) / machine.width)
    share = weights / weights.sum()
    middle = np.eye(len(rows)) - share[np.newaxis]  # centring: features minus their weighted mean
    Y = np.eye(3)[every]
    reference = kernel_ridge.KernelRidge(alpha=SMOOTH * len(rows), kernel="precomputed")
    reference.fit(middle @ K @ middle.T, Y - share @ Y, sample_weight=weights)
    asked = np.random.default_rng(1).uniform(-2, 2, (30, 4))
    k = np.exp(-squared_distances(asked, rows) / machine.width)
    scores = (k - share @ K) @ middle.T @ reference.dual_coef_ + share @ Y
    assert machine.strange(asked) == pytest.approx(scores[:, 2] - scores[:, :2].max(axis=1), abs=1e-4)


def test_an_example_is_judged_without_its_fold() -> None:
    """How strange a taught row is, is what a machine without its whole fold says of it."""
    X, codes, folds, others = clusters()
    whole, judged = KnownOrOther.fit(X, codes, folds, others, WIDTH)
    assert judged.shape == (len(X),)
    K = np.exp(-squared_distances(whole.rows.astype(np.float64), whole.rows.astype(np.float64)) / whole.width)
    every = np.concatenate([codes, np.full(len(others), 2)])
    weights = np.array([1, 1, 2])[every] / np.bincount(every)[every]
    weights /= weights.mean()
    out = np.flatnonzero(np.append(folds, np.full(len(others), -1)) == 3)
    left = np.setdiff1d(np.arange(len(every)), out)
    w, Y = weights[left], np.eye(3)[every[left]]
    # The normal equations of the same penalty, with the intercept as one more unknown.
    system = np.block([[K[np.ix_(left, left)] + SMOOTH * len(every) * np.diag(1 / w), np.ones((len(left), 1))]])
    system = np.vstack([system, np.append(np.ones(len(left)), 0)])
    found = np.linalg.solve(system, np.vstack([Y, np.zeros((1, 3))]))
    scores = K[np.ix_(out, left)] @ found[:-1] + found[-1]
    assert judged[out] == pytest.approx(scores[:, 2] - scores[:, :2].max(axis=1), abs=1e-4)


def test_the_taught_are_known_and_the_rest_is_other() -> None:
    """New rows of the classes are less strange than rows elsewhere, far away ones too."""
    X, codes, folds, others = clusters()
    machine, _ = KnownOrOther.fit(X, codes, folds, others, WIDTH)
    again, _, _, _ = clusters(seed=5)
    elsewhere = np.array([[1, -1, 1, -1], [0, 0, 0, 0], [9, 9, 9, 9]], np.float32)
    assert machine.strange(again).max() < machine.strange(elsewhere).min()


def test_single_precision_with_a_correction_is_enough() -> None:
    """The weights are those of a solve in double precision to 1e-8, and rows judged without their fold to 1e-4."""
    random = np.random.default_rng(2)
    codes, folds = np.repeat(np.arange(4), 80), np.arange(320) // 8
    X = random.normal(size=(4, 12))[codes] + 0.4 * random.normal(size=(320, 12))
    every = np.concatenate([X, random.normal(size=(400, 12))])
    K = np.exp(-squared_distances(every, every) / 3).astype(np.float32)
    Y = np.eye(5)[np.append(codes, np.full(400, 4))]
    s = np.sqrt(random.uniform(0.5, 2, len(every)))
    groups = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
    wanted = DualSide(every, K, s).solved(Y, SMOOTH * len(every))
    dual, judged = solved(K, s, Y, SMOOTH * len(every), groups, 320)
    assert np.abs(dual - wanted.dual).max() < 1e-8 * np.abs(wanted.dual).max()
    np.testing.assert_allclose(judged, wanted.left_out(groups)[:320], atol=1e-4)
