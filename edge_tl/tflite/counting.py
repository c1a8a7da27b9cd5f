"""What a .tflite file costs to run, before it is run: multiplications and bytes, operator by operator.

Read from the file's tables alone, so it needs no runtime and none of TensorFlow. Only operators that are computed anew
with each picture count: weights that are kept in float16 are unpacked once, at the start.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Self

from edge_tl.errors import ModelError
from edge_tl.tflite.fields import byte_of, field_at, number_of, numbers_of, tables_of, u32
from edge_tl.tflite.flatbuffer import check_whole
from edge_tl.tflite.interpreter import check_model

_CONV, _DEPTHWISE, _DENSE, _TRANSPOSED = 3, 4, 9, 67
_NAMES = {
    0: "ADD",
    2: "CONCATENATION",
    3: "CONV_2D",
    4: "DEPTHWISE_CONV_2D",
    6: "DEQUANTIZE",
    9: "FULLY_CONNECTED",
    14: "LOGISTIC",
    17: "MAX_POOL_2D",
    18: "MUL",
    19: "RELU",
    22: "RESHAPE",
    23: "RESIZE_BILINEAR",
    25: "SOFTMAX",
    34: "PAD",
    40: "MEAN",
    54: "PRELU",
}
"""Those that picture networks are made of; another one goes by its number."""
_FREE = {22, 43}
"""RESHAPE and SQUEEZE: what they give is what they got."""
_BYTES = {0: 4, 1: 4, 2: 4, 3: 1, 4: 8, 9: 1}
"""Bytes of a value by the tensor's type: float16 (1) is computed in float32."""


@dataclass(frozen=True)
class Work:
    """What one or several operators take."""

    dense_macs: int = 0
    """Multiplications, each with an addition, of convolutions and dense layers: what is read is used many times."""
    depthwise_macs: int = 0
    """Those of depthwise convolutions, where it is used a few times."""
    moved_bytes: int = 0
    """Read and written: activations on the way in and out, and weights."""

    @property
    def macs(self) -> int:
        """All of them."""
        return self.dense_macs + self.depthwise_macs

    def __add__(self, other: Self) -> Work:
        return Work(
            self.dense_macs + other.dense_macs,
            self.depthwise_macs + other.depthwise_macs,
            self.moved_bytes + other.moved_bytes,
        )


@dataclass(frozen=True)
class Operation:
    """One operator of a file, and what it takes."""

    kind: str
    shape: tuple[int, ...]
    """Of what it gives, with the batch axis."""
    work: Work


def operations(data: bytes, name: str = "the model") -> list[Operation]:
    """All that a model computes, in its order; sizes that a file leaves open count as 1.

    `data`: the bytes of a .tflite file. `name`: what messages call it. ModelError (one line) for a damaged file.
    """
    check_model(data, name)
    check_whole(data, name)
    try:
        return _operations(data)
    except (struct.error, IndexError) as error:
        raise ModelError(f"{name}: is damaged ({error}); download or convert it again") from None


def work_of(data: bytes, name: str = "the model") -> Work:
    """The sum of its operations; ModelError as `operations`."""
    return sum((one.work for one in operations(data, name)), Work())


def _operations(data: bytes) -> list[Operation]:
    root = u32(data, 0)
    codes = [_code(data, table) for table in tables_of(data, root, 1)]
    graph = tables_of(data, root, 2)[0]
    tensors = tables_of(data, graph, 0)
    shapes = [tuple(max(1, size) for size in numbers_of(data, tensor, 0)) for tensor in tensors]
    sizes = [
        math.prod(shape) * _BYTES.get(byte_of(data, tensor, 1), 4)
        for shape, tensor in zip(shapes, tensors, strict=True)
    ]
    alive = set(numbers_of(data, graph, 1))
    found = []
    for operator in tables_of(data, graph, 3):
        kind = codes[number_of(data, operator, 0)]
        inputs = [number for number in numbers_of(data, operator, 1) if number >= 0]
        outputs = numbers_of(data, operator, 2)
        if not alive & set(inputs):  # of constants alone: computed once
            continue
        alive |= set(outputs)
        shape = shapes[outputs[0]]
        moved = 0 if kind in _FREE else sum(sizes[number] for number in (*inputs, *outputs))
        dense, depthwise = 0, 0
        if kind in (_CONV, _DENSE, _TRANSPOSED) and len(inputs) > 1:
            weights = math.prod(shapes[inputs[1]])
            at = shapes[inputs[2]] if kind == _TRANSPOSED and len(inputs) > 2 else shape
            dense = weights * (math.prod(shape[:-1]) if kind == _DENSE else math.prod(at[1:3]))
        elif kind == _DEPTHWISE:
            depthwise = math.prod(shapes[inputs[1]]) * math.prod(shape[1:3])
        found.append(Operation(_NAMES.get(kind, f"operator {kind}"), shape, Work(dense, depthwise, moved)))
    return found


def _code(data: bytes, table: int) -> int:
    """An operator's number: the new field, or the byte that old files have."""
    place = field_at(data, table, 3)
    new = 0 if place is None else struct.unpack_from("<i", data, place)[0]
    return max(new, byte_of(data, table, 0))
