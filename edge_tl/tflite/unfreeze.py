"""The last convolutions of a base, taken out of its .tflite as NumPy layers that can be trained, and the file below."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_tl.errors import ModelError, counted
from edge_tl.nn import Conv2D, Flatten, Layer, MaxPool, Network, ReLU
from edge_tl.tflite.schema import listed, load_schema, opened, packed
from edge_tl.tflite.surgery import keep_only


def unfreeze(data: bytes, convolutions: int, name: str = "the base") -> tuple[bytes, Network]:
    """A base's .tflite cut below its last `convolutions` (1 and more), and what was cut off, its weights bit for bit.

    The network takes the cut file's output (n, height, width, C) and ends, flattened, where the whole file ends.
    ModelError (one line) where the file has fewer convolutions at its end, or others than float ones with relu and the
    largest of a window; MissingDependency without LiteRT.
    """
    with opened(data, name) as model:
        graph = model.subgraphs[0]
        if len(listed(graph.outputs)) != 1:
            raise ModelError(f"{name}: has {counted(len(listed(graph.outputs)), 'output')}; one is wanted")
        makers = {int(operator.outputs[0]): operator for operator in listed(graph.operators)}
        at, found = int(graph.outputs[0]), 0
        layers: list[Layer] = []
        while found < convolutions:
            operator = makers.pop(at)  # each once: a damaged file may go round in a circle
            made = _layers(model, operator, name)
            layers[:0] = made
            found += any(isinstance(layer, Conv2D) for layer in made)
            at = int(operator.inputs[0])
            if at not in makers:
                raise ModelError(
                    f"{name}: has {counted(found, 'convolution')}; {convolutions} cannot be trained, the first stays"
                )
        keep_only(model, at, name)
        return packed(model, 2 * len(data) + 4096), Network(layers)


def _layers(model: Any, operator: Any, name: str) -> list[Layer]:
    """What one operator is; ModelError for a kind that is not trained here."""
    schema = load_schema()
    code = model.operatorCodes[operator.opcodeIndex]
    builtin, options = max(code.builtinCode, code.deprecatedBuiltinCode), operator.builtinOptions
    kinds = schema.BuiltinOperator
    if builtin == kinds.RESHAPE:
        return [Flatten()]
    if builtin not in (kinds.CONV_2D, kinds.MAX_POOL_2D):
        raise ModelError(f"{name}: its operator {builtin} lies above a convolution, and cannot be trained through")
    padding = {schema.Padding.SAME: "same", schema.Padding.VALID: "valid"}[options.padding]
    strides = (options.strideH, options.strideW)
    activations = (schema.ActivationFunctionType.NONE, schema.ActivationFunctionType.RELU)
    if options.fusedActivationFunction not in activations:
        raise ModelError(f"{name}: a convolution with another activation than relu cannot be trained")
    after: list[Layer] = [ReLU()] if options.fusedActivationFunction == activations[1] else []
    if builtin == kinds.MAX_POOL_2D:
        return [MaxPool((options.filterHeight, options.filterWidth), strides, padding), *after]
    if (options.dilationHFactor, options.dilationWFactor) != (1, 1) or len(operator.inputs) != 3:
        raise ModelError(f"{name}: a dilated convolution, or one without bias, cannot be trained")
    W, b = (_weights(model, int(number), name) for number in operator.inputs[1:])
    # TFLite keeps (filters, height, width, channels).
    return [Conv2D(np.ascontiguousarray(W.transpose(1, 2, 3, 0)), b, strides, padding), *after]


def _weights(model: Any, number: int, name: str) -> np.ndarray:
    """A constant of the file, float32."""
    tensor = model.subgraphs[0].tensors[number]
    data = model.buffers[tensor.buffer].data
    if tensor.type != load_schema().TensorType.FLOAT32 or data is None:
        raise ModelError(f"{name}: its convolutions are quantised or computed; float weights are wanted to train them")
    return np.frombuffer(np.asarray(data, np.uint8).tobytes(), np.float32).reshape(tensor.shape).copy()
