"""MobileNet V1 and V2 as lists of layers, by Keras' names, and torchvision's weights under these names.

Sources: keras/src/applications/mobilenet.py and mobilenet_v2.py; torchvision/models/mobilenetv2.py. Three things set
torchvision's V2 apart from Keras', and each alone spoils the result: the epsilon of the batch norms, the scaling of
pixels, and where a convolution of stride 2 is padded (one pixel on every side, where SAME pads bottom and right only).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_tl.errors import ModelError, counted

KERAS_EPSILON = 1e-3
TORCH_EPSILON = 1e-5
"""torch.nn.BatchNorm2d's default."""
TORCH_MEAN = (0.485, 0.456, 0.406)
TORCH_STD = (0.229, 0.224, 0.225)
"""Of ImageNet's pixels in 0..1, RGB: torchvision's ImageClassification preset."""
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Of V2's inverted residual blocks: expansion, channels out, how many, stride of the first."""
NORM_PARTS = ("weight", "bias", "running_mean", "running_var")
"""A batch norm in PyTorch, in Keras' order: gamma, beta, mean, variance."""
_V1_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
"""Of V1: filters and stride."""
CLASSES = 1000


@dataclass(frozen=True)
class LayerSpec:
    """One layer; what it takes is what the layer before it gives, and of `add` also what `short` gives."""

    name: str
    kind: str
    """conv, depthwise, norm, relu6, pad, add, mean, dense, reshape, softmax, or nothing (what is only for training)."""
    filters: int = 0
    """conv and dense: how many values come out."""
    size: int = 1
    """conv and depthwise: of the kernel, which is square."""
    stride: int = 1
    padding: str = "same"
    """conv and depthwise: `same` or `valid`, as TensorFlow means them."""
    bias: bool = False
    """conv: whether it has one; `dense` always has."""
    borders: tuple[int, int] = (0, 0)
    """pad: above and left, below and right."""
    short: str = ""
    """add: the layer at which the short way round begins."""
    keep: bool = False
    """mean: whether rows and columns stay as axes of size 1."""


def mobilenet_v1(alpha: float) -> list[LayerSpec]:
    """Of this width, with its classifier."""

    def filters(count: int) -> int:
        return int(count * alpha)

    layers = [*normed(LayerSpec("conv1", "conv", filters(32), 3, 2), "conv1_bn", "conv1_relu")]
    for number, (count, stride) in enumerate(_V1_BLOCKS, 1):
        if stride == 2:
            layers.append(LayerSpec(f"conv_pad_{number}", "pad", borders=(0, 1)))
        name = f"conv_dw_{number}"
        depthwise = LayerSpec(name, "depthwise", size=3, stride=stride, padding="same" if stride == 1 else "valid")
        layers += normed(depthwise, f"{name}_bn", f"{name}_relu")
        name = f"conv_pw_{number}"
        layers += normed(LayerSpec(name, "conv", filters(count)), f"{name}_bn", f"{name}_relu")
    return [
        *layers,
        LayerSpec("global_average_pooling2d", "mean", keep=True),
        LayerSpec("dropout", "nothing"),
        LayerSpec("conv_preds", "conv", CLASSES, bias=True),
        LayerSpec("reshape_2", "reshape"),
        LayerSpec("predictions", "softmax"),
    ]


def mobilenet_v2(alpha: float, size_px: int, *, torch: bool = False) -> list[LayerSpec]:
    """Of this width, for square pictures, with its classifier; `torch`: as torchvision pads, and with logits."""
    side = size_px

    def pad(name: str) -> LayerSpec:
        """Before a convolution of stride 2: torchvision pads both sides, Keras an even one below only."""
        nonlocal side
        before = 1 if torch or side % 2 else 0
        side = (side + 1) // 2
        return LayerSpec(name, "pad", borders=(before, 1))

    channels, block = _divisible(32 * alpha), 0
    border = pad("Conv1_pad")
    first = LayerSpec("Conv1", "conv", channels, 3, 2, "valid" if torch else "same")
    layers = [*([border] if torch else []), *normed(first, "bn_Conv1", "Conv1_relu")]
    for expansion, wanted, count, first_stride in STAGES:
        for number in range(count):
            stride = first_stride if number == 0 else 1
            filters = _divisible(int(wanted * alpha))
            prefix, entry = f"block_{block}_" if block else "expanded_conv_", layers[-1].name
            if expansion != 1:
                expand = LayerSpec(f"{prefix}expand", "conv", expansion * channels)
                layers += normed(expand, f"{prefix}expand_BN", f"{prefix}expand_relu")
            if stride == 2:
                layers.append(pad(f"{prefix}depthwise_pad" if torch else f"{prefix}pad"))
            depthwise = LayerSpec(
                f"{prefix}depthwise", "depthwise", size=3, stride=stride, padding="same" if stride == 1 else "valid"
            )
            layers += normed(depthwise, f"{prefix}depthwise_BN", f"{prefix}depthwise_relu")
            layers += normed(LayerSpec(f"{prefix}project", "conv", filters), f"{prefix}project_BN")
            if stride == 1 and filters == channels:
                layers.append(LayerSpec(f"{prefix}add", "add", short=entry))
            channels, block = filters, block + 1
    last = _divisible(1280 * alpha) if alpha > 1 else 1280
    layers += normed(LayerSpec("Conv_1", "conv", last), "Conv_1_bn", "out_relu")
    layers += [LayerSpec("global_average_pooling2d", "mean"), LayerSpec("predictions", "dense", CLASSES)]
    return layers if torch else [*layers, LayerSpec("predictions", "softmax")]


def from_torch(layers: list[LayerSpec], state: dict[str, np.ndarray], name: str) -> dict[str, list[np.ndarray]]:
    """torchvision's state dict as Keras keeps it: layer → arrays; `name`: what an error calls the file.

    ModelError (one line) where an array is missing or has another number of axes.
    """

    def array(key: str, axes: int = 1) -> np.ndarray:
        if key not in state or state[key].ndim != axes:
            wanted = "the state dict of torchvision's MobileNetV2 is wanted"
            raise ModelError(f"{name}: has no array {key} of {counted(axes, 'axis', 'axes')}; {wanted}")
        return np.asarray(state[key], np.float32)

    found: dict[str, list[np.ndarray]] = {}
    for layer, after in zip(layers, [*layers[1:], None], strict=True):
        if layer.kind == "dense":
            found[layer.name] = [array("classifier.1.weight", 2).T, array("classifier.1.bias")]
        elif layer.kind in ("conv", "depthwise"):
            kernel, norm = _torch_keys(layer.name)
            axes = (2, 3, 1, 0) if layer.kind == "conv" else (2, 3, 0, 1)
            found[layer.name] = [array(f"{kernel}.weight", 4).transpose(axes)]
            if after is not None:  # the cut may be before the batch norm
                found[after.name] = [array(f"{norm}.{part}") for part in NORM_PARTS]
    return found


def _torch_keys(name: str) -> tuple[str, str]:
    """What torchvision calls a convolution of V2 and the batch norm behind it."""
    if name in ("Conv1", "Conv_1"):
        key = f"features.{0 if name == 'Conv1' else 18}"
        return f"{key}.0", f"{key}.1"
    block, _, part = name.rpartition("_")
    number = 0 if block == "expanded_conv" else int(block.removeprefix("block_"))
    key, expanded = f"features.{number + 1}.conv", 1 if number else 0
    return {
        "expand": (f"{key}.0.0", f"{key}.0.1"),
        "depthwise": (f"{key}.{expanded}.0", f"{key}.{expanded}.1"),
        "project": (f"{key}.{expanded + 1}", f"{key}.{expanded + 2}"),
    }[part]


def normed(layer: LayerSpec, norm: str, relu: str | None = None) -> list[LayerSpec]:
    """A convolution, its batch norm, and what cuts it off at 0 and 6."""
    return [layer, LayerSpec(norm, "norm"), *([LayerSpec(relu, "relu6")] if relu else [])]


def _divisible(channels: float) -> int:
    """The nearest multiple of 8, 8 at least, and never less than nine tenths."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded
