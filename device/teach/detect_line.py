"""A camera whose pictures are searched for things, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge_tl.core.timing import Pace
from edge_tl.detection.found import DetectedThing, ObjectDetector
from edge_tl.errors import SourceTimeout
from edge_tl.frames import BaseSource

COLOURS = ((95, 215, 95), (255, 175, 0), (95, 175, 255), (255, 95, 135), (215, 215, 95), (175, 135, 255))
"""Of the frames around things: one a label, in turn."""


@dataclass(frozen=True, slots=True)
class WatchedPicture:
    """One picture and what was found in it."""

    picture: np.ndarray
    """uint8 (height_px, width_px, 3) RGB."""
    found: tuple[DetectedThing, ...]
    time_s: float
    """Of the source's clock."""
    took_ms: float


class DetectionWatch:
    """Reads pictures and finds things in them; clock: seconds, monotonic."""

    def __init__(
        self, source: BaseSource, detect: Callable[[np.ndarray], tuple[DetectedThing, ...]], clock: Callable[[], float]
    ) -> None:
        self.source, self.detect, self.clock = source, detect, clock
        self._pace = Pace()

    def read(self, timeout_s: float) -> WatchedPicture | None:
        """The next picture, searched; None where none came in time or the camera is away."""
        try:
            frame = self.source.read(timeout_s)
        except SourceTimeout:
            return None
        began_s = self.clock()
        self._pace.count(began_s)
        found = self.detect(frame.data)
        return WatchedPicture(frame.data, found, frame.time_s, 1000 * (self.clock() - began_s))

    @property
    def fps(self) -> float:
        """Pictures a second over the last thirty; 0 before the second one."""
        return self._pace.fps

    @property
    def state(self) -> str:
        """`open`, or `waiting` while a lost camera is sought."""
        return self.source.state


def colour_of(label: str, detector: ObjectDetector) -> tuple[int, int, int]:
    """The colour of a label's frames, the same in every picture."""
    place = detector.labels.index(label) if label in detector.labels else 0
    return COLOURS[place % len(COLOURS)]
