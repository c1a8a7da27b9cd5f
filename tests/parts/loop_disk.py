"""A real file system of ext4 that can turn read-only while it is in use, as a worn card does."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


class LoopDisk:
    """One that is mounted at `folder`."""

    def __init__(self, folder: Path, device: str) -> None:
        self.folder = folder
        self._error = Path("/sys/fs/ext4") / Path(device).name / "trigger_fs_error"

    def fail(self) -> None:
        """The kernel finds an error and takes nothing more, whoever has files open."""
        self._error.write_text("1")


@contextlib.contextmanager
def ext4(folder: Path, image: Path, size_mb: int = 40) -> Iterator[LoopDisk]:
    """While it lasts; skips where it cannot be mounted."""
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(size_mb * 1_000_000)
    try:
        for command in (["mkfs.ext4", "-q", str(image)], ["mount", "-o", "loop,errors=remount-ro", image, folder]):
            subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"an ext4 cannot be mounted here ({error}): root and loop devices are needed")
    try:
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        device = next(words[0] for words in mounts if words[1] == str(folder))
        disk = LoopDisk(folder, device)
        if not disk._error.exists():
            pytest.skip("this kernel cannot make an ext4 fail")
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)
