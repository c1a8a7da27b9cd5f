"""ZIP and tar archives of many files, unfolded into a folder: nothing outside it is written, and no more than is said.

Links, devices, names that lead elsewhere and archives that unfold to a multiple of their size are refused as a whole:
whoever packed pictures packed none of these.
"""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from edge_tl.core.archive import BLOCK_BYTES, Archive, DamagedArchive, one_error
from edge_tl.errors import counted
from edge_tl.files import open_regular

DIRECTORY_BYTES = 32 * BLOCK_BYTES
"""A ZIP file's list of members: about 300 000 of them."""
MAX_TIMES = 200
"""So many times its own size an archive may unfold to, above the first megabytes: pictures hardly shrink."""
SMALL_BYTES = 50_000_000
"""What any archive may unfold to."""
_ZIP, _GZIP, _TAR = b"PK", b"\x1f\x8b", b"ustar"
_OTHERS = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"7z\xbc\xaf": "7-Zip", b"Rar!": "RAR", b"\x28\xb5\x2f\xfd": "Zstandard"}


def packed_as(path: Path) -> str:
    """What kind of archive a file is by its content: `zip`, `gzip`, `tar`, one that is not read by its name, or ""."""
    try:
        with io.BufferedReader(open_regular(path)) as file:
            start = file.read(262)
    except OSError:
        return ""
    if start.startswith(_ZIP):
        return "zip"
    if start.startswith(_GZIP):
        return "gzip"
    if start[257:262] == _TAR:
        return "tar"
    return next((name for magic, name in _OTHERS.items() if start.startswith(magic)), "")


def unfold(path: Path, folder: Path, wanted: Callable[[PurePosixPath], bool], most_bytes: int) -> int:
    """Write the wanted files of an archive below a folder that is there; return how many.

    most_bytes: what all of them may take. OSError where the archive cannot be opened; DamagedArchive (one line without
    the file's name) for one that is damaged, too large, or not to be trusted; what was written before stays.
    """
    kind = packed_as(path)
    if kind not in ("zip", "gzip", "tar"):
        raise DamagedArchive(f"it is packed as {kind or 'no archive'}, which is not read: ZIP, tar or tar.gz is wanted")
    limit = min(most_bytes, max(SMALL_BYTES, MAX_TIMES * path.stat().st_size))
    count, left = 0, limit
    members = _zip_members(path) if kind == "zip" else _tar_members(path, kind == "gzip", limit)
    for name, size, blocks in members:
        file = _safe(name)
        if not wanted(file):
            continue
        left -= size
        if left < 0:
            raise DamagedArchive(f"it unfolds to more than {counted(limit, 'byte')}, which no pictures of its size do")
        try:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            with (folder / file).open("xb") as out:
                for block in blocks():
                    out.write(block)
        except FileExistsError:
            raise DamagedArchive(f"it holds {name[:60]!r} twice") from None
        count += 1
    return count


_Member = tuple[str, int, Callable[[], Iterator[bytes]]]


def _zip_members(path: Path) -> Iterator[_Member]:
    with Archive(path, DIRECTORY_BYTES) as archive:
        for name in archive.names:
            if name.endswith("/"):
                continue
            if archive.is_link(name):
                raise DamagedArchive(f"{name[:60]!r} in it is a link: pack the files themselves")
            size = archive.size_bytes(name)
            yield archive.meant_name(name), size, partial(archive.blocks, name, size)


def _tar_members(path: Path, zipped: bool, limit: int) -> Iterator[_Member]:
    with io.BufferedReader(open_regular(path)) as raw, one_error(tarfile.TarError):
        plain: io.BufferedIOBase = gzip.GzipFile(fileobj=raw) if zipped else raw
        with tarfile.open(fileobj=_Bounded(plain, limit), mode="r:") as tar:
            for member in tar:
                if member.isdir():
                    continue
                if not member.isreg() or member.issparse():
                    what = "a link" if member.issym() or member.islnk() else "no plain file"
                    raise DamagedArchive(f"{member.name[:60]!r} in it is {what}: pack the files themselves")
                yield member.name, member.size, partial(_blocks, tar, member)


def _blocks(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    with one_error(tarfile.TarError):
        stream = tar.extractfile(member)
    assert stream is not None
    left = member.size
    while True:
        with one_error(tarfile.TarError):
            block = stream.read(BLOCK_BYTES)
        if not block:
            break
        left -= len(block)
        yield block
    if left:
        raise DamagedArchive(f"{member.name[:60]!r} is not as long as it says")


class _Bounded(io.RawIOBase):
    """A stream of which no more than a block is read at once, and no more than so much in all."""

    def __init__(self, stream: io.BufferedIOBase, most_bytes: int) -> None:
        self._stream, self._most_bytes = stream, most_bytes

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes, within what may be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """So many bytes; DamagedArchive for more than a block, which only a false header asks for."""
        if not 0 <= size <= BLOCK_BYTES:
            raise DamagedArchive("one of its headers is too large")
        data = self._stream.read(size)
        self._check()
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go there; DamagedArchive beyond what may be read."""
        if whence != os.SEEK_SET or offset > 2 * self._most_bytes:
            raise DamagedArchive("it says that it is larger than it may be")
        return self._stream.seek(offset)

    def tell(self) -> int:
        """Where it is."""
        return self._stream.tell()

    def _check(self) -> None:
        if self._stream.tell() > 2 * self._most_bytes:
            raise DamagedArchive("it unfolds to more than it may")


def _safe(name: str) -> PurePosixPath:
    """A member's path below the folder; DamagedArchive for one that leads elsewhere."""
    file = PurePosixPath(name.replace("\\", "/"))
    if file.is_absolute() or ".." in file.parts or not file.name or ":" in file.parts[0] or "\0" in name:
        raise DamagedArchive(f"{name[:60]!a} in it leads out of the folder")
    return file
