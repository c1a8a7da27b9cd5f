"""The models that find hands and faces: taken out of the published wheel, which is never installed."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from edge_tl.core.archive import Archive, DamagedArchive
from edge_tl.embedders.look.choices import ALL, MODELS
from edge_tl.errors import ModelError
from edge_tl.files import sync_folder, write_synced
from edge_tl.tflite.interpreter import Interpreter, read_model
from edge_tl.tflite.manifest import Manifest, Scaling, read_manifest, write_manifest

VERSION = "0.10.9"
"""The version of mediapipe whose files are wanted."""
LICENCE = "Apache-2.0"
ARCHITECTURE = "mediapipe"
"""What their manifests say."""
UNIT = Scaling((1 / 255,) * 3, (0.0,) * 3)
SIGNED = Scaling((2 / 255,) * 3, (-1.0,) * 3)


@dataclass(frozen=True)
class ModelPart:
    """One .tflite file of the wheel."""

    name: str
    member: str
    size_bytes: int
    sha256: str
    side_px: int
    """Of its square input."""
    output_shape: tuple[int, ...]
    """Of its first output, without the batch axis."""
    scaling: Scaling


PALM = ModelPart(
    "palm_detection_full",
    "mediapipe/modules/palm_detection/palm_detection_full.tflite",
    2339846,
    "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
    192,
    (2016, 18),
    UNIT,
)
LANDMARKS = ModelPart(
    "hand_landmark_full",
    "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
    5478917,
    "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
    224,
    (63,),
    UNIT,
)
FACE = ModelPart(
    "face_detection_short_range",
    "mediapipe/modules/face_detection/face_detection_short_range.tflite",
    229714,
    "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    128,
    (896, 16),
    SIGNED,
)
PARTS = {"hands": (PALM, LANDMARKS), "face": (FACE,)}
"""Which files are needed to look for what."""


def download_command(folder: Path) -> list[str]:
    """The command that fetches the wheel (35 MB) into a folder; it needs a network, and installs nothing.

    The platform is fixed because the models are the same in every wheel, and a Pi has none of this version.
    """
    wanted = "--no-deps --only-binary=:all: --python-version 3.11 --platform manylinux_2_17_x86_64"
    return [sys.executable, "-m", "pip", "download", *wanted.split(), "--dest", str(folder), f"mediapipe=={VERSION}"]


def install_models(wheel: Path, folder: Path, which: str) -> list[Path]:
    """Take the models of `hands`, `face` or `all` out of a wheel file; the model folders, in the order of PARTS.

    `folder`: each model gets a folder of its own there, with a manifest that says where it is from. Whatever else is
    in the wheel is not touched. All are checked (size and full SHA-256) before the first is stored, a model is stored
    whole or not at all, and one that is there already is left alone. ModelError (one line) where the wheel is missing,
    is no wheel or holds other files, or where the folder cannot be written.
    """
    return store_parts(folder, read_parts(wheel, which))


def read_parts(wheel: Path, which: str) -> dict[ModelPart, bytes]:
    """The checked models of `hands`, `face` or `all` in a wheel file; ModelError where it is not the published one."""
    parts = parts_of(which)
    try:
        with Archive(wheel) as archive:
            return {part: _checked(archive, part, wheel) for part in parts}
    except FileNotFoundError:
        raise ModelError(f"{wheel}: no such file; the wheel of mediapipe {VERSION} is wanted") from None
    except OSError as error:
        raise ModelError(f"{wheel}: cannot be read ({error.strerror or error}); a wheel file is wanted") from error
    except DamagedArchive as error:
        raise ModelError(f"{wheel}: is no whole wheel ({error}); download mediapipe {VERSION} again") from error


def store_parts(folder: Path, taken: dict[ModelPart, bytes]) -> list[Path]:
    """Store what `read_parts` took, each in a folder of its own; ModelError where `folder` cannot be written."""
    try:
        return [_stored(folder, part, data) for part, data in taken.items()]
    except OSError as error:
        raise ModelError(f"{folder}: cannot be written ({error.strerror}); a folder with room is wanted") from error


def parts_of(which: str) -> tuple[ModelPart, ...]:
    """The files that `hands` or `face` needs, or those of `all`; ModelError for another word."""
    if which == ALL:
        return tuple(part for parts in PARTS.values() for part in parts)
    if which not in PARTS:
        raise ModelError(f"no models are called {which!r}; one of {', '.join(MODELS)} is wanted")
    return PARTS[which]


def read_installed(folder: Path, which: str) -> dict[ModelPart, bytes]:
    """The models of `hands`, `face` or `all` that are installed in a folder, checked; ModelError where one is not."""
    return {part: _published(Path(folder), part) for part in parts_of(which)}


def load_part(folder: Path, part: ModelPart, threads: int | None = None) -> Interpreter:
    """An installed model, loaded; ModelError where it is missing or is not the published file."""
    _published(Path(folder), part)
    return Interpreter(Path(folder) / part.name / f"{part.name}.tflite", threads=threads, name=part.name)


def is_installed(folder: Path, part: ModelPart) -> bool:
    """Whether a folder of models holds the published file of a part, and a manifest that says so."""
    try:
        _published(Path(folder), part)
    except ModelError:
        return False
    return True


def _published(folder: Path, part: ModelPart) -> bytes:
    """An installed model; ModelError where it, or its manifest, is missing or is not the published one."""
    place = folder / part.name
    which = next(word for word, parts in PARTS.items() if part in parts)
    if not os.path.exists(place):
        raise ModelError(f"{place}: is not there yet; get it with `edge-tl model get {which}`")
    try:
        manifest, data = read_manifest(place), read_model(place / f"{part.name}.tflite")
    except ModelError:
        manifest, data = None, b""
    if manifest is None or not manifest.sha256 == part.sha256 == hashlib.sha256(data).hexdigest():
        raise ModelError(
            f"{place}: is not the {part.name} of mediapipe {VERSION}; replace it with `edge-tl model get {which}`"
        )
    return data


def _checked(archive: Archive, part: ModelPart, wheel: Path) -> bytes:
    """The bytes of a part; ModelError where they are not there or not the published ones."""
    if part.member not in archive:
        raise ModelError(f"{wheel}: {_says(archive)} without {part.member}; mediapipe {VERSION} is wanted")
    # Looked at before anything is unpacked: a bomb says its size, or is cut off where it lied.
    fits = archive.size_bytes(part.member) == part.size_bytes
    data = archive.read(part.member, part.size_bytes) if fits else b""
    if hashlib.sha256(data).hexdigest() != part.sha256:
        raise ModelError(f"{wheel}: {_says(archive)} with another {part.name}; mediapipe {VERSION} is wanted")
    return data


def _says(archive: Archive) -> str:
    """What an archive says that it is."""
    for name in archive.names:
        top, _, rest = name.partition("/")
        if rest == "METADATA" and top.endswith(".dist-info"):
            return f"is {top.removesuffix('.dist-info').replace('-', ' ', 1)!r},"
    return "is no wheel but a zip file"


def _stored(folder: Path, part: ModelPart, data: bytes) -> Path:
    """The folder of a model, made under another name and then renamed."""
    place = Path(folder) / part.name
    if is_installed(folder, part):
        return place
    fresh = Path(folder) / f".{part.name}.{os.getpid()}"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        write_synced(fresh / f"{part.name}.tflite", data)
        write_manifest(fresh, _manifest(part))
        sync_folder(fresh)
        if place.exists():  # damaged: it is of no use to anyone
            shutil.rmtree(place)
        try:
            fresh.rename(place)
        except OSError:
            if not is_installed(folder, part):  # else another process was faster
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    sync_folder(Path(folder))
    return place


def _manifest(part: ModelPart) -> Manifest:
    """What is known of a part, in the words of every model folder."""
    return Manifest(
        name=part.name,
        model=f"{part.name}.tflite",
        sha256=part.sha256,
        architecture=ARCHITECTURE,
        alpha=None,
        layer="all outputs",
        input_shape=(part.side_px, part.side_px, 3),
        colour_order="rgb",
        resize="stretch" if part is LANDMARKS else "letterbox",
        scaling=part.scaling,
        output_shape=part.output_shape,
        quantization="float16",
        weights={"origin": f"mediapipe {VERSION}, {part.member}", "licence": LICENCE, "sha256": part.sha256},
        tools={},
    )
