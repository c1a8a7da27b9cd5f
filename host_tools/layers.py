"""Keras' layers as those of edge_tl/nn and back, with copies of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_tl.errors import ModelError
from edge_tl.nn import BatchNorm, Conv2D, Dense, DepthwiseConv2D, Dropout, Flatten, Layer, MaxPool, Network, ReLU
from host_tools.tf import keras


def to_layers(layers: Sequence[Any]) -> list[Layer]:
    """The same layers for edge_tl/nn; inputs and a softmax, which is part of the loss there, are left out.

    ModelError for a kind that has no twin there.
    """
    made: list[Layer] = []
    for layer in layers:
        weights = [np.array(one) for one in layer.get_weights()]
        kind = layer.__class__.__name__
        if kind == "Conv2D":
            made.append(Conv2D(weights[0], weights[1] if layer.use_bias else None, layer.strides, layer.padding))
        elif kind == "DepthwiseConv2D":
            bias = weights[1] if layer.use_bias else None
            made.append(DepthwiseConv2D(weights[0][..., 0], bias, layer.strides, layer.padding))
        elif kind == "BatchNormalization":
            made.append(BatchNorm(*weights, epsilon=layer.epsilon, momentum=layer.momentum))
        elif kind == "Dense":
            made.append(Dense(weights[0], weights[1] if layer.use_bias else None))
        elif kind == "MaxPooling2D":
            made.append(MaxPool(layer.pool_size, layer.strides, layer.padding))
        elif kind == "Dropout":
            made.append(Dropout(layer.rate))
        elif kind == "ReLU":
            made.append(ReLU(None if layer.max_value is None else float(layer.max_value)))
        elif kind == "Flatten":
            made.append(Flatten())
        elif kind not in ("Softmax", "InputLayer"):
            raise ModelError(f"a layer of kind {kind[:40]!r} has no twin in edge_tl/nn")
    return made


def to_keras(network: Network, shape: tuple[int, ...]) -> Any:
    """A Keras Sequential of the same layers, weights and `trainable`, for examples of a shape without the batch."""
    model = keras().Sequential([keras().Input(shape), *(_twin(layer) for layer in network.layers)])
    for mine, theirs in zip(network.layers, model.layers, strict=True):
        arrays = [array[..., np.newaxis] if array.ndim == 3 else array for array in mine.arrays.values()]
        if arrays:
            theirs.set_weights(arrays)
            theirs.trainable = mine.trainable
    return model


def _twin(layer: Layer) -> Any:
    """A Keras layer of the same kind and settings."""
    layers = keras().layers
    if isinstance(layer, Conv2D):
        size, filters = layer.W.shape[:2], layer.W.shape[3]
        window = layer.window
        return layers.Conv2D(filters, size, window.strides, window.padding, use_bias=layer.b is not None)
    if isinstance(layer, DepthwiseConv2D):
        window = layer.window
        return layers.DepthwiseConv2D(window.size, window.strides, window.padding, use_bias=layer.b is not None)
    if isinstance(layer, BatchNorm):
        return layers.BatchNormalization(momentum=layer.momentum, epsilon=layer.epsilon)
    if isinstance(layer, Dense):
        return layers.Dense(layer.W.shape[1], use_bias=layer.b is not None)
    if isinstance(layer, MaxPool):
        window = layer.window
        return layers.MaxPooling2D(window.size, window.strides, window.padding)
    if isinstance(layer, Dropout):
        return layers.Dropout(layer.rate)
    return layers.ReLU(max_value=layer.most) if isinstance(layer, ReLU) else layers.Flatten()
