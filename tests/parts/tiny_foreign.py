"""Tiny .tflite files as other makers write them: which of red, green and blue is most in a picture of 8×8 px.

Made with the package's own writer; needs LiteRT, whose wheel holds the schema.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge_tl.tflite.graph import Graph

NAMES = ("red", "green", "blue")
SIDE_PX = 8


def classifier(
    kind: str = "float32",
    *,
    channels: int = 3,
    outputs: int = 3,
    end: str = "softmax",
    held: dict[str, bytes] | None = None,
    side_px: int = SIDE_PX,
    operator: str = "",
    open_size: bool = False,
    channels_first: bool = False,
) -> bytes:
    """A classifier whose answer is right for pixels from -1 to 1 alone: with others its bias is out of place.

    kind: of its input, `float32`, `uint8` or `int8`. end: `softmax`, `logistic` (one output: is it red?), `features`
    (nothing behind the means), `map` (the means of each quarter) or empty (scores). operator: a custom one, which no
    runtime has. open_size: its height and width are left open. channels_first: as PyTorch's networks are, the map too.
    """
    shape = (1, side_px, side_px, channels)
    taken = (1, channels, side_px, side_px) if channels_first else shape
    graph = Graph.new(taken, "picture")
    model: Any = graph._model
    schema: Any = graph._schema
    first = model.subgraphs[0].tensors[0]
    at = 0
    if open_size:
        first.shape, first.shapeSignature = [1, 1, 1, channels], [-1, -1, -1, channels]
    if open_size and channels_first:
        first.shape, first.shapeSignature = [1, channels, 1, 1], [-1, channels, -1, -1]
    if kind != "float32":
        first.type = getattr(schema.TensorType, kind.upper())
        first.quantization = schema.QuantizationParametersT()
        first.quantization.scale, first.quantization.zeroPoint = [2 / 255], [128 if kind == "uint8" else 0]
        at = graph.dequantized(0, taken)

    def transposed(at: int, axes: tuple[int, ...], shape: tuple[int, ...]) -> int:
        order = graph.constant(np.array(axes, np.int32))
        return graph.apply("TRANSPOSE", at, order, shape=shape, options="TransposeOptions")

    if channels_first:
        at = transposed(at, (0, 2, 3, 1), shape)
    if end == "map":
        made = graph.apply(
            "AVERAGE_POOL_2D",
            at,
            shape=(1, 2, 2, channels),
            options="Pool2DOptions",
            padding=schema.Padding.VALID,
            filterHeight=side_px // 2,
            filterWidth=side_px // 2,
            strideH=side_px // 2,
            strideW=side_px // 2,
        )
        if channels_first:
            made = transposed(made, (0, 3, 1, 2), (1, channels, 2, 2))
    else:
        made = graph.mean(at, keep=False)
        graph.name(made, "pool/mean")
    if end not in ("features", "map"):
        # Scores of (mean + 1) / 2 · 12, less 6: of a black picture all are -6, and of a wrong scaling all are equal.
        weights = np.zeros((channels, outputs), np.float32)
        np.fill_diagonal(weights, 6.0)
        if channels == 1:
            weights[0] = np.linspace(-6, 6, outputs)
        made = graph.dense(made, np.array([[6.0], [-6.0], [-6.0]], np.float32) if outputs == 1 else weights, None)
        graph.name(made, "scores")
    if end == "softmax":
        made = graph.softmax(made)
    elif end == "logistic":
        made = graph.apply("LOGISTIC", made, shape=(1, outputs))
    if operator:
        code = schema.OperatorCodeT(32, operator, 1, 32)
        model.operatorCodes.append(code)
        made = graph._tensor((1, outputs), "FLOAT32", 0)
        one = schema.OperatorT(len(model.operatorCodes) - 1, [made - 1], [made])
        model.subgraphs[0].operators.append(one)
    graph.end(made, "StatefulPartitionedCall:0", held or {})
    return graph.packed(1_000_000)


RATE_HZ, WINDOW = 16_000, 8_000
TONES_HZ = (500.0, 2000.0)


def of_sounds(held: dict[str, bytes]) -> bytes:
    """A classifier of half a second at 16 kHz: a low tone, a high one, or noise (neither)."""
    graph = Graph.new((1, WINDOW), "audio_clip")
    at_s = np.arange(WINDOW) / RATE_HZ
    waves = [wave(2 * np.pi * tone * at_s) for tone in TONES_HZ for wave in (np.sin, np.cos)]
    made = graph.dense(0, np.stack(waves, axis=1).astype(np.float32) / WINDOW, None)
    made = graph.apply("SQUARE", made, shape=(1, 4), options="SquareOptions")
    weights = np.zeros((4, 3), np.float32)
    weights[:2, 0] = weights[2:, 1] = 400.0
    made = graph.softmax(graph.dense(made, weights, np.array((0, 0, 2), np.float32)))
    graph.end(made, "Identity", held)
    return graph.packed(2_000_000)


def tone(hz: float, long_s: float = 1.5) -> np.ndarray:
    """A sound float32 at 16 kHz: a tone between two pauses."""
    samples = np.random.default_rng(0).normal(0, 1e-3, round(long_s * RATE_HZ))
    part = np.arange(round(0.6 * RATE_HZ))
    first = (len(samples) - len(part)) // 2
    samples[first : first + len(part)] += 0.5 * np.sin(2 * np.pi * hz * part / RATE_HZ)
    return samples.astype(np.float32)


def said(
    mean: float = 127.5, deviation: float = 127.5, labels_file: str = "labels.txt", kind: str = "picture"
) -> dict[str, bytes]:
    """TensorFlow's metadata, as its writer of image classifiers puts them: title → bytes."""
    import flatbuffers

    builder = flatbuffers.Builder(512)

    def floats(value: float) -> int:
        builder.StartVector(4, 1, 4)
        builder.PrependFloat32(value)
        return int(builder.EndVector())

    def table(fields: int, numbers: dict[int, tuple[str, int]], **slots: int) -> int:
        builder.StartObject(fields)
        for slot, offset in slots.items():
            builder.PrependUOffsetTRelativeSlot(int(slot[1:]), offset, 0)
        for slot_number, (width, value) in numbers.items():
            getattr(builder, f"Prepend{width}Slot")(slot_number, value, 0)
        return int(builder.EndObject())

    def vector(offset: int) -> int:
        builder.StartVector(4, 1, 4)
        builder.PrependUOffsetTRelative(offset)
        return int(builder.EndVector())

    properties = table(2, {0: ("Uint32", 16000)} if kind == "sound" else {0: ("Uint8", 1)})
    content = table(2, {0: ("Uint8", 4 if kind == "sound" else 2)}, _1=properties)
    means, deviations = floats(mean), floats(deviation)
    options = table(2, {}, _0=means, _1=deviations)
    units = vector(table(2, {0: ("Uint8", 1)}, _1=options))
    taken = table(7, {}, _3=content, _4=units)
    name = builder.CreateString(labels_file)
    files = vector(table(5, {2: ("Uint8", 2)}, _0=name))
    given = table(7, {}, _6=files)
    inputs, outputs = vector(taken), vector(given)
    graphs = vector(table(10, {}, _2=inputs, _3=outputs))
    builder.Finish(table(8, {}, _3=graphs), file_identifier=b"M001")
    return {"TFLITE_METADATA": bytes(builder.Output())}


def with_labels(data: bytes, *names: str, file: str = "labels.txt") -> bytes:
    """The model with an archive behind it that holds its labels."""
    archive = io.BytesIO(data)
    archive.seek(0, io.SEEK_END)
    with zipfile.ZipFile(archive, "a") as packed:
        packed.writestr(file, "".join(f"{name}\n" for name in names or NAMES))
    return archive.getvalue()


def put(folder: Path, data: bytes, name: str = "model.tflite", labels: str = "") -> Path:
    """Write a model into a folder, and a labels.txt beside it; the model's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    if labels:
        (folder / "labels.txt").write_text(labels)
    return folder / name


def coloured(folder: Path, name: str, value: int = 200, number: int = 0) -> Path:
    """A picture of one colour with some noise, as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    picture = np.full((40, 60, 3), 30, np.uint8)
    picture[..., NAMES.index(name)] = value
    picture[:5, :5] += np.uint8(number)
    path = folder / f"{name}{number}.png"
    Image.fromarray(picture).save(path)
    return path


needs_schema = pytest.mark.skipif(
    __import__("importlib.util").util.find_spec("ai_edge_litert") is None,
    reason="the TFLite schema is in LiteRT's wheel",
)
"""Where only tflite-runtime is installed, no model can be written."""
