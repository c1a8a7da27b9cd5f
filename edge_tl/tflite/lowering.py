"""Layers of `edge_tl.nn` as operators of a TFLite graph: what was trained in NumPy goes back into one file.

Each gives what NumPy gives, within rounding. Batch norms go into the convolution before them, ReLUs into the operator.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from edge_tl.errors import ConfigError, ShapeError
from edge_tl.nn import BatchNorm, Conv2D, Dense, DepthwiseConv2D, Dropout, Flatten, Layer, MaxPool, Network, ReLU
from edge_tl.tflite.graph import Graph


def network_model(network: Network, shape: tuple[int, ...], name: str) -> bytes:
    """A network as a .tflite file: float32 (1, *shape), called `name`, to what its last layer gives.

    ConfigError or ShapeError (one line) for a layer that has no operator, or that does not fit.
    """
    graph = Graph.new((1, *shape), name)
    at = lowered(graph, graph.output, network.layers)
    graph.end(at, "output", {})
    return graph.packed(2 * held_bytes(network.layers) + 1_000_000)


def held_bytes(layers: Iterable[Layer]) -> int:
    """How many bytes the arrays of these take."""
    return sum(array.nbytes for layer in layers for array in layer.arrays.values())


def lowered(graph: Graph, at: int, layers: Iterable[Layer]) -> int:
    """Put layers behind a tensor (1, …); the tensor at which they end.

    ConfigError for a layer that has no operator, ShapeError where one does not fit what comes.
    """
    waiting = list(layers)
    while waiting:
        layer = waiting.pop(0)
        if isinstance(layer, (Conv2D, DepthwiseConv2D)):
            norm = waiting.pop(0) if waiting and isinstance(waiting[0], BatchNorm) else None
            at = _convolution(graph, at, layer, norm, _activation(waiting))
        elif isinstance(layer, Dense):
            if graph.shape(at) != (1, len(layer.W)):
                raise ShapeError(f"dense: {graph.shape(at)} came; (1, {len(layer.W)}) is wanted")
            rectified = bool(waiting) and isinstance(waiting[0], ReLU) and waiting[0].most is None
            at = graph.dense(at, layer.W, layer.b, relu=rectified)
            waiting = waiting[rectified:]
        elif isinstance(layer, BatchNorm):
            scale, offset = layer.line()
            shape = graph.shape(at)
            at = graph.apply("MUL", at, graph.constant(scale), shape=shape, options="MulOptions")
            at = graph.apply("ADD", at, graph.constant(offset), shape=shape, options="AddOptions")
        elif isinstance(layer, ReLU):
            at = _rectified(graph, at, layer)
        elif isinstance(layer, MaxPool):
            at = graph.largest(at, layer.window.size, layer.window.strides, layer.window.padding)
        elif isinstance(layer, Flatten):
            at = graph.reshaped(at, (1, int(np.prod(graph.shape(at)[1:]))))
        elif not isinstance(layer, Dropout):  # which does nothing in use
            raise ConfigError(f"a layer of kind {layer.kind!r} has no operator in TFLite")
    return at


def _convolution(graph: Graph, at: int, layer: Conv2D | DepthwiseConv2D, norm: Layer | None, most: float | None) -> int:
    """A convolution with what goes into it."""
    if len(graph.shape(at)) != 4 or graph.shape(at)[3] != layer.W.shape[2]:
        raise ShapeError(f"{layer.kind}: {graph.shape(at)} came; (1, height, width, {layer.W.shape[2]}) is wanted")
    W, b = layer.W, np.zeros(layer.W.shape[-1], np.float32) if layer.b is None else layer.b
    if isinstance(norm, BatchNorm):
        scale, offset = norm.line()
        W, b = W * scale, b * scale + offset
    return graph.convolution(at, W, b, layer.window.strides, layer.window.padding, most)


def _activation(waiting: list[Layer]) -> float | None:
    """What cuts off the operator before, taken from the layers that wait where it goes into the operator."""
    if waiting and isinstance(waiting[0], ReLU) and waiting[0].most in (None, 6.0):
        return 6.0 if isinstance(layer := waiting.pop(0), ReLU) and layer.most == 6.0 else np.inf
    return None


def _rectified(graph: Graph, at: int, layer: ReLU) -> int:
    shape = graph.shape(at)
    at = graph.apply("RELU6" if layer.most == 6 else "RELU", at, shape=shape)
    if layer.most in (None, 6.0):
        return at
    most = graph.constant(np.array([layer.most], np.float32))
    return graph.apply("MINIMUM", at, most, shape=shape, options="MaximumMinimumOptions")
