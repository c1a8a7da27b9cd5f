"""What an object detector answers, and what it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, slots=True)
class DetectedThing:
    """One thing in a picture."""

    label: str
    confidence: float
    """0 to 1."""
    box: tuple[float, float, float, float]
    """(left, top, right, bottom) in pixels of the picture as it came, from its upper left corner; may reach beyond."""


class ObjectDetector(Protocol):
    """Anything that finds things in a picture; not for two threads at once."""

    name: str
    """What screens call it."""

    @property
    def labels(self) -> tuple[str, ...]:
        """All that it can find."""
        ...

    def detect(self, picture: np.ndarray) -> tuple[DetectedThing, ...]:
        """The things in a picture uint8 (height_px, width_px, 3) RGB, the surest first; none is an answer too.

        ShapeError for an array that is no picture.
        """
        ...
