"""`edge-tl model build` and `edge-tl model quantize`: a model folder made on this machine, without TensorFlow."""

from __future__ import annotations

import hashlib
import time
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from device.cli.output import Progress, print_json, say
from edge_tl.embedders.tflite import TFLiteEmbedder, read_hashed
from edge_tl.errors import ConfigError, ModelError
from edge_tl.labels import escape
from edge_tl.models import default_model
from edge_tl.store.pictures import RESIZE, model_input, read_pictures
from edge_tl.tflite.building import Recipe
from edge_tl.tflite.building import build as written
from edge_tl.tflite.interpreter import Interpreter
from edge_tl.tflite.manifest import Manifest, check_new, read_manifest, write_model_folder
from edge_tl.tflite.quantizing import to_float16, to_int8
from edge_tl.tflite.weights import Weights, read_weights

MAX_MEASURED = 100
"""Ranges of activations settle after some dozens of pictures."""
MAX_COMPARED = 20
TIMED = 5
"""So often each of them is embedded: the fastest counts."""


def build(arguments: Namespace) -> int:
    """Write a MobileNet from its weights."""
    pictures = check(arguments)
    recipe = Recipe(arguments.architecture, arguments.size, arguments.alpha, arguments.layer)
    weights = read_weights(arguments.weights, arguments.licence)
    made = written(recipe, weights)
    recipe = made.recipe
    name = f"{recipe.architecture}-{recipe.alpha}-{recipe.size_px}-{recipe.layer}"
    manifest = Manifest(
        name=name,
        model=f"{name}.tflite",
        sha256="0" * 64,
        architecture=recipe.architecture,
        alpha=recipe.alpha,
        layer=recipe.layer or "",
        input_shape=(recipe.size_px, recipe.size_px, 3),
        colour_order="rgb",
        resize=RESIZE,
        scaling=made.scaling,
        output_shape=made.output_shape,
        quantization="float32",
        weights=origin(weights),
        tools={},
    )
    return finish(manifest, made.model, pictures, arguments.quantize, arguments.name, arguments.out, arguments.json)


def quantize(arguments: Namespace) -> int:
    """Write the model of a folder with smaller numbers."""
    pictures = check(arguments)
    folder = arguments.path or default_model()
    manifest = read_manifest(folder)
    if manifest.kind != "picture" or manifest.quantization not in ("float32", "float16"):
        held = f"{manifest.kind} model in {manifest.quantization}"
        raise ModelError(f"{folder}: holds a {held}; one of pictures in float32 or float16 is wanted")
    if manifest.colour_order == "grey":
        raise ModelError(f"{folder}: takes grey pictures, which are not measured here: quantise it where it was made")
    model = read_hashed(folder / manifest.model, manifest.sha256)
    manifest = replace(manifest, name=manifest.name.removesuffix("-float16"))
    return finish(manifest, model, pictures, arguments.quantize, arguments.name, arguments.out, arguments.json)


def finish(
    manifest: Manifest, model: bytes, pictures: Path | None, kind: str, name: str | None, out: Path, as_json: bool
) -> int:
    """Make the model smaller where `kind` says so, write the folder `out`, and say what is in it."""
    name = name or manifest.name + ("" if kind == "float32" else f"-{kind}")
    before = model
    if kind == "float16":
        model = to_float16(model, manifest.name)
    elif pictures is not None:
        with Progress("measuring") as progress:
            examples = inputs(manifest, pictures, MAX_MEASURED, progress)
            model = to_int8(model, examples, manifest.name)
    manifest = replace(
        manifest,
        name=name,
        model=f"{name}.tflite",
        sha256=hashlib.sha256(model).hexdigest(),
        quantization=kind,
        tools=manifest.tools | {"edge-tl": version("edge-tl"), "numpy": np.__version__},
    )
    # That it runs, and how well, is known before anything is written.
    small = TFLiteEmbedder(Interpreter(model, threads=1, name=manifest.model, pictures=True), manifest)
    found = None if pictures is None else likeness(small, before, pictures)
    write_model_folder(out, manifest, model)
    file, shape = out / manifest.model, "×".join(map(str, manifest.output_shape))
    if as_json:
        said = {"file": str(file), "bytes": len(model), "sha256": manifest.sha256, "layer": manifest.layer}
        said |= {"output_shape": manifest.output_shape, "cosine": found and found.cosine}
        print_json(said | ({} if found is None else {"ms": found.ms, "ms_before": found.ms_before}))
        return 0
    say(f"{file}: {len(model) / 1e6:.2f} MB, embeds {shape}")
    if found is not None:
        say(f"embeddings of these pictures against those of the float model: mean cosine {found.cosine:.3f}")
        say(f"a picture takes {found.ms:.2f} ms here at best, {found.ms_before:.2f} with the float model (one thread)")
    say(f"teach with it: `edge-tl teach --model {out}`")
    return 0


def check(arguments: Namespace) -> Path | None:
    """Where pictures to measure on are, for int8; ConfigError for what would fail only after the work is done."""
    check_new(arguments.name, arguments.out)
    where = arguments.representative
    if arguments.quantize != "int8":
        if where is not None:
            raise ConfigError(f"--representative is for --quantize int8, not {arguments.quantize}; leave it out")
        return None
    if where is None:
        raise ConfigError(
            "--quantize int8 needs --representative: a folder of pictures like those that the model will see, or the "
            "name of a profile"
        )
    folder = Path(where)
    if not folder.is_dir():
        profile: Path = arguments.data_dir / "profiles" / escape(where)
        folder = profile if profile.is_dir() else folder
    next(read_pictures(folder, 32, 1))
    return folder


def inputs(manifest: Manifest, pictures: Path, most: int, progress: Progress) -> Iterator[np.ndarray]:
    """Pictures as the float model takes them."""
    for number, picture in enumerate(read_pictures(pictures, manifest.input_shape[:2], most, manifest.resize)):
        progress(number + 1, "pictures")
        yield model_input(picture, manifest.scaling, manifest.colour_order)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How a smaller model does beside the one before, on this machine."""

    cosine: float
    """The mean between what both make of a picture."""
    ms: float
    """The shortest time that a picture took: what else the machine does makes others longer."""
    ms_before: float


def likeness(small: TFLiteEmbedder, before: bytes, pictures: Path) -> Likeness:
    """What the new model and the one before make of some pictures, and how fast: not all machines gain."""
    manifest = small.manifest
    whole = Interpreter(before, threads=1, name=manifest.name, pictures=True)
    cosines, times = [], []
    for picture in read_pictures(pictures, manifest.input_shape[:2], MAX_COMPARED, manifest.resize):
        for _ in range(TIMED):
            start_s = time.perf_counter()
            made = small.embed(picture)
            half_s = time.perf_counter()
            (wanted,) = whole.invoke(model_input(picture, manifest.scaling, manifest.colour_order))
            times.append((half_s - start_s, time.perf_counter() - half_s))
        lengths = float(np.linalg.norm(made) * np.linalg.norm(wanted))
        cosines.append(float(made @ wanted.reshape(-1)) / lengths if lengths else 1.0)
    ms, ms_before = (1000 * np.array(times).min(axis=0)).tolist()
    return Likeness(float(np.mean(cosines)), ms, ms_before)


def origin(weights: Weights) -> dict[str, str]:
    """Where weights come from, for a manifest."""
    licence = weights.licence
    return {"origin": weights.origin, "licence": licence, "sha256": weights.sha256, "file": weights.file}
