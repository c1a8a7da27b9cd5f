"""Files that survive a power cut: written, synced, and only then named; read to a limit; and what damage raises."""

from __future__ import annotations

import errno
import io
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path

from edge_tl.errors import counted

try:
    from lzma import LZMAError
except ImportError:  # a Python built without it refuses such members itself, with RuntimeError
    LZMAError = zlib.error  # type: ignore[misc, assignment]

ARCHIVE_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, LZMAError, struct.error, EOFError, OSError),
    *(RuntimeError, ValueError, OverflowError, MemoryError),
)
"""What zipfile and NumPy raise for an archive with any bytes changed: its own error, those of its decompressors
(bzip2's is an OSError), RuntimeError where a member says that it is encrypted or packed in an unknown way, ValueError
for names that are no text and for places before the beginning of the file, OverflowError for places beyond any."""
DAMAGE = (*ARCHIVE_DAMAGE, LookupError, TypeError, AttributeError, ArithmeticError)
"""What it raises to make something of JSON and arrays that anybody may have written (RecursionError is a RuntimeError,
what is no text a ValueError)."""


def open_regular(path: Path) -> io.FileIO:
    """Open a file for reading, never a pipe, which blocks, nor a device, which may not end; OSError otherwise."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        kind = errno.EISDIR if os.path.isdir(path) else errno.EINVAL
        raise OSError(kind, "Is a directory" if os.path.isdir(path) else "no regular file", str(path))
    return io.FileIO(path)


def read_limited(path: Path, most_bytes: int) -> bytes:
    """All of a regular file; OSError where it cannot be read or is larger than `most_bytes`."""
    with io.BufferedReader(open_regular(path)) as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(min(size, most_bytes) + 1)
        if size < len(data) <= most_bytes:  # it grows, or says nothing of its size
            data += file.read(most_bytes + 1 - len(data))
    if len(data) > most_bytes:
        most = f"{most_bytes // 1_000_000} MB" if most_bytes >= 1_000_000 else counted(most_bytes, "byte")
        raise OSError(errno.EFBIG, f"it is larger than {most}", str(path))
    return data


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
