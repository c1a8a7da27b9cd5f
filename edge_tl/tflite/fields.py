"""The fields of a FlatBuffer's tables, read without its library: vectors, strings, numbers and the tables below.

Layout: flatbuffers.dev/internals. What lies outside the bytes raises struct.error or IndexError, of which whoever reads
a stranger's file makes one sentence.
"""

from __future__ import annotations

import struct


def u32(data: bytes, at: int) -> int:
    """The unsigned 32-bit number at a place."""
    value: int = struct.unpack_from("<I", data, at)[0]
    return value


def field_at(data: bytes, table: int, number: int) -> int | None:
    """Where in the bytes a table keeps a field; None where it has its default."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    if vtable < 0:
        raise IndexError("table")
    size = struct.unpack_from("<H", data, vtable)[0]
    if 4 + 2 * number >= size:
        return None
    offset = struct.unpack_from("<H", data, vtable + 4 + 2 * number)[0]
    return table + offset if offset else None


def vector_at(data: bytes, place: int, item_bytes: int) -> tuple[int, int]:
    """Where the items of the vector that an offset points at begin, and how many there are."""
    vector = place + u32(data, place)
    count = u32(data, vector)
    if vector + 4 + count * item_bytes > len(data):
        raise IndexError("vector")
    return vector + 4, count


def numbers_of(data: bytes, table: int, number: int) -> list[int]:
    """The 32-bit items of a vector field; none where it is absent."""
    place = field_at(data, table, number)
    if place is None:
        return []
    start, count = vector_at(data, place, 4)
    return list(struct.unpack_from(f"<{count}i", data, start))


def tables_of(data: bytes, table: int, number: int) -> list[int]:
    """The places of the tables of a vector field."""
    place = field_at(data, table, number)
    if place is None:
        return []
    start, count = vector_at(data, place, 4)
    return [start + 4 * item + u32(data, start + 4 * item) for item in range(count)]


def number_of(data: bytes, table: int, number: int) -> int:
    """An unsigned 32-bit field."""
    place = field_at(data, table, number)
    return 0 if place is None else u32(data, place)


def bytes_at(data: bytes, place: int) -> bytes:
    """What the vector of bytes holds that an offset points at."""
    start, count = vector_at(data, place, 1)
    return data[start : start + count]


def floats_of(data: bytes, table: int, number: int) -> list[float]:
    """The items of a vector field of 32-bit floats; none where it is absent."""
    place = field_at(data, table, number)
    if place is None:
        return []
    start, count = vector_at(data, place, 4)
    return list(struct.unpack_from(f"<{count}f", data, start))


def byte_of(data: bytes, table: int, number: int) -> int:
    """An 8-bit field: a small enumeration, or which kind of table a union holds."""
    place = field_at(data, table, number)
    return 0 if place is None else data[place]


def text_of(data: bytes, table: int, number: int) -> str:
    """A string field; empty where it is absent, and whatever is no UTF-8 in it replaced."""
    place = field_at(data, table, number)
    return "" if place is None else bytes_at(data, place).decode("utf-8", "replace")


def table_of(data: bytes, table: int, number: int) -> int | None:
    """The place of the table that a field points at; None where it is absent."""
    place = field_at(data, table, number)
    return None if place is None else place + u32(data, place)
