"""Files that survive a power cut: written, synced, and only then named; read to a limit; and what damage raises.

And the three that every program begins with, where a shell closed them (`>&-`) or nobody reads them any more.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import struct
import sys
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

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


CLUTTER = frozenset(
    {"@eadir", "__macosx", "#recycle", "@recycle", "$recycle.bin", "system volume information", "lost+found"}
    | {"thumbs.db", "desktop.ini", "picasa.ini"}
)
"""What systems put among a person's files, in small letters: thumbnails, resource forks, bins."""


def is_clutter(name: str) -> bool:
    """Whether a file's or folder's name is hidden (`._x.jpg` included) or that of something no person put there."""
    return name.startswith(".") or name.lower() in CLUTTER


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


PRIVATE, PRIVATE_FOLDER = 0o600, 0o700
"""The modes of what holds somebody's pictures and sounds: nobody else's to read."""


def create(path: Path, mode: int = 0o666) -> BinaryIO:
    """A new file, open for writing; raises OSError (FileExistsError where it exists)."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb")


def make_private(path: Path) -> None:
    """Close a file or folder of ours to everybody else; where it is another's, or no disk for it, it stays as it is."""
    wanted = PRIVATE_FOLDER if path.is_dir() else PRIVATE
    with suppress(OSError):
        if stat.S_IMODE(path.stat().st_mode) & ~wanted:
            path.chmod(wanted)


def write_synced(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a new file and return when the disk holds it; as `create`."""
    with create(path, mode) as file:
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


def open_lock(path: Path) -> int:
    """A descriptor of a file that is only locked, made where it is missing; OSError where it can be neither.

    Where nothing can be written one that is there is opened for reading, and else the folder: who locks it the same way
    is kept out all the same.
    """
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


class UnnamedFile:
    """A file that has no name until it is whole, so that a process that is killed leaves nothing; use it in `with`.

    Where the file system knows no such files (FAT) it has a hidden name meanwhile, which an error removes.
    """

    def __init__(self, folder: Path) -> None:
        """Make it in a folder, for its owner alone; OSError where that cannot be."""
        self._hidden: Path | None = None
        try:
            descriptor = os.open(folder, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, PRIVATE)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL):
                raise
            self._hidden = folder / f".edge-tl-{os.getpid()}.new"
            descriptor = os.open(self._hidden, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE)
        self.file: BinaryIO = os.fdopen(descriptor, "w+b")

    def name_it(self, path: Path) -> None:
        """Give it its name when the disk holds it; FileExistsError where something has that name."""
        self.file.flush()
        os.fsync(self.file.fileno())
        if self._hidden is None:
            # With a descriptor given, which an absolute name has no use for, Python follows the link in /proc.
            os.link(f"/proc/self/fd/{self.file.fileno()}", path, src_dir_fd=self.file.fileno(), follow_symlinks=True)
        elif path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        else:
            os.rename(self._hidden, path)
            self._hidden = None
        sync_folder(path.absolute().parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        if self._hidden is not None:
            self._hidden.unlink(missing_ok=True)


def fill_closed() -> None:
    """Put something in the place of closed descriptors 0, 1 and 2.

    Else the next file that is opened has such a number, and what is printed goes into it: into a profile, say. Input is
    empty, errors are lost, and output fails where it is written (EBADF), so that nothing is called done that was lost.
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, mode)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - for as long as the program
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115


def give_up_output() -> None:
    """Let what could not be written be lost: Python must not complain a second time while it exits."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)
