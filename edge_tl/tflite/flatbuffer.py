"""Does a .tflite file lie whole within its bytes? tflite-runtime does not ask, and dies of a truncated file.

A TFLite file is a FlatBuffer: tables, vectors and strings that point at each other by 32-bit offsets. Layout:
flatbuffers.dev/internals; field numbers: TensorFlow's `schema.fbs`, version 3. All that a runtime walks at load is
walked here, once. What remains unseen are values: most numbers within an operator's options may still be nonsense, and
of a file whose single bytes were changed only the manifest's SHA-256 can tell.
"""

from __future__ import annotations

import math
import struct
from typing import Any

from edge_tl.errors import ModelError, counted

_MOST_VALUES = 1 << 28
"""In one tensor: a gigabyte of float32, many times what a model of pictures or sounds needs."""
_POOL, _FILTER = 5, (3, 4)
"""The union's number of Pool2DOptions, and its fields of the window's width and height."""
_MOST_WINDOW = 1 << 20
"""Pixels that one pooling looks at: a runtime keeps an address for each of them."""
# Field number → what it points at: a vector of items of so many bytes, a table, or [a table] for a vector of tables.
# Fields that are plain numbers, kept in the table itself, are not listed.
_QUANTIZATION: dict[int, Any] = {0: 4, 1: 4, 2: 4, 3: 8}
_SPARSITY: dict[int, Any] = {0: 4, 1: 4, 2: [{}]}
_TENSOR: dict[int, Any] = {0: 4, 3: 1, 4: _QUANTIZATION, 6: _SPARSITY, 7: 4, 9: [{0: 4}]}
_OPERATOR: dict[int, Any] = {1: 4, 2: 4, 4: {}, 5: 1, 8: 4}
_OPERATOR_CODE: dict[int, Any] = {1: 1}
_SUBGRAPH: dict[int, Any] = {0: [_TENSOR], 1: 4, 2: 4, 3: [_OPERATOR], 4: 1}
_TENSOR_MAP: dict[int, Any] = {0: 1}
_SIGNATURE: dict[int, Any] = {0: [_TENSOR_MAP], 1: [_TENSOR_MAP], 2: 1}
_METADATA: dict[int, Any] = {0: 1}
_MODEL: dict[int, Any] = {
    1: [_OPERATOR_CODE],
    2: [_SUBGRAPH],
    3: 1,
    4: [{0: 1}],
    5: 4,
    6: [_METADATA],
    7: [_SIGNATURE],
}


def check_whole(data: bytes, name: str) -> None:
    """ModelError (one line) unless the model's tables, names and weights lie within `data` and refer to what exists.

    ModelError, too, where its parts unfold to far more than the file holds, or where a size is absurd.
    `data`: the bytes of a file whose mark TFL3 was seen. `name`: what the message calls it.
    """
    try:
        root = _table(data, 0, _MODEL, set())
        # A file may let any number of offsets point at one table: copying each of them out would never come to an
        # end with a hostile one. An honest file shares next to nothing.
        if _unfolded_bytes(data, 0, _MODEL, {}) > 4 * len(data) + 4096:
            raise ModelError(f"{name}: is damaged: its parts overlap; download or convert it again")
        _check_numbers(data, root)
    except (struct.error, IndexError) as error:
        reason = f" ({error})" if isinstance(error, IndexError) else ""
        raise ModelError(
            f"{name}: is truncated or damaged: what it points at lies outside its "
            f"{counted(len(data), 'byte')}{reason}; download or convert it again"
        ) from None
    except OverflowError as error:
        raise ModelError(f"{name}: is damaged: {error} is absurd; download or convert it again") from None


def metadata(data: bytes, name: str) -> dict[str, bytes]:
    """What a file, seen whole by `check_whole`, carries beside its graphs: a text → bytes.

    ModelError (one line) where it names a buffer that is not there.
    """
    try:
        root = _u32(data, 0)
        buffers = _tables(data, root, 4)
        found = {}
        for entry in _tables(data, root, 6):
            title = _field(data, entry, 0)
            key = "" if title is None else _bytes(data, title).decode("utf-8", "replace")
            held = _field(data, buffers[_number(data, entry, 1)], 0)
            found[key] = b"" if held is None else _bytes(data, held)
    except (struct.error, IndexError):
        raise ModelError(f"{name}: is damaged: its metadata lie outside; download or make it again") from None
    return found


def custom_outputs(data: bytes, operator: str) -> list[int] | None:
    """Of each output of a model, seen whole by `check_whole`: which output of its custom operator of this name it is.

    None where there is no such operator, or where an output of the model is not its.
    """
    root = _u32(data, 0)
    codes = [_field(data, code, 1) for code in _tables(data, root, 1)]
    wanted = [number for number, place in enumerate(codes) if place and _bytes(data, place) == operator.encode()]
    graph = _tables(data, root, 2)[0]
    ends = _items(data, graph, 2)
    for one in _tables(data, graph, 3):
        made = _items(data, one, 2)
        if _number(data, one, 0) in wanted and set(ends) <= set(made):
            return [made.index(end) for end in ends]
    return None


def normalisation(held: bytes, name: str) -> tuple[list[float], list[float]] | None:
    """The mean and the standard deviation that a model's first input wants taken off and divided by; None where unsaid.

    `held`: what `metadata` gives under TFLITE_METADATA. Field numbers: TensorFlow's `metadata_schema.fbs`, version 1.5.
    ModelError (one line) where it is damaged.
    """
    try:
        for graph in _tables(held, _u32(held, 0), 3)[:1]:
            for tensor in _tables(held, graph, 2)[:1]:
                for unit in _tables(held, tensor, 4):
                    kind, options = _field(held, unit, 0), _field(held, unit, 1)
                    if kind is not None and held[kind] == 1 and options is not None:  # NormalizationOptions
                        table = options + _u32(held, options)
                        return _floats(held, table, 0), _floats(held, table, 1)
    except (struct.error, IndexError):
        raise ModelError(f"{name}: its metadata are damaged; download or make it again") from None
    return None


def _floats(data: bytes, table: int, number: int) -> list[float]:
    """The items of a vector field of 32-bit floats; none where it is absent."""
    place = _field(data, table, number)
    if place is None:
        return []
    start, count = _vector(data, place, 4)
    return list(struct.unpack_from(f"<{count}f", data, start))


def _bytes(data: bytes, place: int) -> bytes:
    """What the vector of bytes holds that an offset points at."""
    start, count = _vector(data, place, 1)
    return data[start : start + count]


def _unfolded_bytes(data: bytes, pointer: int, fields: dict[int, Any], known: dict[tuple[int, int, int], int]) -> int:
    """How many bytes a table and all below it are, each counted as often as something points at it."""
    table = pointer + _u32(data, pointer)
    if (table, id(fields), 0) in known:
        return known[table, id(fields), 0]
    total = 8
    for number, kind in fields.items():
        place = _field(data, table, number)
        if place is None:
            continue
        if isinstance(kind, dict):
            total += _unfolded_bytes(data, place, kind, known)
            continue
        start, count = _vector(data, place, kind if isinstance(kind, int) else 4)
        if isinstance(kind, int):
            total += count * kind
            continue
        key = (start, id(kind), 1)
        if key not in known:
            known[key] = sum(_unfolded_bytes(data, start + 4 * item, kind[0], known) for item in range(count))
        total += known[key]
    known[table, id(fields), 0] = total
    return total


def _u32(data: bytes, at: int) -> int:
    value: int = struct.unpack_from("<I", data, at)[0]
    return value


def _field(data: bytes, table: int, number: int) -> int | None:
    """Where in the bytes a table keeps a field; None where it has its default."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    if vtable < 0:
        raise IndexError("table")
    size = struct.unpack_from("<H", data, vtable)[0]
    if 4 + 2 * number >= size:
        return None
    offset = struct.unpack_from("<H", data, vtable + 4 + 2 * number)[0]
    return table + offset if offset else None


def _table(data: bytes, pointer: int, fields: dict[int, Any], seen: set[tuple[int, int]]) -> int:
    """Walk the table that an offset points at, and all below it; returns its place."""
    table = pointer + _u32(data, pointer)
    # The seen set keeps a hostile file, in which many offsets share one table or vector, from taking for ever.
    if (table, id(fields)) in seen:
        return table
    seen.add((table, id(fields)))
    vtable = table - struct.unpack_from("<i", data, table)[0]
    if vtable < 0:
        raise IndexError("table")
    vtable_size, table_size = struct.unpack_from("<HH", data, vtable)
    if vtable + vtable_size > len(data) or table + table_size > len(data):
        raise IndexError("table")
    for number, kind in fields.items():
        place = _field(data, table, number)
        if place is None:
            continue
        if isinstance(kind, dict):
            _table(data, place, kind, seen)
            continue
        start, count = _vector(data, place, kind if isinstance(kind, int) else 4)
        if isinstance(kind, list) and (start, id(kind)) not in seen:
            seen.add((start, id(kind)))
            for item in range(count):
                _table(data, start + 4 * item, kind[0], seen)
    return table


def _vector(data: bytes, place: int, item_bytes: int) -> tuple[int, int]:
    """Where the items of the vector that an offset points at begin, and how many there are."""
    vector = place + _u32(data, place)
    count = _u32(data, vector)
    if vector + 4 + count * item_bytes > len(data):
        raise IndexError("vector")
    return vector + 4, count


def _items(data: bytes, table: int, number: int) -> list[int]:
    """The 32-bit items of a vector field; none where it is absent."""
    place = _field(data, table, number)
    if place is None:
        return []
    start, count = _vector(data, place, 4)
    return list(struct.unpack_from(f"<{count}i", data, start))


def _tables(data: bytes, table: int, number: int) -> list[int]:
    """The places of the tables of a vector field."""
    place = _field(data, table, number)
    if place is None:
        return []
    start, count = _vector(data, place, 4)
    return [start + 4 * item + _u32(data, start + 4 * item) for item in range(count)]


def _number(data: bytes, table: int, number: int) -> int:
    """An unsigned 32-bit field."""
    place = _field(data, table, number)
    return 0 if place is None else _u32(data, place)


def _check_numbers(data: bytes, root: int) -> None:
    """IndexError unless there is a graph, and every tensor, buffer and operator code that it names by number exists;
    OverflowError for sizes that a runtime would take gigabytes for."""
    codes, buffers = len(_tables(data, root, 1)), len(_tables(data, root, 4))
    subgraphs = _tables(data, root, 2)
    if not subgraphs:
        raise IndexError("graph")
    for subgraph in subgraphs:
        tensors = _tables(data, subgraph, 0)
        if any(_number(data, tensor, 2) >= max(buffers, 1) for tensor in tensors):
            raise IndexError("buffer number")
        if any(math.prod(map(abs, _items(data, tensor, 0))) > _MOST_VALUES for tensor in tensors):
            raise OverflowError("the size of a tensor")
        operators = _tables(data, subgraph, 3)
        if any(_number(data, operator, 0) >= codes for operator in operators):
            raise IndexError("operator code number")
        if any(_window(data, operator) > _MOST_WINDOW for operator in operators):
            raise OverflowError("the window of a pooling")
        ends = [(subgraph, 1), (subgraph, 2), *((operator, side) for operator in operators for side in (1, 2))]
        # -1 stands for an optional input that is left out.
        if any(not -1 <= number < len(tensors) for end in ends for number in _items(data, *end)):
            raise IndexError("tensor number")


def _window(data: bytes, operator: int) -> int:
    """How many pixels the window of a pooling has; 0 for other operators."""
    kind, options = _field(data, operator, 3), _field(data, operator, 4)
    if kind is None or options is None or data[kind] != _POOL:
        return 0
    return math.prod(_number(data, options + _u32(data, options), side) for side in _FILTER)
