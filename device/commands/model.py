"""`edge-tl model`: model files, and the generations of a profile."""

from __future__ import annotations

import time
from argparse import Namespace
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from device.assembly import open_profile
from device.output import print_json
from edge_tl.embedder import TFLiteEmbedder
from edge_tl.errors import ProfileError
from edge_tl.interpreter import Interpreter, TensorInfo
from edge_tl.manifest import read_manifest
from edge_tl.models import default_model
from edge_tl.profile import Generation


def run(arguments: Namespace) -> int:
    """Run one action."""
    if arguments.action == "info":
        return info(arguments)
    with ExitStack() as stack:
        profile = open_profile(arguments, stack, writable=arguments.action == "roll-back")
        if arguments.action == "roll-back":
            profile.roll_back()
        generations = profile.generations()
        if not generations:
            raise ProfileError(f"profile {arguments.profile!r} was not trained yet: run `edge-tl train`")
        if arguments.json:
            print_json([asdict(generation) for generation in generations])
        else:
            for generation in generations:
                print(line(generation))
    return 0


def line(generation: Generation) -> str:
    """A generation in one line."""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(generation.time_s)) if generation.time_s else ""
    state = "" if generation.ok else "  damaged"
    state += "  rolled back" if generation.rolled_back else ""
    accuracy = "" if generation.accuracy is None else f"  accuracy {generation.accuracy:.1%}"
    return f"{generation.number:4}  {when}  {generation.head}{accuracy}{state}"


def info(arguments: Namespace) -> int:
    """What a .tflite file, or the folder of a converted model, holds."""
    path = arguments.path or default_model()
    described = describe(path)
    if arguments.json:
        print_json(described)
        return 0
    for name, value in described.items():
        if isinstance(value, dict):
            print(f"{name}:")
            for key, entry in value.items():
                print(f"  {key}: {entry}")
        else:
            print(f"{name}: {value}")
    return 0


def describe(path: Path) -> dict[str, Any]:
    """The facts of a model: its tensors, and its manifest where it has one; ModelError where the two disagree."""
    manifest = read_manifest(path) if path.is_dir() else None
    if manifest:
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


def tensor_text(tensor: TensorInfo) -> str:
    """Name, shape, type and quantisation of a tensor."""
    text = f"{tensor.name} {'×'.join(map(str, tensor.shape))} {tensor.dtype}"
    return f"{text} (scale {tensor.scale:g}, zero point {tensor.zero_point})" if tensor.scale else text
