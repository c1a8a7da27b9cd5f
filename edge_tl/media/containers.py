"""Films and compressed sound, as telephones and browsers write them: the one home of PyAV.

A file is opened as what its first bytes say that it is. FFmpeg, left to guess, also takes lists of other files and of
addresses, and opens those.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.errors import ExampleError, MissingDependency, to_install
from edge_tl.files import open_regular

_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_HEAD = 16
STILLS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis")
"""What a picture says that it is that is packed as films are."""
FILMS = ("mov", "matroska", "avi")
"""What may hold moving pictures."""
ONLY_HERE = (*FILMS, "amr", "aac")
"""What libsndfile does not read at all."""


def import_av() -> Any:
    """PyAV; MissingDependency with the command that installs it."""
    try:
        import av
    except ImportError as error:
        raise MissingDependency(
            f"PyAV reads USB cameras and videos and is not installed: {to_install('[usb]')}"
        ) from error
    # FFmpeg's own lines on stderr would fall into the middle of a terminal screen.
    av.logging.set_level(av.logging.PANIC)
    return av


def can_open() -> bool:
    """Whether PyAV is installed."""
    try:
        import_av()
    except MissingDependency:
        return False
    return True


def container_of(head: bytes) -> str:
    """FFmpeg's name of what a file is, by its first 16 bytes; empty for what is no film and no sound."""
    if head[4:8] in _BOXES:
        return "" if head[8:12] in STILLS else "mov"
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "matroska"
    if head.startswith(b"RIFF"):
        return "avi" if head[8:12] == b"AVI " else ""
    for magic, name in ((b"#!AMR", "amr"), (b"OggS", "ogg"), (b"caff", "caf"), (b"ID3", "mp3")):
        if head.startswith(magic):
            return name
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:  # a frame of MPEG sound: layer 0 is AAC
        return "aac" if head[1] & 0x06 == 0 else "mp3"
    return ""


def is_still(head: bytes) -> bool:
    """Whether a file is one of the usual pictures, by its first 16 bytes."""
    if head[8:12] in STILLS:
        return head[4:8] == b"ftyp"
    return head.startswith((b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM")) or head[8:12] == b"WEBP"


def is_film(source: Path | bytes) -> bool:
    """Whether a file, or its bytes, is packed as films are by its first bytes; False where it cannot be read."""
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else io.BufferedReader(open_regular(source)) as stream:
            return container_of(stream.read(_HEAD)) in FILMS
    except OSError:
        return False


@contextmanager
def open_container(source: Path | bytes, name: str = "the file") -> Iterator[Any]:
    """A film or sound as PyAV opens it, for as long as `with` lasts.

    source: a path, or the file's bytes, which errors call by `name`. ExampleError (one line) for what is none, is
    damaged, or cannot be read, and where PyAV is not installed.
    """
    name = name if isinstance(source, bytes) else str(source)
    try:
        stream = io.BytesIO(source) if isinstance(source, bytes) else io.BufferedReader(open_regular(source))
        kind = container_of(stream.read(_HEAD))
        stream.seek(0)
    except OSError as error:
        raise ExampleError(f"{name}: cannot be read ({error.strerror}); a video or sound is wanted") from error
    with stream:
        if not kind:
            raise ExampleError(f"{name}: is not a known kind of video or sound")
        try:
            av = import_av()
        except MissingDependency:  # of this file alone: others are read all the same
            raise ExampleError(f"{name}: is read with PyAV, which is not installed: {to_install('[phone]')}") from None
        with one_error(name), av.open(stream, format=kind) as container:
            yield container


@contextmanager
def one_error(name: str) -> Iterator[None]:
    """Whatever FFmpeg says of a file's content, as ExampleError (one line) that calls it by its name."""
    av = import_av()
    try:
        yield
    except av.error.FFmpegError as error:
        raise ExampleError(
            f"{name}: is damaged, or of a kind that is not read ({error.strerror}): record or copy it again"
        ) from error


def upright_rgb(frame: Any) -> np.ndarray:
    """A decoded frame as uint8 (height, width, 3) RGB, turned as its recording asks."""
    picture = frame.to_ndarray(format="rgb24")
    # PyAV tells the rotation since 13, in degrees counterclockwise.
    quarters = round(getattr(frame, "rotation", 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(picture, quarters)) if quarters else picture
