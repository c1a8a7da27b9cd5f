"""`--camera` and `--mic`: which source is meant, and opening it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from device.sources.microphone import Microphone
from device.sources.network import OPEN_S, READ_S, NetworkCamera, NetworkMicrophone, is_address
from device.sources.newest import NewestFrame
from device.sources.picamera import PicameraSource
from device.sources.piped import PipedSound
from device.sources.usb import UsbCamera, VideoFile
from edge_tl.errors import ConfigError, MissingDependency, SourceError
from edge_tl.frames import BaseSource
from edge_tl.media.kinds import PICTURES, ending, is_sound
from edge_tl.media.pcm_stream import RAW_HZ
from edge_tl.media.resample import HIGHEST_HZ, LOWEST_HZ
from edge_tl.sources.folder import FolderSource
from edge_tl.sources.moving_hand import MOVEMENTS, MovingHand, moving
from edge_tl.sources.simulated import POSES, SUBJECTS, SimulatedPlayer, wandering
from edge_tl.sources.wav import WavSource

GRAMMAR = "auto|picamera2[:N]|usb[:N]|sim[:head|hand|movements]|rtsp://…|PATH"
MIC_GRAMMAR = "auto|NAME|NUMBER|FILE|-|stdin:HZ|rtsp://…"
MOVING = "movements"
"""Of sim: the hand that performs movements."""
STDIN = "stdin:"
"""How a `--mic` begins that is standard input with raw samples of a rate; `-` alone is standard input too."""
Kind = Literal["auto", "picamera2", "usb", "sim", "rtsp", "path"]


@dataclass(frozen=True)
class Choice:
    """What a `--camera` argument means."""

    kind: Kind
    number: int | None = None
    """picamera2: of its list of cameras; usb: the N of /dev/videoN; None is the first."""
    path: Path | None = None
    address: str | None = None
    """rtsp: where a camera on the network is; http:// and https:// are taken too."""
    subject: str | None = None
    """sim: what the simulated player shows; None is its head, or its hand where hands are looked at, or `MOVING`."""


def parse_camera(spec: str, exists: Callable[[str], bool] = os.path.exists) -> Choice:
    """A `--camera` argument by its grammar, `GRAMMAR`; ConfigError for anything else.

    A word with a slash or a dot is a path; another one is a path only where `exists` says so.
    """
    word, colon, rest = spec.partition(":")
    if spec == "auto":
        return Choice("auto")
    if word == "sim":
        if colon and rest not in (*SUBJECTS, MOVING):
            raise ConfigError(f"--camera {ascii(spec)[1:-1][:40]}: wanted sim, sim:head, sim:hand or sim:movements")
        return Choice("sim", subject=rest if colon else None)
    if word in ("picamera2", "usb"):
        # At most three digits: Linux has 256 video nodes, and int() is slow and finally refuses on millions.
        if colon and not (rest.isascii() and rest.isdigit() and len(rest) <= 3):
            raise ConfigError(f"--camera {spec}: {rest!r} is no number; wanted {word} or {word}:N, e.g. {word}:0")
        number = int(rest) if colon else None
        return Choice("picamera2", number) if word == "picamera2" else Choice("usb", number)
    if "\0" not in spec and is_address(spec):
        return Choice("rtsp", address=spec)
    if "\0" not in spec and spec.strip() and ("/" in spec or "." in spec or exists(spec)):
        return Choice("path", path=Path(os.path.expanduser(spec)))
    shown = spec if spec.isprintable() and len(spec) <= 50 else ascii(spec)[:50]
    raise ConfigError(f"--camera {shown}: no such word or file; wanted {GRAMMAR}")


def open_source(
    spec: str,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    seed: int = 0,
    fallback: Callable[[], BaseSource] | None = None,
    folder_fps: float | None = 10.0,
    loop: bool = False,
    subject: str = "head",
) -> BaseSource:
    """The source that a `--camera` argument means, open.

    seed: of the simulated player, which wanders from pose to pose. fallback: makes the source (not open yet) to use
    where `auto` finds no camera; without it that is a SourceError naming what was tried. folder_fps: pictures a second
    of a folder, None for as fast as they are read. loop: whether folders and videos begin again.
    subject: what the simulated player shows where `sim` leaves that open, "head", "hand" or `MOVING`.
    Raises ConfigError for a bad argument, SourceError or MissingDependency where the source cannot be opened.
    """
    choice = parse_camera(spec)
    if choice.kind == "auto":
        return _open_auto(clock, fallback)
    source: BaseSource
    if choice.kind == "picamera2":
        source = NewestFrame(PicameraSource(choice.number or 0, clock=clock), clock=clock)
    elif choice.kind == "usb":
        source = NewestFrame(UsbCamera(choice.number, clock=clock), clock=clock)
    elif choice.address is not None:
        source = NewestFrame(NetworkCamera(choice.address, clock), open_s=OPEN_S + READ_S, clock=clock)
    elif choice.kind == "sim":
        shown = choice.subject or subject
        if shown == MOVING:
            script = moving(seed, tuple(MOVEMENTS))
            source = MovingHand(seed, clock, paced=True, sleep=sleep, script=script)
        else:
            script = wandering(seed, tuple(POSES))
            source = SimulatedPlayer(seed, clock, paced=True, sleep=sleep, script=script, subject=shown)
    else:
        assert choice.path is not None
        if choice.path.is_dir() or ending(choice.path) in PICTURES or not choice.path.exists():
            source = FolderSource(choice.path, folder_fps, loop, clock, sleep)
        else:
            source = VideoFile(choice.path, loop, paced=True, clock=clock, sleep=sleep)
    source.open()
    return source


def _open_auto(clock: Callable[[], float], fallback: Callable[[], BaseSource] | None) -> BaseSource:
    """The first camera that opens: the Pi's own before a USB one."""
    tried = []
    for camera in (PicameraSource(clock=clock), UsbCamera(clock=clock)):
        source = NewestFrame(camera, clock=clock)
        try:
            source.open()
        except (SourceError, MissingDependency) as error:
            tried.append(str(error))
        else:
            return source
    if fallback is None:
        raise SourceError(f"no camera found; tried: {'; '.join(tried)}; or use --camera sim, the simulated player")
    simulated = fallback()
    simulated.open()
    return simulated


def open_mic(
    spec: str,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    paced: bool = True,
    loop: bool = False,
    exists: Callable[[str], bool] = os.path.exists,
) -> BaseSource:
    """The source that a `--mic` argument means, open, by its grammar, `MIC_GRAMMAR`.

    A word with a slash, with the ending of a sound file, or that `exists` is a path, of a FIFO too. `-` and `stdin:HZ`
    are standard input, WAV or raw samples of 16 bits. paced: of a file, whether it comes as fast as it was recorded;
    loop: whether a file begins again, and a FIFO waits for another writer. ConfigError for an empty word or a bad rate,
    SourceError or MissingDependency where it cannot be opened.
    """
    if not spec.strip() or "\0" in spec:
        raise ConfigError(f"--mic {spec!a}: wanted {MIC_GRAMMAR}")
    source: BaseSource
    path = Path(os.path.expanduser(spec))
    if is_stdin(spec):
        source = PipedSound(None, _raw_hz(spec), clock=clock)
    elif is_address(spec):
        source = NetworkMicrophone(spec, clock)
    elif path.is_fifo():
        source = PipedSound(path, lasting=loop, clock=clock)
    elif "/" in spec or is_sound(Path(spec)) or exists(spec):
        source = WavSource(path, 0.04, paced, loop, clock, sleep)
    elif spec.isascii() and spec.isdigit() and len(spec) <= 3:
        source = Microphone(int(spec), clock)
    else:
        source = Microphone(None if spec == "auto" else spec, clock)
    source.open()
    return source


def is_stdin(spec: str) -> bool:
    """Whether a `--mic` argument is standard input, in which no keys can be typed then."""
    return spec == "-" or spec.startswith(STDIN)


def _raw_hz(spec: str) -> int:
    """The rate of raw samples in `stdin:HZ`, or as of `-`."""
    text = spec.removeprefix(STDIN)
    if text == "-":
        return RAW_HZ
    if not (text.isascii() and text.isdigit() and len(text) < 7 and LOWEST_HZ <= int(text) <= HIGHEST_HZ):
        raise ConfigError(f"--mic {spec[:20]}: a rate from {LOWEST_HZ} to {HIGHEST_HZ} is wanted, e.g. {STDIN}{RAW_HZ}")
    return int(text)
