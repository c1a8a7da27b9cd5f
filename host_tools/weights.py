"""Where the numbers of a base model come from: Keras' own download, a Keras file, or torchvision's MobileNetV2."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.errors import ConfigError, ModelError, counted
from edge_tl.tflite.weights import H5_SUFFIXES, TORCH_SUFFIXES, Weights, read_bytes
from edge_tl.tflite.weights import read_weights as read_file
from host_tools.tf import keras, silence


def read_weights(what: str, licence: str | None = None) -> Weights:
    """The weights that `--weights` names: `imagenet`, `none`, or the path of a file.

    Files: those of `edge_tl.tflite.weights`, and Keras' `.keras`. `licence` overrides what is known of the file's.
    ModelError (one line) for what cannot be read, ConfigError for another kind of file.
    """
    if what == "imagenet":
        return Weights("imagenet", what, "Keras Applications, imagenet", licence or "", "")
    if what == "none":
        return Weights("none", what, "random, seed 0", licence or "none needed", "")
    path = Path(what)
    if path.suffix.lower() == ".keras":
        digest = hashlib.sha256(read_bytes(path)).hexdigest()
        return Weights("keras", path.name, path.name, licence or "not stated", digest, layers=_read_keras(path))
    if path.suffix.lower() not in H5_SUFFIXES + TORCH_SUFFIXES:
        wanted = "imagenet, none, or a .h5, .keras, .pth or .whl file"
        raise ConfigError(f"--weights {what}: is not known; {wanted} is wanted")
    return read_file(path, licence)


def _read_keras(path: Path) -> dict[str, list[np.ndarray]]:
    """The arrays of each layer of a `.keras` file; code in it is refused (Keras' safe mode)."""
    library = keras()
    try:
        with silence():
            model = library.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever its layers raise
        reason = " ".join(str(error).split())[:120]
        raise ModelError(f"{path}: is damaged or no Keras model ({reason})") from error
    return {layer.name: layer.get_weights() for layer in _flat(model)}


def _flat(model: Any) -> list[Any]:
    """The layers of a model, those of models within it included."""
    found = []
    for layer in model.layers:
        found += _flat(layer) if hasattr(layer, "layers") else [layer]
    return found


def assign(model: Any, weights: Weights, what: str) -> None:
    """Give a Keras model the arrays of a Keras file: by the layers' names, else in their order.

    Layers of the file beyond the model's (its top) are left out. `what` names the model in an error.
    ModelError (one line) where a layer is missing or of another shape.
    """
    wanted = [layer for layer in model.layers if layer.weights]
    if all(layer.name in weights.layers for layer in wanted):
        pairs = [(layer, layer.name, weights.layers[layer.name]) for layer in wanted]
    else:
        there = [(name, arrays) for name, arrays in weights.layers.items() if arrays]
        if len(there) < len(wanted):
            missing = next(layer.name for layer in wanted if layer.name not in weights.layers)
            raise ModelError(
                f"{weights.file}: has {counted(len(there), 'layer')} with weights, {what} has {len(wanted)} (e.g. "
                f"{missing}); check the architecture"
            )
        pairs = [(layer, name, arrays) for layer, (name, arrays) in zip(wanted, there, strict=False)]
    for layer, name, arrays in pairs:
        shapes, wants = [array.shape for array in arrays], [tuple(weight.shape) for weight in layer.weights]
        if shapes != wants:
            raise ModelError(
                f"{weights.file}: layer {name} has arrays {_shown(shapes)}, {layer.name} of {what} wants "
                f"{_shown(wants)}; check the architecture and --alpha"
            )
    for layer, _, arrays in pairs:
        layer.set_weights(arrays)


def _shown(shapes: list[tuple[int, ...]]) -> str:
    return " ".join("×".join(map(str, shape)) for shape in shapes) or "none"
