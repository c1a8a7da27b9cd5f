"""What a model costs to run, counted from its file."""

from __future__ import annotations

import numpy as np
import pytest

from edge_tl.errors import ModelError
from edge_tl.models import default_model
from edge_tl.tflite.counting import Work, operations, work_of
from edge_tl.tflite.graph import Graph
from edge_tl.tflite.interpreter import read_model
from edge_tl.tflite.manifest import read_manifest


def small() -> bytes:
    """8×8 pictures: a convolution of 3×3 with stride 2 to 5 channels, each then by itself, then a dense layer of 7."""
    pytest.importorskip("ai_edge_litert.interpreter", reason="only LiteRT brings the schema", exc_type=ImportError)
    graph = Graph.new((1, 8, 8, 3), "picture")
    at = graph.convolution(graph.output, np.ones((3, 3, 3, 5), np.float32), np.zeros(5, np.float32), (2, 2))
    at = graph.convolution(at, np.ones((3, 3, 5), np.float32), np.zeros(5, np.float32))
    at = graph.reshaped(at, (1, 80))
    at = graph.dense(at, np.ones((80, 7), np.float32), np.zeros(7, np.float32))
    graph.end(at, "embedding", {})
    return graph.packed(100_000)


def test_each_operator_is_counted() -> None:
    """Multiplications by the shapes, bytes of what is read and written, and a reshape is free."""
    conv, depthwise, reshape, dense = operations(small())
    assert (conv.kind, conv.shape) == ("CONV_2D", (1, 4, 4, 5))
    assert conv.work == Work(16 * 9 * 3 * 5, 0, 4 * (8 * 8 * 3 + 9 * 3 * 5 + 5 + 16 * 5))
    assert depthwise.work == Work(0, 16 * 9 * 5, 4 * (16 * 5 + 9 * 5 + 5 + 16 * 5))
    assert reshape.work == Work()
    assert dense.work == Work(80 * 7, 0, 4 * (80 + 80 * 7 + 7 + 7))
    assert work_of(small()) == conv.work + depthwise.work + dense.work


def test_the_shipped_model_is_a_mobilenet() -> None:
    """76 million multiplications: those of MobileNetV2 at 128 pixels up to its fourteenth block; float16 is unpacked
    once, and costs nothing later."""
    folder = default_model()
    data = read_model(folder / read_manifest(folder).model)
    assert round(work_of(data).macs / 1e6) == 76
    assert not any(one.kind == "DEQUANTIZE" for one in operations(data))


@pytest.mark.parametrize("cut", [7, 500, -3000])
def test_a_damaged_file_is_one_sentence(cut: int) -> None:
    """Truncated, or none at all."""
    with pytest.raises(ModelError, match="small"):
        work_of(small()[:cut], "small")
