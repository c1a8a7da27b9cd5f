"""torchvision's MobileNetV2 in Keras, exact: keras.applications' layer names, PyTorch's arithmetic.

Three things differ from keras.applications, and each alone spoils the result: the epsilon of the batch norms (1e-5),
the scaling of pixels (ImageNet mean and standard deviation), and where a convolution of stride 2 is padded (one pixel
on every side, where SAME pads bottom and right only). Hence a graph of our own, with ZeroPadding2D and VALID there.
Source: torchvision/models/mobilenetv2.py, and keras/src/applications/mobilenet_v2.py for the names.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_tl.errors import ModelError, counted
from edge_tl.tflite.mobilenet import STAGES, TORCH_EPSILON, TORCH_MEAN, TORCH_STD
from host_tools.tf import keras


def preprocess(pictures: np.ndarray) -> np.ndarray:
    """Pixels 0..255 (..., 3) RGB as the network was trained on: float64."""
    return np.asarray((pictures / 255.0 - np.array(TORCH_MEAN)) / np.array(TORCH_STD))


def mobilenet_v2(size: int, state: dict[str, np.ndarray], name: str) -> Any:
    """The Keras model with torchvision's weights: (1, size, size, 3) → logits (1, 1000).

    `state`: torchvision's state dict; `name`: what an error calls it. ModelError (one line) where it does not fit.
    """
    builder = _Builder(keras().layers, state, name)
    inputs = keras().Input((size, size, 3))
    x = builder.convolution(inputs, "features.0", "Conv1", "bn_Conv1", "Conv1_relu", stride=2)
    index = 1
    for expansion, channels, count, first_stride in STAGES:
        for number in range(count):
            x = builder.block(x, index, expansion, channels, first_stride if number == 0 else 1)
            index += 1
    x = builder.convolution(x, f"features.{index}", "Conv_1", "Conv_1_bn", "out_relu")
    layers = keras().layers
    x = layers.GlobalAveragePooling2D(name="global_average_pooling2d")(x)
    logits = layers.Dense(1000, name="predictions")
    x = logits(x)
    builder.load(logits, [builder.array("classifier.1.weight", 2).T, builder.array("classifier.1.bias")])
    return keras().Model(inputs, x, name="mobilenet_v2")


class _Builder:
    """Makes one layer after the other and gives each its weights."""

    def __init__(self, layers: Any, state: dict[str, np.ndarray], name: str) -> None:
        self.layers, self.state, self.name = layers, state, name

    def array(self, key: str, axes: int = 1) -> np.ndarray:
        if key not in self.state or self.state[key].ndim != axes:
            raise ModelError(
                f"{self.name}: has no array {key} of {counted(axes, 'axis', 'axes')}; the state dict of torchvision's "
                "MobileNetV2 is wanted"
            )
        return np.asarray(self.state[key], np.float32)

    def load(self, layer: Any, arrays: list[np.ndarray]) -> None:
        for array, weight in zip(arrays, layer.weights, strict=True):
            if array.shape != tuple(weight.shape):
                raise ModelError(
                    f"{self.name}: {layer.name} has an array {array.shape}, {tuple(weight.shape)} is wanted; "
                    "torchvision's MobileNetV2 of width 1.0 and 1000 classes is read"
                )
        layer.set_weights(arrays)

    def norm(self, x: Any, key: str, name: str) -> Any:
        layer = self.layers.BatchNormalization(epsilon=TORCH_EPSILON, name=name)
        x = layer(x)
        self.load(layer, [self.array(f"{key}.{part}") for part in ("weight", "bias", "running_mean", "running_var")])
        return x

    def convolution(self, x: Any, key: str, name: str, norm: str, relu: str | None, stride: int = 1) -> Any:
        """Convolution (3×3 where it has a stride, else as its weights say), batch norm, relu6."""
        kernel = self.array(f"{key}.0.weight", 4).transpose(2, 3, 1, 0)
        x = self._padded(x, name, stride)
        layer = self.layers.Conv2D(
            kernel.shape[3],
            kernel.shape[:2],
            strides=stride,
            padding="valid" if stride == 2 else "same",
            use_bias=False,
            name=name,
        )
        x = layer(x)
        self.load(layer, [kernel])
        x = self.norm(x, f"{key}.1", norm)
        return self.layers.ReLU(6.0, name=relu)(x) if relu else x

    def _padded(self, x: Any, name: str, stride: int) -> Any:
        return self.layers.ZeroPadding2D(1, name=f"{name}_pad")(x) if stride == 2 else x

    def block(self, x: Any, index: int, expansion: int, channels: int, stride: int) -> Any:
        """One inverted residual: expand, depthwise, project, and the short way round where shapes allow."""
        prefix = f"block_{index - 1}_" if index > 1 else "expanded_conv_"
        key, entry, part = f"features.{index}.conv", x, 0
        if expansion != 1:
            names = (f"{prefix}expand", f"{prefix}expand_BN", f"{prefix}expand_relu")
            x = self.convolution(x, f"{key}.0", *names)
            part = 1
        x = self._padded(x, f"{prefix}depthwise", stride)
        layer = self.layers.DepthwiseConv2D(
            3, strides=stride, padding="valid" if stride == 2 else "same", use_bias=False, name=f"{prefix}depthwise"
        )
        x = layer(x)
        self.load(layer, [self.array(f"{key}.{part}.0.weight", 4).transpose(2, 3, 0, 1)])
        x = self.norm(x, f"{key}.{part}.1", f"{prefix}depthwise_BN")
        x = self.layers.ReLU(6.0, name=f"{prefix}depthwise_relu")(x)
        project = self.layers.Conv2D(channels, 1, use_bias=False, name=f"{prefix}project")
        x = project(x)
        self.load(project, [self.array(f"{key}.{part + 1}.weight", 4).transpose(2, 3, 1, 0)])
        x = self.norm(x, f"{key}.{part + 2}", f"{prefix}project_BN")
        return self.layers.Add(name=f"{prefix}add")([entry, x]) if stride == 1 and entry.shape == x.shape else x
