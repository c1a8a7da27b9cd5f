"""How what a thing is and where it is become numbers that a network learns, and its outputs answers again.

ScaledShape   one column says which of two, as loud as the box: the text's way (spec S6)
ClassAndBox   cross-entropy of any number of labels, one is enough, and "nothing is here" if wanted; boxes beside it

    answers = ClassAndBox(("cup", "ball"), side_px=224)
    network = Network(new_head(X.shape[1:], answers.outputs, rng))
    Y = answers.targets(places, boxes)
    fit(network, X, Y, loss=answers.loss, optimizer=Adam(1e-3), epochs=60, batch=16, rng=rng)
    found = NetworkDetector(embedder, network, answers).detect(picture)

X are `features` of the pictures, places the numbers of their labels, boxes in pixels of a picture of side_px².
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, Protocol

import numpy as np

from edge_tl.errors import ConfigError, ShapeError, counted
from edge_tl.nn import Dense, Flatten, Joint, Layer, Loss, MeanSquared, ReLU
from edge_tl.nn.losses import softmax

LOSSES = ("scaled", "plain", "classes")
UNITS = 200
"""Of the dense layer below the outputs (spec S6)."""
NOTHING = -1
"""The place of pictures in which there is nothing to find; their boxes count for nothing."""


class OutputColumns(Protocol):
    """What the columns of a network's output mean."""

    kind: str
    """Its name in a saved detector."""
    labels: tuple[str, ...]
    side_px: int
    """Boxes are learned and answered in pixels of a picture of this side."""
    loss: Loss
    """Between outputs and `targets`."""

    @property
    def outputs(self) -> int:
        """How many columns."""
        ...

    @property
    def settings(self) -> dict[str, Any]:
        """JSON-able: what else it was made with."""
        ...

    def targets(self, places: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """Float32 (N, columns) to be learned.

        places: int (N,), the numbers of the labels; boxes: (N, 4), left, top, right, bottom. ShapeError for others.
        """
        ...

    def mean(self, targets: np.ndarray) -> np.ndarray:
        """Float32 (columns,): the outputs that a network which knows nothing should begin with."""
        ...

    def read(self, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of outputs (N, columns): probabilities float64 (N, labels), and boxes (N, 4) in pixels of the side.

        What is missing in a row's sum to 1 is the probability that there is nothing.
        """
        ...


class ScaledShape:
    """0 or 1 for the label times the side, and the four sides of the box in pixels, all by squared error (spec S6)."""

    kind = "scaled"

    def __init__(self, labels: tuple[str, ...], side_px: int, *, scaled: bool = True) -> None:
        """labels: two. scaled: without it the label is 0 or 1 among numbers up to the side, and all but unheard."""
        if len(labels) != 2 or side_px < 1:
            raise ConfigError(
                f"{counted(len(labels), 'label')} and a side of {side_px} came; two labels, and 1 or more, are wanted"
            )
        self.labels: tuple[str, ...] = labels
        self.side_px, self.scaled = side_px, scaled
        self.scale = np.array([side_px if scaled else 1, 1, 1, 1, 1], np.float32)
        self.loss: Loss = MeanSquared(self.scale)

    outputs = 5

    @property
    def settings(self) -> dict[str, Any]:
        """Whether the label is scaled."""
        return {"scaled": self.scaled}

    def targets(self, places: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """See Answers."""
        _check(places, boxes, 0, 1)
        return np.column_stack([places, boxes]).astype(np.float32)

    def mean(self, targets: np.ndarray) -> np.ndarray:
        """See Answers."""
        return np.asarray(targets.mean(axis=0) * self.scale)

    def read(self, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See Answers; the second label is taken above half of the scale."""
        second = np.clip(outputs[:, 0].astype(np.float64) / self.scale[0], 0, 1)
        return np.stack([1 - second, second], axis=1), ordered(outputs[:, 1:])


class ClassAndBox:
    """A column for each label (and one for nothing) by cross-entropy, and the sides of the box by squared error."""

    kind = "classes"

    def __init__(self, labels: tuple[str, ...], side_px: int, *, nothing: bool = False, weight: float = 50.0) -> None:
        """labels: one or more. nothing: whether pictures without any of them are learned too (place NOTHING).

        weight: of the box' mean squared error in shares of the side, beside the cross-entropy.
        """
        if not labels or side_px < 1 or not weight > 0:
            raise ConfigError(
                f"{counted(len(labels), 'label')}, a side of {side_px} and a weight of {weight} came; one or more, and "
                "above 0, are wanted"
            )
        self.labels, self.side_px, self.nothing, self.weight = labels, side_px, nothing, weight
        self.columns = len(labels) + nothing
        # The outputs are pixels: as shares of the side, the first steps of Adam would throw them far beyond.
        self.loss: Loss = Joint(self.columns, weight / side_px**2)

    @property
    def outputs(self) -> int:
        """See Answers."""
        return self.columns + 4

    @property
    def settings(self) -> dict[str, Any]:
        """Whether there may be nothing, and the weight."""
        return {"nothing": self.nothing, "weight": self.weight}

    def targets(self, places: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """See Answers; of pictures at NOTHING the box is not learned."""
        _check(places, boxes, NOTHING if self.nothing else 0, len(self.labels) - 1)
        found = np.zeros((len(places), self.outputs), np.float32)
        found[np.arange(len(places)), np.where(places < 0, self.columns - 1, places)] = 1
        found[:, self.columns :] = np.where(places[:, None] < 0, np.nan, boxes)
        return found

    def mean(self, targets: np.ndarray) -> np.ndarray:
        """See Answers; logits begin even."""
        boxes = targets[~np.isnan(targets[:, -1]), self.columns :]
        middle = boxes.mean(axis=0) if len(boxes) else np.zeros(4, np.float32)
        return np.concatenate([np.zeros(self.columns, np.float32), middle])

    def read(self, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See Answers."""
        proba = softmax(outputs[:, : self.columns].astype(np.float64))
        return proba[:, : len(self.labels)], ordered(outputs[:, self.columns :])


KINDS: dict[str, Callable[..., OutputColumns]] = {ScaledShape.kind: ScaledShape, ClassAndBox.kind: ClassAndBox}
"""Those that a saved detector may have."""


def answers_of(loss: str, labels: tuple[str, ...], side_px: int) -> OutputColumns:
    """What is learned, by the name of its loss: `scaled`, the text's; `plain`, that without scaling; `classes`."""
    if loss not in LOSSES:
        raise ConfigError(f"loss {loss!r} came; one of {', '.join(LOSSES)} is wanted")
    return ClassAndBox(labels, side_px) if loss == "classes" else ScaledShape(labels, side_px, scaled=loss == "scaled")


def new_head(shape: tuple[int, ...], outputs: int, rng: np.random.Generator, units: int = UNITS) -> list[Layer]:
    """Fresh layers from features (…, *shape) to outputs: flatten, dense with ReLU, dense."""
    return [Flatten(), Dense.new(prod(shape), units, rng), ReLU(), Dense.new(units, outputs, rng)]


def ordered(boxes: np.ndarray) -> np.ndarray:
    """Boxes (N, 4) whose left is not right of their right, nor their top below their bottom."""
    first, second = boxes[:, :2], boxes[:, 2:]
    return np.concatenate([np.minimum(first, second), np.maximum(first, second)], axis=1)


def _check(places: np.ndarray, boxes: np.ndarray, least: int, most: int) -> None:
    if places.ndim != 1 or boxes.shape != (len(places), 4):
        raise ShapeError(f"places {places.shape} and boxes {boxes.shape} came; (N,) and (N, 4) are wanted")
    if len(places) and not (least <= places.min() and places.max() <= most):
        raise ShapeError(f"places {places.min()} to {places.max()} came; {least} to {most} are wanted")
    if not np.isfinite(boxes[places >= 0]).all():
        raise ShapeError("a box that is not finite came; four numbers for each picture are wanted")
