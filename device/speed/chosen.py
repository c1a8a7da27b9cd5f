"""What `edge-tl bench` chose for this machine: one small file in the data folder, for the commands that come after.

DATA_DIR/speed.json    {"format": 1, "machine": "Raspberry Pi 4 Model B Rev 1.4, 4 cores", "threads": 4, "fps": 10.0,
                        "ms": {"hand": {"full": 61.0, "glanced": 0.4}}}

It is of the machine that it names: on another one, whose card or folder it came with, it is passed over.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryFile

from device.speed.boards import TREE
from edge_tl.errors import ConfigError, counted
from edge_tl.files import DAMAGE, PRIVATE, read_limited, sync_folder, write_synced

FILE_NAME = "speed.json"
FORMAT = 1
_OWN = "give --data-dir a folder of your own"
MAX_BYTES = 20_000
MAX_THREADS = 64
"""More than any board has; the interpreters crash where the system refuses them more."""


@dataclass(frozen=True)
class SpeedChoice:
    """What was measured and chosen."""

    machine: str
    threads: int
    """Of the interpreter."""
    fps: float
    """Answers a second that are wanted."""
    ms: dict[str, dict[str, float]] = field(default_factory=dict)
    """Way to look → milliseconds of a frame in full and of one that is glanced at."""

    def answers_a_second(self, way: str) -> float | None:
        """How many there are in a way to look, at most every second one of them a glance; None where unmeasured."""
        if way not in self.ms:
            return None
        return 2000 / (self.ms[way]["full"] + self.ms[way]["glanced"])


def this_machine(cpuinfo: Path = Path("/proc/cpuinfo"), tree: Path = TREE) -> str:
    """The board or processor, and how many cores this process has."""
    try:
        name = tree.read_text("utf-8", "replace").strip("\0\n ")
    except OSError:
        try:
            lines = cpuinfo.read_text("utf-8", "replace").splitlines()
        except OSError:
            lines = []
        name = next(
            (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), os.uname().machine
        )
    return f"{name}, {counted(len(os.sched_getaffinity(0)), 'core')}"


def read_speed(data_dir: Path, machine: str | None = None) -> SpeedChoice | None:
    """What was chosen for this machine; None where nothing was, or for another one only.

    ConfigError, one line, where the file is damaged or cannot be read.
    """
    path = data_dir / FILE_NAME
    try:
        content = json.loads(read_limited(path, MAX_BYTES))
        if content.pop("format") != FORMAT:
            raise ValueError
        chosen = SpeedChoice(**content)
        times = [value for one in chosen.ms.values() for value in (one["full"], one["glanced"])]
        sound = type(chosen.threads) is int and 1 <= chosen.threads <= MAX_THREADS
        if not sound or not all(0 < value < 1e6 for value in (chosen.fps, *times)):
            raise ValueError
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}): check its rights, or remove it") from error
    except (*DAMAGE, RecursionError) as error:
        raise ConfigError(f"{path} is damaged: `edge-tl bench` makes it anew, or remove it") from error
    return chosen if chosen.machine == (machine or this_machine()) else None


def check_speed_folder(data_dir: Path) -> None:
    """Make the data folder; ConfigError where `write_speed` could not write there: asked before a minute is spent."""
    path = data_dir / FILE_NAME
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=data_dir):
            pass
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({error.strerror}): {_OWN}, or --dry-run") from error


def write_speed(data_dir: Path, chosen: SpeedChoice) -> Path:
    """Remember it, on disk when this returns; ConfigError where the folder cannot be written."""
    path = data_dir / FILE_NAME
    fresh = path.with_name(f".{FILE_NAME}.{os.getpid()}")
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        write_synced(fresh, (json.dumps({"format": FORMAT} | asdict(chosen), indent=1) + "\n").encode(), PRIVATE)
        os.replace(fresh, path)
        sync_folder(data_dir)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({error.strerror}): give --data-dir a folder of your own"
        ) from error
    return path
