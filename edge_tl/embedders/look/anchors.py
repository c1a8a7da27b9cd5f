"""Where a single-shot detector looks: the fixed points that its outputs are offsets from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

STRIDES = (8, 16, 16, 16)
"""Pixels between the cells of each layer, of MediaPipe's palm detector and of its short-range face detector."""
PER_CELL = 2
"""Anchors a cell and layer."""


def anchors(size_px: int, strides: Sequence[int] = STRIDES) -> np.ndarray:
    """The anchors' x and y, float32 (N, 2), in pixels of a square input of `size_px`.

    In the order of the model's outputs: layers of one stride that follow each other share their cells, row by row,
    and a cell holds two anchors of each layer, all at its centre. 192 px give 2016 anchors, 128 px give 896.
    After MediaPipe's SsdAnchorsCalculator with `fixed_anchor_size` (Apache-2.0).
    """
    layers = []
    position = 0
    while position < len(strides):
        stride = strides[position]
        same = position
        while same < len(strides) and strides[same] == stride:
            same += 1
        cells = -(-size_px // stride)
        # The cells divide the input evenly, also where the stride does not.
        centres = (np.arange(cells, dtype=np.float32) + 0.5) * np.float32(size_px / cells)
        x, y = np.meshgrid(centres, centres)
        layers.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), PER_CELL * (same - position), axis=0))
        position = same
    return np.concatenate(layers)
