"""Makes the tiny SSD models in tests/data: they find red and blue fields of 4×4 px. `python tests/parts/tiny_ssd.py`.

Needs LiteRT, whose wheel holds the schema; the files are kept so that the tests on tflite-runtime have them too.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
from places import DATA

SIDE_PX, CELLS = 16, 4
LABELS = "???\nred\nblue\n"
OFFSETS = (1.0, -2.0, 0.5, -0.5)
"""Of every box to its anchor: y, x, height, width, as the network gives them."""


def anchors() -> np.ndarray:
    """The fields: float32 (16, 4), y, x, height, width as shares."""
    middles = (np.arange(CELLS) + 0.5) / CELLS
    y, x = np.meshgrid(middles, middles, indexing="ij")
    return np.stack([y.ravel(), x.ravel(), np.full(16, 0.25), np.full(16, 0.25)], axis=1).astype(np.float32)


def make(kind: str) -> bytes:
    """The bytes of a model.

    kind: `old` (the operator, outputs as TensorFlow 1 puts them), `new` (in the order of TensorFlow 2), `quantised`
    (uint8 input), `raw` (no operator: offsets and logits), `said` (raw, with labels and pixels 0 to 1 in its metadata).
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema
    from flatbuffers import flexbuffers

    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.description, model.buffers = 3, "finds red and blue fields", [schema.BufferT()]
    model.operatorCodes, model.subgraphs = [], [graph]
    graph.name, graph.tensors, graph.operators = "main", [], []

    def tensor(name: str, shape: tuple[int, ...], values: np.ndarray | None = None, number: int = 0) -> int:
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = name, list(shape), number, 0
        if values is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
            model.buffers.append(buffer)
            made.buffer = len(model.buffers) - 1
        if number == 3:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = [1 / 127.5], [127]
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    def operator(name: str, inputs: list[int], outputs: list[int], options: Any = None, custom: Any = None) -> None:
        code = schema.OperatorCodeT()
        builtin = getattr(schema.BuiltinOperator, "CUSTOM" if custom is not None else name)
        code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, min(builtin, 127), 1
        made = schema.OperatorT()
        made.inputs, made.outputs, made.opcodeIndex = inputs, outputs, len(model.operatorCodes)
        if custom is not None:
            code.customCode, made.customOptions = name, custom
        elif options is not None:
            made.builtinOptions = options
            made.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
        model.operatorCodes.append(code)
        graph.operators.append(made)

    def convolution(name: str, weights: list[list[float]], bias: tuple[float, ...]) -> int:
        """A 1×1 convolution of the means, as a list of the fields: (1, 16, outputs)."""
        count = len(bias)
        kernel = tensor(f"{name}/w", (count, 1, 1, 3), np.array(weights, np.float32).reshape(count, 1, 1, 3))
        made = tensor(f"{name}/map", (1, CELLS, CELLS, count))
        options = schema.Conv2DOptionsT()
        options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
        added = tensor(f"{name}/b", (count,), np.array(bias, np.float32))
        operator("CONV_2D", [means, kernel, added], [made], options)
        listed = tensor(name, (1, CELLS * CELLS, count))
        shape = tensor(f"{name}/shape", (3,), np.array([1, CELLS * CELLS, count], np.int32), 2)
        operator("RESHAPE", [made, shape], [listed], schema.ReshapeOptionsT())
        return listed

    picture = tensor("image", (1, SIDE_PX, SIDE_PX, 3), number=3 if kind == "quantised" else 0)
    graph.inputs = [picture]
    if kind == "quantised":
        real = tensor("real", (1, SIDE_PX, SIDE_PX, 3))
        operator("DEQUANTIZE", [picture], [real], schema.DequantizeOptionsT())
        picture = real
    means = tensor("means", (1, CELLS, CELLS, 3))
    pool = schema.Pool2DOptionsT()
    pool.padding = schema.Padding.VALID
    pool.strideW = pool.strideH = pool.filterWidth = pool.filterHeight = SIDE_PX // CELLS
    operator("AVERAGE_POOL_2D", [picture], [means], pool)
    offsets = convolution("box_encodings", [[0.0] * 3] * 4, OFFSETS)
    # Red and blue are the excess of one colour over the other two.
    least = -2.0 if kind == "said" else -8.0  # pixels from 0 to 1, or from -1 to 1
    logits = convolution("class_predictions", [[0.0] * 3, [4.0, -4.0, -4.0], [-4.0, -4.0, 3.0]], (least,) * 3)
    if kind in ("raw", "said"):
        graph.outputs = [offsets, logits]
    else:
        scores = tensor("scores", (1, CELLS * CELLS, 3))
        operator("LOGISTIC", [logits], [scores])
        fixed = tensor("anchors", (CELLS * CELLS, 4), anchors())
        made = [tensor(name, shape) for name, shape in zip("abcd", ((1, 8, 4), (1, 8), (1, 8), (1,)), strict=True)]
        settings = flexbuffers.Builder()
        with settings.Map():
            for name, value in (("max_detections", 8), ("max_classes_per_detection", 1), ("num_classes", 2)):
                settings.Int(name, value)
            for name, value in (("nms_score_threshold", 0.0), ("nms_iou_threshold", 0.6)):
                settings.Float(name, value)
            for name, value in (("y_scale", 10.0), ("x_scale", 10.0), ("h_scale", 5.0), ("w_scale", 5.0)):
                settings.Float(name, value)
        options = np.frombuffer(bytes(settings.Finish()), np.uint8)
        operator("TFLite_Detection_PostProcess", [offsets, scores, fixed], made, custom=options)
        graph.outputs = made if kind != "new" else [made[2], made[0], made[3], made[1]]
    if kind == "said":
        held = schema.BufferT()
        held.data = np.frombuffer(normalised_by(0.0, 255.0), np.uint8)
        model.buffers.append(held)
        entry = schema.MetadataT()
        entry.name, entry.buffer = "TFLITE_METADATA", len(model.buffers) - 1
        model.metadata = [entry]
    builder = flatbuffers.Builder(4096)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    data = bytes(builder.Output())
    if kind != "said":
        return data
    archive = io.BytesIO(data)
    archive.seek(0, io.SEEK_END)
    with zipfile.ZipFile(archive, "a") as packed:
        packed.writestr(zipfile.ZipInfo("labelmap.txt", (1980, 1, 1, 0, 0, 0)), LABELS)
    return archive.getvalue()


def normalised_by(mean: float, deviation: float) -> bytes:
    """TensorFlow's metadata (`metadata_schema.fbs`) that say of the first input how it is normalised."""
    import flatbuffers

    builder = flatbuffers.Builder(256)

    def floats(value: float) -> int:
        builder.StartVector(4, 1, 4)
        builder.PrependFloat32(value)
        return int(builder.EndVector())

    def table(fields: int, **slots: int) -> int:
        builder.StartObject(fields)
        for slot, offset in slots.items():
            builder.PrependUOffsetTRelativeSlot(int(slot[1:]), offset, 0)
        return int(builder.EndObject())

    def vector(offset: int) -> int:
        builder.StartVector(4, 1, 4)
        builder.PrependUOffsetTRelative(offset)
        return int(builder.EndVector())

    means, deviations = floats(mean), floats(deviation)
    options = table(2, _0=means, _1=deviations)
    builder.StartObject(2)
    builder.PrependUint8Slot(0, 1, 0)
    builder.PrependUOffsetTRelativeSlot(1, options, 0)
    unit = int(builder.EndObject())
    tensor = table(7, _4=vector(unit))
    graph = table(10, _2=vector(tensor))
    builder.Finish(table(8, _3=vector(graph)), file_identifier=b"M001")
    return bytes(builder.Output())


def scene() -> np.ndarray:
    """A red field and a blue one, 320×160 px."""
    picture = np.zeros((160, 320, 3), np.uint8)
    picture[40:80, 80:160, 0] = 255
    picture[80:120, 240:320, 2] = 255
    return picture


def main() -> None:
    """Write each kind to its file."""
    for kind in ("old", "new", "quantised", "raw", "said"):
        (DATA / f"tiny_ssd_{kind}.tflite").write_bytes(make(kind))


if __name__ == "__main__":
    main()
