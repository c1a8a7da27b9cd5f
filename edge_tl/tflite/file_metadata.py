"""What a .tflite file says of itself beside its weights: metadata of its maker, foreign operators, and how it ends.

All files that are read here were seen whole by `check_whole`. TensorFlow's own metadata (`metadata_schema.fbs`, version
1.5) are a FlatBuffer under the title TFLITE_METADATA; labels lie in a ZIP archive behind the model.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from edge_tl.errors import ModelError
from edge_tl.tflite.fields import (
    byte_of,
    bytes_at,
    field_at,
    floats_of,
    number_of,
    numbers_of,
    table_of,
    tables_of,
    text_of,
    u32,
)

TITLE = "TFLITE_METADATA"
_IMAGE, _AUDIO = 2, 4
"""Kinds of content of a tensor: the union ContentProperties."""
_NORMALISATION = 1
"""Of the union ProcessUnitOptions."""
_AXIS_LABELS = 2
"""A file that names what stands along an output."""
_COLOURS = {1: "rgb", 2: "grey"}
_RESHAPING = frozenset((6, 22, 43, 114))
"""Operators that change no value: DEQUANTIZE, RESHAPE, SQUEEZE, QUANTIZE."""
_ENDINGS = {25: "softmax", 14: "logistic"}
_WEIGHING = frozenset((9, 3))
"""FULLY_CONNECTED and CONV_2D: what gives each class its score."""


@dataclass(frozen=True)
class ModelMetadata:
    """What TensorFlow's metadata say of a model's first input and output; empty or None where they do not."""

    kind: str = ""
    """`picture` or `sound`."""
    colours: str = ""
    """`rgb` or `grey`."""
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    """What is taken off the pixels, and what they are divided by then: one for all channels, or one each."""
    rate_hz: int = 0
    """Of sounds."""
    labels_file: str = ""
    """The name of the file of labels in the archive."""


def metadata(data: bytes, name: str) -> dict[str, bytes]:
    """What a file carries beside its graphs: a text → bytes.

    ModelError (one line) where it names a buffer that is not there.
    """
    try:
        root = u32(data, 0)
        buffers = tables_of(data, root, 4)
        found = {}
        for entry in tables_of(data, root, 6):
            held = field_at(data, buffers[number_of(data, entry, 1)], 0)
            found[text_of(data, entry, 0)] = b"" if held is None else bytes_at(data, held)
    except (struct.error, IndexError):
        raise ModelError(f"{name}: is damaged: its metadata lie outside; download or make it again") from None
    return found


def file_metadata(data: bytes, name: str) -> ModelMetadata:
    """What TensorFlow's metadata in a file say; an empty ModelMetadata where there are none.

    ModelError (one line) where they are damaged.
    """
    held = metadata(data, name).get(TITLE)
    if not held:
        return ModelMetadata()
    try:
        graphs = tables_of(held, u32(held, 0), 3)
        inputs = tables_of(held, graphs[0], 2) if graphs else []
        outputs = tables_of(held, graphs[0], 3) if graphs else []
        said = _of_input(held, inputs[0]) if inputs else {}
        files = tables_of(held, outputs[0], 6) if outputs else []
        named = [text_of(held, one, 0) for one in files if byte_of(held, one, 2) == _AXIS_LABELS]
        return ModelMetadata(labels_file=named[0] if named else "", **said)
    except (struct.error, IndexError):
        raise ModelError(f"{name}: its metadata are damaged; download or make it again") from None


def _of_input(held: bytes, tensor: int) -> dict[str, Any]:
    """What is said of an input, as fields of ModelMetadata."""
    said: dict[str, Any] = {}
    content = table_of(held, tensor, 3)
    properties = None if content is None else table_of(held, content, 1)
    kind = 0 if content is None else byte_of(held, content, 0)
    if kind == _IMAGE and properties is not None:
        said |= {"kind": "picture", "colours": _COLOURS.get(byte_of(held, properties, 0), "")}
    elif kind == _AUDIO and properties is not None:
        said |= {"kind": "sound", "rate_hz": number_of(held, properties, 0)}
    for unit in tables_of(held, tensor, 4):
        options = table_of(held, unit, 1)
        if byte_of(held, unit, 0) == _NORMALISATION and options is not None:
            said |= {"mean": tuple(floats_of(held, options, 0)), "deviation": tuple(floats_of(held, options, 1))}
            break
    return said


def custom_operators(data: bytes) -> tuple[str, ...]:
    """The names of a model's operators that are not TFLite's own."""
    return tuple(name for code in tables_of(data, u32(data, 0), 1) if (name := text_of(data, code, 1)))


def custom_outputs(data: bytes, operator: str) -> list[int] | None:
    """Of each output of a model: which output of its custom operator of this name it is.

    None where there is no such operator, or where an output of the model is not its.
    """
    root = u32(data, 0)
    codes = [text_of(data, code, 1) for code in tables_of(data, root, 1)]
    graph = tables_of(data, root, 2)[0]
    ends = numbers_of(data, graph, 2)
    for one in tables_of(data, graph, 3):
        made = numbers_of(data, one, 2)
        if codes[number_of(data, one, 0)] == operator and set(ends) <= set(made):
            return [made.index(end) for end in ends]
    return None


def ending(data: bytes) -> tuple[str, str]:
    """How a model's first output is made: `softmax`, `logistic` or empty for anything else, and where to cut it off.

    The latter is the name of the tensor that goes into the last layer with weights; empty where there is none.
    """
    root = u32(data, 0)
    graph = tables_of(data, root, 2)[0]
    codes = [max(byte_of(data, one, 0), number_of(data, one, 3)) for one in tables_of(data, root, 1)]
    makers = {made: one for one in tables_of(data, graph, 3) for made in numbers_of(data, one, 2)}
    kind, at = "", numbers_of(data, graph, 2)[0]
    for _ in range(16):  # a circle in a damaged file ends here
        maker = makers.get(at)
        came = [] if maker is None else numbers_of(data, maker, 1)
        if maker is None or not came:
            break
        code, at = codes[number_of(data, maker, 0)], came[0]
        if code in _WEIGHING:
            while at in makers and codes[number_of(data, makers[at], 0)] in _RESHAPING:
                at = (numbers_of(data, makers[at], 1) or [-1])[0]
            cuttable = at in makers
            return kind, text_of(data, tables_of(data, graph, 0)[at], 3) if cuttable else ""
        if code in _ENDINGS and not kind:
            kind = _ENDINGS[code]
        elif code not in _RESHAPING:
            break
    return kind, ""
