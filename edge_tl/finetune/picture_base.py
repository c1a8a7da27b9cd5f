"""A small trained picture network as `edge-tl-host mnist-transfer` writes it: one folder, every file named and hashed.

front.tflite    the layers that always give the same when the lower part is frozen: pixels (1, h, w, C) → (1, …)
front.npz       their arrays, for a training that does not freeze them
top.npz         the arrays above, named as `Network.state` names them: "7.W", "7.b" …
network.json    this description: labels, layers, how pixels are scaled, how many layers are the frozen part
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.errors import ConfigError, ModelError, ShapeError
from edge_tl.files import write_synced
from edge_tl.nn import Network

FILE_NAME = "network.json"
FRONT_MODEL, FRONT, TOP = "front.tflite", "front.npz", "top.npz"
FORMAT = 1
MOST_BYTES = 100_000_000
MOST_SIDE_PX = 1024


@dataclass(frozen=True)
class About:
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

    about: About
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


def write_picture_base(folder: Path, network: Network, front_model: bytes | None, described: dict[str, Any]) -> About:
    """Write the folder, the description last, so that it never names half a file; ModelError where it cannot be.

    described: the fields of About but for `layers` and `sha256`. The front is what `freeze(network, frozen)` leaves
    without learning or chance.
    """
    freeze(network, described["frozen"])
    meta, arrays = network.state()
    below = {name for name in arrays if int(name.partition(".")[0]) < network.front}
    files = {
        FRONT: _packed({name: array for name, array in arrays.items() if name in below}),
        TOP: _packed({name: array for name, array in arrays.items() if name not in below}),
    }
    if front_model is not None:
        files[FRONT_MODEL] = front_model
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    about = About(layers=tuple(meta["layers"]), sha256=hashes, **described)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (FILE_NAME, FRONT_MODEL, FRONT, TOP):
            (folder / name).unlink(missing_ok=True)
        for name, data in files.items():
            write_synced(folder / name, data)
        write_synced(folder / FILE_NAME, (json.dumps(asdict(about), indent=2) + "\n").encode())
    except OSError as error:
        raise ModelError(f"{folder}: cannot be written ({error.strerror}); choose another --out") from error
    return about


def read_picture_base(folder: Path) -> PictureBase:
    """The network of a folder, every file checked; ModelError, one line, for anything else."""
    path = folder / FILE_NAME
    try:
        about = _described(json.loads(_read(path)), path)
        files = {name: _read(folder / name) for name in (FRONT, TOP, FRONT_MODEL) if name in about.sha256}
        for name, data in files.items():
            if hashlib.sha256(data).hexdigest() != about.sha256[name]:
                raise ModelError(f"{folder / name}: is not what {FILE_NAME} describes; make or copy it again")
        arrays: dict[str, np.ndarray] = {}
        for name in (FRONT, TOP):
            with np.load(io.BytesIO(files[name]), allow_pickle=False) as packed:
                arrays |= {key: np.asarray(packed[key], np.float32) for key in packed.files}
        network = Network.from_state({"layers": list(about.layers)}, arrays)
        freeze(network, about.frozen)
        outputs = network(np.zeros((1, *about.input_shape), np.float32))
    except (ConfigError, ShapeError, ModelError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{path}: {error}; make it again") from None
    except (ValueError, KeyError, TypeError, RecursionError, EOFError, AttributeError, MemoryError) as error:
        raise ModelError(f"{path}: is damaged ({' '.join(str(error).split())[:80]}); make it again") from None
    if outputs.shape != (1, len(about.labels)):
        raise ModelError(f"{path}: names {len(about.labels)} labels, the network gives {outputs.shape[1:]}")
    return PictureBase(about, network, files.get(FRONT_MODEL))


def _described(content: dict[str, Any], path: Path) -> About:
    lists = {name: tuple(content[name]) for name in ("labels", "input_shape", "layers")}
    about = About(**{**content, **lists})
    if about.format != FORMAT:
        raise ModelError(f"{path}: is of format {about.format!r}; upgrade edge-tl")
    sides = about.input_shape
    if len(sides) != 3 or not all(type(side) is int and 0 < side <= MOST_SIDE_PX for side in sides):
        raise ModelError(f"{path}: pictures of {sides!r}; three whole numbers up to {MOST_SIDE_PX} are wanted")
    if not all(isinstance(label, str) for label in about.labels) or not float(about.scale) > 0:
        raise ModelError(f"{path}: labels that are texts and a scale above 0 are wanted; make it again")
    if type(about.frozen) is not int or not 0 <= about.frozen < len(about.layers):
        raise ModelError(f"{path}: {about.frozen!r} of {len(about.layers)} layers frozen; fewer than all are wanted")
    return about


def _packed(arrays: dict[str, np.ndarray]) -> bytes:
    made = io.BytesIO()
    np.savez(made, **arrays)  # type: ignore[arg-type]
    return made.getvalue()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read ({error.strerror}); a folder of `edge-tl-host mnist-transfer` is wanted"
        ) from error
    if len(data) > MOST_BYTES:
        raise ModelError(f"{path}: is larger than {MOST_BYTES // 1_000_000} MB; no such network is")
    return data
