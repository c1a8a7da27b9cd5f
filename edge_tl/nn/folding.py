"""A convolution with the frozen batch norm and the rectifier behind it as one step of a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_tl.nn.convolution import Conv2D
from edge_tl.nn.depthwise import DepthwiseConv2D
from edge_tl.nn.layers import Gradient, Layer, ReLU, Step
from edge_tl.nn.normalisation import BatchNorm


class FoldedNetwork:
    """The norm's scale is in the kernel and its shift in the bias; values are rectified while they are in the cache.

    Made anew for every step, of what the convolution's arrays are then.
    """

    def __init__(self, layer: Conv2D | DepthwiseConv2D, norm: BatchNorm | None, then: ReLU | None) -> None:
        self.trainable, self.parameters, self.own = layer.trainable, layer.parameters, then is None
        self._scale: np.ndarray | float = 1.0
        W, b, window = layer.W, layer.b, layer.window
        if norm is not None:
            self._scale, shift = norm.line()
            W, b = W * self._scale, shift if b is None else b * self._scale + shift
        self._made = type(layer)(W, b, window.strides, window.padding, trainable=layer.trainable, then=then)

    def forward(
        self, x: np.ndarray, rng: np.random.Generator | None = None, over: bool = False
    ) -> tuple[np.ndarray, Any]:
        """See Step."""
        return self._made.forward(x, rng, over)

    def backward(self, back: np.ndarray, saved: Any, below: bool) -> tuple[np.ndarray | None, dict[str, Gradient]]:
        """See Step: the gradients by the convolution's own arrays."""
        under, found = self._made.backward(back, saved, below)
        return under, {name: np.asarray(found[name]) * self._scale for name in self.parameters if name in found}


def folded(layers: Sequence[Layer]) -> list[Step]:
    """The steps of a training: the layers, those that can be one step together."""
    steps: list[Step] = []
    left = list(layers)
    while left:
        layer = left.pop(0)
        if not isinstance(layer, (Conv2D, DepthwiseConv2D)):
            steps.append(layer)
            continue
        after = left[0] if left else None
        norm = after if isinstance(after, BatchNorm) and not after.trainable else None
        if norm is not None:
            del left[0]
        after = left[0] if left else None
        then = after if isinstance(after, ReLU) else None
        if then is not None:
            del left[0]
        steps.append(layer if norm is then is None else FoldedNetwork(layer, norm, then))
    return steps
