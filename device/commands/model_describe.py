"""`edge-tl model describe`, and `model info --tensors`: what a .tflite file of any maker is, and where to cut it."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

from device.cli.output import print_json, say
from device.commands.options import given_of
from edge_tl.embedders.foreign import LABEL_FILES
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ConfigError, ModelError, counted, escaped
from edge_tl.export.classifier import Classifier
from edge_tl.tflite.interpreter import read_model
from edge_tl.tflite.manifest import FILE_NAME, check_new, read_manifest, write_model_folder
from edge_tl.tflite.surgery import CutPoint, cuts


def describe(arguments: Namespace) -> int:
    """Write a folder with the file, its manifest and its labels: all other commands take it without more words."""
    path, out, given = arguments.path, arguments.out, given_of(arguments)
    check_new(arguments.name, out)
    if path.is_dir():
        raise ConfigError(
            f"{path}: is a folder; a .tflite file is wanted: a folder with {FILE_NAME} is described already"
        )
    network = TFLiteEmbedder.load(
        path,
        scaling=given.scaling,
        resize=given.resize,
        colour_order=given.colour_order,
        size=given.size,
    )
    classifier = Classifier.of(network, replace(given, labels=arguments.labels))
    manifest = network.manifest if arguments.name is None else replace(network.manifest, name=arguments.name)
    if (out / FILE_NAME).is_file() and read_manifest(out).model != manifest.model:
        raise ConfigError(f"--out {out}: holds another model, {read_manifest(out).model}; name another folder")
    write_model_folder(out, manifest, read_model(path))
    labels = () if classifier is None else classifier.classes
    if labels:
        (out / LABEL_FILES[0]).write_text("".join(f"{label}\n" for label in labels), encoding="utf-8")
    told: dict[str, Any] = {"folder": str(out), "name": manifest.name, "input": list(manifest.input_shape)}
    pairs = list(zip(manifest.scaling.scale, manifest.scaling.offset, strict=True))
    low, high = ([round(pixel * scale + offset, 6) for scale, offset in pairs] for pixel in (0, 255))
    told |= {"colour_order": manifest.colour_order, "resize": manifest.resize, "pixels": [low, high]}
    told |= {"output": list(manifest.output_shape), "labels": list(labels)}
    if arguments.json:
        print_json(told)
        return 0
    height, width, _ = manifest.input_shape
    pixels = f"{low[0]:g} to {high[0]:g}" if len({*low}) == len({*high}) == 1 else "scaled per channel"
    shape = "×".join(map(str, manifest.output_shape))
    shown = ", ".join(labels[:6]) + (" …" if len(labels) > 6 else "")
    names = f"{counted(len(labels), 'class', 'classes')}: {shown}" if labels else f"embeds {shape}"
    say(escaped(f"{out}: {manifest.name}, {width}×{height} px {manifest.colour_order}, pixels {pixels}; {names}"))
    command = f"edge-tl predict --model {out} PICTURE" if labels else f"edge-tl teach --model {out}"
    say(f"use it with `{command}`")
    return 0


def listed_tensors(path: Path) -> list[CutPoint]:
    """The tensors at which a file, or the one of a folder, can be cut, from its input on; ModelError for no model."""
    file = path / read_manifest(path).model if path.is_dir() else path
    found = cuts(read_model(file), str(file))
    if not found:
        raise ModelError(f"{file}: has no operator, so there is nowhere to cut it")
    return found
