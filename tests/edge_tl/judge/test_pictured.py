"""What the report draws of a head: calibration, the learning curve, and the map of examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.decomposition import PCA

from edge_tl.errors import ShapeError
from edge_tl.heads import make_head
from edge_tl.heads.ridge import RidgeHead
from edge_tl.judge.calibration import reliability
from edge_tl.judge.learning_curve import learning_curve
from edge_tl.judge.projection import principal_plane

HOSTILE = "<script>alert('1')</script>\"&'"
DAY = "2025-06-30"
VOID = {"meta", "br", "img", "link", "hr", "input"}


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=80), st.integers(1, 12))
@settings(max_examples=80)
def test_calibration_is_that_of_its_definition(answers: list[tuple[float, bool]], bins: int) -> None:
    """Every answer is in one bin, and the error is the weighted gap between confidence and being right."""
    confidence, right = (np.array(column) for column in zip(*answers, strict=True))
    found = reliability(confidence, right, bins)
    assert sum(one.count for one in found.bins) == len(answers)
    place = np.clip(np.ceil(confidence * bins - 1e-12).astype(int) - 1, 0, bins - 1)
    gaps = [abs((confidence[place == i] - right[place == i]).sum()) for i in range(bins)]
    edges = np.abs(confidence * bins - np.round(confidence * bins)) < 1e-9
    if not edges.any():
        assert found.error == pytest.approx(sum(gaps) / len(answers), abs=1e-9)
    assert 0 <= found.error <= 1


def test_calibration_agrees_with_scikit_learn() -> None:
    """The bins' means are those of scikit-learn's calibration curve."""
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0, 1, 500)
    right = rng.uniform(0, 1, 500) < confidence**2
    true, said = calibration_curve(right, confidence, n_bins=10)
    bins = [one for one in reliability(confidence, right).bins if one.count]
    np.testing.assert_allclose([one.accuracy for one in bins], true)
    np.testing.assert_allclose([one.confidence for one in bins], said)
    with pytest.raises(ShapeError, match="NaN"):
        reliability(np.array([np.nan]), np.array([True]))


def drifting(takes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two classes whose takes lie apart: more takes teach more."""
    rng = np.random.default_rng(seed)
    codes = np.repeat([0, 1], takes * 4)
    numbers = np.repeat(np.arange(2 * takes), 4)
    X = 0.7 * np.eye(2, 30)[codes] + 0.3 * rng.normal(size=(2 * takes, 30))[numbers]
    return (X + 0.03 * rng.normal(size=X.shape)).astype(np.float32), np.array(["a", "b"])[codes], numbers


@pytest.mark.exact
def test_the_learning_curve_is_that_of_heads_fitted_so() -> None:
    """More takes teach more; the same seed gives the same curve; with all takes but one it is every fit by hand."""
    X, y, takes = drifting(9)
    points = learning_curve(RidgeHead, X, y, takes)
    assert [point.takes for point in points] == sorted({point.takes for point in points})
    assert points[0].takes == 1
    assert points[-1].takes == 8
    assert points[-1].accuracy > points[0].accuracy
    assert all(point.low <= point.accuracy <= point.high for point in points)
    assert points == learning_curve(RidgeHead, X, y, takes, gram=X @ X.T)
    assert points[0].examples == 4
    X, y, takes = drifting(2)
    scores = []
    for a in (0, 1):
        for b in (2, 3):
            inside = np.isin(takes, (a, b))
            head = RidgeHead().fit(X[inside], y[inside], takes[inside])
            scores.append(head.score(X[~inside], y[~inside]))
    (point,) = learning_curve(RidgeHead, X, y, takes, draws=40)
    assert (point.low, point.high) == (min(scores), max(scores))


def test_the_learning_curve_wants_two_classes_with_two_takes() -> None:
    """Where nothing can be left out there is no curve, and any head can have one."""
    X, y, takes = drifting(3)
    assert learning_curve(RidgeHead, X, y, np.zeros(len(y), int)) == ()
    assert learning_curve(RidgeHead, X[y == "a"], y[y == "a"], takes[y == "a"]) == ()
    assert len(learning_curve(lambda: make_head("knn"), X, y, takes)) == 2


@pytest.mark.exact
@pytest.mark.parametrize("rows", [40, 1800])
def test_the_map_is_the_principal_plane(rows: int) -> None:
    """The points are those of scikit-learn's PCA up to the sign; beyond 1500 rows nearly so."""
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(rows, 12)) * np.array([5, 3] + [0.5] * 10)).astype(np.float32)
    plane = principal_plane(X)
    reference = PCA(2).fit(X)
    wanted = reference.transform(X)
    for axis in (0, 1):
        assert abs(np.corrcoef(plane.points[:, axis], wanted[:, axis])[0, 1]) > 0.999
    np.testing.assert_allclose(plane.shares, reference.explained_variance_ratio_, rtol=0.1)
    assert (plane.points == principal_plane(X).points).all()


def test_equal_rows_are_one_point() -> None:
    """Examples that do not differ, or a single one, lie at 0; no rows are an error."""
    assert (principal_plane(np.ones((5, 3), np.float32)).points == 0).all()
    assert principal_plane(np.ones((1, 3), np.float32)).points.shape == (1, 2)
    assert principal_plane(np.array([[0.0], [1.0], [3.0]])).points[:, 0] == pytest.approx([-4 / 3, -1 / 3, 5 / 3])
    with pytest.raises(ShapeError):
        principal_plane(np.empty((0, 3)))
