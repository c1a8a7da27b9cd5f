"""From a cut Keras model to a model folder: the .tflite file and its manifest."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from edge_tl.errors import ConfigError, ModelError
from edge_tl.store.pictures import RESIZE, read_pictures
from edge_tl.tflite.manifest import QUANTIZATIONS, Manifest, check_new, write_model_folder
from host_tools.image import BaseModel
from host_tools.tf import silence, tensorflow, versions

MAX_REPRESENTATIVE = 200
"""Ranges of activations settle after about a hundred pictures."""


def check_convertible(quantization: str, representative: Path | None, name: str | None, out: Path) -> None:
    """ConfigError (one line) for what would fail only after minutes of work: see `convert` and `write_folder`."""
    if quantization not in QUANTIZATIONS:
        raise ConfigError(f"--quantize {quantization}: is unknown; one of {', '.join(QUANTIZATIONS)} is wanted")
    if quantization == "int8" and representative is None:
        raise ConfigError(
            "--quantize int8 needs --representative FOLDER: pictures like those that the model will see, or a "
            "profile, from which the ranges of its numbers are measured"
        )
    if representative is not None and quantization != "int8":
        raise ConfigError(f"--representative is for --quantize int8, not {quantization}; leave it out")
    check_new(name, out)


def convert(base: BaseModel, quantization: str, representative: Path | None = None) -> bytes:
    """The model as a TFLite file.

    `quantization`: `float32`; `float16` and `dynamic` keep float32 inputs and outputs and store smaller weights;
    `int8` computes in integers, int8 in and out, and needs `representative`, pictures like those that the model will
    see (as for `read_pictures`).
    ConfigError (one line) without it; ModelError where TensorFlow cannot convert the model.
    """
    check_convertible(quantization, representative, None, Path())
    pictures: list[np.ndarray] = []
    if representative is not None:
        pictures = list(read_pictures(representative, base.recipe.size_px, MAX_REPRESENTATIVE))
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
    """Write the model folder `out` with all that is known of the model; see `write_model_folder`."""
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
    write_model_folder(out, manifest, model)
    return manifest
