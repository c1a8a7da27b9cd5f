"""The boxes that an SSD's raw outputs are offsets from, and what the offsets say."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from edge_tl.core.archive import unpacked_array
from edge_tl.errors import ModelError
from edge_tl.files import read_limited

LAYERS = 6
MIN_STRIDE = 16
"""Pixels between the cells of the first layer; each next one has half as many cells, rounded up."""
SCALES = (0.2, 0.95)
"""Of the first and the last layer; those between lie evenly."""
ASPECTS = (1.0, 2.0, 0.5, 3.0, 1 / 3)
FIRST = ((0.1, 1.0), (SCALES[0], 2.0), (SCALES[0], 0.5))
"""Scale and aspect of the first layer's three boxes: it has fewer than the others."""
CODING = np.array((10.0, 10.0, 5.0, 5.0))
"""What the offsets of y, x, height and width were multiplied by in training."""
MAX_BYTES = 10_000_000


def standard_anchors(height_px: int, width_px: int) -> np.ndarray:
    """The anchors of the published SSD MobileNet models: float64 (N, 4), y, x, height and width as shares, 0 to 1.

    300×300 pixels give 1917. The constants are those of `ssd_anchor_generator` in every published configuration of
    TensorFlow's Object Detection API (Apache-2.0): six layers, interpolated scales, fewer boxes in the lowest layer.
    """
    scales = [SCALES[0] + (SCALES[1] - SCALES[0]) * i / (LAYERS - 1) for i in range(LAYERS)] + [1.0]
    rows, columns = -(-height_px // MIN_STRIDE), -(-width_px // MIN_STRIDE)
    layers = []
    for layer in range(LAYERS):
        between = (np.sqrt(scales[layer] * scales[layer + 1]), 1.0)
        shapes = FIRST if layer == 0 else (*((scales[layer], aspect) for aspect in ASPECTS), between)
        scale, aspect = np.array(shapes).T
        sizes = np.stack([scale / np.sqrt(aspect), scale * np.sqrt(aspect)], axis=1)
        y, x = np.meshgrid((np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns, indexing="ij")
        centres = np.stack([y.ravel(), x.ravel()], axis=1)
        layers.append(np.concatenate([np.repeat(centres, len(sizes), 0), np.tile(sizes, (len(centres), 1))], axis=1))
        rows, columns = -(-rows // 2), -(-columns // 2)
    return np.concatenate(layers)


def read_anchors(path: Path) -> np.ndarray:
    """Anchors of a file, as `standard_anchors` gives them: a .npy array (N, 4), or four numbers a line.

    ModelError (one line) for anything else.
    """
    try:
        data = read_limited(path, MAX_BYTES)
        if path.suffix == ".npy":
            anchors = unpacked_array(io.BytesIO(data), "it", MAX_BYTES)
        else:
            lines = data.decode("utf-8").replace(",", " ").splitlines()
            anchors = np.array([[float(word) for word in line.split()] for line in lines if line.strip()])
        anchors = np.asarray(anchors, np.float64)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); a file of anchors is wanted") from error
    except (ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:80]
        raise ModelError(f"{path}: holds no anchors ({reason}); y, x, height, width a line are wanted") from None
    if anchors.ndim != 2 or anchors.shape[1] != 4 or not np.isfinite(anchors).all() or not (anchors[:, 2:] > 0).all():
        raise ModelError(f"{path}: holds {anchors.shape}; lines of y, x, height and width above 0 are wanted")
    return anchors


def decoded(offsets: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Offsets (N, 4) to anchors (N, 4), both y, x, height, width, as boxes float64 (N, 4): left, top, right, bottom.

    Shares of the model's picture. An absurd size becomes a very large box, never an overflow.
    """
    y, x, height, width = (np.asarray(offsets, np.float64) / CODING).T
    half_height = np.exp(np.clip(height, -50, 50)) * anchors[:, 2] / 2
    half_width = np.exp(np.clip(width, -50, 50)) * anchors[:, 3] / 2
    y, x = y * anchors[:, 2] + anchors[:, 0], x * anchors[:, 3] + anchors[:, 1]
    return np.stack([x - half_width, y - half_height, x + half_width, y + half_height], axis=1)
