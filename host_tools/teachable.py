"""A Teachable Machine project of images → a model folder, and its head as a profile that a device restores."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any

import numpy as np

from edge_tl.core.features import PLAIN
from edge_tl.embedders.foreign import scaling_to
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ExampleError, ModelError, counted
from edge_tl.heads.mlp import MLPHead
from edge_tl.labels import check_label
from edge_tl.recognizer import Recognizer
from edge_tl.store.backup import write_backup
from edge_tl.store.embedders import installed_name
from edge_tl.store.pictures import RESIZE
from edge_tl.store.profile import Profile
from edge_tl.store.settings import write_settings
from edge_tl.tflite.manifest import Manifest, check_new, write_model_folder
from host_tools.teachable_graph import KerasProject, build, read_project
from host_tools.tf import silence, tensorflow, versions

PROFILE = "profile.zip"
TRIALS = 8
"""Pictures of noise on which the folder and its head are held against Keras."""
LARGEST_ERROR = 5e-3
"""Of a probability: embeddings are rounded to half precision, as a profile keeps them."""


@dataclass(frozen=True)
class TeachableConversion:
    """What came out, and how exact it is."""

    manifest: Manifest
    labels: tuple[str, ...]
    parameters: int
    error: float
    """The largest difference between the profile's probabilities and Keras'."""


def convert_teachable(where: str, out: Path, name: str, licence: str) -> TeachableConversion:
    """Write the model folder `out`, and in it `profile.zip`, a backup with the project's own head.

    ModelError, one line, for what is no such project, and where the two do not give what Keras gives: then nothing is
    written.
    """
    check_new(name, out)
    project = read_project(where)
    tensorflow()
    built = build(project, where)
    classes = len(built.top[1])
    labels = _labels(project.labels or tuple(f"Class {number}" for number in range(1, classes + 1)), classes, where)
    model = _tflite(built.base)
    height, width, channels = built.base.input_shape[1:]
    manifest = Manifest(
        name=name,
        model=f"{name}.tflite",
        sha256=hashlib.sha256(model).hexdigest(),
        architecture="mobilenet_v2",
        alpha=None,
        layer=str(built.base.layers[-1].name),
        input_shape=(height, width, channels),
        colour_order="rgb" if channels == 3 else "grey",
        resize=RESIZE,
        scaling=scaling_to(-1.0, 1.0),
        output_shape=tuple(built.base.output_shape[1:]),
        quantization="float32",
        weights={"origin": f"Teachable Machine, {where}", "licence": licence, "sha256": project.sha256},
        tools=versions(),
    )
    with tempfile.TemporaryDirectory(prefix="edge-tl-teachable-") as place:
        tried = Path(place) / "model"
        write_model_folder(tried, manifest, model)
        recognizer = _recognizer(TFLiteEmbedder.load(tried, threads=1), built, labels)
        error = _largest_error(built, recognizer, labels)
        if not error <= LARGEST_ERROR:
            raise ModelError(f"{where}: TFLite differs from Keras by {error:.2g}; at most {LARGEST_ERROR:g} is wanted")
        packed = Path(place) / PROFILE
        with Profile(Path(place) / "profile", writable=True, keep_empty=True) as profile:
            write_settings(profile.folder, embedder=installed_name(manifest))
            profile.save(recognizer.save())
            write_backup(profile, name, packed, time())
        write_model_folder(out, manifest, model)
        (out / PROFILE).write_bytes(packed.read_bytes())
    return TeachableConversion(manifest, labels, int(built.whole.count_params()), error)


def _labels(labels: tuple[str, ...], classes: int, where: str) -> tuple[str, ...]:
    """The project's labels, in the order of its outputs."""
    if len(labels) != classes:
        raise ModelError(
            f"{where}: has {counted(classes, 'class', 'classes')}, and {counted(len(labels), 'label')} came; give the "
            "files as they lay together"
        )
    try:
        found = tuple(check_label(label) for label in labels)
    except ExampleError as error:
        raise ModelError(f"{where}: {error}") from None
    if len(set(found)) < len(found):
        raise ModelError(f"{where}: names a class twice; rename one there, and export it again")
    return found


def _recognizer(embedder: TFLiteEmbedder, built: KerasProject, labels: tuple[str, ...]) -> Recognizer:
    """What asks the project's own two layers; classes are sorted, as everywhere here."""
    (W1, b1), (W2, b2) = built.hidden, built.top
    order = np.argsort(labels)
    W2, b2 = W2[:, order], b2[order]
    if b2.any():  # our top layer has no bias: one more unit, which is always 1, carries it
        W1, b1 = np.column_stack((W1, np.zeros(len(W1), np.float32))), np.append(b1, np.float32(1))
        W2 = np.vstack((W2, b2))
    settings: dict[str, Any] = {"epochs": 50, "batch_fraction": 0.4, "rate": 1e-3, "fast": False, "seed": 0}
    meta = {"classes": sorted(labels), "units": len(b1), **settings}
    recognizer = Recognizer(embedder, MLPHead.name, PLAIN, reject=False)
    recognizer.head = MLPHead.from_state(meta, {"W1": W1, "b1": b1, "W2": W2})
    return recognizer


def _largest_error(built: KerasProject, recognizer: Recognizer, labels: tuple[str, ...]) -> float:
    """Of the profile's probabilities against Keras', on pictures of noise of several brightnesses."""
    rng = np.random.default_rng(0)
    height, width, channels = built.base.input_shape[1:]
    worst = 0.0
    for trial in range(TRIALS):
        grey = rng.integers(0, 256, (height, width, 1)) if channels == 1 else rng.integers(0, 256, (height, width, 3))
        picture = np.broadcast_to(grey * (trial + 1) // TRIALS, (height, width, 3)).astype(np.uint8)
        with silence():
            taken = picture[np.newaxis, ..., :channels].astype(np.float32) / 127.5 - 1
            (wanted,) = np.asarray(built.whole(taken, training=False))
        told = dict(zip(recognizer.classes, recognizer.observe(picture).probabilities, strict=True))
        worst = max(worst, *(abs(float(told[label]) - float(one)) for label, one in zip(labels, wanted, strict=True)))
    return worst


def _tflite(model: Any) -> bytes:
    try:
        with silence():
            return bytes(tensorflow().lite.TFLiteConverter.from_keras_model(model).convert())
    except Exception as error:  # the converter raises many kinds
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"TensorFlow cannot convert it ({reason})") from error
