"""A small trained picture network as `edge-tl-host mnist-transfer` writes it: one folder, every file named and hashed.

front.tflite    the layers that always give the same when the lower part is frozen: pixels (1, h, w, C) → (1, …)
front.npz       their arrays, for a training that does not freeze them
top.npz         the arrays above, named as `Network.state` names them: "7.W", "7.b" …
network.json    this description: labels, layers, how pixels are scaled, how many layers are the frozen part
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.core.archive import packed_arrays
from edge_tl.core.hashed_folder import HashedFolder, hashes
from edge_tl.errors import ModelError, ShapeError, counted
from edge_tl.nn import Network

FILE_NAME = "network.json"
FRONT_MODEL, FRONT, TOP = "front.tflite", "front.npz", "top.npz"
FORMAT = 1
FOLDER = HashedFolder(FILE_NAME, FORMAT, 100_000_000, "a folder of `edge-tl-host mnist-transfer`", "make it again")
MAX_SIDE_PX = 1024


@dataclass(frozen=True)
class NetworkDescription:
    """What the folder says of itself."""

    name: str
    labels: tuple[str, ...]
    """In the order of the outputs."""
    input_shape: tuple[int, int, int]
    """(height_px, width_px, channels); one channel is grey, light on dark."""
    scale: float
    """What pixels 0..255 are multiplied by."""
    frozen: int
    """How many layers at the front are the frozen part."""
    layers: tuple[dict[str, Any], ...]
    """Kind and settings of each, as `Network.state` describes them."""
    sha256: dict[str, str]
    """File → the SHA-256 of its bytes, in hex. Without `front.tflite` the front is run in NumPy."""
    weights: dict[str, str]
    """Where they come from: origin, licence of the pictures, accuracy."""
    tools: dict[str, str]
    format: int = FORMAT


@dataclass(frozen=True)
class PictureBase:
    """A trained network and what is known of it; nobody changes its arrays."""

    about: NetworkDescription
    network: Network
    front_model: bytes | None = None
    """The .tflite of the network's layers up to `front`."""

    def pixels(self, pictures: np.ndarray) -> np.ndarray:
        """Pictures uint8 (N, h, w) or (N, h, w, C) as the network takes them: float32 (N, h, w, C), scaled."""
        wanted = self.about.input_shape
        shape = pictures.shape[1:] if pictures.ndim == 4 else (*pictures.shape[1:], 1)
        if pictures.dtype != np.uint8 or shape != wanted:
            raise ShapeError(f"pictures {pictures.dtype} {pictures.shape[1:]} came; uint8 {wanted} are wanted")
        return pictures.reshape(len(pictures), *wanted) * np.float32(self.about.scale)

    def copy(self) -> Network:
        """The network with arrays of its own, the frozen part not trainable and all above it trainable."""
        network = self.network.copy()
        freeze(network, self.about.frozen)
        return network


def freeze(network: Network, frozen: int) -> None:
    """Make the first `frozen` layers not trainable, and all others trainable."""
    for position, layer in enumerate(network.layers):
        if layer.parameters:
            layer.trainable = position >= frozen


def write_picture_base(
    folder: Path, network: Network, front_model: bytes | None, described: dict[str, Any]
) -> NetworkDescription:
    """Write the folder, the description last, so that it never names half a file; ModelError where it cannot be.

    described: the fields of NetworkDescription but for `layers` and `sha256`. The front is what
    `freeze(network, frozen)` leaves without learning or chance.
    """
    freeze(network, described["frozen"])
    meta, arrays = network.state()
    below = {name for name in arrays if int(name.partition(".")[0]) < network.front}
    files = {
        FRONT: packed_arrays({name: array for name, array in arrays.items() if name in below}),
        TOP: packed_arrays({name: array for name, array in arrays.items() if name not in below}),
    }
    if front_model is not None:
        files[FRONT_MODEL] = front_model
    about = NetworkDescription(layers=tuple(meta["layers"]), sha256=hashes(files), **described)
    FOLDER.write(folder, files, asdict(about), (FRONT_MODEL,))
    return about


def read_picture_base(folder: Path) -> PictureBase:
    """The network of a folder, every file checked; ModelError, one line, for anything else."""
    path = folder / FILE_NAME
    with FOLDER.guarded(folder):
        about = NetworkDescription(**FOLDER.described(folder))
        _check(about, path)
        arrays = FOLDER.arrays(folder, FRONT, about.sha256) | FOLDER.arrays(folder, TOP, about.sha256)
        front_model = FOLDER.file(folder, FRONT_MODEL, about.sha256) if FRONT_MODEL in about.sha256 else None
        network = Network.from_state({"layers": list(about.layers)}, arrays)
        freeze(network, about.frozen)
        outputs = network(np.zeros((1, *about.input_shape), np.float32))
        if outputs.shape != (1, len(about.labels)):
            raise ModelError(
                f"{path}: names {counted(len(about.labels), 'label')}, the network gives {outputs.shape[1:]}"
            )
    return PictureBase(about, network, front_model)


def _check(about: NetworkDescription, path: Path) -> None:
    """ModelError for what a description cannot say."""
    sides = about.input_shape
    whole = len(sides) == 3 and all(type(side) is int and 0 < side <= MAX_SIDE_PX for side in sides)
    if not whole or 4 * math.prod(sides) > FOLDER.most_bytes:
        raise ModelError(f"{path}: pictures of {sides!r}; three whole numbers up to {MAX_SIDE_PX} are wanted")
    if not all(isinstance(label, str) for label in about.labels) or not 0 < float(about.scale) < math.inf:
        raise ModelError(f"{path}: labels that are texts and a scale above 0 are wanted; make it again")
    if type(about.frozen) is not int or not 0 <= about.frozen < len(about.layers):
        raise ModelError(
            f"{path}: {about.frozen!r} of {counted(len(about.layers), 'layer')} frozen; fewer than all are wanted"
        )
