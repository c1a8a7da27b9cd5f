"""A TFLite graph that goes on behind its output: operators and constants put after what is there.

Only operators, at versions, that tflite-runtime 2.14 knows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_tl.schema import load_schema


class Graph:
    """The one graph of an opened model; what its methods take and give are numbers of tensors, all of batch size 1."""

    def __init__(self, model: Any) -> None:
        """Take what `surgery.keep_only` left of a model (the schema's ModelT), and change it in place."""
        self._schema, self._model, self._graph = load_schema(), model, model.subgraphs[0]
        self.output: int = self._graph.outputs[0]
        """Where the graph ended when it came."""

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
        one = self._schema.OperatorT(self._code(operator, version), list(inputs), [made])
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

    def shape(self, at: int) -> tuple[int, ...]:
        """Of a tensor, with the batch axis."""
        sizes = self._graph.tensors[at].shape
        return () if sizes is None else tuple(map(int, sizes))

    def end(self, at: int, name: str, metadata: dict[str, bytes]) -> None:
        """Make a tensor the output under this name, and put texts into the file: title → bytes."""
        self._graph.tensors[at].name = name
        self._graph.outputs = [at]
        self._model.metadata = []
        for title, held in metadata.items():
            self._model.buffers.append(self._schema.BufferT(data=np.frombuffer(held, np.uint8)))
            self._model.metadata.append(self._schema.MetadataT(title, len(self._model.buffers) - 1))

    def _tensor(self, shape: tuple[int, ...], kind: str, buffer: int) -> int:
        number = len(self._graph.tensors)
        of_kind = getattr(self._schema.TensorType, kind)
        self._graph.tensors.append(self._schema.TensorT(list(shape), of_kind, buffer, f"edge_tl/{number}"))
        return number

    def _code(self, operator: str, version: int) -> int:
        """The number of an operator in the file, which is told of it where it is new."""
        builtin = getattr(self._schema.BuiltinOperator, operator)
        codes = self._model.operatorCodes
        for number, code in enumerate(codes):
            if max(code.builtinCode, code.deprecatedBuiltinCode) == builtin and code.version == version:
                return number
        # The byte that old runtimes read holds no more than 127, which says: look at the other one.
        codes.append(self._schema.OperatorCodeT(min(builtin, 127), None, version, builtin))
        return len(codes) - 1
