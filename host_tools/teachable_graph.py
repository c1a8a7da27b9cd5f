"""A Teachable Machine project of images, read and built again in Keras: its frozen base, and the two layers above it.

Its files are Keras 2's: Sequential models within Sequential models, and in them MobileNet as a graph with branches.
Keras 3 does not load them, so the graph is built here, layer by layer, of the kinds that are known.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from edge_tl.core.archive import Archive, DamagedArchive
from edge_tl.errors import ModelError, counted
from edge_tl.tflite.hdf5 import read_whole
from edge_tl.tflite.label_files import parse_labels, read_labels
from edge_tl.tflite.weights import H5_SUFFIXES, read_bytes
from host_tools.tf import keras, silence
from host_tools.tfjs import MAX_BYTES, names_of, read_raw_model

MODELS = ("Sequential", "Functional", "Model")
KEPT: dict[str, tuple[str, ...]] = {
    "Conv2D": ("filters", "kernel_size", "strides", "padding", "activation", "use_bias", "dilation_rate"),
    "DepthwiseConv2D": ("kernel_size", "strides", "padding", "activation", "use_bias", "depth_multiplier"),
    "ZeroPadding2D": ("padding",),
    "MaxPooling2D": ("pool_size", "strides", "padding"),
    "AveragePooling2D": ("pool_size", "strides", "padding"),
    "GlobalAveragePooling2D": (),
    "BatchNormalization": ("axis", "epsilon", "center", "scale"),
    "Dense": ("units", "activation", "use_bias"),
    "Activation": ("activation",),
    "ReLU": ("max_value",),
    "Add": (),
    "Flatten": (),
    "Reshape": ("target_shape",),
    "Dropout": ("rate",),
}
"""The layers that are taken, and what of their configuration decides their answer."""
WEIGHTS = {
    "Conv2D": ("kernel", "bias"),
    "DepthwiseConv2D": ("depthwise_kernel", "bias"),
    "BatchNormalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "Dense": ("kernel", "bias"),
}
ACTIVATIONS = ("linear", "relu", "relu6", "tanh", "sigmoid", "softmax")
MAX_LAYERS = 1000
MAX_VALUES = 50_000_000
"""That a layer may give for one picture."""
MAX_DEPTH = 10
"""Of models in models."""


@dataclass(frozen=True)
class Project:
    """What the files of a project say."""

    config: dict[str, Any]
    weights: dict[str, np.ndarray]
    """`layer/kernel` → float32."""
    labels: tuple[str, ...]
    sha256: str


@dataclass
class KerasProject:
    """A project as Keras has it."""

    whole: Any
    """(1, height, width, channels) → (1, classes)."""
    base: Any
    """The same to what goes into the layers above: (1, values)."""
    hidden: tuple[np.ndarray, np.ndarray] = field(repr=False)
    """Weights (values, units) and bias (units,) of the first dense layer, a relu."""
    top: tuple[np.ndarray, np.ndarray] = field(repr=False)
    """The same of the second, a softmax: (units, classes), (classes,)."""


def read_project(where: str) -> Project:
    """Read a project: the folder, the .zip or the URL of model.json, weights.bin and metadata.json, or keras_model.h5
    (alone, in a folder or a .zip) with labels.txt beside it.

    ModelError, one line, for what is none; those of sound and of poses are told what to do instead.
    """
    found = _h5_of(where)
    if found is not None:
        data, labels = found
        described, weights = read_whole(data, where)
        try:
            config = json.loads(described)
        except (ValueError, RecursionError):
            raise ModelError(f"{where}: what it says of its layers is no JSON; get it again") from None
        return Project(config, weights, labels, hashlib.sha256(data).hexdigest())
    raw = read_raw_model(where)
    package = str(raw.metadata.get("packageName", ""))
    if package.endswith("/pose") or "modelSettings" in raw.metadata:
        raise ModelError(
            f"{where}: is a Teachable Machine project of poses, which looks at PoseNet's points and no picture: teach "
            "the same poses with `edge-tl teach --look hand`, or `--look face`"
        )
    if "wordLabels" in raw.metadata or "words" in raw.metadata:
        raise ModelError(f"{where}: is a project of sound: `edge-tl-host convert speech --tfjs` takes it")
    return Project(raw.config, raw.weights, names_of(raw.metadata.get("labels", []), where), raw.sha256)


def _h5_of(where: str) -> tuple[bytes, tuple[str, ...]] | None:
    """The bytes of keras_model.h5 and the labels beside it; None where there is none."""
    path = Path(where)
    if path.suffix.lower() == ".zip" and path.is_file():
        try:
            with Archive(path) as archive:
                names = {PurePosixPath(one).name: one for one in archive.names}
                model = next((one for name, one in names.items() if name.lower().endswith(H5_SUFFIXES)), None)
                if model is None or "model.json" in names:
                    return None
                data = archive.read(model, MAX_BYTES)
                text = archive.read(names["labels.txt"], MAX_BYTES) if "labels.txt" in names else b""
        except DamagedArchive as error:
            raise ModelError(f"{path}: is damaged ({error}); get it again") from None
        return data, parse_labels(text, f"{path}: labels.txt") if text else ()
    if path.is_dir() and not (path / "model.json").is_file():
        files = sorted(one for one in path.iterdir() if one.suffix.lower() in H5_SUFFIXES)
        path = files[0] if len(files) == 1 else path
    if path.suffix.lower() not in H5_SUFFIXES or not path.is_file():
        return None
    labels = path.parent / "labels.txt"
    return read_bytes(path), read_labels(labels) if labels.is_file() else ()


def build(project: Project, where: str) -> KerasProject:
    """Build it with its weights; ModelError, one line, where it is no project of images or makes no sense."""
    builder = _Builder(project.weights, where)
    try:
        shape = _input_shape(project.config)
        keras().utils.clear_session()
        with silence():
            picture = keras().Input(shape, batch_size=1, name="picture")
            answer = builder.model(project.config, picture, 0)
            builder.put_weights()
            hidden, top = builder.upper()
            return KerasProject(
                keras().Model(picture, answer), keras().Model(picture, hidden.taken), hidden.dense(), top.dense()
            )
    except ModelError:
        raise
    except Exception as error:  # Keras and a description that makes no sense raise many kinds
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        raise ModelError(f"{where}: its layers cannot be built ({reason}); get the project again") from None


@dataclass
class _Leaf:
    """One layer as it was built."""

    kind: str
    name: str
    layer: Any
    taken: Any
    """The tensor that goes into it."""

    def dense(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights and bias of a dense layer."""
        W, *b = (np.asarray(one, np.float32) for one in self.layer.get_weights())
        return W, b[0] if b else np.zeros(W.shape[1], np.float32)


class _Builder:
    """Builds a description, and keeps the leaves in their order."""

    def __init__(self, weights: dict[str, np.ndarray], where: str) -> None:
        self._weights, self._where = weights, where
        self._leaves: list[_Leaf] = []

    def model(self, config: dict[str, Any], taken: Any, depth: int) -> Any:
        """What a model, or a layer, makes of a tensor."""
        kind, inner = config["class_name"], config["config"]
        if depth > MAX_DEPTH or len(self._leaves) > MAX_LAYERS:
            raise ModelError(f"{self._where}: has more layers than any such project; get it again")
        if kind == "Sequential":
            for one in inner["layers"] if isinstance(inner, dict) else inner:
                taken = self.model(one, taken, depth + 1)
            return taken
        if kind in MODELS:
            return self._graph(inner, taken, depth)
        return taken if kind == "InputLayer" else self._leaf(kind, inner, [taken])

    def _graph(self, inner: dict[str, Any], taken: Any, depth: int) -> Any:
        made: dict[str, Any] = {}
        for one in inner["layers"]:
            name = str(one.get("name", one["config"].get("name")))
            before = list(_before(one.get("inbound_nodes", [])))
            if one["class_name"] == "InputLayer":
                made[name] = taken
            elif one["class_name"] in MODELS:
                made[name] = self.model(one, made[before[0]], depth + 1)
            else:
                made[name] = self._leaf(one["class_name"], one["config"], [made[other] for other in before])
        return made[next(_before(inner["output_layers"]))]

    def _leaf(self, kind: str, config: dict[str, Any], taken: list[Any]) -> Any:
        name = str(config.get("name", ""))
        what = f"{self._where}: layer {name[:40]!r} ({str(kind)[:30]})"
        if kind not in KEPT:
            raise ModelError(f"{what} is of a kind that is not known; {', '.join(KEPT)} are")
        if config.get("activation", "linear") not in ACTIVATIONS:
            raise ModelError(f"{what} has the activation {str(config['activation'])[:30]!r}, which is not known")
        if config.get("data_format") not in (None, "channels_last"):
            raise ModelError(f"{what} has its channels first; the last axis is wanted")
        settings = {key: config[key] for key in KEPT[kind] if key in config}
        if isinstance(settings.get("axis"), list):
            settings["axis"] = settings["axis"][0]
        if config.get("padding") in ("same", "valid") and kind == "ZeroPadding2D":
            raise ModelError(f"{what} is padded by {config['padding']!r}; rows and columns are wanted")
        layer = getattr(keras().layers, kind)(**settings)
        made = layer(taken if kind == "Add" else taken[0])
        if math.prod(made.shape) > MAX_VALUES:
            raise ModelError(f"{what} gives {counted(math.prod(made.shape), 'value')} for a picture; get it again")
        self._leaves.append(_Leaf(kind, name, layer, taken[0]))
        return made

    def put_weights(self) -> None:
        """Give every layer its arrays; ModelError where one lacks them or has others."""
        for leaf in self._leaves:
            wanted = [tuple(one.shape) for one in leaf.layer.weights]
            names = [f"{leaf.name}/{part}" for part in WEIGHTS.get(leaf.kind, ())]
            there = [self._weights[one] for one in names if one in self._weights]
            if [one.shape for one in there] != wanted:
                raise ModelError(
                    f"{self._where}: layer {leaf.name[:40]!r} has arrays {[one.shape for one in there]}, {wanted} are "
                    "wanted; get the project again"
                )
            leaf.layer.set_weights(there)

    def upper(self) -> tuple[_Leaf, _Leaf]:
        """The two dense layers at the top; ModelError where there are none."""
        last = [leaf for leaf in self._leaves if leaf.kind != "Dropout"][-2:]
        kinds = [(leaf.kind, leaf.layer.activation.__name__ if leaf.kind == "Dense" else "") for leaf in last]
        if kinds != [("Dense", "relu"), ("Dense", "softmax")] or len(last[0].taken.shape) != 2:
            raise ModelError(
                f"{self._where}: a dense relu layer and a dense softmax layer are wanted at its top, as Teachable "
                "Machine makes them; it has others"
            )
        return last[0], last[1]


def _before(nodes: Any) -> Iterator[str]:
    """The names of the layers whose outputs are meant, of Keras 2's description or Keras 3's."""
    if isinstance(nodes, dict):
        if "keras_history" in nodes:
            yield str(nodes["keras_history"][0])
            return
        for value in nodes.values():
            yield from _before(value)
    elif isinstance(nodes, list):
        if nodes and isinstance(nodes[0], str):
            yield nodes[0]
            return
        for value in nodes:
            yield from _before(value)


def _input_shape(config: dict[str, Any], depth: int = 0) -> tuple[int, int, int]:
    """(height_px, width_px, channels) of the first layer that says it."""
    inner = config["config"]
    shape = None
    if isinstance(inner, dict):
        shape = inner.get("batch_input_shape") or inner.get("batch_shape")
    if shape:
        _, height, width, channels = shape
        if not all(type(side) is int and 1 <= side <= 4096 for side in (height, width)) or channels not in (1, 3):
            raise ModelError(f"its input is {shape}; pictures are wanted")
        return height, width, channels
    layers = inner["layers"] if isinstance(inner, dict) else inner
    if depth > MAX_DEPTH:
        raise ModelError("it has more models in models than any such project; get it again")
    return _input_shape(layers[0], depth + 1)
