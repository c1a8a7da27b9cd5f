"""A trained detector as one .tflite file: picture in; what it is and where it is out, in shares of the picture.

    Path("shapes.tflite").write_bytes(fuse_detector(Path("shapes")))
    read_one_file(Path("shapes.tflite")).detect(picture)

The file's metadata say what a picture needs on its way in and what the columns of its output mean, so that other
programs can run it too. No TensorFlow: the layers above the embedder are put behind its own graph.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.detection.answers import KINDS, OutputColumns, ScaledShape
from edge_tl.detection.base import read_detector
from edge_tl.detection.detector import MIN_CONFIDENCE, NetworkDetector
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ConfigError, ExampleError, ModelError, ShapeError
from edge_tl.export.fused import LABELS
from edge_tl.labels import check_label
from edge_tl.nn import Dense, Network
from edge_tl.tflite.file_metadata import metadata
from edge_tl.tflite.flatbuffer import check_whole
from edge_tl.tflite.graph import Graph
from edge_tl.tflite.interpreter import Interpreter, check_model, read_model
from edge_tl.tflite.lowering import held_bytes, lowered
from edge_tl.tflite.manifest import Manifest, parse_manifest
from edge_tl.tflite.schema import opened, packed
from edge_tl.tflite.surgery import keep_only

ABOUT = "edge_tl.detector"
"""The title of what the file says of itself, JSON; its labels are beside it, as a fused classifier has them."""
FORMAT = 1
SIDES = ("left", "top", "right", "bottom")


def fuse_detector(folder: Path) -> bytes:
    """The bytes of a .tflite file of a trained detector, labels and manifest inside.

    The input is the embedder's own, the output float32 (1, columns): see `columns`. ModelError (one line) for a folder
    without a trained detector, ConfigError for a layer that has no operator; MissingDependency without LiteRT.
    """
    detector = read_detector(folder)
    embedder, answers = detector.embedder, detector.answers
    assert isinstance(embedder, TFLiteEmbedder)
    *below, last = detector.network.layers
    if not isinstance(last, Dense):
        raise ConfigError(f"{folder}: ends in a layer of kind {last.kind!r}; a dense one is wanted")
    shares = 1 / units(answers)
    top = Dense(last.W * shares, None if last.b is None else last.b * shares)
    path = folder / embedder.manifest.model
    data = read_model(path)
    about = {
        "format": FORMAT,
        "name": detector.name,
        "answers": {"kind": answers.kind, **answers.settings},
        "columns": columns(answers),
        "box": "shares of the whole picture's width and height, however it is stretched to the input",
        "threshold": detector.least,
        "manifest": asdict(embedder.manifest),
    }
    with opened(data, str(path)) as model:
        graph = Graph(model)
        keep_only(model, graph.output, str(path))
        graph = Graph(model)
        shape = (1, *embedder.embedding_shape)
        at = lowered(graph, graph.dequantized(graph.output, shape), [*below, top])
        said = {LABELS: "\n".join(answers.labels).encode(), ABOUT: json.dumps(about, ensure_ascii=False).encode()}
        graph.end(at, "found", said)
        return packed(model, 2 * len(data) + 2 * held_bytes(detector.network.layers) + 1_000_000)


def units(answers: OutputColumns) -> np.ndarray:
    """Float32 (columns,): how much of what `answers` reads a 1 in a fused file's output is."""
    side = np.float32(answers.side_px)
    first = answers.scale[:1] if isinstance(answers, ScaledShape) else np.ones(answers.outputs - 4, np.float32)
    return np.concatenate([first, np.full(4, side)]).astype(np.float32)


def columns(answers: OutputColumns) -> list[str]:
    """What each column of a fused file's output is, in words."""
    if isinstance(answers, ScaledShape):
        return [f"{answers.labels[1]}, else {answers.labels[0]}: 0 to 1, above 0.5", *SIDES]
    known = [*answers.labels, "nothing"][: answers.outputs - 4]
    return [*(f"{label}: logit, softmax over these" for label in known), *SIDES]


def is_one_file(data: bytes, name: str = "the model") -> bool:
    """Whether the bytes of a .tflite file say that `fuse_detector` made it; ModelError, one line, for a damaged one."""
    check_model(data, name)
    check_whole(data, name)
    return ABOUT in metadata(data, name)


def read_one_file(path: Path, threads: int | None = None, backend: str | None = None) -> NetworkDetector:
    """What runs a file of `fuse_detector`; ModelError, one line, where it is none, is damaged or contradicts itself."""
    name, data = str(path), read_model(path)
    said = _said(data, name)
    interpreter = Interpreter(data, threads, backend, name=name, pictures=True)
    try:
        labels, about, manifest = said
        settings = dict(about["answers"])
        answers = KINDS[settings.pop("kind")](labels, manifest.input_shape[0], **settings)
        made, wanted = interpreter.outputs, (1, answers.outputs)
        if len(made) != 1 or made[0].shape != wanted or made[0].dtype.name != "float32":
            raise ModelError(f"gives {made[0].dtype} {made[0].shape}, its labels want {wanted}; fuse again")
        fingerprint = hashlib.sha256(data).hexdigest()
        manifest = replace(manifest, model=path.name, sha256=fingerprint, output_shape=wanted[1:])
        # The file's shares become pixels of the input again, which is what answers are read from.
        pixels = Network([Dense(np.diag(units(answers)))])
        least = float(about.get("threshold", MIN_CONFIDENCE))
        return NetworkDetector(
            TFLiteEmbedder(interpreter, manifest), pixels, answers, name=str(about["name"]), least=least
        )
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, ConfigError, ShapeError) as error:
        raise ModelError(f"{name}: its metadata are damaged ({str(error)[:60]}); fuse it again") from None


def _said(data: bytes, name: str) -> tuple[tuple[str, ...], dict[str, Any], Manifest]:
    """The labels, what the file says of itself, and the manifest in it."""
    check_model(data, name)
    check_whole(data, name)
    held = metadata(data, name)
    if ABOUT not in held or LABELS not in held:
        raise ModelError(f"{name}: is no fused detector; a file of `edge-tl model fuse --detector` is wanted")
    try:
        about = json.loads(held[ABOUT])
        if about["format"] != FORMAT:
            raise ModelError(f"is of format {about['format']!r}; upgrade edge-tl")
        labels = tuple(check_label(label) for label in held[LABELS].decode().split("\n"))
        return labels, about, parse_manifest(about["manifest"])
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from None
    except (ValueError, KeyError, TypeError, RecursionError, ExampleError):
        raise ModelError(f"{name}: its metadata are damaged; fuse the detector again") from None
