"""A lesson: one take's rows as one device kept them, with what they mean, signed; and the tombstone that takes it back.

    lesson     b"etl-les1" KEY[32] SIGNATURE[64] PACKING[1] LENGTH[4] HEADER rows
    tombstone  b"etl-tom1" KEY[32] SIGNATURE[64] HASH[32]

HEADER is JSON, written in the one way there is; the rows are little-endian floats (N, D), each embedding to the bit as
the store of that device keeps it, so that a head learns the same of them anywhere; packed by zlib where that is less.
The hash is of key, header and rows, the signature of the hash.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from edge_tl.core.kept import pack
from edge_tl.errors import EdgeTLError, ExampleError, ShapeError, counted
from edge_tl.fleet.keys import KEY_BYTES, SIGNATURE_BYTES, DeviceKey, signed_by
from edge_tl.labels import check_label

MAGIC, TOMBSTONE = b"etl-les1", b"etl-tom1"
VERSION = 1
MAX_HEADER_BYTES = 2_000
MAX_ROWS_BYTES = 1_000_000
"""Of one lesson; a take of more is several, each a part of it."""
MAX_WIRE_BYTES = MAX_ROWS_BYTES + MAX_HEADER_BYTES + 200
MAX_ROWS = 10_000
MAX_NUMBER = 2**53
MAX_TEXT = 200
_FIXED = struct.Struct(f"<8s{KEY_BYTES}s{SIGNATURE_BYTES}sBI")
_PLAIN, _ZLIB = 0, 1
_TEXTS, _NUMBERS = ("device", "dtype", "fingerprint", "label", "look"), ("part", "session", "take")


class LessonError(EdgeTLError, ValueError):
    """Bytes that are no lesson, or no tombstone; `reason` is one word for who counts them."""

    def __init__(self, reason: str, said: str) -> None:
        super().__init__(said)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class LessonHeader:
    """What the rows of a lesson mean."""

    device: str
    """What the device calls itself; who it is says its key."""
    fingerprint: str
    """Of the embedder that made the rows."""
    look: str
    """How it looked at pictures, in words; empty of sound."""
    label: str
    take: int
    session: int
    """Numbers of that device's."""
    part: int = 0
    """Of a take that is too long for one lesson."""
    dtype: str = "<f2"
    """Of the rows: `<f2`, or `<f4` where float16 would lose too much of one of them."""


@dataclass(frozen=True)
class FleetLesson:
    """One take's rows, from whichever device. Made by `new_lesson` and `parse_lesson` only."""

    key: bytes
    """The public key of whoever signed it."""
    signature: bytes
    header: LessonHeader
    rows: np.ndarray
    """(N, D), of the header's dtype."""
    came: bytes = field(default=b"", compare=False, repr=False)
    """As it came, where it did."""

    @cached_property
    def content(self) -> bytes:
        """The header as it is written."""
        about = {"columns": self.rows.shape[1], "rows": len(self.rows), "version": VERSION, **asdict(self.header)}
        return written(about)

    @cached_property
    def hash(self) -> str:
        """By which it is known, 64 hexadecimal digits."""
        return _hash(self.key, self.content, self.rows.tobytes()).hex()

    @cached_property
    def same(self) -> str:
        """The hash of label, embedder and rows alone: equal where the same take came by another device too."""
        told = f"{self.header.fingerprint} {self.header.label}".encode()
        return hashlib.sha256(told + b"\0" + self.rows.astype("<f4").tobytes()).hexdigest()

    @property
    def embeddings(self) -> np.ndarray:
        """(N, D) float32, each as the store of the device that taught it gives it back."""
        return np.asarray(self.rows.astype(np.float32))

    def wire(self) -> bytes:
        """As it is sent and kept."""
        if self.came:
            return self.came
        plain = self.rows.tobytes()
        small = zlib.compress(plain, 1)
        packing, packed = (_ZLIB, small) if len(small) < len(plain) else (_PLAIN, plain)
        fixed = _FIXED.pack(MAGIC, self.key, self.signature, packing, len(self.content))
        return fixed + self.content + packed

    def check_signature(self) -> None:
        """LessonError unless whoever has the key signed just this."""
        if not signed_by(self.key, self.signature, _message(MAGIC, bytes.fromhex(self.hash))):
            raise LessonError("unsigned", "the signature of a lesson is not that of its key")


def new_lessons(key: DeviceKey, header: LessonHeader, embeddings: np.ndarray) -> list[FleetLesson]:
    """A take of embeddings (N, D), as the store gives them back, as one lesson, or several where it is long.

    ShapeError for what no store keeps, or rows that are too long for any lesson; ExampleError for what is no label.
    """
    X = np.asarray(embeddings, np.float32)
    if X.ndim != 2 or not X.size:
        raise ShapeError(f"got embeddings {X.shape}: (N, D) are wanted, one or more")
    halves = {pack(row)[0] for row in X} == {"<f2"}
    rows = X.astype("<f2" if halves else "<f4")
    at_once = min(MAX_ROWS, MAX_ROWS_BYTES // rows[0].nbytes)
    if not at_once:
        raise ShapeError(f"an embedding of {counted(X.shape[1], 'value')} is too long for a lesson")
    made = []
    for part, first in enumerate(range(0, len(rows), at_once)):
        about = {**asdict(header), "label": check_label(header.label), "part": part, "dtype": rows.dtype.str}
        one = FleetLesson(key.public, b"", LessonHeader(**about), rows[first : first + at_once])
        signature = key.sign(_message(MAGIC, bytes.fromhex(one.hash)))
        made.append(FleetLesson(key.public, signature, one.header, one.rows))
    return made


def parse_lesson(wire: bytes, *, keep: bool = True) -> FleetLesson:
    """The lesson of bytes that anybody may have sent, whoever signed it; `check_signature` asks who did.

    keep: whether `came` is the bytes, for whoever gives them on. LessonError for everything else: what is cut, too
    large, unfolds to more than it says, or holds numbers that are not finite, names that are no labels, or anything
    written otherwise than edge-tl writes it.
    """
    if not _FIXED.size < len(wire) <= MAX_WIRE_BYTES:
        raise LessonError("size", f"got {counted(len(wire), 'byte')}, which is no lesson")
    magic, key, signature, packing, length = _FIXED.unpack_from(wire)
    if magic != MAGIC or packing not in (_PLAIN, _ZLIB) or not 0 < length <= MAX_HEADER_BYTES:
        raise LessonError("broken", "these bytes are no lesson of a version that is known")
    content, packed = wire[_FIXED.size : _FIXED.size + length], wire[_FIXED.size + length :]
    header, (n, columns) = _header(content)
    wanted = n * columns * np.dtype(header.dtype).itemsize
    if wanted > MAX_ROWS_BYTES:
        raise LessonError("size", f"{counted(wanted, 'byte')} of rows are too many for one lesson")
    plain = packed if packing == _PLAIN else _unfolded(packed, wanted)
    if len(plain) != wanted:
        raise LessonError("broken", f"{counted(n, 'row')} of {columns} are not what came")
    rows = np.frombuffer(plain, header.dtype).reshape(n, columns)
    if not np.isfinite(rows).all():
        raise LessonError("numbers", "a lesson holds NaN or infinite values")
    return FleetLesson(key, signature, header, rows, bytes(wire) if keep else b"")


def _header(content: bytes) -> tuple[LessonHeader, tuple[int, int]]:
    """The header, and how many rows of how many columns; LessonError unless edge-tl would write it just so."""
    try:
        about: Any = json.loads(content)
        if not isinstance(about, dict) or written(about) != content:
            raise ValueError
        if about.pop("version") != VERSION:
            raise LessonError("version", "a newer edge-tl made this lesson: upgrade edge-tl")
        n, columns = about.pop("rows"), about.pop("columns")
        header = LessonHeader(**about)
        texts, numbers = [about[name] for name in _TEXTS], [about[name] for name in _NUMBERS]
        whole = all(type(one) is int and 0 <= one <= MAX_NUMBER for one in (*numbers, n, columns))
        if not whole or not all(type(one) is str and len(one) <= MAX_TEXT for one in texts) or not n or not columns:
            raise ValueError
        if n > MAX_ROWS or header.dtype not in ("<f2", "<f4"):
            raise ValueError
        if check_label(header.label) != header.label or (header.device and check_label(header.device) != header.device):
            raise ExampleError("a label is not as labels are kept")
    except LessonError:
        raise
    except ExampleError as error:
        raise LessonError("label", str(error)) from error
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise LessonError("broken", "the header of a lesson is not as edge-tl writes it") from error
    return header, (n, columns)


def _unfolded(packed: bytes, wanted: int) -> bytes:
    """So many bytes, and never more, however much it would unfold to."""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(packed, wanted + 1)
    except zlib.error as error:
        raise LessonError("broken", "the rows of a lesson cannot be unpacked") from error
    if len(plain) > wanted or not unpacker.eof or unpacker.unused_data:
        raise LessonError("broken", "a lesson unfolds to something else than it says")
    return plain


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Whoever gave a lesson takes it back: it teaches nobody any more, and never will again."""

    key: bytes
    signature: bytes
    hash: str
    """Of the lesson."""

    def wire(self) -> bytes:
        """As it is sent and kept."""
        return TOMBSTONE + self.key + self.signature + bytes.fromhex(self.hash)

    def check_signature(self) -> None:
        """LessonError unless whoever has the key signed just this."""
        if not signed_by(self.key, self.signature, _message(TOMBSTONE, bytes.fromhex(self.hash))):
            raise LessonError("unsigned", "the signature of a tombstone is not that of its key")


def new_tombstone(key: DeviceKey, hash: str) -> Tombstone:
    """The tombstone of a lesson that this key signed."""
    return Tombstone(key.public, key.sign(_message(TOMBSTONE, bytes.fromhex(hash))), hash)


def parse_tombstone(wire: bytes) -> Tombstone:
    """The tombstone of bytes that anybody may have sent, whoever signed it; LessonError for all else."""
    if len(wire) != len(TOMBSTONE) + KEY_BYTES + SIGNATURE_BYTES + 32 or not wire.startswith(TOMBSTONE):
        raise LessonError("broken", "these bytes are no tombstone of a version that is known")
    rest = wire[len(TOMBSTONE) :]
    signed = rest[:KEY_BYTES], rest[KEY_BYTES : KEY_BYTES + SIGNATURE_BYTES]
    return Tombstone(*signed, rest[KEY_BYTES + SIGNATURE_BYTES :].hex())


def set_hash(hashes: Iterator[str] | list[str]) -> str:
    """One name for a set of lessons: devices that hold the same ones say the same."""
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()[:16]


def written(about: dict[str, Any]) -> bytes:
    """JSON in one way only, so that the same content always has the same hash."""
    return json.dumps(about, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _hash(key: bytes, content: bytes, rows: bytes) -> bytes:
    return hashlib.sha256(MAGIC + key + struct.pack("<I", len(content)) + content + rows).digest()


def _message(kind: bytes, hash: bytes) -> bytes:
    """What is signed; kind: so that no signature of one thing is one of another."""
    return b"edge-tl fleet " + kind + hash
