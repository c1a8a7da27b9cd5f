"""From a cut Keras model to a model folder: the .tflite file and its manifest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from edge_tl.errors import ConfigError, ExampleError, ModelError
from edge_tl.image import decode, fit
from edge_tl.manifest import QUANTIZATIONS, Manifest, write_manifest
from host_tools.image import RESIZE, BaseModel
from host_tools.tf import silence, tensorflow, versions

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".pgm")
MOST_REPRESENTATIVE = 200
"""Ranges of activations settle after about a hundred pictures."""


def pictures_in(folder: Path, most: int) -> list[Path]:
    """At most so many pictures of a folder and those below it, spread evenly over their sorted names.

    ConfigError (one line) where the folder is missing or holds none.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; a folder of pictures is wanted")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES)
    if not paths:
        raise ConfigError(f"{folder}: holds no pictures ({', '.join(PICTURE_SUFFIXES)}); put some there")
    chosen = np.linspace(0, len(paths) - 1, min(most, len(paths))).round().astype(int)
    return [paths[at] for at in chosen]


def fitted(paths: list[Path], size_px: int) -> Iterator[np.ndarray]:
    """The pictures as uint8 (size, size, 3) RGB; ExampleError (one line) for one that cannot be read."""
    for path in paths:
        yield fit(decode(path), (size_px, size_px), RESIZE)


def convert(base: BaseModel, quantization: str, representative: Path | None = None) -> bytes:
    """The model as a TFLite file.

    `quantization`: `float32`; `float16` and `dynamic` keep float32 inputs and outputs and store smaller weights;
    `int8` computes in integers, int8 in and out, and needs `representative`, a folder of pictures like those that
    the model will see. ConfigError (one line) without it; ModelError where TensorFlow cannot convert the model.
    """
    if quantization not in QUANTIZATIONS:
        raise ConfigError(f"--quantize {quantization}: is unknown; one of {', '.join(QUANTIZATIONS)} is wanted")
    pictures: list[np.ndarray] = []
    if quantization == "int8":
        if representative is None:
            raise ConfigError(
                "--quantize int8 needs --representative FOLDER: pictures like those that the model will see, "
                "from which the ranges of its numbers are measured"
            )
        pictures = list(fitted(pictures_in(representative, MOST_REPRESENTATIVE), base.recipe.size_px))
    tf = tensorflow()
    try:
        with silence():
            converter = tf.lite.TFLiteConverter.from_keras_model(base.model)
            if quantization != "float32":
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            if quantization == "float16":
                converter.target_spec.supported_types = [tf.float16]
            if quantization == "int8":
                converter.representative_dataset = lambda: ([base.input_of(one)] for one in pictures)
                converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
                converter.inference_input_type = converter.inference_output_type = tf.int8
            return bytes(converter.convert())
    except Exception as error:  # the converter raises many kinds
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{base.name}: TensorFlow cannot convert it ({reason}); cut at another layer") from error


def write_folder(out: Path, base: BaseModel, model: bytes, quantization: str, name: str | None = None) -> Manifest:
    """Write the model folder `out`, made where it is missing: the manifest last, so that it never names half a file.

    ModelError (one line) where it cannot be written.
    """
    suffix = "" if quantization == "float32" else f"-{quantization}"
    name = name or base.name + suffix
    if not base.recipe.layer:
        raise ModelError(f"{name}: has no layer; build it first")
    manifest = Manifest(
        name=name,
        model=f"{name}.tflite",
        sha256=hashlib.sha256(model).hexdigest(),
        architecture=base.recipe.architecture,
        alpha=base.recipe.alpha,
        layer=base.recipe.layer,
        input_shape=(base.recipe.size_px, base.recipe.size_px, 3),
        colour_order=base.colour_order,
        resize=RESIZE,
        scaling=base.scaling,
        output_shape=base.output_shape,
        quantization=quantization,
        weights={
            "origin": base.weights.origin,
            "licence": base.weights.licence,
            "sha256": base.weights.sha256,
            "file": base.weights.file,
        },
        tools=versions(),
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
        temporary = out / f".{manifest.model}.part"
        temporary.write_bytes(model)
        os.replace(temporary, out / manifest.model)
        write_manifest(out, manifest)
    except OSError as error:
        raise ModelError(f"{out}: cannot be written ({error.strerror}); choose another --out") from error
    return manifest
