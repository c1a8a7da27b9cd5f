"""Feature maps: what a head sees of an embedding."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge_tl.core.features import GRIDS, FeatureMap, cell_means
from edge_tl.errors import ConfigError, ShapeError

pytestmark = pytest.mark.exact

SHAPE = (7, 7, 5)


def embeddings(n: int = 4) -> np.ndarray:
    """A few embeddings like those of a network: mostly small, some zero, some negative."""
    rng = np.random.default_rng(3)
    return (rng.normal(size=(n, 7 * 7 * 5)) ** 3).astype(np.float32)


def test_the_default_map_is_that_of_its_definition() -> None:
    """2×2 means, signed square root and unit rows, computed the long way round, give the same rows."""
    came = embeddings()
    wanted = []
    for row in came.astype(np.float64).reshape(-1, *SHAPE):
        cells = [row[a:b, c:d].mean(axis=(0, 1)) for a, b in ((0, 4), (3, 7)) for c, d in ((0, 4), (3, 7))]
        values = np.concatenate(cells)
        values = np.sign(values) * np.sqrt(np.abs(values))
        wanted.append(values / np.linalg.norm(values))
    rows = FeatureMap()(came, SHAPE)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, wanted, atol=1e-6)


@pytest.mark.parametrize("pool", GRIDS)
def test_one_embedding_is_mapped_as_in_a_batch(pool: str) -> None:
    """One embedding (D,) gives (F,), equal to its row in a batch, and F is what `dim` says."""
    features = FeatureMap(pool)
    came = embeddings()
    batch = features(came, SHAPE)
    one = features(came[2], SHAPE)
    assert batch.shape == (4, features.dim(SHAPE))
    assert one.shape == (features.dim(SHAPE),)
    np.testing.assert_allclose(one, batch[2], atol=1e-6)


def test_the_mean_of_the_whole_map() -> None:
    """`mean` without root and unit is the plain average over the map."""
    came = embeddings()
    rows = FeatureMap("mean", root=False, unit=False)(came, SHAPE)
    np.testing.assert_allclose(rows, came.reshape(4, 49, 5).mean(axis=1), atol=1e-6)


def test_a_mirrored_map_gives_mirrored_cells() -> None:
    """The cells are symmetric, also where the side is odd: left and right trade places and nothing else changes."""
    came = embeddings(1).reshape(7, 7, 5)
    features = FeatureMap("grid3", unit=False)
    rows = features(came.ravel(), SHAPE).reshape(3, 3, 5)
    mirrored = features(came[:, ::-1].ravel(), SHAPE).reshape(3, 3, 5)
    np.testing.assert_allclose(mirrored, rows[:, ::-1], atol=1e-6)


@given(st.integers(1, 4), st.integers(1, 20), st.integers(1, 20))
@settings(max_examples=50)
def test_every_pixel_is_in_a_cell(cells: int, height: int, width: int) -> None:
    """Each cell is a mean (its weights sum to 1) and no pixel of the map is left out."""
    matrix = cell_means(cells, height, width)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-5)
    assert (matrix.sum(axis=0) > 0).all()


@given(hnp.arrays(np.float32, (3, 12), elements=st.floats(-(2.0**20), 2.0**20, width=32)), st.booleans(), st.booleans())
@settings(max_examples=60)
def test_rows_are_finite_and_of_unit_length(came: np.ndarray, root: bool, unit: bool) -> None:
    """Any finite embedding gives finite rows; with `unit` their length is 1, or 0 for a zero row."""
    before = came.copy()
    rows = FeatureMap("flatten", root, unit)(came, (12,))
    assert np.isfinite(rows).all()
    assert not np.shares_memory(rows, came)
    np.testing.assert_array_equal(came, before)
    if unit:
        lengths = np.linalg.norm(rows.astype(np.float64), axis=1)
        tiny = np.abs(came).max(axis=1) < 1e-15  # squares below the smallest float32
        np.testing.assert_allclose(lengths[~tiny], 1, atol=1e-5)
        assert not rows[~came.any(axis=1)].any()


def test_a_flat_embedding_is_not_pooled() -> None:
    """An embedding without a map passes every pooling with its values in place."""
    came = np.arange(6, dtype=np.float32)
    np.testing.assert_array_equal(FeatureMap("grid2", root=False, unit=False)(came, (6,)), came)


def test_a_map_survives_json() -> None:
    """A feature map saved as JSON comes back equal."""
    features = FeatureMap("grid3", root=False)
    assert FeatureMap(**json.loads(json.dumps(dataclasses.asdict(features)))) == features


def test_unusable_settings_and_shapes_are_named() -> None:
    """An unknown pooling, a wrong length and a wrong rank are each one clear line."""
    with pytest.raises(ConfigError, match=r"grid9.*choose one of flatten"):
        FeatureMap("grid9")
    with pytest.raises(ShapeError, match=r"\(4, 244\).*wanted \(N, 245\)"):
        FeatureMap()(embeddings()[:, 1:], SHAPE)
    with pytest.raises(ShapeError, match=r"shape \(7, 35\).*wanted"):
        FeatureMap()(embeddings(), (7, 35))
    with pytest.raises(ShapeError):
        FeatureMap()(embeddings().reshape(4, *SHAPE), SHAPE)
