"""`edge-tl doctor`: what is missing on this machine, and the command that mends it."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import struct
import sys
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from device.cli.calling import as_called
from device.cli.grammar import data_dir as default_data_dir
from device.cli.model_places import folder_of_models, folder_to_fill, shared_folder
from device.cli.output import print_json, say
from device.sources.microphone import microphones
from device.speed.boards import Board, this_board
from device.speed.chosen import read_speed
from device.speed.costs import PLAYABLE_FPS, predicted, works
from edge_tl.embedders.look.choices import NEEDS
from edge_tl.embedders.look.models import PARTS, load_part
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import EdgeTLError, counted, to_install
from edge_tl.models import default_model
from edge_tl.store.lessons import damage_of_lessons
from edge_tl.store.profile import Profile

MIN_FREE_BYTES = 50_000_000
"""A thousand examples of 640×480 with their embeddings; less is an afternoon's teaching that fails in its middle."""


@dataclass(frozen=True)
class Diagnosis:
    """One thing looked at."""

    what: str
    state: str
    """`ok`, `missing` (something does not work) or `note` (optional)."""
    detail: str
    mend: str = ""
    """The command that mends it."""


def run(arguments: Namespace) -> int:
    """Print the findings; exit 1 where something needed is missing."""
    findings = list(look(arguments.data_dir))
    if arguments.json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            say(f"{finding.state:8} {finding.what}: {finding.detail}")
            if finding.mend:
                say(f"{'':8} → " + as_called(f"`{finding.mend}`")[1:-1])
    return 1 if any(finding.state == "missing" for finding in findings) else 0


def look(data_dir: Path) -> Iterator[Diagnosis]:
    """All findings, in the order of the data's way."""
    bits = 8 * struct.calcsize("P")
    if bits == 64:
        yield Diagnosis("system", "ok", f"64-bit, Python {sys.version.split()[0]}")
    else:
        yield Diagnosis(
            "system", "missing", f"{bits}-bit; no TFLite runtime exists", "write the 64-bit system to the card"
        )
    yield numpy_finding()
    yield from cameras()
    yield from microphone_findings()
    yield phone_finding()
    yield model_finding()
    yield from look_findings(data_dir)
    yield speed_finding(data_dir)
    yield data_finding(data_dir)
    yield from profile_findings(data_dir)
    if sys.stdout.isatty():
        yield Diagnosis("terminal", "ok", os.environ.get("TERM", "unknown"))
    else:
        yield Diagnosis("terminal", "note", "none here; only teach and play need one")


def numpy_finding() -> Diagnosis:
    """Whether NumPy fits apt's Picamera2: Bookworm's is built for NumPy 1 and breaks when pip raises it."""
    import numpy

    if module("picamera2"):
        try:
            importlib.import_module("picamera2")
        except Exception as error:  # a binary built for another NumPy fails with ValueError, ImportError or worse
            return Diagnosis(
                "numpy",
                "missing",
                f"{numpy.__version__} does not fit this Picamera2 ({type(error).__name__}: {first_line(error)})",
                to_install("numpy<2") + "   (Bookworm's Picamera2 is built for NumPy 1), or make venv anew",
            )
    return Diagnosis("numpy", "ok", numpy.__version__)


def cameras() -> Iterator[Diagnosis]:
    """Picamera2, PyAV, and the video devices and whether they may be read."""
    if module("picamera2"):
        yield Diagnosis("Picamera2", "ok", package("picamera2"))
    else:
        yield Diagnosis(
            "Picamera2", "note", "not installed; needed for a Raspberry Pi camera", "sudo apt install python3-picamera2"
        )
    if module("av"):
        yield Diagnosis("USB cameras", "ok", f"PyAV {package('av')}")
    else:
        yield Diagnosis("USB cameras", "note", "PyAV is not installed", to_install("[usb]"))
    devices = sorted(Path("/dev").glob("video*"))
    if not devices:
        yield Diagnosis("camera", "note", "no /dev/video* here; --camera sim works everywhere")
    elif not any(os.access(device, os.R_OK | os.W_OK) for device in devices):
        yield Diagnosis(
            "camera",
            "missing",
            f"{devices[0]} may not be read by this user",
            "sudo usermod -aG video $USER, log in again",
        )
    else:
        yield Diagnosis("camera", "ok", ", ".join(str(device) for device in devices))


def phone_finding() -> Diagnosis:
    """What telephones write: memos and films (PyAV), and HEIC."""
    missing = [name for name, one in (("PyAV", "av"), ("pi-heif", "pi_heif")) if not module(one)]
    if missing:
        what = "m4a, 3gp and videos cannot be read" if "PyAV" in missing else "HEIC is not read"
        return Diagnosis("phone files", "note", f"not installed: {', '.join(missing)}; {what}", to_install("[phone]"))
    return Diagnosis("phone files", "ok", f"PyAV {package('av')}, pi-heif {package('pi-heif')}")


def microphone_findings() -> Iterator[Diagnosis]:
    """What words need: the packages of the extra `speech`, and a microphone."""
    missing = [name for name in ("soxr", "soundfile", "pyopen_wakeword", "sounddevice") if not module(name)]
    if missing:
        yield Diagnosis("words", "note", f"not installed: {', '.join(missing)}", to_install("[speech]"))
        return
    try:
        found = microphones()
    except EdgeTLError as error:
        yield Diagnosis("microphone", "note", str(error), "sudo apt install libportaudio2")
        return
    if found:
        yield Diagnosis("microphone", "ok", ", ".join(found))
    else:
        yield Diagnosis("microphone", "note", "none here; --mic FILE works everywhere")


def model_finding() -> Diagnosis:
    """Whether the shipped embedder loads and runs."""
    try:
        embedder = TFLiteEmbedder.load(default_model())
    except EdgeTLError as error:
        return Diagnosis("model", "missing", str(error), "install edge-tl again, or make venv")
    return Diagnosis("model", "ok", f"{embedder.name} on {embedder.backend}")


def look_findings(data_dir: Path) -> Iterator[Diagnosis]:
    """Whether the models that find hands and faces are there, and run."""
    for which, parts in PARTS.items():
        folder = folder_of_models(data_dir, which)
        get = f"edge-tl model get {which}"
        if folder_to_fill(data_dir) != shared_folder() and data_dir.absolute() != default_data_dir().absolute():
            get += f" --data-dir {shlex.quote(str(data_dir))}"
        ways = " and ".join(way for way, needed in NEEDS.items() if needed == which)
        places = [folder / part.name for part in parts]
        if not any(place.exists() for place in places):
            yield Diagnosis(which, "note", f"no models to find them; needed for --look {ways}", get)
            continue
        try:
            for part in parts:
                load_part(folder, part, threads=1)
        except EdgeTLError as error:
            yield Diagnosis(which, "missing", str(error), get)
        else:
            yield Diagnosis(which, "ok", ", ".join(str(place) for place in places))


def speed_finding(data_dir: Path, board: Board | None = None) -> Diagnosis:
    """Whether this machine is fast enough to steer, as `bench` measured it, else as is predicted of the board."""
    try:
        chosen = read_speed(data_dir)
    except EdgeTLError as error:
        return Diagnosis("speed", "missing", str(error), "edge-tl bench")
    board = board or this_board()
    if chosen is not None:
        rates = {way: chosen.answers_a_second(way) or 0.0 for way in chosen.ms}
        said = f"measured, {counted(chosen.threads, 'thread')}"
    elif board is not None:
        times = predicted(works(folder_of_models(data_dir)))[board.name]
        rates = {way: 1000 / one["sparing"] for way, one in times.items()}
        said = f"predicted for a Pi {board.name}, not measured"
    else:
        return Diagnosis("speed", "note", "not measured on this computer yet", "edge-tl bench")
    told = ", ".join(f"{way} {rate:.0f}" for way, rate in rates.items())
    slow = [way for way, rate in rates.items() if rate < PLAYABLE_FPS]
    if not slow:
        mend = "" if chosen is not None else "edge-tl bench"
        return Diagnosis("speed", "ok" if chosen is not None else "note", f"answers per second: {told} ({said})", mend)
    quick = [way for way in rates if way not in slow]
    advice = (
        f"edge-tl examples re-embed --look {quick[0]}   (for a profile of a slow way; or stop other programs and cool "
        "the board)"
        if quick
        else "use a faster board"
    )
    detail = f"answers per second: {told} ({said}); steering needs at least {PLAYABLE_FPS:.0f}"
    return Diagnosis("speed", "note", detail, advice if chosen is not None else "edge-tl bench")


def data_finding(data_dir: Path) -> Diagnosis:
    """Whether profiles can be written, and whether there is room for them."""
    own = "give --data-dir a folder of your own"
    there = next(folder for folder in (data_dir, *data_dir.absolute().parents) if folder.exists())
    if not there.is_dir():
        return Diagnosis("data folder", "missing", f"{there} is no folder", own)
    if not os.access(there, os.W_OK | os.X_OK):
        return Diagnosis("data folder", "missing", f"{there} may not be written", own)
    free_bytes = shutil.disk_usage(there).free
    if free_bytes < MIN_FREE_BYTES:
        detail = f"{there} has {free_bytes / 1e6:.0f} MB free; {MIN_FREE_BYTES / 1e6:.0f} MB are wanted"
        return Diagnosis("data folder", "missing", detail, f"free some space, or {own}")
    return Diagnosis("data folder", "ok", f"{data_dir}, {free_bytes / 1e9:.1f} GB free")


def profile_findings(data_dir: Path) -> Iterator[Diagnosis]:
    """Whether what the profiles hold can be read: examples, and lessons of other devices."""
    folders = sorted(folder for folder in (data_dir / "profiles").glob("*") if folder.is_dir())
    found = []
    for folder in folders:
        try:
            if (folder / "examples.sqlite").is_file():
                with Profile(folder) as profile:
                    profile.store.counts()
        except (EdgeTLError, OSError) as error:
            found.append(Diagnosis(f"profile {folder.name}", "missing", first_line(error)))
        if damage := damage_of_lessons(folder):
            found.append(Diagnosis(f"profile {folder.name}", "missing", damage))
    yield from found
    if folders and not found:
        yield Diagnosis("profiles", "ok", f"{', '.join(folder.name for folder in folders)}, readable")


def first_line(error: Exception) -> str:
    """The first line of what an error says."""
    return next(iter(str(error).splitlines()), "")


def module(name: str) -> bool:
    """Whether a package could be imported, without importing it."""
    return importlib.util.find_spec(name) is not None


def package(name: str) -> str:
    """The version of a package, where it says one."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "installed"
