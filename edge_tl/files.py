"""Files that survive a power cut: written, synced, and only then named; and what a damaged archive raises."""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path

try:
    from lzma import LZMAError
except ImportError:  # a Python built without it refuses such members itself, with RuntimeError
    LZMAError = zlib.error  # type: ignore[misc, assignment]

ARCHIVE_DAMAGE = (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, OSError, RuntimeError, ValueError)
"""What zipfile raises for an archive with any bytes changed: its own error, those of its decompressors (bzip2's is an
OSError), RuntimeError where a member says that it is encrypted or packed in an unknown way, ValueError for names that
are no text and for places before the beginning of the file."""


def write_synced(path: Path, data: bytes) -> None:
    """Write a new file and return when the disk holds it; raises OSError (FileExistsError where it exists)."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Return when the disk holds the folder's names, so that a rename before it survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
