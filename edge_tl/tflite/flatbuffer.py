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
from edge_tl.tflite.fields import field_at, number_of, numbers_of, tables_of, u32, vector_at

_MAX_VALUES = 1 << 28
"""In one tensor: a gigabyte of float32, many times what a model of pictures or sounds needs."""
_POOL, _FILTER = 5, (3, 4)
"""The union's number of Pool2DOptions, and its fields of the window's width and height."""
_MAX_WINDOW = 1 << 20
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


def _unfolded_bytes(data: bytes, pointer: int, fields: dict[int, Any], known: dict[tuple[int, int, int], int]) -> int:
    """How many bytes a table and all below it are, each counted as often as something points at it."""
    table = pointer + u32(data, pointer)
    if (table, id(fields), 0) in known:
        return known[table, id(fields), 0]
    total = 8
    for number, kind in fields.items():
        place = field_at(data, table, number)
        if place is None:
            continue
        if isinstance(kind, dict):
            total += _unfolded_bytes(data, place, kind, known)
            continue
        start, count = vector_at(data, place, kind if isinstance(kind, int) else 4)
        if isinstance(kind, int):
            total += count * kind
            continue
        key = (start, id(kind), 1)
        if key not in known:
            known[key] = sum(_unfolded_bytes(data, start + 4 * item, kind[0], known) for item in range(count))
        total += known[key]
    known[table, id(fields), 0] = total
    return total


def _table(data: bytes, pointer: int, fields: dict[int, Any], seen: set[tuple[int, int]]) -> int:
    """Walk the table that an offset points at, and all below it; returns its place."""
    table = pointer + u32(data, pointer)
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
        place = field_at(data, table, number)
        if place is None:
            continue
        if isinstance(kind, dict):
            _table(data, place, kind, seen)
            continue
        start, count = vector_at(data, place, kind if isinstance(kind, int) else 4)
        if isinstance(kind, list) and (start, id(kind)) not in seen:
            seen.add((start, id(kind)))
            for item in range(count):
                _table(data, start + 4 * item, kind[0], seen)
    return table


def _check_numbers(data: bytes, root: int) -> None:
    """IndexError unless there is a graph, and every tensor, buffer and operator code that it names by number exists;
    OverflowError for sizes that a runtime would take gigabytes for."""
    codes, buffers = len(tables_of(data, root, 1)), len(tables_of(data, root, 4))
    subgraphs = tables_of(data, root, 2)
    if not subgraphs:
        raise IndexError("graph")
    for subgraph in subgraphs:
        tensors = tables_of(data, subgraph, 0)
        if any(number_of(data, tensor, 2) >= max(buffers, 1) for tensor in tensors):
            raise IndexError("buffer number")
        if any(math.prod(map(abs, numbers_of(data, tensor, 0))) > _MAX_VALUES for tensor in tensors):
            raise OverflowError("the size of a tensor")
        operators = tables_of(data, subgraph, 3)
        if any(number_of(data, operator, 0) >= codes for operator in operators):
            raise IndexError("operator code number")
        if any(_window(data, operator) > _MAX_WINDOW for operator in operators):
            raise OverflowError("the window of a pooling")
        ends = [(subgraph, 1), (subgraph, 2), *((operator, side) for operator in operators for side in (1, 2))]
        # -1 stands for an optional input that is left out.
        if any(not -1 <= number < len(tensors) for end in ends for number in numbers_of(data, *end)):
            raise IndexError("tensor number")


def _window(data: bytes, operator: int) -> int:
    """How many pixels the window of a pooling has; 0 for other operators."""
    kind, options = field_at(data, operator, 3), field_at(data, operator, 4)
    if kind is None or options is None or data[kind] != _POOL:
        return 0
    return math.prod(number_of(data, options + u32(data, options), side) for side in _FILTER)
