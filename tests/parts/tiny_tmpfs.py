"""A real file system of a few megabytes, to be filled, and a service whose state lies there."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from service_parts import taught

from benchmarks.serving import Serving


@contextlib.contextmanager
def tmpfs(folder: Path, size_bytes: int) -> Iterator[Path]:
    """A tmpfs mounted there while it lasts; skips where mounting is not allowed."""
    folder.mkdir()
    options = f"size={size_bytes}"
    try:
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if made.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here ({made.stderr.decode().strip()[-80:]}): root is needed")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@contextlib.contextmanager
def read_only(tmp_path: Path, size_bytes: int, more: str = "") -> Iterator[Serving]:
    """A service that was taught, then stopped, and runs again on a disk that can only be read; more: as of Serving."""
    with tmpfs(tmp_path / "disk", size_bytes) as disk, Serving(tmp_path / "s", more) as serving:
        placed(serving, disk / "state")
        serving.start()
        taught(serving)
        assert serving.stop() == 0
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        serving.start()
        serving.wait_for("STATUS=degraded: signs")
        yield serving


def fill(disk: Path) -> None:
    """Use all that is left."""
    with (disk / "ballast").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def placed(serving: Serving, data: Path) -> None:
    """Have a service keep its state elsewhere."""
    serving.config.write_text(serving.config.read_text().replace(str(serving.data), str(data)))
    serving.data = data
