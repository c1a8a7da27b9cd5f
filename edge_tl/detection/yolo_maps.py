"""The maps of a YOLO (v8, 11 and their like) that were exported before their boxes are decoded, as for an NPU.

In each cell of each of three maps stand four times 16 scores, how far the box reaches to the left, above, right and
below, in cells: what is expected of the distances 0 … 15 (Generalized Focal Loss, Li et al., 2020). Beside them stands
a score a class, in the same map or in one of its own. A map with anchors is refused: the file does not say with which
it was trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from edge_tl.embedders.foreign import YOLOMap, yolo_maps
from edge_tl.errors import ModelError, counted
from edge_tl.nn.losses import softmax
from edge_tl.tflite.interpreter import Interpreter

BINS = 16
_BOX = 4 * BINS
_ANCHORS = 3


class YOLOMaps:
    """Reads boxes and scores off the outputs; made by `of`."""

    def __init__(self, maps: Sequence[YOLOMap], size: tuple[int, int], classes: int) -> None:
        """Take what each output is, the input's (height_px, width_px), and how many classes there are."""
        self._maps, self._size, self.classes = maps, size, classes

    @classmethod
    def of(cls, opened: Interpreter, name: str, labels: int) -> Self | None:
        """What a model gives, as its shapes and the number of its labels tell; None where it gives no such maps.

        `labels`: 0 where they are not known. ModelError (one line) for maps with anchors, and where only the labels
        could tell what is what.
        """
        size = opened.inputs[0].shape[1], opened.inputs[0].shape[2]
        maps = yolo_maps([one.shape for one in opened.outputs], size)
        if maps is None:
            return None
        channels = sorted({one.channels for one in maps})
        if len(maps) == 6:
            if len({(one.stride_px, one.channels) for one in maps}) != 6 or len(channels) != 2 or _BOX not in channels:
                raise ModelError(f"{name}: of each size a map of {_BOX} and one of scores is wanted; it has {channels}")
            return cls(maps, size, sum(channels) - _BOX)
        if len(channels) != 1:
            raise ModelError(f"{name}: its three maps have different depths, {channels}; the same is wanted of all")
        joined, (each, rest) = channels[0] - _BOX, divmod(channels[0], _ANCHORS)
        with_anchors = not rest and each > 5
        if joined > 0 and (not with_anchors or labels == joined):
            return cls(maps, size, joined)
        if joined > 0 and labels != each - 5:
            raise ModelError(
                f"{name}: its maps score {counted(joined, 'class', 'classes')}, or {each - 5} beside boxes with "
                "anchors: give the labels of this model by --labels FILE"
            )
        raise ModelError(
            f"{name}: its boxes are those of anchors (YOLOv3 to v7) that the file does not hold: export it again "
            "with its decoding (one output)"
        )

    def decoded(self, outputs: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Corners (N, 4) in the model's pixels and scores (N, classes) of all cells."""
        boxes: dict[int, np.ndarray] = {}
        scores: dict[int, np.ndarray] = {}
        for one, made in zip(self._maps, outputs, strict=True):
            cells = made[0].transpose(1, 2, 0) if one.channels_first else made[0]
            cells = cells.reshape(-1, one.channels)
            if one.channels != self.classes:
                boxes[one.stride_px] = self._corners(cells[:, :_BOX], one.stride_px)
                cells = cells[:, _BOX:]
            if cells.shape[1]:
                scores[one.stride_px] = cells
        strides = sorted(boxes)
        told = np.concatenate([scores[stride] for stride in strides])
        with np.errstate(invalid="ignore", over="ignore"):
            if (told < 0).any():  # before the logistic curve: of thousands of cells most hold nothing
                told = 1 / (1 + np.exp(-told))
        return np.concatenate([boxes[stride] for stride in strides]), told

    def _corners(self, cells: np.ndarray, stride_px: int) -> np.ndarray:
        """(cells, 4) in pixels of (cells, 64) scores of distances."""
        bins = cells.reshape(-1, BINS).astype(np.float64)
        bins = np.where(np.isfinite(bins), bins, -np.inf)
        bins[~np.isfinite(bins).any(axis=1)] = 0.0
        reach = (softmax(bins) @ np.arange(BINS)).reshape(-1, 4)
        rows, columns = self._size[0] // stride_px, self._size[1] // stride_px
        y, x = np.meshgrid(np.arange(rows) + 0.5, np.arange(columns) + 0.5, indexing="ij")
        middles = np.stack([x.ravel(), y.ravel()], axis=1)
        return np.concatenate([middles - reach[:, :2], middles + reach[:, 2:]], axis=1) * stride_px
