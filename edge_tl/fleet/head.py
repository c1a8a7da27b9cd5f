"""The head that a hub trained on all lessons, signed, for devices that use it instead of training themselves.

    head    b"etl-head" KEY[32] SIGNATURE[64] LENGTH[4] HEADER BODY

HEADER is JSON, written in the one way there is; BODY is a ZIP of two members, `profile.json` and `arrays.npz`: what a
profile keeps of a generation. The hash is of key, header and body, the signature of the hash.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from edge_tl.core.answers import SavedHead
from edge_tl.core.archive import Archive, DamagedArchive, packed_arrays, read_arrays
from edge_tl.errors import counted
from edge_tl.fleet.keys import KEY_BYTES, SIGNATURE_BYTES, DeviceKey, signed_by
from edge_tl.fleet.lesson import MAX_NUMBER, MAX_TEXT, LessonError, written

MAGIC = b"etl-head"
VERSION = 1
MAX_HEADER_BYTES = 100_000
"""A thousand devices are named in it."""
MAX_HEAD_BYTES = 8_000_000
"""As it is sent."""
MAX_UNPACKED_BYTES = 64_000_000
_FIXED = struct.Struct(f"<8s{KEY_BYTES}s{SIGNATURE_BYTES}sI")
_JSON, _ARRAYS = "profile.json", "arrays.npz"
_TEXTS = ("device", "fingerprint", "set")


@dataclass(frozen=True, slots=True)
class HeadHeader:
    """What a head was trained on."""

    device: str
    """What the hub calls itself."""
    fingerprint: str
    """Of the embedder whose rows it names."""
    number: int
    """Counts up: what has a smaller one than a head that was seen before is old."""
    set: str
    """As `set_hash`, of all lessons that it was trained on."""
    lessons: int
    """How many these are."""
    devices: dict[str, str] = field(default_factory=dict)
    """The id of each device → `set_hash` of its lessons among them."""


@dataclass(frozen=True)
class FleetHead:
    """A head as it is sent. Made by `new_head` and `parse_head` only."""

    key: bytes
    signature: bytes
    header: HeadHeader
    body: bytes

    @property
    def content(self) -> bytes:
        """The header as it is hashed."""
        return written({"version": VERSION, **asdict(self.header)})

    @cached_property
    def hash(self) -> str:
        """What it is called, 64 hexadecimal digits."""
        return _hash(self.key, self.content, self.body).hex()

    @cached_property
    def made_of(self) -> str:
        """The hash of the body alone: equal where the same head came under another number."""
        return hashlib.sha256(self.body).hexdigest()

    def wire(self) -> bytes:
        """As it is sent."""
        return _FIXED.pack(MAGIC, self.key, self.signature, len(self.content)) + self.content + self.body

    def check_signature(self) -> None:
        """LessonError unless whoever has the key signed just this."""
        if not signed_by(self.key, self.signature, _message(self.hash)):
            raise LessonError("unsigned", "the signature of a head is not that of its key")

    def saved(self) -> SavedHead:
        """What `Recognizer.restore` takes; LessonError where it unfolds to too much, or to nothing of the kind."""
        try:
            with Archive(self.body) as archive:
                meta = json.loads(archive.read(_JSON, MAX_UNPACKED_BYTES))
                arrays = read_arrays(archive.read(_ARRAYS, MAX_UNPACKED_BYTES), MAX_UNPACKED_BYTES)
        except (DamagedArchive, ValueError, RecursionError) as error:
            raise LessonError("broken", f"a head of the hub is damaged inside: {error}") from error
        if not isinstance(meta, dict):
            raise LessonError("broken", "a head of the hub is damaged inside")
        return SavedHead(meta, arrays)


def new_head(key: DeviceKey, header: HeadHeader, saved: SavedHead) -> FleetHead:
    """A generation as a signed head; LessonError where it is too large to be sent."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        # A date that does not change: the same head is the same bytes.
        for name, data in (
            (_JSON, json.dumps(saved.meta, ensure_ascii=False, sort_keys=True).encode()),
            (_ARRAYS, packed_arrays(saved.arrays)),
        ):
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(member, data, compresslevel=1)
    bare = FleetHead(key.public, b"", header, out.getvalue())
    made = FleetHead(key.public, key.sign(_message(bare.hash)), header, bare.body)
    size = len(made.wire())
    if size > MAX_HEAD_BYTES or len(made.content) > MAX_HEADER_BYTES:
        raise LessonError("size", f"the head has {counted(size, 'byte')}, and {MAX_HEAD_BYTES} are sent at most")
    return made


def parse_head(wire: bytes) -> FleetHead:
    """The head of bytes that anybody may have sent; `check_signature` asks who did. LessonError for all else."""
    if not _FIXED.size < len(wire) <= MAX_HEAD_BYTES:
        raise LessonError("size", f"got {counted(len(wire), 'byte')}, which is no head")
    magic, key, signature, length = _FIXED.unpack_from(wire)
    content, body = wire[_FIXED.size : _FIXED.size + length], wire[_FIXED.size + length :]
    if magic != MAGIC or not 0 < length <= MAX_HEADER_BYTES:
        raise LessonError("broken", "these bytes are no head of a version that is known")
    return FleetHead(key, signature, _header(content), body)


def _header(content: bytes) -> HeadHeader:
    """The header; LessonError unless edge-tl would write it just so."""
    try:
        about: Any = json.loads(content)
        if not isinstance(about, dict) or written(about) != content:
            raise ValueError
        if about.pop("version") != VERSION:
            raise LessonError("version", "a newer edge-tl made this head: upgrade edge-tl")
        header = HeadHeader(**about)
        texts = [*(about[name] for name in _TEXTS), *header.devices, *header.devices.values()]
        whole = all(type(one) is int and 0 <= one <= MAX_NUMBER for one in (header.number, header.lessons))
        if not whole or not all(type(one) is str and len(one) <= MAX_TEXT for one in texts):
            raise ValueError
    except LessonError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise LessonError("broken", "the header of a head is not as edge-tl writes it") from error
    return header


def _hash(key: bytes, content: bytes, body: bytes) -> bytes:
    return hashlib.sha256(MAGIC + key + struct.pack("<I", len(content)) + content + body).digest()


def _message(hash: str) -> bytes:
    """What is signed."""
    return b"edge-tl fleet " + MAGIC + bytes.fromhex(hash)
