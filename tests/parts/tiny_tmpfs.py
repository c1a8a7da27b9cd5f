"""A real file system of a few megabytes, to be filled, and a service whose state lies there."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

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


def fill(disk: Path) -> None:
    """Use all that is left."""
    with (disk / "ballast").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def placed(serving: Serving, data: Path) -> None:
    """Have a service keep its state elsewhere."""
    serving.config.write_text(serving.config.read_text().replace(str(serving.data), str(data)))
    serving.data = data
