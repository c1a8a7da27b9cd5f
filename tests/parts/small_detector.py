"""A block to train on the shipped embedder, and where the weights of a real one lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge_tl.detection.base import write_detector
from edge_tl.models import default_model
from edge_tl.nn import BatchNorm, Conv2D, DepthwiseConv2D, Network, ReLU

WEIGHTS = "mobilenet_v1_0.25_224/mobilenet_2_5_224_tf_no_top.h5"


def layers(channels: int, seed: int = 0) -> Network:
    """A block like MobileNet's: pointwise, depthwise, pointwise, each with its norm and ReLU6."""
    rng = np.random.default_rng(seed)
    made = []
    for kind in ("pointwise", "depthwise", "pointwise"):
        size = (1, 1, channels, channels) if kind == "pointwise" else (3, 3, channels)
        W = rng.normal(0, 1 / np.sqrt(channels if kind == "pointwise" else 9), size).astype(np.float32)
        made += [
            Conv2D(W) if kind == "pointwise" else DepthwiseConv2D(W, None, (1, 1), "same"),
            BatchNorm.new(channels),
            ReLU(6.0),
        ]
    return Network(made)


def write_small_base(folder: Path) -> Path:
    """The shipped embedder with a drawn block above it: nothing that learns well, but it learns."""
    block = layers(960)
    write_detector(folder, default_model(), "small", block, len(block.layers), {"origin": "drawn"})
    return folder
