"""Outputs in the shapes that published YOLOs have at 640 px: each is read, or said to be for something else."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lacking import lacking
from tiny_foreign import needs_schema

from edge_tl.detection.yolo import YOLODetector
from edge_tl.errors import ModelError
from edge_tl.tflite.graph import Graph

SIDE_PX, CELLS = 640, 8400
BOX_PX = (192.0, 128.0, 64.0, 64.0)
"""Middle and size of the one thing that all of them see."""


@needs_schema
@pytest.mark.parametrize("in_pixels", [False, True])
@pytest.mark.parametrize(("kind", "shape"), [("v5", (25200, 85)), ("v8", (84, CELLS)), ("ended", (300, 6))])
def test_the_shapes_of_published_ones_are_read(
    tmp_path: Path, kind: str, shape: tuple[int, int], in_pixels: bool
) -> None:
    """Of YOLOv5, of v8 and 11, and of v10, which suppresses doubles itself, in pixels and in shares."""
    rows = np.zeros(shape if kind != "v8" else shape[::-1], np.float32)
    x, y, width, height = np.array(BOX_PX) / (1 if in_pixels else SIDE_PX)
    if kind == "ended":
        rows[0] = (x - width / 2, y - height / 2, x + width / 2, y + height / 2, 0.9, 16)
    else:
        rows[:, :4] = (x, y, width, height)
        rows[0, (5 if kind == "v5" else 4) + 16] = 0.9
        rows[:, 4] = 1.0 if kind == "v5" else 0.0
    detector = loaded(tmp_path, rows.T if kind == "v8" else rows)
    assert detector is not None
    (found,) = detector.detect(np.zeros((480, 640, 3), np.uint8))
    assert (found.label, round(found.confidence, 3)) == ("class 16", 0.9)
    np.testing.assert_allclose(found.box, (160, 16, 224, 80), atol=0.01)  # 80 px of border above it


@needs_schema
@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (np.full(51, 300.0), "gives no scores of classes beside its boxes"),  # key points in pixels
        (np.full(51, 0.7), "gives no scores of classes beside its boxes"),  # and in shares
        (np.full(1, -0.7), "but -0.7 to 0: it is a YOLO for poses or turned boxes"),
    ],
)
def test_key_points_and_angles_do_not_pass_for_classes(tmp_path: Path, extra: np.ndarray, said: str) -> None:
    """(1, 56, 8400) is that of poses as well as of 52 classes: what it gives tells which."""
    rows = np.zeros((CELLS, 5 + len(extra)), np.float32)
    rows[:, :4], rows[:, 5:] = np.array(BOX_PX) / SIDE_PX, extra
    detector = loaded(tmp_path, rows.T)
    assert detector is not None
    with pytest.raises(ModelError, match=said):
        detector.detect(np.zeros((480, 640, 3), np.uint8))


@needs_schema
@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        (((1, 116, CELLS), (1, 160, 160, 32)), "is a YOLO for masks"),
        (((1, 160, 160, 32), (1, 300, 38)), "is a YOLO for masks"),
        (((1, 116, CELLS), (1, 32, 160, 160)), "is a YOLO for masks"),
        (((1, 300, 7),), "is a YOLO for turned boxes"),
        (((1, 300, 57),), "is a YOLO for poses"),
    ],
)
def test_other_tasks_are_known_by_their_shapes(tmp_path: Path, shapes: tuple[tuple[int, ...], ...], said: str) -> None:
    """Masks have a second output; poses and turned boxes have wider rows."""
    with pytest.raises(ModelError, match=said):
        loaded(tmp_path, *(np.zeros(shape[1:], np.float32) for shape in shapes))


def loaded(path: Path, *outputs: np.ndarray) -> YOLODetector | None:
    """A model that gives these arrays, whatever it sees."""
    graph = Graph.new((1, SIDE_PX, SIDE_PX, 3), "images")
    seen = graph.convolution(graph.mean(0, keep=True), np.zeros((1, 1, 3, 1), np.float32), np.zeros(1, np.float32))
    made = []
    for rows in outputs:
        shape = (1, *rows.shape)
        nothing = graph.reshaped(seen, (1,) * len(shape))
        told = graph.constant(np.ascontiguousarray(rows, np.float32)[np.newaxis])
        made.append(graph.apply("ADD", told, nothing, shape=shape, options="AddOptions"))
    graph.end(made[0], "Identity", {})
    graph._graph.outputs = made
    (path / "yolo.tflite").write_bytes(graph.packed(40_000_000))
    return YOLODetector.load(path / "yolo.tflite", threads=1)


@pytest.mark.host
@pytest.mark.parametrize("kind", ["int8", "uint8"])
def test_quantised_outputs_are_read(tmp_path: Path, kind: str) -> None:
    """A full integer export of TensorFlow, (1, 84, 2100) at 320 px with boxes as shares, finds the red field."""
    tf: Any = pytest.importorskip("tensorflow", reason=lacking("TensorFlow"))
    side, cells = 320, []
    for stride in (8, 16, 32):
        at = (np.arange(side // stride) + 0.5) * stride / side
        y, x = np.meshgrid(at, at, indexing="ij")
        cells.append(np.stack([x, y, np.full_like(x, 0.1), np.full_like(x, 0.1)], axis=-1).reshape(-1, 4))
    boxes = tf.constant(np.concatenate(cells)[np.newaxis], tf.float32)

    def network(picture: Any) -> Any:
        means = [tf.reshape(tf.nn.avg_pool2d(picture, stride, stride, "VALID"), (1, -1, 3)) for stride in (8, 16, 32)]
        joined = tf.concat(means, 1)
        red = tf.sigmoid(20 * (joined[..., :1] - joined[..., 1:2]) - 12)
        none = tf.tile(red * 0, (1, 1, 77))
        return tf.transpose(tf.concat([boxes, red * 0, red * 0, red, none], 2), (0, 2, 1))

    def typical() -> Any:
        for seed in range(4):
            picture = np.random.default_rng(seed).random((1, side, side, 3)).astype(np.float32)
            picture[:, :100, :100] = (1, 0, 0)
            yield [picture]

    called = tf.function(network).get_concrete_function(tf.TensorSpec((1, side, side, 3), tf.float32))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([called])
    converter.optimizations, converter.representative_dataset = [tf.lite.Optimize.DEFAULT], typical
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = getattr(tf, kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow's own, of statistics that only its old converter took
        (tmp_path / "yolo.tflite").write_bytes(converter.convert())
    detector = YOLODetector.load(tmp_path / "yolo.tflite", threads=1)
    assert detector is not None
    picture = np.full((320, 320, 3), 128, np.uint8)
    picture[96:128, 192:224] = (255, 0, 0)
    found = detector.detect(picture)
    assert {one.label for one in found} == {"class 2"}
    assert found[0].confidence > 0.9
    middles = [((one.box[0] + one.box[2]) / 2, (one.box[1] + one.box[3]) / 2) for one in found]
    assert all(190 <= x <= 226 and 94 <= y <= 130 for x, y in middles)
