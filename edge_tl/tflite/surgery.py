"""Cutting a TFLite file at a tensor inside it, without TensorFlow: the weights are copied, not one is computed anew."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from edge_tl.errors import ModelError, counted
from edge_tl.tflite.pixels import TITLE as PIXELS
from edge_tl.tflite.pixels import pixels_text, pixels_told
from edge_tl.tflite.schema import listed, opened, operator_name, packed, put_metadata, text

_CALLS_GRAPHS = ("CALL", "CALL_ONCE", "IF", "WHILE", "STABLEHLO_COMPOSITE", "STABLEHLO_WHILE")
"""Operators whose options name another graph of the file by its number."""


def truncate(data: bytes, tensor: str, name: str = "the model") -> bytes:
    """The model that ends at one of its inner tensors, bit-equal to what the whole model computes there.

    `data`: the bytes of a .tflite file, float or quantised, of any maker. `tensor`: the name in the file. `name`: what
    messages call the model. Only what the tensor depends on is kept, of the inputs too; signatures and metadata, which
    speak of the whole model, are not, save how its pixels are scaled. ModelError (one line) for a damaged file, for a
    tensor that is not there, is ambiguous, or is not computed from an input, and for graphs that call others;
    MissingDependency without LiteRT.
    """
    with opened(data, name) as model:
        keep_only(model, _find(model.subgraphs[0], tensor, name), name)
        said = pixels_told(data, name)
        if said.scaling is not None:
            put_metadata(model, {PIXELS: pixels_text(said)})
        return packed(model, 2 * len(data) + 4096)


def keep_only(model: Any, target: int, name: str) -> None:
    """Leave in an opened model what its first graph needs for one tensor, its number, and number everything anew.

    That tensor becomes the only output. ModelError as `truncate`.
    """
    graph = model.subgraphs[0]
    operators = listed(graph.operators)
    makers = {number: operator for operator in operators for number in listed(operator.outputs)}
    needed, kept, waiting = set(), set(), [target]
    while waiting:
        number = waiting.pop()
        if number < 0 or number in needed:  # -1: an optional input that is left out
            continue
        needed.add(number)
        maker = makers.get(number)
        if maker is not None and id(maker) not in kept:
            kept.add(id(maker))
            waiting += [*listed(maker.inputs), *listed(maker.outputs), *listed(maker.intermediates)]
    inputs = [number for number in listed(graph.inputs) if number in needed]
    if target not in makers or not inputs:
        tensor = text(graph.tensors[target].name)
        raise ModelError(f"{name}: {tensor!r} is not computed from an input; name a tensor that an operator makes")
    graph.operators = [operator for operator in operators if id(operator) in kept]
    _check_alone(model, graph, name)

    tensors = sorted(needed)
    place = {old: new for new, old in enumerate(tensors)} | {-1: -1}
    for operator in graph.operators:
        for side in ("inputs", "outputs", "intermediates"):
            setattr(operator, side, [place[number] for number in listed(getattr(operator, side))])
    graph.tensors = [graph.tensors[number] for number in tensors]
    graph.inputs, graph.outputs = [place[number] for number in inputs], [place[target]]
    model.subgraphs = [graph]
    model.signatureDefs = model.metadata = model.metadataBuffer = None
    _renumber(model, graph)


@dataclass(frozen=True)
class CutPoint:
    """A tensor at which a model can be cut."""

    tensor: str
    """Its name in the file."""
    shape: tuple[int, ...]
    """With the batch axis."""
    operator: str
    """What makes it, as the schema calls it: CONV_2D."""


def cuts(data: bytes, name: str = "the model") -> list[CutPoint]:
    """The tensors at which `truncate` can cut a model, from its input on; never constants. Errors as of `truncate`."""
    with opened(data, name) as model:
        graph = model.subgraphs[0]
        return [
            CutPoint(
                text(graph.tensors[number].name),
                tuple(map(int, listed(graph.tensors[number].shape))),
                operator_name(model, operator),
            )
            for operator, number in _made(graph)
        ]


def _made(graph: Any) -> list[tuple[Any, int]]:
    """(Operator, number of a tensor) for all that is computed from an input, in the order of the operators."""
    alive, found = set(listed(graph.inputs)), []
    for operator in listed(graph.operators):
        if alive & set(listed(operator.inputs)):
            alive |= set(listed(operator.outputs))
            found += [(operator, number) for number in listed(operator.outputs)]
    return found


def _find(graph: Any, tensor: str, name: str) -> int:
    """The number of the tensor of this name."""
    names = [text(one.name) for one in listed(graph.tensors)]
    found = [number for number, one in enumerate(names) if one == tensor]
    if len(found) == 1:
        return found[0]
    if found:
        raise ModelError(
            f"{name}: {counted(len(found), 'tensor is', 'tensors are')} called {tensor!r}; name another one"
        )
    near = _near(tensor, [names[number] for _, number in _made(graph)])
    hint = f"near it are {', '.join(map(repr, near))}; " if near else ""
    raise ModelError(f"{name}: has no tensor {tensor!r}; {hint}`edge-tl model info {name} --tensors` lists all")


def _near(tensor: str, names: list[str]) -> list[str]:
    """At most three of some names that are like what was typed, the likest first.

    A converter joins the names of layers that became one operator with semicolons: each of them counts.
    """

    def likeness(name: str) -> float:
        parts = [name, *name.split(";")]
        inside = 0.5 * (tensor.lower() in name.lower())
        return inside + max(difflib.SequenceMatcher(None, tensor.lower(), part.lower()).ratio() for part in parts)

    return [name for name in sorted(names, key=likeness, reverse=True)[:3] if likeness(name) >= 0.4]


def _check_alone(model: Any, graph: Any, name: str) -> None:
    """ModelError where what is kept needs more than this graph and the buffers within the flatbuffer."""
    for operator in graph.operators:
        kind = operator_name(model, operator)
        if kind in _CALLS_GRAPHS:
            raise ModelError(f"{name}: its operator {kind} calls another graph; such a model cannot be cut")
        if operator.largeCustomOptionsOffset:
            raise ModelError(f"{name}: keeps options behind the flatbuffer; such a model cannot be cut")
    if any(buffer.offset for buffer in listed(model.buffers)):
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
