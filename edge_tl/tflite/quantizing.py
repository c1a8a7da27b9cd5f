"""A float .tflite file made smaller, without TensorFlow: weights in float16, or everything in 8-bit integers.

What TensorFlow's converter does, with the same rules for scales and zero points (the TFLite 8-bit quantization
specification): activations int8 with a scale and a zero point each, weights int8 with a scale a channel and no zero
point, biases int32. The ranges of activations are the least and the most seen on the examples that are given.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np

from edge_tl.errors import ConfigError, ModelError, counted
from edge_tl.tflite.interpreter import CHANNELS_FIRST, CHANNELS_LAST, Interpreter
from edge_tl.tflite.schema import listed, load_schema, opened, operator_code, operator_name, packed, text
from edge_tl.tflite.surgery import keep_only

Range = tuple[float, float]
_WEIGHTS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": None}
"""Operators with weights → the axis along which each channel has a scale of its own; None: one scale for all."""
_KEEPS = ("PAD", "RESHAPE", "TRANSPOSE", "MAX_POOL_2D", "AVERAGE_POOL_2D", "SQUEEZE")
"""Operators that move stored values about, so that scale and zero point stay."""
_VERSIONS = {
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "FULLY_CONNECTED": 4,
    "ADD": 2,
    "SUB": 2,
    "MUL": 2,
    "PAD": 2,
    "RESHAPE": 1,
    "SQUEEZE": 1,
    "TRANSPOSE": 2,
    "MEAN": 2,
    "MAX_POOL_2D": 2,
    "AVERAGE_POOL_2D": 2,
    "RELU": 2,
    "RELU6": 2,
    "SOFTMAX": 2,
    "LOGISTIC": 2,
    "L2_NORMALIZATION": 2,
    "HARD_SWISH": 1,
}
"""Operators that are written in int8 → their version for it, all known to tflite-runtime 2.14."""
_FIXED = {"SOFTMAX": (1 / 256, -128), "LOGISTIC": (1 / 256, -128), "L2_NORMALIZATION": (1 / 128, 0)}
"""Scale and zero point that the kernels demand of an output."""
_MAX_BIAS = 2**31 - 1


def to_float16(data: bytes, name: str = "the model") -> bytes:
    """The model with its weights in float16: half the size; computed in float32 as before, of the rounded weights.

    `data`: a float .tflite file. `name`: what messages call it. ModelError (one line) for a damaged file.
    """
    schema = load_schema()
    with opened(data, name) as model:
        plain(model, name)
        graph = model.subgraphs[0]
        before: list[Any] = []
        code = operator_code(model, "DEQUANTIZE", 3)
        for number, tensor in enumerate(list(graph.tensors)):
            values = constant(model, tensor)
            if values is None or values.dtype != np.float32:
                continue
            model.buffers.append(schema.BufferT(_bytes(_half(values, name))))
            half = schema.TensorT(tensor.shape, schema.TensorType.FLOAT16, len(model.buffers) - 1)
            half.name = f"{text(tensor.name)}/half"
            graph.tensors.append(half)
            tensor.buffer = 0
            before.append(schema.OperatorT(code, [len(graph.tensors) - 1], [number]))
        graph.operators = before + listed(graph.operators)
        keep_only(model, int(graph.outputs[0]), name)
        return packed(model, 2 * len(data) + 1_000_000)


def to_int8(data: bytes, examples: Iterable[np.ndarray], name: str = "the model") -> bytes:
    """The model in 8-bit integers, int8 in and int8 out.

    `data`: a .tflite file in float32, or with weights in float16, of one input and one graph. `examples`: what the
    model will see, float32 in the shape of its input, or pictures channels last; a few dozen do. `name`: what messages
    call the model. ModelError (one line) for a damaged file, an operator that is not written in int8, or values that
    are no numbers, ConfigError where there are no examples.
    """
    with opened(data, name) as model:
        plain(model, name)
        graph = model.subgraphs[0]
        for operator in graph.operators:
            if (kind := operator_name(model, operator)) not in _VERSIONS:
                raise ModelError(f"{name}: {kind} is not written in int8; cut before it, or take float16")
        float_bytes = packed(model, 4 * len(data) + 1_000_000)
        ranges = observed(float_bytes, examples, name)
        _Writer(model, ranges, name).write()
        keep_only(model, int(graph.outputs[0]), name)
        return packed(model, 2 * len(data) + 1_000_000)


def plain(model: Any, name: str) -> None:
    """Make float32 of weights in float16, in place; ModelError for a model of many outputs, or one in int8 already."""
    schema = load_schema()
    graph = model.subgraphs[0]
    if len(listed(graph.outputs)) != 1:
        raise ModelError(
            f"{name}: has {counted(len(listed(graph.outputs)), 'output')}; one is wanted: cut it at a tensor first"
        )
    keep_only(model, int(graph.outputs[0]), name)
    kept = []
    for operator in listed(graph.operators):
        if operator_name(model, operator) == "DEQUANTIZE":
            source, made = (graph.tensors[side[0]] for side in (operator.inputs, operator.outputs))
            values = constant(model, source)
            if values is None or values.dtype != np.float16:
                raise ModelError(f"{name}: is quantised already; a model in float32 or float16 is wanted")
            model.buffers.append(schema.BufferT(_bytes(values.astype(np.float32))))
            made.buffer = len(model.buffers) - 1
        else:
            kept.append(operator)
    graph.operators = kept
    types = schema.TensorType
    for tensor in graph.tensors:
        if tensor.type not in (types.FLOAT32, types.FLOAT16, types.INT32):
            raise ModelError(f"{name}: is quantised already; a model in float32 or float16 is wanted")
        if tensor.isVariable or tensor.sparsity is not None:
            raise ModelError(f"{name}: has tensors that change or are sparse; such a model is not quantised")


def observed(data: bytes, examples: Iterable[np.ndarray], name: str) -> dict[int, Range]:
    """The least and the most that every tensor of a float model was, by number, over the examples.

    `data`: a .tflite file in float32 with one graph. Pictures that are channels last are turned where its input is
    channels first. ModelError, before the runtime makes room, where the examples have another shape than its input, or
    its sizes contradict each other.
    """
    examples = iter(examples)
    first = next(examples, None)
    if first is None:
        raise ConfigError(f"{name}: there are no examples to measure its ranges on; record or give some pictures")
    with opened(data, name) as model:
        graph = model.subgraphs[0]
        inputs = listed(graph.inputs)
        made = [number for operator in graph.operators for number in listed(operator.outputs)]
        if len(inputs) != 1 or len(set(made)) != len(made):
            raise ModelError(f"{name}: has {counted(len(inputs), 'input')}; one is wanted")
        wanted = shape_of(graph.tensors[inputs[0]])
        turned = tuple(wanted[axis] for axis in CHANNELS_LAST) if len(wanted) == 4 and wanted[1] in (1, 3) else wanted
        if first.shape == turned != wanted:
            first, examples = first.transpose(CHANNELS_FIRST), (one.transpose(CHANNELS_FIRST) for one in examples)
        if first.shape != wanted:
            raise ModelError(f"{name}: takes {wanted}, the examples are {first.shape}; give examples of this model")
        check_pads(model, name)
        # What is an output is kept until the end of a run; other tensors share their memory.
        graph.outputs = made
        watched = packed(model, 2 * len(data) + 1_000_000)
    # One thread: these are short runs, and threads that wait for each other on a busy machine take ten times as long.
    interpreter = Interpreter(watched, threads=1, name=name)
    least, most = np.full(len(made) + 1, np.inf), np.full(len(made) + 1, -np.inf)
    for example in chain((first,), examples):
        values = [example, *interpreter.invoke(example)]
        least = np.minimum(least, [value.min() for value in values])
        most = np.maximum(most, [value.max() for value in values])
    if not (np.isfinite(least).all() and np.isfinite(most).all()):
        raise ModelError(f"{name}: gives NaN or infinity for these examples; convert or build it again")
    numbers = [inputs[0], *made]
    return {int(number): (float(low), float(high)) for number, low, high in zip(numbers, least, most, strict=True)}


class _Writer:
    """Gives every tensor of a float graph its 8-bit form, in the order of the operators."""

    def __init__(self, model: Any, ranges: dict[int, Range], name: str) -> None:
        self.model, self.graph, self.ranges, self.name = model, model.subgraphs[0], ranges, name
        self.schema = load_schema()
        self.scales: dict[int, tuple[float, int]] = {}
        """Of the tensors that are done: scale and zero point."""

    def write(self) -> None:
        self.activation(int(self.graph.inputs[0]))
        done: dict[int, tuple[str, int]] = {}
        for operator in self.graph.operators:
            kind = operator_name(self.model, operator)
            inputs = [int(number) for number in listed(operator.inputs)]
            (made,) = (int(number) for number in listed(operator.outputs))
            if kind in _WEIGHTS:
                operator.inputs = self.weighted(kind, inputs)
            else:
                for number in inputs:
                    self.constant(number)
            if kind in _KEEPS:
                self.scales[made] = self.scales[inputs[0]]
            elif kind in _FIXED:
                self.scales[made] = _FIXED[kind]
            self.activation(made)
            done[id(operator)] = (kind, _VERSIONS[kind])
        for operator in self.graph.operators:
            operator.opcodeIndex = operator_code(self.model, *done[id(operator)])

    def activation(self, number: int) -> None:
        """A tensor that is computed, in int8."""
        if number not in self.scales:
            self.scales[number] = asymmetric(*self.ranges[number])
        tensor, (scale, zero) = self.graph.tensors[number], self.scales[number]
        tensor.type = self.schema.TensorType.INT8
        tensor.quantization = self.quantization(np.array([scale], np.float32), zero)

    def constant(self, number: int) -> None:
        """A constant operand of an operator without weights: real values in int8, sizes as they are."""
        tensor = self.graph.tensors[number]
        values = constant(self.model, tensor)
        if values is None or values.dtype != np.float32 or number in self.scales:
            return
        scale, zero = self.scales[number] = asymmetric(float(values.min()), float(values.max()))
        stored = np.clip(np.rint(values / scale) + zero, -128, 127).astype(np.int8)
        self.store(tensor, stored, np.array([scale], np.float32), zero)

    def weighted(self, kind: str, inputs: list[int]) -> list[int]:
        """Weights and bias of a convolution or dense layer: the inputs with what was stored for them."""
        axis = _WEIGHTS[kind]
        source, (weights, bias) = inputs[0], (inputs[1], inputs[2] if len(inputs) > 2 else -1)
        W = constant(self.model, self.graph.tensors[weights])
        b = constant(self.model, self.graph.tensors[bias]) if bias >= 0 else None
        if W is None or (bias >= 0 and b is None):
            raise ModelError(f"{self.name}: {kind} computes its weights; such a model is not quantised")
        others = tuple(one for one in range(W.ndim) if one != axis)
        highest = np.abs(W).max(axis=others if axis is not None else None).reshape(-1)
        scales = np.maximum(highest / 127, np.finfo(np.float32).tiny).astype(np.float32)
        input_scale = np.float32(self.scales[source][0])
        if b is not None:
            # Where weights are next to nothing the bias in their unit would not fit into 32 bits.
            least = np.abs(b) / (np.float64(input_scale) * _MAX_BIAS * 0.5)
            scales = np.maximum(scales, (least if axis is not None else least.max()).astype(np.float32))
        spread = scales.reshape([-1 if one == axis else 1 for one in range(W.ndim)])
        stored = np.clip(np.rint(W / spread), -127, 127).astype(np.int8)
        # Some files let two operators share a tensor whose scales would differ: each gets its own.
        made = [source, self.copied(weights, stored, scales, axis or 0)]
        if b is not None:
            unit = input_scale * scales
            made.append(self.copied(bias, np.rint(b / unit.astype(np.float64)).astype(np.int32), unit, 0))
        return made

    def copied(self, number: int, stored: np.ndarray, scales: np.ndarray, axis: int) -> int:
        old = self.graph.tensors[number]
        tensor = self.schema.TensorT(old.shape, name=old.name)
        self.store(tensor, stored, scales, 0, axis)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def store(self, tensor: Any, stored: np.ndarray, scales: np.ndarray, zero: int, axis: int = 0) -> None:
        tensor.type = getattr(self.schema.TensorType, stored.dtype.name.upper())
        tensor.quantization = self.quantization(scales, zero, axis)
        self.model.buffers.append(self.schema.BufferT(_bytes(stored)))
        tensor.buffer = len(self.model.buffers) - 1

    def quantization(self, scales: np.ndarray, zero: int, axis: int = 0) -> Any:
        made = self.schema.QuantizationParametersT()
        made.scale, made.zeroPoint = scales, np.full(len(scales), zero, np.int64)
        made.quantizedDimension = axis
        return made


def asymmetric(low: float, high: float) -> tuple[float, int]:
    """Scale and zero point of int8 that spans a range, which 0 is made part of: real = (stored − zero) · scale."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = max((high - low) / 255, float(np.finfo(np.float32).tiny))
    return float(np.float32(scale)), int(np.clip(round(-128 - low / scale), -128, 127))


def constant(model: Any, tensor: Any) -> np.ndarray | None:
    """The values kept in the file for a tensor: float32, float16 or int32 in its shape; None where it has none."""
    types = load_schema().TensorType
    dtypes = {types.FLOAT32: np.float32, types.FLOAT16: np.float16, types.INT32: np.int32}
    raw = model.buffers[tensor.buffer].data
    if raw is None or tensor.type not in dtypes:
        return None
    values = np.asarray(raw, np.uint8).tobytes()
    return np.frombuffer(values, dtypes[tensor.type]).reshape(shape_of(tensor))


def shape_of(tensor: Any) -> tuple[int, ...]:
    """The shape that the file says a tensor has."""
    return () if tensor.shape is None else tuple(map(int, tensor.shape))


def check_pads(model: Any, name: str) -> None:
    """ModelError where a PAD adds something else than its output's shape says: a damaged one adds gigabytes."""
    tensors = model.subgraphs[0].tensors
    for operator in model.subgraphs[0].operators:
        if operator_name(model, operator) != "PAD":
            continue
        source, sizes, made = (tensors[number] for number in (*listed(operator.inputs)[:2], operator.outputs[0]))
        added = constant(model, sizes)
        before, after = shape_of(source), shape_of(made)
        if added is None or added.shape != (len(before), 2):
            raise ModelError(
                f"{name}: a PAD without sizes for {counted(len(before), 'side')}; convert or build it again"
            )
        if tuple(np.add(before, added.sum(axis=1, dtype=np.int64))) != after or added.min() < 0:
            raise ModelError(f"{name}: a PAD of {before} does not give {after}; convert or build it again")


def _half(values: np.ndarray, name: str) -> np.ndarray:
    half = np.clip(values, -65504, 65504).astype(np.float16)
    if not np.isfinite(half).all():
        raise ModelError(f"{name}: has weights that are no numbers; convert or build it again")
    return half


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
