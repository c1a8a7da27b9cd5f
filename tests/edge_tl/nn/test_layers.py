"""Layers of the training engine: forward and backward as TensorFlow has them, whole, in parts and as one step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lacking import lacking
from nn_parts import LAYERS, keras_of, norm, normal, pictures, weights_of
from scipy.optimize import check_grad

from edge_tl.nn import (
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    Layer,
    Network,
    ReLU,
)
from edge_tl.nn.folding import FoldedNetwork, folded
from edge_tl.nn.layers import Product
from edge_tl.nn.memory import empty, kept

pytestmark = pytest.mark.exact


@pytest.mark.parametrize("name", LAYERS)
def test_backward_is_the_slope_of_forward(name: str) -> None:
    """The gradients by the input and by every parameter are finite differences of the same forward pass, in float64."""
    layer, x = LAYERS[name](), pictures(name)
    y, saved = layer.forward(x, np.random.default_rng(5))
    weights = normal(*y.shape, seed=9)
    under, found = layer.backward(weights.copy(), saved, below=True)
    gradients = {key: np.array(slope) for key, slope in found.items()}
    assert under is not None
    assert list(gradients) == (list(layer.parameters) if layer.trainable else [])

    def loss() -> float:
        return float((layer.forward(x, np.random.default_rng(5))[0] * weights).sum())

    for array, slope in [(x, under), *((layer.parameters[key], gradients[key]) for key in gradients)]:
        start = array.copy()

        def moved(flat: np.ndarray, array: np.ndarray = array) -> float:
            array[...] = flat.reshape(array.shape)
            return loss()

        error = check_grad(moved, lambda _, slope=slope: slope.ravel(), start.ravel())
        array[...] = start
        assert error < 1e-5 * max(1.0, float(np.linalg.norm(slope)))


@pytest.mark.host
@pytest.mark.parametrize("name", [name for name in LAYERS if name != "dropout"])
def test_forward_and_gradients_are_those_of_tensorflow(name: str) -> None:
    """Every layer gives TensorFlow's output, gradients and running statistics in float32, within 1e-4."""
    tf = pytest.importorskip("tensorflow", reason=lacking("TensorFlow"))
    layer = LAYERS[name]()
    for array in layer.arrays.values():
        assert array.dtype == np.float64
    state = {key: array.astype(np.float32) for key, array in layer.arrays.items()}
    layer = type(layer).from_state({**layer.settings}, state) if state else layer
    if name.endswith("frozen"):
        layer.trainable = False
    x = pictures(name).astype(np.float32)
    theirs = keras_of(layer, tf.keras)
    theirs.build(x.shape)
    if state:
        theirs.set_weights([array.copy() for array in weights_of(layer)])
    with tf.GradientTape() as tape:
        given = tf.constant(x)
        tape.watch(given)
        wanted = theirs(given, training=True)
        weights = normal(*wanted.shape, seed=9).astype(np.float32)
        total = tf.reduce_sum(wanted * weights)
    slopes = tape.gradient(total, [given, *theirs.trainable_variables])
    y, saved = layer.forward(x, np.random.default_rng(0))
    np.testing.assert_allclose(y, wanted.numpy(), atol=1e-4)
    under, gradients = layer.backward(weights, saved, below=True)
    for mine, slope in zip([under, *map(np.array, gradients.values())], slopes, strict=True):
        np.testing.assert_allclose(mine, slope.numpy().reshape(mine.shape), atol=1e-4)
    for mine, its in zip(weights_of(layer), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, its, atol=1e-6)


def test_dropout_keeps_the_mean_and_is_still_in_use() -> None:
    """While training a share of the values is zero and the mean stays; in use nothing changes."""
    x = np.ones((200, 500), np.float32)
    y, _ = Dropout(0.3).forward(x, np.random.default_rng(0))
    assert np.mean(y == 0) == pytest.approx(0.3, abs=0.01)
    assert y.mean() == pytest.approx(1.0, abs=0.01)
    assert Dropout(0.3).forward(x)[0] is x


@given(
    height=st.integers(3, 9),
    width=st.integers(3, 9),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.sampled_from(["valid", "same"]),
)
@settings(max_examples=40)
def test_any_convolution_is_its_definition(
    height: int, width: int, kernel: tuple[int, int], strides: tuple[int, int], padding: str
) -> None:
    """For any size, kernel, strides and padding the output is the sum over the kernel, pixel by pixel."""
    W, x = normal(*kernel, 2, 3), normal(2, height, width, 2)
    layer = Conv2D(W, None, strides, padding)
    y = layer.forward(x)[0]
    (top, bottom), (left, right) = layer.window.border((height, width))
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    if padding == "same":
        assert y.shape[1:3] == (-(-height // strides[0]), -(-width // strides[1]))
    for row in range(y.shape[1]):
        for column in range(y.shape[2]):
            at = row * strides[0], column * strides[1]
            patch = padded[:, at[0] : at[0] + kernel[0], at[1] : at[1] + kernel[1]]
            np.testing.assert_allclose(y[:, row, column], np.einsum("nhwc,hwcf->nf", patch, W), atol=1e-9)


def test_pictures_are_taken_in_parts_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pictures fit into the cache at once, outputs and gradients are the same."""
    for name in ("conv2d", "pointwise", "depthwise strides"):
        layer, x = LAYERS[name](), pictures(name, 7)
        whole = layer.forward(x)
        weights = normal(*whole[0].shape)
        wanted = layer.backward(weights.copy(), whole[1], below=True)
        monkeypatch.setattr("edge_tl.nn.windows.PART_BYTES", 2000)
        parts = layer.forward(x)
        np.testing.assert_allclose(parts[0], whole[0], atol=1e-12)
        found = layer.backward(weights.copy(), parts[1], below=True)
        np.testing.assert_allclose(found[0], wanted[0], atol=1e-12)
        for key, slope in wanted[1].items():
            np.testing.assert_allclose(found[1][key], slope, atol=1e-12)
        monkeypatch.undo()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("trainable", [True, False])
def test_what_is_one_step_in_training_is_the_layers_one_by_one(bias: bool, trainable: bool) -> None:
    """A convolution with its frozen batch norm and rectifier as one step: the same output and gradients, in float64."""
    b = normal(3) if bias else None
    layers: list[Layer] = [
        Conv2D(normal(1, 1, 3, 3), b, trainable=trainable),
        norm(trainable=False),
        ReLU(0.7),
        DepthwiseConv2D(normal(3, 3, 3), b, (1, 1), "same", trainable=trainable),
        norm(trainable=False),
        Conv2D(normal(2, 2, 3, 3), b, (1, 1), "same", trainable=trainable),
        ReLU(),
        Conv2D(normal(2, 2, 3, 3), b),
    ]
    assert [type(step) for step in folded(layers)] == [FoldedNetwork, FoldedNetwork, FoldedNetwork, Conv2D]
    x, rng = pictures("pictures"), np.random.default_rng(0)
    y, saved = Network(layers).forward(x.copy(), rng)
    weights = normal(*y.shape, seed=9)
    found = Network(layers).backward(weights.copy(), saved)
    alone, kept = x.copy(), []
    for layer in layers:
        alone, of_layer = layer.forward(alone, rng)
        kept.append(of_layer)
    np.testing.assert_allclose(y, alone, atol=1e-12)
    back: Any = weights.copy()
    wanted: list[np.ndarray] = []
    for layer, of_layer in zip(reversed(layers), reversed(kept), strict=True):
        back, gradients = layer.backward(back, of_layer, below=True)
        wanted[:0] = [np.array(slope) for slope in gradients.values()]
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_memory_is_taken_again_only_when_nobody_looks_at_it() -> None:
    """While memory is kept, what was let go comes back, what any view still looks at never, and afterwards none."""
    with kept():
        first = empty((300, 400), np.dtype(np.float32))
        first[...] = 7
        place, corner = first.ctypes.data, first[3:, 1::2]
        del first
        others = [empty((200, 400), np.dtype(np.float32)) for _ in range(5)]
        for other in others:
            other[...] = 0
        np.testing.assert_array_equal(corner, 7)
        assert len({other.ctypes.data for other in others} | {place}) == 6
        del corner
        taken = empty((300, 400), np.dtype(np.float32))
        assert taken.ctypes.data == place
    taken[...] = 1
    again = empty((300, 400), np.dtype(np.float32))
    again[...] = 2
    np.testing.assert_array_equal(taken, 1)


def test_the_gradient_of_a_dense_layer_is_computed_row_by_row() -> None:
    """Any rows of it are those of the whole product."""
    left, right = normal(7, 5), normal(7, 3)
    slope = Product(left, right)
    np.testing.assert_allclose(slope, left.T @ right)
    np.testing.assert_allclose(slope[1:4], (left.T @ right)[1:4])
    assert slope.shape == (5, 3)
