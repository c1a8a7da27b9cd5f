"""`edge-tl model`: model files, those that find hands and faces, and the generations of a profile."""

from __future__ import annotations

import importlib
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from device.cli.fetch_models import ensure_models, taken_parts
from device.cli.model_places import folder_of_models, folder_to_fill, has_models
from device.cli.output import print_json, warn
from device.commands.model_describe import listed_tensors
from edge_tl.detection.one_file import columns, is_one_file, read_one_file
from edge_tl.embedders.foreign import ModelHints
from edge_tl.embedders.look.models import (
    ALL,
    ARCHITECTURE,
    PARTS,
    is_installed,
    load_part,
    parts_of,
    read_parts,
    store_parts,
)
from edge_tl.embedders.speech_base import FILE_NAME as SPEECH_BASE
from edge_tl.embedders.speech_base import read_base
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ConfigError, ModelError, counted, escaped
from edge_tl.export.classifier import Classifier
from edge_tl.export.fused import read_about
from edge_tl.finetune.picture_base import FILE_NAME as NETWORK
from edge_tl.finetune.picture_base import read_picture_base
from edge_tl.models import default_model
from edge_tl.tflite.interpreter import Interpreter, TensorInfo, read_model
from edge_tl.tflite.manifest import read_manifest
from edge_tl.tflite.pixels import pixels_told
from edge_tl.tflite.surgery import truncate


def run(arguments: Namespace) -> int:
    """Run one action."""
    if arguments.action in ELSEWHERE:
        module, function = ELSEWHERE[arguments.action]
        return int(getattr(importlib.import_module(module), function)(arguments))
    return ACTIONS[arguments.action](arguments)


def get(arguments: Namespace) -> int:
    """Take the models of `hands`, `face` or `all` out of the published package, unless they are there already."""
    which, data_dir = arguments.which, arguments.data_dir
    if arguments.if_possible:
        if which != ALL or arguments.wheel or arguments.json:
            raise ConfigError("--if-possible is for `edge-tl model get all` alone: without --wheel and --json")
        ensure_models(data_dir, warn)
        return 0
    there = arguments.wheel is None and has_models(data_dir, which)
    if there:
        folder = folder_of_models(data_dir, which)
    else:
        folder = folder_to_fill(data_dir)
        wheel = arguments.wheel
        store_parts(folder, taken_parts(data_dir, which, warn) if wheel is None else read_parts(wheel, which))
    places = {part: str(folder / part.name) for part in parts_of(which)}
    if arguments.json:
        print_json({"which": which, "already_there": there, "models": list(places.values())})
        return 0
    for word, parts in PARTS.items():
        for part in parts:
            if part in places:
                print(f"{word}: {places[part]} {'was already there' if there else 'is ready'}")
    return 0


def list_models(arguments: Namespace) -> int:
    """The shipped model, and those that find hands and faces, there or not."""
    shipped = default_model()
    rows = [{"name": shipped.name, "for": "frame", "installed": True, "folder": str(shipped)}]
    for which, parts in PARTS.items():
        folder = folder_of_models(arguments.data_dir, which)
        for part in parts:
            there = is_installed(folder, part)
            rows.append({"name": part.name, "for": which, "installed": there, "folder": str(folder / part.name)})
    if arguments.json:
        print_json(rows)
        return 0
    for row in rows:
        where = row["folder"] if row["installed"] else f"not there; `edge-tl model get {row['for']}` gets it"
        print(escaped(f"{row['for']:5}  {row['name']}: {where}"))
    return 0


def info(arguments: Namespace) -> int:
    """What a .tflite file, or the folder of a converted model, holds."""
    path = arguments.path or default_model()
    if arguments.tensors:
        return tensors(path, as_json=arguments.json)
    described = describe(path)
    if arguments.json:
        print_json(described)
        return 0
    for name, value in described.items():
        if isinstance(value, dict):
            print(escaped(f"{name}:"))
            for key, entry in value.items():
                print(escaped(f"  {key}: {entry}"))
        else:
            print(escaped(f"{name}: {value}"))
    return 0


def tensors(path: Path, *, as_json: bool) -> int:
    """List the tensors at which a model can be cut, from its input on: the name, its shape, what makes it."""
    found = listed_tensors(path)
    if as_json:
        print_json([asdict(one) for one in found])
        return 0
    for one in found:
        print(escaped(f"{one.tensor}  {'×'.join(map(str, one.shape))}  {one.operator}"))
    return 0


def describe(path: Path) -> dict[str, Any]:
    """The facts of a model: its tensors, and its manifest where it has one; ModelError where the two disagree."""
    for own, (what, read) in OF_FOLDERS.items():
        if (path / own).is_file():
            told = {name: value for name, value in asdict(read(path)).items() if name != "layers"}
            return {"folder": str(path), "what": what, "description": told}
    manifest = read_manifest(path) if path.is_dir() else None
    if manifest and manifest.architecture == ARCHITECTURE:
        known = {part.name: part for parts in PARTS.values() for part in parts}
        if manifest.name not in known or path.resolve().name != manifest.name:
            raise ModelError(f"{path}: {manifest.name!r} is none of {', '.join(known)}; get the models again")
        load_part(path.resolve().parent, known[manifest.name], threads=1)
    elif manifest:
        TFLiteEmbedder.load(path, threads=1)  # checks hash, shapes and scaling against the file
    file = path / manifest.model if manifest else path
    interpreter = Interpreter(file, threads=1)
    facts: dict[str, Any] = {
        "file": str(file),
        "bytes": file.stat().st_size,
        "runs on": interpreter.backend,
        "inputs": ", ".join(map(tensor_text, interpreter.inputs)),
        "outputs": ", ".join(map(tensor_text, interpreter.outputs)),
    }
    if manifest:
        facts["manifest"] = asdict(manifest)
        return facts
    data = read_model(file)
    if about := read_about(data, str(file)):
        facts |= {"labels": ", ".join(about.labels), "head": about.head}
        if about.manifest:
            facts["made of"] = about.manifest.name
    elif is_one_file(data, str(file)):
        detector = read_one_file(file, threads=1)
        facts |= {"labels": ", ".join(detector.answers.labels), "columns": "; ".join(columns(detector.answers))}
    else:
        facts |= foreign_facts(file)
    return facts


def foreign_facts(file: Path) -> dict[str, str]:
    """What a file of another maker takes and names as it is, or what has to be said of it first."""
    try:
        network = TFLiteEmbedder.load(file, threads=1)
        classifier = Classifier.of(network, ModelHints())
    except ModelError as error:
        return {"note": str(error)}
    pairs = zip(network.manifest.scaling.scale, network.manifest.scaling.offset, strict=True)
    ranges = dict.fromkeys(f"{offset:.3g} to {255 * scale + offset:.3g}" for scale, offset in pairs)
    facts = {"pixels": ", ".join(ranges), "colours": network.manifest.colour_order}
    return facts if classifier is None else facts | {"labels": ", ".join(classifier.classes)}


OF_FOLDERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    SPEECH_BASE: ("a base of speech, for --base", lambda folder: read_base(folder)[0]),
    NETWORK: ("a trained network, for model adapt and fuse --network", lambda folder: read_picture_base(folder).about),
}
"""What a folder is by the file that describes it, and what reads that, with every file in the folder checked."""


def cut(arguments: Namespace) -> int:
    """Cut a .tflite file at one of its tensors; OUT is replaced whole or not at all."""
    from device.commands.model_fuse import written_model

    path, out = arguments.path, arguments.out
    data = truncate(read_model(path), arguments.tensor, str(path))
    with written_model(out, data, path) as made:
        Interpreter(made, threads=1)  # that it runs is known before OUT is replaced
    if arguments.json:
        print_json({"file": str(out), "tensor": arguments.tensor, "bytes": len(data)})
    else:
        print(escaped(f"{out}: ends at {arguments.tensor}, {counted(len(data), 'byte')}"))
        if (range_ := unsaid_range(path, data, out)) is not None:
            print(f"it does not say how its pixels are scaled: give --scaling {range_} where you use it")
    return 0


def unsaid_range(path: Path, data: bytes, out: Path) -> str | None:
    """How the pixels of a cut file are scaled, LOW,HIGH, where the whole one's manifest says it and the file does not;
    None where it does, or nobody knows."""
    try:
        scaling = TFLiteEmbedder.load(path, threads=1).manifest.scaling
    except ModelError:
        return None
    if pixels_told(data, str(out)).scaling is not None or len({*scaling.scale}) > 1 or len({*scaling.offset}) > 1:
        return None
    return f"{scaling.offset[0]:g},{255 * scaling.scale[0] + scaling.offset[0]:g}"


def tensor_text(tensor: TensorInfo) -> str:
    """Name, shape, type and quantisation of a tensor."""
    text = f"{tensor.name} {'×'.join(map(str, tensor.shape))} {tensor.dtype}"
    return f"{text} (scale {tensor.scale:g}, zero point {tensor.zero_point})" if tensor.scale else text


ELSEWHERE = {
    "adapt": ("device.commands.model_adapt", "run"),
    "build": ("device.commands.model_build", "build"),
    "describe": ("device.commands.model_describe", "describe"),
    "detector": ("device.commands.model_detector", "run"),
    "fuse": ("device.commands.model_fuse", "fuse_profile"),
    "generations": ("device.commands.model_generations", "run"),
    "quantize": ("device.commands.model_build", "quantize"),
    "roll-back": ("device.commands.model_generations", "run"),
    "roll-forward": ("device.commands.model_generations", "run"),
    "use": ("device.commands.model_use", "use"),
}
"""Actions of other modules, each of which is imported only for its own sake."""
ACTIONS = {
    "get": get,
    "list": list_models,
    "info": info,
    "truncate": cut,
}
"""All others."""
