"""Cutting a TFLite file at a tensor inside it, without TensorFlow: the weights are copied, not one is computed anew.

The layout is TensorFlow's `schema.fbs`, version 3, whose Python form LiteRT's package brings along.
"""

from __future__ import annotations

import difflib
import struct
from typing import Any

from edge_tl.errors import MissingDependency, ModelError
from edge_tl.flatbuffer import check_whole
from edge_tl.interpreter import check_model

_CALLS_GRAPHS = ("CALL", "CALL_ONCE", "IF", "WHILE", "STABLEHLO_COMPOSITE", "STABLEHLO_WHILE")
"""Operators whose options name another graph of the file by its number."""
_DAMAGED = (struct.error, ValueError, TypeError, IndexError, AttributeError, KeyError, OverflowError, MemoryError)
"""What the schema's Python form raises of a file whose options are nonsense."""


def truncate(data: bytes, tensor: str, name: str = "the model") -> bytes:
    """The model that ends at one of its inner tensors, bit-equal to what the whole model computes there.

    `data`: the bytes of a .tflite file, float or quantised, of any maker. `tensor`: the name in the file. `name`: what
    messages call the model. Only what the tensor depends on is kept, of the inputs too; signatures and metadata, which
    speak of the whole model, are not. ModelError (one line) for a damaged file, for a tensor that is not there, is
    ambiguous, or is not computed from an input, and for graphs that call others; MissingDependency without LiteRT.
    """
    schema = _schema()
    check_model(data, name)
    check_whole(data, name)
    try:
        model = schema.ModelT.InitFromPackedBuf(data, 0)
        _cut(schema, model, tensor, name)
        return _packed(model)
    except _DAMAGED as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{name}: is damaged ({type(error).__name__}); download or convert it again") from None


def _schema() -> Any:
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError:
        raise MissingDependency(
            "ai-edge-litert, which knows the layout of .tflite files, is not installed; tflite-runtime does not: "
            "python3 -m pip install ai-edge-litert"
        ) from None
    return schema_py_generated


def _packed(model: Any) -> bytes:
    import flatbuffers

    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _cut(schema: Any, model: Any, tensor: str, name: str) -> None:
    """Leave in the model what its first graph needs for one tensor, and number everything anew."""
    graph = model.subgraphs[0]
    operators = _list(graph.operators)
    target = _find(graph, tensor, name)
    makers = {number: operator for operator in operators for number in _list(operator.outputs)}
    needed, kept, waiting = set(), set(), [target]
    while waiting:
        number = waiting.pop()
        if number < 0 or number in needed:  # -1: an optional input that is left out
            continue
        needed.add(number)
        maker = makers.get(number)
        if maker is not None and id(maker) not in kept:
            kept.add(id(maker))
            waiting += [*_list(maker.inputs), *_list(maker.outputs), *_list(maker.intermediates)]
    inputs = [number for number in _list(graph.inputs) if number in needed]
    if target not in makers or not inputs:
        raise ModelError(f"{name}: {tensor!r} is not computed from an input; name a tensor that an operator makes")
    graph.operators = [operator for operator in operators if id(operator) in kept]
    _check_alone(schema, model, graph, name)

    tensors = sorted(needed)
    place = {old: new for new, old in enumerate(tensors)} | {-1: -1}
    for operator in graph.operators:
        for side in ("inputs", "outputs", "intermediates"):
            setattr(operator, side, [place[number] for number in _list(getattr(operator, side))])
    graph.tensors = [graph.tensors[number] for number in tensors]
    graph.inputs, graph.outputs = [place[number] for number in inputs], [place[target]]
    model.subgraphs = [graph]
    model.signatureDefs = model.metadata = model.metadataBuffer = None
    _renumber(model, graph)


def _find(graph: Any, tensor: str, name: str) -> int:
    """The number of the tensor of this name."""
    names = [(one.name or b"").decode("utf-8", "replace") for one in _list(graph.tensors)]
    found = [number for number, one in enumerate(names) if one == tensor]
    if len(found) == 1:
        return found[0]
    if found:
        raise ModelError(f"{name}: {len(found)} tensors are called {tensor!r}; name another one")
    near = difflib.get_close_matches(tensor, names, 3, 0.3) or [one for one in names if tensor in one][:3]
    hint = f"near it are {', '.join(map(repr, near))}" if near else "`edge-tl model info FILE` names its ends"
    raise ModelError(f"{name}: has no tensor {tensor!r} among its {len(names)}; {hint}")


def _check_alone(schema: Any, model: Any, graph: Any, name: str) -> None:
    """ModelError where what is kept needs more than this graph and the buffers within the flatbuffer."""
    calls = {getattr(schema.BuiltinOperator, one): one for one in _CALLS_GRAPHS}
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
        if builtin in calls:
            raise ModelError(f"{name}: its operator {calls[builtin]} calls another graph; such a model cannot be cut")
        if operator.largeCustomOptionsOffset:
            raise ModelError(f"{name}: keeps options behind the flatbuffer; such a model cannot be cut")
    if any(buffer.offset for buffer in _list(model.buffers)):
        raise ModelError(f"{name}: keeps weights behind the flatbuffer (over 2 GB); such a model cannot be cut")


def _renumber(model: Any, graph: Any) -> None:
    """Keep the buffers and operator codes that are used; buffer 0 is the empty one of all tensors without data."""
    buffers = [0, *sorted({tensor.buffer for tensor in graph.tensors} - {0})]
    place = {old: new for new, old in enumerate(buffers)}
    model.buffers = [model.buffers[number] for number in buffers]
    for tensor in graph.tensors:
        tensor.buffer = place[tensor.buffer]
    codes = sorted({operator.opcodeIndex for operator in graph.operators})
    model.operatorCodes = [model.operatorCodes[number] for number in codes]
    for operator in graph.operators:
        operator.opcodeIndex = codes.index(operator.opcodeIndex)


def _list(values: Any) -> list[Any]:
    """A vector of the file, absent ones empty."""
    return [] if values is None else list(values)
