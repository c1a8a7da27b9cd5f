"""The manifest beside a model: everything that a picture needs on its way in, so that no program has to guess it.

A model folder holds `manifest.json` and the `.tflite` file that it names, hashes and describes.
"""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from edge_tl.errors import ConfigError, ModelError
from edge_tl.files import read_limited
from edge_tl.tflite.other_formats import other_folder

FORMAT = 1
FILE_NAME = "manifest.json"
MAX_BYTES = 100_000
COLOUR_ORDERS = ("rgb", "bgr", "grey")
RESIZES = ("crop", "stretch", "letterbox")
QUANTIZATIONS = ("float32", "float16", "dynamic", "int8")
KINDS = ("picture", "sound")


@dataclass(frozen=True)
class Scaling:
    """y = pixel * scale + offset, one factor per channel in the model's colour order, pixel in 0..255."""

    scale: tuple[float, float, float]
    """Factor of each channel, finite."""
    offset: tuple[float, float, float]
    """What is added to each channel, finite."""


@dataclass(frozen=True)
class Manifest:
    """What a model folder says about its model."""

    name: str
    """What screens and profiles call the model, e.g. `mobilenet_v2-1.0-224-block_16_project`."""
    model: str
    """The file name of the .tflite file, in the same folder."""
    sha256: str
    """The 64 lower-case hex digits of that file's SHA-256: the embedder's fingerprint."""
    architecture: str
    """E.g. `mobilenet_v1`."""
    alpha: float | None
    """The width multiplier where the architecture has one."""
    layer: str
    """The name of the layer at which the base model was cut."""
    input_shape: tuple[int, int, int]
    """(height_px, width_px, channels), without the batch axis; a `grey` model has one channel."""
    colour_order: str
    """`rgb`, `bgr` or `grey`."""
    resize: str
    """`crop` (largest centred part of the model's aspect), `stretch` or `letterbox` (black borders)."""
    scaling: Scaling
    """From pixels to what the base model was trained on."""
    output_shape: tuple[int, ...]
    """The embedding's shape without the batch axis: (7, 7, 320) or (1280,)."""
    quantization: str
    """`float32`, `float16`, `dynamic` or `int8`."""
    weights: dict[str, str]
    """Where the weights come from: origin, licence, sha256."""
    tools: dict[str, str]
    """Name and version of each tool that made the file."""
    kind: str = "picture"
    """`picture` or `sound`."""
    format: int = FORMAT
    """The version of this layout."""


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a model folder; ModelError (one line) where it is missing, damaged or of an unknown format."""
    path = Path(folder) / FILE_NAME
    try:
        values = json.loads(read_limited(path, MAX_BYTES))
    except FileNotFoundError:
        if other := other_folder(Path(folder)):
            raise ModelError(f"{folder}: {other}") from None
        raise ModelError(f"{folder}: no {FILE_NAME} there; a model folder holds it beside the .tflite file") from None
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); a readable manifest is wanted") from error
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"{path}: is not JSON ({reason}); copy or convert the model again") from error
    try:
        return parse_manifest(values)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None


def same_pixels(one: Manifest, other: Manifest) -> bool:
    """Whether both have a picture given to the model in the same way: size, cut, colour order, scaling."""

    def prepared(of: Manifest) -> tuple[object, ...]:
        return of.input_shape, of.resize, of.colour_order, of.scaling

    return prepared(one) == prepared(other)


def manifest_text(manifest: Manifest) -> str:
    """What `manifest.json` holds; ModelError where a value is out of its range."""
    values = asdict(manifest)
    parse_manifest(json.loads(json.dumps(values)))
    return json.dumps(values, indent=2) + "\n"


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json` into a model folder that exists; ModelError where a value is out of its range."""
    (Path(folder) / FILE_NAME).write_text(manifest_text(manifest), encoding="utf-8")


def check_new(name: str | None, out: Path) -> None:
    """ConfigError (one line) for a name or a place that a model folder cannot have, before minutes of work."""
    if name is not None and (not name.strip() or "/" in name or "\\" in name or not name.isprintable()):
        raise ConfigError(f"--name {name!r}: cannot be a file's name; use letters, digits, dots and dashes")
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out}: is a file; a folder is wanted, which is made where it is missing")


def write_model_folder(out: Path, manifest: Manifest, model: bytes) -> None:
    """Write a model folder, made where it is missing: the manifest last, so that it never names half a file.

    ModelError (one line) where it cannot be written, or a value of the manifest is out of its range.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        temporary = out / f".{manifest.model}.part"
        temporary.write_bytes(model)
        os.replace(temporary, out / manifest.model)
        write_manifest(out, manifest)
    except OSError as error:
        raise ModelError(f"{out}: cannot be written ({error.strerror}); choose another --out") from error


def parse_manifest(values: Any) -> Manifest:
    """A checked Manifest from what the JSON held; ModelError where a value is missing, unknown or out of its range."""
    if not isinstance(values, dict):
        raise ModelError(f"holds a {type(values).__name__}; a JSON object is wanted")
    if values.get("format") != FORMAT:
        raise ModelError(f"format {values.get('format')!r} is unknown; this edge-tl reads format {FORMAT}")
    known = {field.name for field in fields(Manifest)}
    optional = {"kind"}
    if missing := sorted(known - optional - values.keys()):
        raise ModelError(f"lacks {', '.join(missing)}; convert the model again")
    if unknown := sorted(values.keys() - known):
        raise ModelError(f"has unknown fields {', '.join(unknown)}; format {FORMAT} does not have them")
    scaling = values["scaling"]
    if not isinstance(scaling, dict) or scaling.keys() != {"scale", "offset"}:
        raise ModelError("scaling is no object of scale and offset, three numbers each")
    manifest = Manifest(
        name=_text(values, "name"),
        model=_text(values, "model"),
        sha256=_text(values, "sha256"),
        architecture=_text(values, "architecture"),
        alpha=None if values["alpha"] is None else _number("alpha", values["alpha"]),
        layer=_text(values, "layer"),
        input_shape=_input_shape(values["input_shape"]),
        colour_order=_one_of(values, "colour_order", COLOUR_ORDERS),
        resize=_one_of(values, "resize", RESIZES),
        scaling=Scaling(_three("scale", scaling["scale"]), _three("offset", scaling["offset"])),
        output_shape=_shape("output_shape", values["output_shape"]),
        quantization=_one_of(values, "quantization", QUANTIZATIONS),
        weights=_texts(values, "weights"),
        tools=_texts(values, "tools"),
        kind=_one_of({"kind": values.get("kind", "picture")}, "kind", KINDS),
    )
    # The name is joined to a folder: it must not lead out of it.
    if manifest.model in (".", "..") or "/" in manifest.model or "\\" in manifest.model or "\0" in manifest.model:
        raise ModelError(f"model {manifest.model!r} is a path; a file name in the same folder is wanted")
    if not re.fullmatch("[0-9a-f]{64}", manifest.sha256):
        raise ModelError(f"sha256 {manifest.sha256!r} is not 64 lower-case hex digits")
    return manifest


def _text(values: dict[str, Any], key: str) -> str:
    value = values[key]
    if not isinstance(value, str) or not value:
        raise ModelError(f"{key} is {value!r}; a text is wanted")
    return value


def _texts(values: dict[str, Any], key: str) -> dict[str, str]:
    value = values[key]
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ModelError(f"{key} is no object of texts")
    return dict(value)


def _one_of(values: dict[str, Any], key: str, choices: tuple[str, ...]) -> str:
    value = values[key]
    if value not in choices:
        raise ModelError(f"{key} is {value!r}; one of {', '.join(choices)} is wanted")
    return str(value)


def _number(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ModelError(f"{key} is {value!r}; a finite number is wanted")
    return float(value)


def _three(key: str, value: Any) -> tuple[float, float, float]:
    if not isinstance(value, list) or len(value) != 3:
        raise ModelError(f"scaling {key} is {value!r}; three numbers are wanted")
    first, second, third = (_number(f"scaling {key}", number) for number in value)
    return first, second, third


def _shape(key: str, value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not value:
        raise ModelError(f"{key} is {value!r}; a list of sizes is wanted")
    if not all(type(size) is int and size > 0 for size in value):
        raise ModelError(f"{key} is {value!r}; whole sizes from 1 are wanted")
    return tuple(value)


def _input_shape(value: Any) -> tuple[int, int, int]:
    shape = _shape("input_shape", value)
    if len(shape) != 3:
        raise ModelError(f"input_shape is {value!r}; (height_px, width_px, channels) is wanted")
    return shape[0], shape[1], shape[2]
