"""A base for detectors, and a trained detector, on disk: the folder of an embedder with what is above it beside it.

manifest.json and its .tflite    the frozen part, as `edge-tl-host convert image` writes it
above.npz                        the layers above: "0.W", "1.gamma" … as `Network.state` names them
detector.json                    what they are, how many of them belong to the base, and what a trained one answers

A folder without the last two is a base of which nothing above can be trained further: only phase 1.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.core.archive import packed_arrays
from edge_tl.core.hashed_folder import HashedFolder, hashes
from edge_tl.detection.answers import KINDS, OutputColumns
from edge_tl.detection.detector import NetworkDetector
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ConfigError, ModelError, ShapeError, counted
from edge_tl.nn import Layer, Network
from edge_tl.tflite.interpreter import read_model
from edge_tl.tflite.manifest import FILE_NAME as MANIFEST
from edge_tl.tflite.manifest import read_manifest

FILE_NAME, ARRAYS = "detector.json", "above.npz"
FORMAT = 1
FOLDER = HashedFolder(FILE_NAME, FORMAT, 200_000_000, "a detector's folder", "make it again")


@dataclass(frozen=True)
class DetectorDescription:
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
        answers: OutputColumns = KINDS[settings.pop("kind")](about.labels, embedder.manifest.input_shape[0], **settings)
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
    answers: OutputColumns | None = None,
) -> None:
    """Write a base (without `answers`) or a trained detector, the description last; ModelError where it cannot be.

    below: the folder of the embedder, which is copied. network: the layers above, the first `block` of the base.
    """
    manifest = read_manifest(below)
    model = read_model(below / manifest.model)
    described = (below / MANIFEST).read_bytes()
    meta, arrays = network.state() if network is not None else ({"layers": []}, {})
    files = {manifest.model: model, MANIFEST: described, ARRAYS: packed_arrays(arrays)}
    about = DetectorDescription(
        name,
        tuple(meta["layers"]),
        block,
        hashes({ARRAYS: files[ARRAYS]}) | {manifest.model: manifest.sha256},
        weights,
        answers.labels if answers else (),
        {"kind": answers.kind, **answers.settings} if answers else {},
    )
    FOLDER.write(folder, files, asdict(about), ())


def _opened(folder: Path, threads: int | None) -> tuple[TFLiteEmbedder, DetectorDescription | None, Network | None]:
    """The embedder, and what is above it: None where nothing is described."""
    embedder = TFLiteEmbedder.load(folder, threads)
    height, width, _ = embedder.manifest.input_shape
    if height != width:
        raise ModelError(f"{folder}: takes pictures of {height}×{width}; a square model is wanted")
    if not (folder / FILE_NAME).exists():
        return embedder, None, None
    return embedder, *_read(folder, embedder)


def _read(folder: Path, embedder: TFLiteEmbedder) -> tuple[DetectorDescription, Network | None]:
    """The description and the layers, checked against their hashes and the embedder."""
    path = folder / FILE_NAME
    with FOLDER.guarded(folder):
        about = DetectorDescription(**FOLDER.described(folder))
        if type(about.block) is not int or not 0 <= about.block <= len(about.layers):
            raise ModelError(
                f"{path}: {about.block!r} of {counted(len(about.layers), 'layer')} are the base's; make it again"
            )
        if not all(isinstance(label, str) for label in about.labels):
            raise ModelError(f"{path}: labels that are no texts; make it again")
        FOLDER.check(folder, embedder.manifest.model, embedder.fingerprint, about.sha256)
        arrays = FOLDER.arrays(folder, ARRAYS, about.sha256)
        if not about.layers:
            return about, None
        network = Network.from_state({"layers": list(about.layers)}, arrays)
        network(np.zeros((1, *embedder.embedding_shape), np.float32))
    return about, network
