"""Makes the tiny models in tests/data: 8×8×3 in, the means of its 4×4 fields out. `python tests/parts/tiny_tflite.py`.

Needs LiteRT, whose wheel holds the schema; the files are kept so that the tests on tflite-runtime have them too.
"""

from __future__ import annotations

from places import DATA

# dtype → (number of the type in the schema, scale, zero point)
KINDS: dict[str, tuple[int, float | None, int]] = {
    "float32": (0, None, 0),
    "int8": (9, 2 / 255, -1),
    "uint8": (3, 0.011, 120),
}


def make(kind: str, inputs: int = 1) -> bytes:
    """The bytes of a model that averages 4×4 fields, of inputs and outputs of the dtype `kind`."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    number, scale, zero_point = KINDS[kind]

    def tensor(name: str, shape: list[int], buffer: int) -> schema.TensorT:
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = name, shape, number, buffer
        if scale is not None:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = [scale], [zero_point]
        return made

    pool = schema.Pool2DOptionsT()
    pool.padding = schema.Padding.VALID
    pool.strideW = pool.strideH = pool.filterWidth = pool.filterHeight = 4
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0], [1]
    operator.builtinOptionsType, operator.builtinOptions = schema.BuiltinOptions.Pool2DOptions, pool
    graph = schema.SubGraphT()
    graph.name, graph.operators = "main", [operator]
    graph.tensors = [tensor("pixels", [1, 8, 8, 3], 0), tensor("means", [1, 2, 2, 3], 0)]
    graph.tensors += [tensor(f"more{i}", [1, 8, 8, 3], 0) for i in range(1, inputs)]
    graph.inputs, graph.outputs = [0, *range(2, 1 + inputs)], [1]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.AVERAGE_POOL_2D
    code.version = 1 if kind != "int8" else 2
    model = schema.ModelT()
    model.version, model.description = 3, "the means of 4x4 fields"
    model.operatorCodes, model.subgraphs, model.buffers = [code], [graph], [schema.BufferT()]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def main() -> None:
    """Write each kind to its file."""
    for kind in KINDS:
        (DATA / f"tiny_{kind}.tflite").write_bytes(make(kind))
    (DATA / "tiny_two_inputs.tflite").write_bytes(make("float32", inputs=2))


if __name__ == "__main__":
    main()
