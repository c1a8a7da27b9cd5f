"""A TFLite graph that grows: operators and constants put after what is there, or after the input of a new one.

Only operators, at versions, that tflite-runtime 2.14 knows.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from edge_tl.errors import ShapeError
from edge_tl.tflite.schema import load_schema, operator_code, packed, put_metadata


class Graph:
    """The one graph of an opened model; what its methods take and give are numbers of tensors, all of batch size 1."""

    def __init__(self, model: Any) -> None:
        """Take what `surgery.keep_only` left of a model (the schema's ModelT), and change it in place."""
        self._schema, self._model, self._graph = load_schema(), model, model.subgraphs[0]
        self.output: int = self._graph.outputs[0]
        """Where the graph ended when it came."""

    @classmethod
    def new(cls, shape: tuple[int, ...], name: str) -> Self:
        """A graph of nothing but its input: float32 of this shape, the batch axis included."""
        schema = load_schema()
        one = schema.TensorT(list(shape), schema.TensorType.FLOAT32, 0, name)
        graph = schema.SubGraphT([one], [0], [0], [], "main")
        return cls(schema.ModelT(3, [], [graph], "edge-tl", [schema.BufferT()]))

    def constant(self, values: np.ndarray) -> int:
        """Weights float32, or sizes int32, of any shape."""
        kind = {"float32": "FLOAT32", "int32": "INT32"}[values.dtype.name]
        data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self._model.buffers.append(self._schema.BufferT(data=data))
        return self._tensor(values.shape, kind, len(self._model.buffers) - 1)

    def apply(
        self,
        operator: str,
        *inputs: int,
        shape: tuple[int, ...],
        options: str = "",
        version: int = 1,
        **settings: Any,
    ) -> int:
        """What an operator makes of tensors: float32 of this shape. options: their name in the schema, `settings` in
        it."""
        made = self._tensor(shape, "FLOAT32", 0)
        one = self._schema.OperatorT(operator_code(self._model, operator, version), list(inputs), [made])
        if options:
            one.builtinOptionsType = getattr(self._schema.BuiltinOptions, options)
            one.builtinOptions = getattr(self._schema, f"{options}T")(**settings)
        self._graph.operators.append(one)
        return made

    def dequantized(self, at: int, shape: tuple[int, ...]) -> int:
        """The real values of a tensor; itself where it is float32. ValueError for any other type than (u)int8."""
        types = self._schema.TensorType
        kind = self._graph.tensors[at].type
        if kind == types.FLOAT32:
            return at
        versions = {types.UINT8: 1, types.INT8: 2}
        if kind not in versions:
            raise ValueError(f"a tensor of type {kind}")
        return self.apply("DEQUANTIZE", at, shape=shape, options="DequantizeOptions", version=versions[kind])

    def reshaped(self, at: int, shape: tuple[int, ...]) -> int:
        """The same values in another shape."""
        sizes = self.constant(np.array(shape, np.int32))
        return self.apply("RESHAPE", at, sizes, shape=shape, options="ReshapeOptions", newShape=list(shape))

    def dense(self, at: int, weights: np.ndarray, bias: np.ndarray | None, *, relu: bool = False) -> int:
        """x·W + b of rows (1, D), with weights (D, K) and bias (K,), and what is below 0 at 0 where `relu`."""
        inputs = [at, self.constant(weights.T.astype(np.float32))]
        if bias is not None:
            inputs.append(self.constant(bias.astype(np.float32)))
        kind = self._schema.ActivationFunctionType.RELU if relu else self._schema.ActivationFunctionType.NONE
        shape = (1, weights.shape[1])
        return self.apply(
            "FULLY_CONNECTED", *inputs, shape=shape, options="FullyConnectedOptions", fusedActivationFunction=kind
        )

    def convolution(
        self,
        at: int,
        W: np.ndarray,
        b: np.ndarray,
        strides: tuple[int, int] = (1, 1),
        padding: str = "same",
        most: float | None = None,
    ) -> int:
        """A convolution of pictures (1, h, w, C) by kernels W (h, w, C, filters), or of each channel by its own.

        W: (h, w, C) for the latter. b: (filters,) or (C,). padding: `same` or `valid`, as TensorFlow means them. most:
        what is below 0 becomes 0, and what is above `most` (6, or infinity) becomes that; None leaves all as it is.
        """
        kinds = self._schema.ActivationFunctionType
        depthwise = W.ndim == 3
        kernel = W[np.newaxis] if depthwise else W.transpose(3, 0, 1, 2)
        rows, columns = self._slid(at, (W.shape[0], W.shape[1]), strides, padding)
        name = "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions"
        more = {"depthMultiplier": 1} if depthwise else {}
        return self.apply(
            "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
            at,
            self.constant(kernel.astype(np.float32)),
            self.constant(b.astype(np.float32)),
            shape=(1, rows, columns, W.shape[-1]),
            options=name,
            padding=getattr(self._schema.Padding, padding.upper()),
            strideH=strides[0],
            strideW=strides[1],
            dilationHFactor=1,
            dilationWFactor=1,
            fusedActivationFunction={None: kinds.NONE, 6.0: kinds.RELU6}.get(most, kinds.RELU),
            **more,
        )

    def largest(self, at: int, size: tuple[int, int], strides: tuple[int, int], padding: str) -> int:
        """The largest of each window of pictures (1, h, w, C); padding as in `convolution`."""
        rows, columns = self._slid(at, size, strides, padding)
        return self.apply(
            "MAX_POOL_2D",
            at,
            shape=(1, rows, columns, self.shape(at)[3]),
            options="Pool2DOptions",
            padding=getattr(self._schema.Padding, padding.upper()),
            filterHeight=size[0],
            filterWidth=size[1],
            strideH=strides[0],
            strideW=strides[1],
        )

    def padded(self, at: int, above: tuple[int, int], beside: tuple[int, int]) -> int:
        """Pictures (1, h, w, C) with so many rows of zeros above and below, so many columns left and right."""
        borders = self.constant(np.array([(0, 0), above, beside, (0, 0)], np.int32))
        _, rows, columns, channels = self.shape(at)
        shape = (1, rows + sum(above), columns + sum(beside), channels)
        return self.apply("PAD", at, borders, shape=shape, options="PadOptions")

    def mean(self, at: int, *, keep: bool) -> int:
        """The mean of every channel of pictures (1, h, w, C): (1, C), or (1, 1, 1, C) where `keep`."""
        axes = self.constant(np.array([1, 2], np.int32))
        channels = self.shape(at)[3]
        shape = (1, 1, 1, channels) if keep else (1, channels)
        return self.apply("MEAN", at, axes, shape=shape, options="ReducerOptions", keepDims=keep)

    def softmax(self, at: int) -> int:
        """Of rows (1, K)."""
        return self.apply("SOFTMAX", at, shape=self.shape(at), options="SoftmaxOptions", beta=1.0)

    def name(self, at: int, name: str) -> None:
        """Call a tensor by this name in the file."""
        self._graph.tensors[at].name = name

    def shape(self, at: int) -> tuple[int, ...]:
        """Of a tensor, with the batch axis."""
        sizes = self._graph.tensors[at].shape
        return () if sizes is None else tuple(map(int, sizes))

    def end(self, at: int, name: str, metadata: dict[str, bytes]) -> None:
        """Make a tensor the output under this name, and put texts into the file: title → bytes."""
        self.name(at, name)
        self._graph.outputs = [at]
        put_metadata(self._model, metadata)

    def packed(self, most_bytes: int) -> bytes:
        """The bytes of the file; ValueError where they would be more than `most_bytes`."""
        return packed(self._model, most_bytes)

    def _slid(self, at: int, size: tuple[int, int], strides: tuple[int, int], padding: str) -> tuple[int, int]:
        """Rows and columns of what a window gives that slides over pictures; ShapeError where it does not fit."""
        sides = [
            -(-(side - (length - 1 if padding == "valid" else 0)) // stride)
            for side, length, stride in zip(self.shape(at)[1:3], size, strides, strict=True)
        ]
        if min(sides) < 1:
            raise ShapeError(f"pictures of {self.shape(at)[1:3]} are smaller than the kernel {size}")
        return sides[0], sides[1]

    def _tensor(self, shape: tuple[int, ...], kind: str, buffer: int) -> int:
        number = len(self._graph.tensors)
        of_kind = getattr(self._schema.TensorType, kind)
        self._graph.tensors.append(self._schema.TensorT(list(shape), of_kind, buffer, f"edge_tl/{number}"))
        return number
