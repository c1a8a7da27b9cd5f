"""The process that test_durability.py orders children from: each does one thing until it is killed or fails."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable

# What is loaded on first use is loaded now: a child that gives up its rights may not reach the interpreter's files.
from encodings import cp437  # noqa: F401
from pathlib import Path

import numpy as np
from PIL import JpegImagePlugin  # noqa: F401

from edge_tl.core.answers import SavedHead
from edge_tl.errors import EdgeTLError
from edge_tl.media import image
from edge_tl.store.profile import Profile

PRINT = "a" * 64
LIMIT_BYTES = 400_000
NOBODY = 65534


def say(line: object) -> None:
    """One line to the test, whole however soon the child is killed."""
    os.write(1, f"{line}\n".encode())


def teach(folder: Path, first: int) -> None:
    """Teach examples, three to seven in a batch, and say how many are counted after each commit."""
    with Profile(folder, writable=True) as profile:
        store, take, waiting = profile.store, None, 0
        for number in range(first, first + 3000):
            if take is None or number % 7 == 0:
                take = store.new_take(f"label {number // 7 % 3}")
            pixels = np.full((8, 8, 3), number % 256, np.uint8)
            store.add(take, pixels, np.full(500, number, np.float32), PRINT, time_s=number)
            waiting += 1
            if waiting >= 3 + number % 5:
                store.flush()
                waiting = 0
                say(sum(count.examples for count in store.counts().values()))


def save(folder: Path, first: int) -> None:
    """Save generations and say the number of each."""
    with Profile(folder, writable=True) as profile:
        for number in range(first + 1, first + 500):
            profile.save(SavedHead({"number": number}, {"W": np.full(20_000, number, np.float32)}))
            say(number)


def limited(work: Callable[[Path, int], None]) -> Callable[[Path, int], None]:
    """The same on a disk that takes no file above a size."""

    def do(folder: Path, first: int) -> None:
        limit = LIMIT_BYTES if work is teach else 1000
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        work(folder, first)

    return do


def become_nobody() -> None:
    """Give up root, who may write anywhere."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def read(folder: Path, _: int) -> None:
    """Read all there is, without the right to write."""
    become_nobody()
    with Profile(folder) as profile:
        listed = profile.store.list()
        say(f"examples {len(profile.store.matrix(PRINT).ids)}")
        if folder.name == "old":
            say(f"sessions {len(profile.store.sessions())}")
        saved = profile.load()
        say(f"generation {saved.meta['number'] if saved else None}")
        say(f"pictures {sum(image.decode(profile.store.picture(one.id)).shape == (8, 8, 3) for one in listed)}")


def write(folder: Path, _: int) -> None:
    """Try to write where there is no right to."""
    become_nobody()
    Profile(folder, writable=True)


def upgrade(folder: Path, _: int) -> None:
    """Open a profile for writing, which upgrades a file of an older version, and stay until killed."""
    say("opening")
    with Profile(folder, writable=True) as profile:
        say(f"upgraded {len(profile.store.sessions())}")
        signal.pause()


WORK: dict[str, Callable[[Path, int], None]] = {
    "teach": teach,
    "save": save,
    "teach-limited": limited(teach),
    "save-limited": limited(save),
    "read": read,
    "write": write,
    "upgrade": upgrade,
}


def main() -> None:
    """Fork a child for each line `work TAB folder TAB number`, and say when it is dead."""
    for line in sys.stdin:
        work, folder, *number = line.rstrip("\n").split("\t")
        pid = os.fork()
        if not pid:
            say(os.getpid())
            try:
                WORK[work](Path(folder), int(number[0]) if number else 0)
            except EdgeTLError as error:
                say(f"{type(error).__name__}: {error}")
            except BaseException as error:
                say(f"UNEXPECTED {error!r}")
            os._exit(0)
        os.waitpid(pid, 0)
        say("dead")


if __name__ == "__main__":
    main()
