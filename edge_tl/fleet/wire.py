"""Lessons in pieces that any broker takes, and whole again from pieces that come in any order, or twice, or never."""

from __future__ import annotations

import struct
from collections import OrderedDict

from edge_tl.errors import counted
from edge_tl.fleet.lesson import MAX_WIRE_BYTES, LessonError

CHUNK_BYTES = 64_000
"""Of a lesson in one message; some brokers take 128 KiB and no more."""
_HEAD = struct.Struct("<4sHH")
_MAGIC = b"etlc"
MAX_WAITING_BYTES = 8_000_000
"""Pieces that wait for others; beyond, those go that have waited longest."""


def in_chunks(wire: bytes) -> list[bytes]:
    """A lesson as one message or several, each with its place and how many there are."""
    total = -(-len(wire) // CHUNK_BYTES)
    pieces = (wire[at * CHUNK_BYTES : (at + 1) * CHUNK_BYTES] for at in range(total))
    return [_HEAD.pack(_MAGIC, at, total) + piece for at, piece in enumerate(pieces)]


class Assembly:
    """Gathers the pieces of lessons, by the names under which they came; what nobody ends takes bounded room.

    max_bytes: of what is whole; waiting_bytes: of all pieces that wait.
    """

    def __init__(self, max_bytes: int = MAX_WIRE_BYTES, waiting_bytes: int = MAX_WAITING_BYTES) -> None:
        self._max_chunks, self._waiting_bytes = -(-max_bytes // CHUNK_BYTES), waiting_bytes
        self._waiting: OrderedDict[str, dict[int, bytes]] = OrderedDict()
        self._totals: dict[str, int] = {}
        self._bytes = 0

    def add(self, name: str, chunk: bytes) -> bytes | None:
        """Take a piece; all of it once no piece is missing, else None. LessonError for what is no piece."""
        if not _HEAD.size < len(chunk) <= _HEAD.size + CHUNK_BYTES:
            raise LessonError("size", f"got {counted(len(chunk), 'byte')}, which is no piece of a lesson")
        magic, at, total = _HEAD.unpack_from(chunk)
        if magic != _MAGIC or not 0 <= at < total <= self._max_chunks:
            raise LessonError("broken", "these bytes are no piece of a lesson")
        piece = chunk[_HEAD.size :]
        if total == 1:
            self._drop(name)
            return piece
        if self._totals.setdefault(name, total) != total:  # somebody lies: who said so last begins anew
            self._drop(name)
            self._totals[name] = total
        pieces = self._waiting.setdefault(name, {})
        self._bytes += len(piece) - len(pieces.get(at, b""))
        pieces[at] = piece
        self._waiting.move_to_end(name)
        if len(pieces) == total:
            self._drop(name)
            return b"".join(pieces[one] for one in range(total))
        while self._bytes > self._waiting_bytes:
            self._drop(next(iter(self._waiting)))
        return None

    def _drop(self, name: str) -> None:
        self._totals.pop(name, None)
        self._bytes -= sum(map(len, self._waiting.pop(name, {}).values()))
