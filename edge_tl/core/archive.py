"""ZIP archives and .npz files from anywhere: no more of one is unfolded than its reader says, and damage is one error.

What an archive says of itself is a claim: it is refused early where it claims too much, and counted where it lies.
"""

from __future__ import annotations

import io
import math
import re
import stat
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np

from edge_tl.errors import counted
from edge_tl.files import ARCHIVE_DAMAGE, open_regular

BLOCK_BYTES = 1 << 20
"""So much is read at once, and no directory of an archive is larger: zipfile makes ten times as much of it."""
MAX_HEADER_BYTES = 10_000
"""Of an array, as in NumPy."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""bzip2 and LZMA unfold all that they are given at once: a thousand bytes can become a gigabyte."""
_DTYPE = re.compile(rb"""['"]descr['"]\s*:\s*['"]([<>|=]?[biufcSUmM]\d{1,9}(?:\[\w{1,9}\])?)['"]""")
_ORDER = re.compile(rb"""['"]fortran_order['"]\s*:\s*(True|False)""")
_SHAPE = re.compile(rb"""['"]shape['"]\s*:\s*\(([\d\sL,]*)\)""")


class DamagedArchive(ValueError):
    """No whole archive, or one that unfolds beyond the limit: one line without the file's name, which a reader adds."""


class Archive:
    """A ZIP file that is not trusted. Close it, or use `with`."""

    def __init__(self, file: Path | bytes, directory_bytes: int = BLOCK_BYTES) -> None:
        """Read what it holds; OSError where the file cannot be opened, DamagedArchive where it is no archive.

        directory_bytes: the longest list of members that is read.
        """
        self._file = _Pieces(io.BytesIO(file) if isinstance(file, bytes) else open_regular(file), directory_bytes)
        try:
            with one_error(TypeError):
                self._zip = zipfile.ZipFile(self._file)
        except BaseException:
            self._file.close()
            raise
        self.names = tuple(self._zip.namelist())
        """Of the members, in their order; one may stand there twice, and is refused when it is read."""
        self._twice = {name for name, times in Counter(self.names).items() if times > 1}

    def __contains__(self, name: str) -> bool:
        return name in self._zip.NameToInfo

    def size_bytes(self, name: str) -> int:
        """How large a member says that it is; DamagedArchive where there is none or there are two."""
        return self._member(name).file_size

    def meant_name(self, name: str) -> str:
        """A member's name as whoever packed it wrote it.

        A ZIP file marks names in UTF-8, and else they count as cp437; macOS and some Linux tools write UTF-8 unmarked.
        """
        if self._member(name).flag_bits & 0x800:
            return name
        try:
            return name.encode("cp437").decode("utf-8")
        except UnicodeError:
            return name

    def is_link(self, name: str) -> bool:
        """Whether a member is a link on the system that packed it; DamagedArchive as `size_bytes`."""
        return stat.S_ISLNK(self._member(name).external_attr >> 16)

    def is_stored(self, name: str) -> bool:
        """Whether a member lies in the archive as it is, not packed; DamagedArchive as `size_bytes`."""
        return self._member(name).compress_type == zipfile.ZIP_STORED

    def blocks(self, name: str, most_bytes: int) -> Iterator[bytes]:
        """A member, a block after the other; DamagedArchive where it is damaged or is more than `most_bytes`."""
        member = self._member(name)
        if member.file_size > most_bytes:
            raise DamagedArchive(f"{name[:60]!r} unfolds to more than {counted(most_bytes, 'byte')}")
        if member.compress_type not in METHODS:
            raise DamagedArchive(f"{name[:60]!r} is packed in a way that is not read: deflate or none is wanted")
        left = member.file_size
        with one_error(TypeError):
            with self._zip.open(member) as stream:
                while block := stream.read(BLOCK_BYTES):
                    left -= len(block)
                    yield block
            if left:
                raise DamagedArchive(f"{name[:60]!r} is not as long as it says")

    def read(self, name: str, most_bytes: int) -> bytes:
        """A member; DamagedArchive as `blocks`."""
        return self.unfolded(name, most_bytes).getvalue()

    def unfolded(self, name: str, most_bytes: int) -> io.BytesIO:
        """A member in memory, once, to be read from its beginning; DamagedArchive as `blocks`."""
        out = io.BytesIO()
        with one_error(TypeError):
            for block in self.blocks(name, most_bytes):
                out.write(block)
        out.seek(0)
        return out

    def _member(self, name: str) -> zipfile.ZipInfo:
        if name not in self:
            raise DamagedArchive(f"it holds no {name[:60]}")
        if name in self._twice:
            raise DamagedArchive(f"it holds {name[:60]!r} twice")
        return self._zip.NameToInfo[name]

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._zip.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_arrays(
    file: Path | bytes, most_bytes: int, names: Iterable[str] | None = None, dtype: type[Any] | None = None
) -> dict[str, np.ndarray]:
    """The arrays of an .npz by name, of which no more than `most_bytes` are ever in memory, headers included.

    names: of those that are wanted, else all. dtype: what all are made, where it is given; then they are numbers.
    OSError where the file cannot be opened; DamagedArchive for anything that is no .npz of numbers and text.
    """
    with Archive(file) as archive:
        members = [name.removesuffix(".npy") for name in archive.names] if names is None else list(names)
        left = most_bytes
        if sum(archive.size_bytes(_npy(name, archive)) for name in members) > left:
            raise DamagedArchive(f"it unfolds to more than {counted(most_bytes, 'byte')}")
        arrays = {}
        for name in members:
            stream = archive.unfolded(_npy(name, archive), left)
            left -= stream.getbuffer().nbytes
            array = unpacked_array(stream, repr(name[:60]), most_bytes)
            with one_error(TypeError):
                if dtype is not None and array.dtype != dtype:
                    left -= array.size * np.dtype(dtype).itemsize
                    if array.dtype.kind not in "biuf" or left < 0:
                        raise DamagedArchive(f"array {name[:60]!r} of {array.dtype} cannot become {dtype.__name__}")
                    with np.errstate(all="ignore"):
                        array = array.astype(dtype)
            arrays[name] = array
        return arrays


def packed_arrays(arrays: dict[str, np.ndarray]) -> bytes:
    """The arrays as one .npz file, byte for byte that of numpy.savez, any name allowed; the same arrays are the same.

    ValueError for arrays that `read_arrays` would not read: of objects, or with fields.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, array in arrays.items():
            array = np.asanyarray(array)
            if array.dtype.kind not in "biufcSUmM":
                raise ValueError(f"array {name[:60]!r} holds {array.dtype}")
            # A date that does not change: the same model is the same bytes.
            member = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            with file.open(member, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)
    return out.getvalue()


class _Pieces(io.BufferedReader):
    """A file of which zipfile reads no more than so much at once, also where the file tells it to."""

    def __init__(self, raw: io.RawIOBase | io.BytesIO, most_bytes: int) -> None:
        super().__init__(raw)
        self._most_bytes = most_bytes

    def read(self, size: int | None = -1) -> bytes:
        asked = size if size is not None and 0 <= size <= self._most_bytes else self._most_bytes + 1
        data = super().read(asked)
        if len(data) > self._most_bytes:
            raise zipfile.BadZipFile("its directory is too large")
        return data


@contextmanager
def one_error(*more: type[Exception]) -> Iterator[None]:
    """Whatever damage raises in the block, `more` of it too, becomes DamagedArchive with what it said, in one line."""
    damage: tuple[type[Exception], ...] = (*ARCHIVE_DAMAGE, LookupError, *more)
    try:
        yield
    except DamagedArchive:
        raise
    except damage as error:
        raise DamagedArchive(" ".join(str(error).split())[:120] or type(error).__name__) from error


def _npy(name: str, archive: Archive) -> str:
    """The member that holds an array; DamagedArchive where it is none."""
    member = f"{name}.npy"
    if member not in archive and name in archive:
        raise DamagedArchive(f"{name[:60]!r} is no array")
    return member


def unpacked_array(stream: io.BytesIO, name: str, most_bytes: int) -> np.ndarray:
    """The array in the bytes of a .npy file, which it goes on using: nothing is allocated on a header's word.

    name: what an error calls it. DamagedArchive for anything that is no array of numbers or text.
    """
    start = stream.read(12)
    length = {b"\x93NUMPY\x01\x00": 2, b"\x93NUMPY\x02\x00": 4}.get(start[:8], 0)
    header_bytes = int.from_bytes(start[8 : 8 + length], "little")
    if not length or header_bytes > MAX_HEADER_BYTES:
        raise DamagedArchive(f"{name} is no array")
    stream.seek(8 + length)
    header = stream.read(header_bytes)
    found = [part.search(header) for part in (_DTYPE, _ORDER, _SHAPE)]
    if not all(found):
        raise DamagedArchive(f"{name} holds something else than numbers or text")
    descr, order, sides = (part[1].decode() for part in found if part)
    with one_error(TypeError):
        dtype = np.dtype(descr)
        shape = tuple(int(side) for side in re.findall(r"\d+", sides))
        count, at = math.prod(shape), stream.tell()
        if count > most_bytes or count * dtype.itemsize != stream.getbuffer().nbytes - at:
            raise DamagedArchive(f"{name} is not as large as it says")
        if count * dtype.itemsize == 0:
            return np.empty(shape, dtype)
        flat = np.frombuffer(stream.getbuffer(), dtype, count, at)
        return flat.reshape(shape, order="F" if order == "True" else "C")
