"""Layers of every kind for the tests of the training engine, and the same layers in Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edge_tl.nn import (
    BatchNorm,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    Layer,
    MaxPool,
    ReLU,
)


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Float64 standard normal values."""
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def norm(trainable: bool = True, channels: int = 3) -> BatchNorm:
    """A batch norm whose arrays are all different."""
    values = [normal(channels, seed=s) for s in (1, 2, 3)]
    return BatchNorm(1 + values[0] / 4, values[1], values[2], np.square(values[2]) + 0.5, trainable=trainable)


LAYERS: dict[str, Callable[[], Layer]] = {
    "dense": lambda: Dense(normal(48, 5), normal(5)),
    "dense without bias": lambda: Dense(normal(48, 5)),
    "conv2d": lambda: Conv2D(normal(3, 3, 3, 4), normal(4)),
    "conv2d 2x4 strides": lambda: Conv2D(normal(2, 3, 3, 4), normal(4), (2, 1), "same"),
    "conv2d same": lambda: Conv2D(normal(3, 2, 3, 4), None, (1, 1), "same"),
    "conv2d strides": lambda: Conv2D(normal(2, 2, 3, 4), normal(4), (2, 2)),
    "pointwise": lambda: Conv2D(normal(1, 1, 3, 6)),
    "pointwise strides": lambda: Conv2D(normal(1, 1, 3, 6), normal(6), (2, 2)),
    "depthwise": lambda: DepthwiseConv2D(normal(3, 3, 3), normal(3)),
    "depthwise same": lambda: DepthwiseConv2D(normal(3, 3, 3), None, (1, 1), "same"),
    "depthwise strides": lambda: DepthwiseConv2D(normal(3, 3, 3), normal(3), (2, 2), "same"),
    "max pool": lambda: MaxPool(),
    "max pool overlapping": lambda: MaxPool((2, 2), (1, 2)),
    "max pool same": lambda: MaxPool((3, 3), (2, 2), "same"),
    "batch norm": lambda: norm(),
    "batch norm frozen": lambda: norm(trainable=False),
    "relu": lambda: ReLU(),
    "relu6": lambda: ReLU(0.7),
    "flatten": lambda: Flatten(),
    "dropout": lambda: Dropout(0.4),
}
"""Every kind of layer, for pictures of 4×4×3, or rows of 48 values."""


def pictures(name: str, count: int = 5) -> np.ndarray:
    """What a layer of LAYERS takes."""
    return normal(count, 48) if name.startswith("dense") else normal(count, 4, 4, 3)


def keras_of(layer: Layer, keras: Any) -> Any:
    """The Keras layer that does the same, without weights."""
    window = getattr(layer, "window", None)
    if isinstance(layer, Dense):
        return keras.layers.Dense(layer.W.shape[1], use_bias=layer.b is not None)
    if isinstance(layer, Conv2D):
        shape, bias = window.size, layer.b is not None
        return keras.layers.Conv2D(layer.W.shape[3], shape, window.strides, window.padding, use_bias=bias)
    if isinstance(layer, DepthwiseConv2D):
        return keras.layers.DepthwiseConv2D(window.size, window.strides, window.padding, use_bias=layer.b is not None)
    if isinstance(layer, MaxPool):
        return keras.layers.MaxPooling2D(window.size, window.strides, window.padding)
    if isinstance(layer, BatchNorm):
        return keras.layers.BatchNormalization(trainable=layer.trainable)
    if isinstance(layer, ReLU):
        return keras.layers.ReLU(max_value=layer.most)
    return keras.layers.Flatten() if isinstance(layer, Flatten) else keras.layers.Dropout(layer.rate)


def weights_of(layer: Layer) -> list[np.ndarray]:
    """A layer's arrays in Keras' order and shapes."""
    if isinstance(layer, DepthwiseConv2D):
        return [layer.W[..., np.newaxis], *([] if layer.b is None else [layer.b])]
    return list(layer.arrays.values())
