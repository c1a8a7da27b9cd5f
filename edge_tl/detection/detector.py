"""The detector that a trained network is: an embedder, the layers above it, and what their outputs mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_tl.detection.answers import OutputColumns
from edge_tl.detection.found import DetectedThing
from edge_tl.embedders.embedder import WholePictureEmbedder
from edge_tl.errors import ShapeError
from edge_tl.media.image import fit
from edge_tl.nn import Network

MIN_CONFIDENCE = 0.5
"""What is less likely than this is not told."""


def features(embedder: WholePictureEmbedder, side_px: int, pictures: Sequence[np.ndarray]) -> np.ndarray:
    """What the embedder makes of pictures, each all of it, stretched to a square: float32 (N, *embedding_shape).

    pictures: uint8 (any height_px, any width_px, 3) RGB. side_px: of the embedder's input.
    """
    found = np.empty((len(pictures), *embedder.embedding_shape), np.float32)
    for row, picture in enumerate(pictures):
        found[row] = embedder.embed(fit(picture, (side_px, side_px), "stretch")).reshape(embedder.embedding_shape)
    return found


def rescaled(boxes: np.ndarray, shape: tuple[int, ...], to: tuple[int, ...]) -> np.ndarray:
    """Boxes (N, 4) in pixels of a picture (height_px, width_px, …) in pixels of the same one stretched to another."""
    return boxes * (np.array([to[1], to[0], to[1], to[0]]) / np.array([shape[1], shape[0], shape[1], shape[0]]))


class NetworkDetector:
    """An ObjectDetector of one thing a picture, made by training; not for two threads at once."""

    def __init__(
        self,
        embedder: WholePictureEmbedder,
        network: Network,
        answers: OutputColumns,
        *,
        name: str = "",
        least: float = MIN_CONFIDENCE,
    ) -> None:
        """network: from features (N, *embedding_shape) to `answers.outputs` columns; least: 0..1, told from there on.

        ShapeError where the three do not fit together.
        """
        outputs = network(np.zeros((1, *embedder.embedding_shape), np.float32)).shape
        if outputs != (1, answers.outputs):
            raise ShapeError(f"the network gives {outputs[1:]} numbers; its answers want {answers.outputs}")
        self.embedder, self.network, self.answers, self.least = embedder, network, answers, least
        self.name, self.labels = name or embedder.name, answers.labels

    def detect(self, picture: np.ndarray) -> tuple[DetectedThing, ...]:
        """See ObjectDetector."""
        side_px = self.answers.side_px
        proba, boxes = self.answers.read(self.network(features(self.embedder, side_px, [picture])))
        place = int(proba[0].argmax())
        if not proba[0, place] >= self.least:
            return ()
        left, top, right, bottom = rescaled(boxes, (side_px, side_px), picture.shape)[0].tolist()
        return (DetectedThing(self.labels[place], float(proba[0, place]), (left, top, right, bottom)),)
