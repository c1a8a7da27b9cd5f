"""Palms and faces in a whole picture: what MediaPipe's single-shot detectors put out, decoded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_tl.core.boxes import overlaps
from edge_tl.embedders.look.anchors import anchors
from edge_tl.embedders.look.region import Region, whole
from edge_tl.errors import ModelError
from edge_tl.media.image import check_picture
from edge_tl.tflite.interpreter import Interpreter
from edge_tl.tflite.manifest import Scaling

OVERLAP = 0.3
"""Detections of one thing overlap by more than this (intersection over union) and become one."""
SURE = 0.5
"""MediaPipe's own least score: detections below it say nothing of where a thing is that one above it has found."""


@dataclass(frozen=True, slots=True)
class Detection:
    """Something found, in the picture's pixels."""

    score: float
    """0 to 1."""
    box: np.ndarray
    """float64 (4,): left, top, right, bottom; may reach beyond the border."""
    points: np.ndarray
    """float64 (K, 2): its key points, x and y."""

    @property
    def side_px(self) -> float:
        """The longer side of the box."""
        return float(max(self.box[2] - self.box[0], self.box[3] - self.box[1]))


class Detector:
    """A palm or face detector; not for two threads at once."""

    def __init__(self, interpreter: Interpreter, scaling: Scaling, score: float) -> None:
        """Take a loaded model with two outputs, offsets (1, N, 4 + 2K) and scores (1, N, 1); ModelError otherwise.

        `score`: what a detection must reach, 0 to 1.
        """
        shape = interpreter.inputs[0].shape
        shapes = [info.shape for info in interpreter.outputs]
        if len(interpreter.inputs) != 1 or len(shape) != 4 or shape[1] != shape[2] or shape[3] != 3:
            raise ModelError(f"a detector with input {shape}; one square picture (1, side, side, 3) is wanted")
        self._size_px = shape[1]
        self._anchors = anchors(self._size_px)
        count = len(self._anchors)
        if len(shapes) != 2 or shapes[1] != (1, count, 1) or shapes[0][:2] != (1, count) or shapes[0][2] % 2:
            raise ModelError(f"a detector with outputs {shapes}; (1, {count}, 4 + 2K) and (1, {count}, 1) are wanted")
        self._interpreter = interpreter
        self._score = score
        self._scale, self._offset = np.float32(scaling.scale[0]), np.float32(scaling.offset[0])

    def __call__(self, picture: np.ndarray, region: Region | None = None) -> list[Detection]:
        """All that is found in a picture uint8 (height_px, width_px, 3) RGB, or in a part of it; the largest first."""
        check_picture(picture)
        seen = region or whole(picture)
        small = seen.model_input(picture, self._size_px)
        view = self._interpreter.input_view()[0]
        np.multiply(small, self._scale, out=view, casting="unsafe")
        view += self._offset
        del view
        offsets, scores = self._interpreter.invoke()
        things = weighted(*decode(offsets[0], scores[0, :, 0], self._anchors, self._score))
        if not things:
            return []
        # All at once: on a Pi a call of NumPy costs more than what it computes here.
        every = np.stack([points for _, points in things])
        placed = seen.to_picture(every.reshape(-1, 2), self._size_px).reshape(every.shape)
        found = [
            Detection(score, points[:2].reshape(4), points[2:])
            for (score, _), points in zip(things, placed, strict=True)
        ]
        return sorted(found, key=lambda one: -one.side_px)


def decode(offsets: np.ndarray, scores: np.ndarray, grid: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """A detector's raw outputs as scores (M,) and points (M, 2 + K, 2) in input pixels, of those that reach `least`.

    `offsets`: (N, 4 + 2K): centre, then size, then K key points, the centre and the key points relative to the
    anchor. `scores`: (N,) logits. `grid`: the anchors (N, 2). The first two points of a row are the box's upper left
    and lower right corner.
    """
    # In float64, and never an overflow: a logit of 100 is as sure as one of 1000.
    likely = 1 / (1 + np.exp(-np.clip(scores.astype(np.float64), -100, 100)))
    chosen = np.flatnonzero(likely >= least)
    pairs = offsets[chosen].astype(np.float64).reshape(len(chosen), offsets.shape[1] // 2, 2)
    centres = grid[chosen].astype(np.float64)
    points = pairs + centres[:, None]
    half = np.abs(pairs[:, 1]) / 2
    middle = points[:, 0].copy()
    points[:, 0], points[:, 1] = middle - half, middle + half
    return likely[chosen], points


def weighted(scores: np.ndarray, points: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """Weighted non-maximum suppression: detections of one thing become their mean, weighted by score.

    `scores` (M,) and `points` (M, P, 2) as `decode` gives them. One (score, points (P, 2)) for each thing, the surest
    first, with the score of its surest detection. Those below SURE are not heard beside a surer one, so that a lower
    threshold finds more and moves nothing. After MediaPipe's NonMaxSuppressionCalculator, algorithm WEIGHTED.
    """
    order = np.argsort(-scores, kind="stable")
    scores, points = scores[order], points[order]
    boxes = points[:, :2].reshape(-1, 4)
    covers = overlaps(boxes, boxes) > OVERLAP
    np.fill_diagonal(covers, True)  # also a box without an area is itself
    left = np.ones(len(scores), bool)
    things = []
    while left.any():
        first = int(left.argmax())
        same = covers[first] & left
        heard = same & (scores >= min(SURE, scores[first]))
        weights = scores[heard][:, np.newaxis, np.newaxis]
        # As np.average, whose checks take longer than the mean.
        things.append((float(scores[first]), (points[heard] * weights).sum(axis=0) / weights.sum(axis=0)))
        left &= ~same
    return things
