"""The one home of the layout of .tflite files: bytes → Python objects → bytes.

The layout is TensorFlow's `schema.fbs`, version 3, whose Python form LiteRT's package brings along.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from edge_tl.errors import EdgeTLError, MissingDependency, ModelError, to_install
from edge_tl.tflite.flatbuffer import check_whole
from edge_tl.tflite.interpreter import check_model

_DAMAGED = (struct.error, ValueError, TypeError, IndexError, AttributeError, KeyError, OverflowError, MemoryError)
"""What the schema's Python form raises of a file whose options are nonsense."""
_ALIGNED_BYTES = 16
"""Where weights begin: what `schema.fbs` asks of its buffers, and Python's packer does not do by itself."""


def load_schema() -> Any:
    """The module of the schema's classes; MissingDependency with the install line where LiteRT is not there."""
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError:
        raise MissingDependency(
            "ai-edge-litert, which knows the layout of .tflite files, is not installed; tflite-runtime does not: "
            + to_install("ai-edge-litert", "numpy<2")
        ) from None
    return schema_py_generated


@contextmanager
def opened(data: bytes, name: str) -> Iterator[Any]:
    """The model (the schema's ModelT) in the bytes of a .tflite file, to be changed within the block.

    `name`: what messages call it. ModelError (one line) for a damaged file, also where the damage shows only while the
    block works on it; MissingDependency without LiteRT.
    """
    schema = load_schema()
    check_model(data, name)
    check_whole(data, name)
    try:
        yield schema.ModelT.InitFromPackedBuf(data, 0)
    except EdgeTLError:
        raise
    except _DAMAGED as error:
        raise ModelError(f"{name}: is damaged ({type(error).__name__}); download or convert it again") from None


def packed(model: Any, most_bytes: int) -> bytes:
    """The bytes of a file that holds the model; ValueError where they would be more than `most_bytes`."""
    import flatbuffers

    class AlignedBuilder(flatbuffers.Builder):
        """Begins every vector of bytes where weights may begin, and ends what a hostile file makes too large."""

        def StartVector(self, elemSize: int, numElems: int, alignment: int) -> int:  # noqa: N802
            if self.Offset() + elemSize * numElems > most_bytes:
                raise ValueError
            aligned = _ALIGNED_BYTES if elemSize == 1 else alignment
            return int(super().StartVector(elemSize, numElems, aligned))

    builder = AlignedBuilder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def put_metadata(model: Any, held: dict[str, bytes]) -> None:
    """Put texts into an opened model in the place of those that it has: title → bytes."""
    schema = load_schema()
    model.metadata = []
    for title, one in held.items():
        model.buffers.append(schema.BufferT(data=np.frombuffer(one, np.uint8)))
        model.metadata.append(schema.MetadataT(title, len(model.buffers) - 1))


def listed(values: Any) -> list[Any]:
    """A vector of the file, absent ones empty."""
    return [] if values is None else list(values)


def text(name: Any) -> str:
    """A name in the file."""
    return (name or b"").decode("utf-8", "replace") if not isinstance(name, str) else name


def operator_name(model: Any, operator: Any) -> str:
    """What the schema calls an operator: CONV_2D."""
    code = model.operatorCodes[operator.opcodeIndex]
    builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
    kinds = vars(load_schema().BuiltinOperator)
    return next((kind for kind, value in kinds.items() if value == builtin), f"operator {builtin}")


def operator_code(model: Any, kind: str, version: int) -> int:
    """The number of an operator in the file, which is told of it where it is new."""
    schema = load_schema()
    builtin = getattr(schema.BuiltinOperator, kind)
    codes = model.operatorCodes
    for number, code in enumerate(codes):
        if max(code.builtinCode, code.deprecatedBuiltinCode) == builtin and code.version == version:
            return number
    # The byte that old runtimes read holds no more than 127, which says: look at the other one.
    codes.append(schema.OperatorCodeT(min(builtin, 127), None, version, builtin))
    return len(codes) - 1
