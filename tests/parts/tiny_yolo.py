"""Tiny YOLOs: they find red and blue fields of 8×8 px in a picture of 64×64 px. Made here; nothing of Ultralytics."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np

from edge_tl.tflite.graph import Graph

SIDE_PX, CELL_PX = 64, 8
FIELDS = (SIDE_PX // CELL_PX) ** 2
CELLS = FIELDS + (SIDE_PX // 16) ** 2 + (SIDE_PX // 32) ** 2
NOTE = "{'task': 'detect', 'imgsz': [64, 64], 'names': {0: 'red', 1: 'blue'}}"


def make(kind: str, *, pixels: bool = False, note: str = NOTE, channels_first: bool = False) -> bytes:
    """The bytes of a model: `v5`, `v8`, `turned` (v8, each box a row), `ended` (two doubles a field, corners), or
    not decoded, `maps` (three) and `apart` (six).

    pixels: boxes are in pixels, not shares. note: what lies in the archive at its end; empty for no archive.
    channels_first: it takes a picture so.
    """
    whole = (1, SIDE_PX, SIDE_PX, 3)
    graph, taken = Graph.new((1, 3, SIDE_PX, SIDE_PX) if channels_first else whole, "images"), 0
    schema: Any = graph._schema
    side = SIDE_PX // CELL_PX
    if channels_first:
        last = graph.constant(np.array([0, 2, 3, 1], np.int32))
        taken = graph.apply("TRANSPOSE", 0, last, shape=whole, options="TransposeOptions")
    means = graph.apply(
        "AVERAGE_POOL_2D",
        taken,
        shape=(1, side, side, 3),
        options="Pool2DOptions",
        padding=schema.Padding.VALID,
        filterHeight=CELL_PX,
        filterWidth=CELL_PX,
        strideH=CELL_PX,
        strideW=CELL_PX,
    )
    # Right for pixels from 0 to 1: of a red field the first is 8 · 1 - 4.
    weights = np.array([[8.0, -8.0], [-8.0, -8.0], [-8.0, 7.0]], np.float32).reshape(1, 1, 3, 2)
    scores = graph.convolution(means, weights, np.full(2, -4.0, np.float32))
    if kind in ("maps", "apart"):
        _maps(graph, scores, apart=kind == "apart", channels_first=channels_first)
        return _noted(graph.packed(1_000_000), note)
    scores = graph.apply("LOGISTIC", graph.reshaped(scores, (1, FIELDS, 2)), shape=(1, FIELDS, 2))
    middles = (np.arange(side) + 0.5) / side
    y, x = np.meshgrid(middles, middles, indexing="ij")
    boxes = np.stack([x.ravel(), y.ravel(), np.full(FIELDS, 1 / side), np.full(FIELDS, 1 / side)], axis=1)
    if kind == "ended":
        boxes = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], axis=1)
    boxes = (boxes * (SIDE_PX if pixels else 1)).astype(np.float32)

    def beside(one: int, other: int, axis: int, shape: tuple[int, ...]) -> int:
        return graph.apply("CONCATENATION", one, other, shape=shape, options="ConcatenationOptions", axis=axis)

    told = graph.constant(boxes[np.newaxis])
    width = 4
    if kind == "v5":
        told = graph.constant(np.concatenate([boxes, np.ones((FIELDS, 1), np.float32)], axis=1)[np.newaxis])
        width = 5
    if kind == "ended":  # of red alone: its score, and class 0
        red = graph.constant(np.array([[[1.0], [0.0]]], np.float32).reshape(2, 1).T)
        first = graph.apply(
            "FULLY_CONNECTED",
            graph.reshaped(scores, (FIELDS, 2)),
            red,
            -1,
            shape=(FIELDS, 1),
            options="FullyConnectedOptions",
        )
        made = beside(told, graph.reshaped(first, (1, FIELDS, 1)), 2, (1, FIELDS, 5))
        made = beside(made, graph.constant(np.zeros((1, FIELDS, 1), np.float32)), 2, (1, FIELDS, 6))
    else:
        made = beside(told, scores, 2, (1, FIELDS, width + 2))
        rows = CELLS if kind != "v5" else 3 * CELLS
        rest = np.zeros((1, rows - FIELDS, width + 2), np.float32)
        made = beside(made, graph.constant(rest), 1, (1, rows, width + 2))
        if kind == "v8":
            order = graph.constant(np.array([0, 2, 1], np.int32))
            made = graph.apply("TRANSPOSE", made, order, shape=(1, width + 2, rows), options="TransposeOptions")
    graph.end(made, "Identity", {})
    return _noted(graph.packed(1_000_000), note)


def _noted(data: bytes, note: str) -> bytes:
    """With an archive at the end that holds a note; as it is where there is none."""
    if not note:
        return data
    archive = io.BytesIO(data)
    archive.seek(0, io.SEEK_END)
    with zipfile.ZipFile(archive, "a") as packed:
        packed.writestr("temp_meta.txt", note)
    return archive.getvalue()


def _maps(graph: Graph, scores: int, *, apart: bool, channels_first: bool) -> None:
    """End a graph in three maps of boxes that reach half a cell each way and scores, or in six."""
    half = np.tile(np.where(np.arange(16) < 2, 9.0, -9.0).astype(np.float32), 4)
    ends = []
    for stride in (CELL_PX, 16, 32):
        side = SIDE_PX // stride
        boxes = graph.constant(np.broadcast_to(half, (1, side, side, 64)).copy())
        told = graph.constant(np.full((1, side, side, 2), -8, np.float32)) if stride != CELL_PX else scores
        both = graph.apply(
            "CONCATENATION", boxes, told, shape=(1, side, side, 66), options="ConcatenationOptions", axis=3
        )
        parts = [(both, 66)]
        if apart:
            parts = []
            for first, width in ((0, 64), (64, 2)):
                at = [graph.constant(np.array(of, np.int32)) for of in ((0, 0, 0, first), (1, side, side, width))]
                parts.append(
                    (graph.apply("SLICE", both, *at, shape=(1, side, side, width), options="SliceOptions"), width)
                )
        for made, width in parts:
            if channels_first:
                order = graph.constant(np.array([0, 3, 1, 2], np.int32))
                made = graph.apply("TRANSPOSE", made, order, shape=(1, width, side, side), options="TransposeOptions")
            ends.append(made)
    graph.end(ends[0], "first", {})
    graph._graph.outputs = ends


def scene() -> np.ndarray:
    """128×64 px, letterboxed into 64×32: a red field of the model's, a blue one, and a red one at the border."""
    picture = np.zeros((64, 128, 3), np.uint8)
    picture[16:32, 32:48, 0] = 255  # the field at row 3, column 2 of the model's
    picture[32:48, 96:112, 2] = 255
    return picture
