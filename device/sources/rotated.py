"""A camera that hangs upside down or on its side: its pictures are turned before anything sees them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edge_tl.frames import BaseSource, Frame

DEGREES = (0, 90, 180, 270)


def turned(picture: np.ndarray, degrees: int) -> np.ndarray:
    """A picture uint8 (height_px, width_px, 3), turned clockwise by 0, 90, 180 or 270 degrees."""
    return np.ascontiguousarray(np.rot90(picture, -(degrees // 90))) if degrees else picture


class RotatedSource(BaseSource):
    """A source whose pictures are turned clockwise."""

    def __init__(self, source: BaseSource, degrees: int) -> None:
        self.source, self.degrees = source, degrees
        self.name, self.simulated = source.name, source.simulated

    @property
    def hangs(self) -> bool:
        """Whether the source's driver hangs."""
        return self.source.hangs

    def open(self) -> None:
        """Open the source; as it raises."""
        self.source.open()

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The next frame, turned; as the source raises."""
        frame = self.source.read(timeout_s)
        return replace(frame, data=turned(frame.data, self.degrees))

    def close(self) -> None:
        """Close the source."""
        self.source.close()
