"""A base for detectors, and a trained detector, on disk: the folder of an embedder with what is above it beside it.

manifest.json and its .tflite    the frozen part, as `edge-tl-host convert image` writes it
above.npz                        the layers above: "0.W", "1.gamma" … as `Network.state` names them
detector.json                    what they are, how many of them belong to the base, and what a trained one answers

A folder without the last two is a base of which nothing above can be trained further: only phase 1.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.detection.answers import KINDS, Answers
from edge_tl.detection.detector import NetworkDetector
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ConfigError, ModelError, ShapeError
from edge_tl.files import ARCHIVE_DAMAGE, write_synced
from edge_tl.nn import Layer, Network
from edge_tl.tflite.interpreter import read_model
from edge_tl.tflite.manifest import FILE_NAME as MANIFEST
from edge_tl.tflite.manifest import read_manifest

FILE_NAME, ARRAYS = "detector.json", "above.npz"
FORMAT = 1
MOST_BYTES = 200_000_000


@dataclass(frozen=True)
class About:
    """What the folder says of the layers above the embedder."""

    name: str
    layers: tuple[dict[str, Any], ...]
    """Kind and settings of each, as `Network.state` describes them."""
    block: int
    """How many of them, at the front, belong to the base model."""
    sha256: dict[str, str]
    """`above.npz`, and the model file below → the SHA-256 of its bytes, in hex."""
    weights: dict[str, str]
    """Where they come from."""
    labels: tuple[str, ...] = ()
    """None: not trained yet."""
    answers: dict[str, Any] = field(default_factory=dict)
    """`kind` and settings, see edge_tl/detection/answers.py."""
    format: int = FORMAT


@dataclass(frozen=True)
class Base:
    """What a detector is made of; nobody changes its arrays."""

    folder: Path
    embedder: TFLiteEmbedder
    layers: tuple[Layer, ...]
    """The base's own, above the embedder."""
    weights: dict[str, str]

    @property
    def side_px(self) -> int:
        """Of the square that a picture is stretched to."""
        return self.embedder.manifest.input_shape[0]

    def block(self) -> list[Layer]:
        """The base's layers above the embedder, with arrays of their own."""
        if not self.layers:
            return []
        meta, arrays = Network(self.layers).state()
        return Network.from_state(meta, {name: array.copy() for name, array in arrays.items()}).layers


def read_base(folder: Path, threads: int | None = None) -> Base:
    """What a detector can be trained on; of a trained detector its base as it is there.

    ModelError, one line, for what is none, is damaged, or looks at pictures that are not square.
    """
    embedder, about, network = _opened(folder, threads)
    if about is None:
        return Base(folder, embedder, (), dict(embedder.manifest.weights))
    return Base(folder, embedder, tuple(network.layers[: about.block]) if network else (), about.weights)


def read_detector(folder: Path, threads: int | None = None) -> NetworkDetector:
    """A trained detector; ModelError, one line, for a folder that holds none."""
    embedder, about, network = _opened(folder, threads)
    if about is None:
        raise ModelError(f"{folder}: holds no detector; a folder that `edge-tl model detector` wrote is wanted")
    if not about.labels or network is None:
        raise ModelError(f"{folder}: is a base that was not trained yet; `edge-tl model detector {folder} --out DIR`")
    try:
        settings = dict(about.answers)
        answers: Answers = KINDS[settings.pop("kind")](about.labels, embedder.manifest.input_shape[0], **settings)
        return NetworkDetector(embedder, network, answers, name=about.name)
    except (ConfigError, ShapeError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / FILE_NAME}: {' '.join(str(error).split())[:120]}; train it again") from None


def write_detector(
    folder: Path,
    below: Path,
    name: str,
    network: Network | None,
    block: int,
    weights: dict[str, str],
    answers: Answers | None = None,
) -> None:
    """Write a base (without `answers`) or a trained detector, the description last; ModelError where it cannot be.

    below: the folder of the embedder, which is copied. network: the layers above, the first `block` of the base.
    """
    manifest = read_manifest(below)
    model = read_model(below / manifest.model)
    described = (below / MANIFEST).read_bytes()
    meta, arrays = network.state() if network is not None else ({"layers": []}, {})
    packed = io.BytesIO()
    np.savez(packed, **arrays)  # type: ignore[arg-type]
    hashes = {ARRAYS: hashlib.sha256(packed.getvalue()).hexdigest(), manifest.model: manifest.sha256}
    about = About(
        name,
        tuple(meta["layers"]),
        block,
        hashes,
        weights,
        answers.labels if answers else (),
        {"kind": answers.kind, **answers.settings} if answers else {},
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE_NAME).unlink(missing_ok=True)
        for file, data in ((manifest.model, model), (MANIFEST, described), (ARRAYS, packed.getvalue())):
            (folder / file).unlink(missing_ok=True)
            write_synced(folder / file, data)
        write_synced(folder / FILE_NAME, (json.dumps(asdict(about), indent=2) + "\n").encode())
    except OSError as error:
        raise ModelError(f"{folder}: cannot be written ({error.strerror}); choose another --out") from error


def _opened(folder: Path, threads: int | None) -> tuple[TFLiteEmbedder, About | None, Network | None]:
    """The embedder, and what is above it: None where nothing is described."""
    embedder = TFLiteEmbedder.load(folder, threads)
    height, width, _ = embedder.manifest.input_shape
    if height != width:
        raise ModelError(f"{folder}: takes pictures of {height}×{width}; a square model is wanted")
    if not (folder / FILE_NAME).exists():
        return embedder, None, None
    return embedder, *_read(folder, embedder)


def _read(folder: Path, embedder: TFLiteEmbedder) -> tuple[About, Network | None]:
    """The description and the layers, checked against their hashes and the embedder."""
    path = folder / FILE_NAME
    try:
        content = json.loads(_bytes(path))
        lists = {name: tuple(content[name]) for name in ("layers", "labels")}
        about = About(**{**content, **lists})
        if about.format != FORMAT:
            raise ModelError(f"{path}: is of format {about.format!r}; upgrade edge-tl")
        if type(about.block) is not int or not 0 <= about.block <= len(about.layers):
            raise ModelError(f"{path}: {about.block!r} of {len(about.layers)} layers are the base's; make it again")
        if not all(isinstance(label, str) for label in about.labels):
            raise ModelError(f"{path}: labels that are no texts; make it again")
        packed = _bytes(folder / ARRAYS)
        model = embedder.manifest.model
        found = {ARRAYS: hashlib.sha256(packed).hexdigest(), model: embedder.fingerprint}
        if changed := [file for file in found if found[file] != about.sha256.get(file)]:
            raise ModelError(f"{folder / changed[0]}: is not what {FILE_NAME} describes; make or copy it again")
        if not about.layers:
            return about, None
        network = Network.from_state({"layers": list(about.layers)}, _arrays(packed, path))
        network(np.zeros((1, *embedder.embedding_shape), np.float32))
    except (ConfigError, ShapeError) as error:
        raise ModelError(f"{path}: {error}; make it again") from None
    except ModelError:
        raise
    except (*ARCHIVE_DAMAGE, KeyError, TypeError, AttributeError) as error:  # RecursionError is a RuntimeError
        raise ModelError(f"{path}: is damaged ({' '.join(str(error).split())[:80]}); make it again") from None
    return about, network


def _arrays(packed: bytes, path: Path) -> dict[str, np.ndarray]:
    """The arrays of a .npz, none of which unfolds beyond what is read."""
    with zipfile.ZipFile(io.BytesIO(packed)) as listed:
        if sum(one.file_size for one in listed.infolist()) > MOST_BYTES:
            raise ModelError(f"{path.parent / ARRAYS}: unfolds to more than {MOST_BYTES // 1_000_000} MB")
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        return {key: np.asarray(arrays[key], np.float32) for key in arrays.files}


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); a detector's folder is wanted") from error
    if len(data) > MOST_BYTES:
        raise ModelError(f"{path}: is larger than {MOST_BYTES // 1_000_000} MB; no detector is")
    return data
