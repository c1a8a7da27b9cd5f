"""A picture as cells: half blocks in the palette, or shades of grey; what is only noise in it changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from device.screens.cells import PALETTE, nearest_256, shrink
from device.screens.grid import Cells

MAX_CELLS = 1536
"""A picture is drawn in so many cells at most, 64 × 24: more is only traffic."""
SMALLEST = (4, 10)
"""A slow line makes none smaller than that, in rows and columns."""
NEARLY = 20.0**2
"""A cell keeps its colour while that is further off than the nearest by less, in squared distance of RGB."""


@dataclass(frozen=True)
class DrawnPicture:
    """A picture as it is drawn: palette indices, int (2 × rows, columns), or numbers of shades (rows, columns)."""

    pixels: np.ndarray
    shades: str

    def put(self, cells: Cells, row: int, column: int, white: int, black: int) -> None:
        """Draw it into cells; white, black: of shades, in the palette."""
        if not self.shades:
            cells.half_blocks(row, column, self.pixels[::2], self.pixels[1::2])
            return
        glyphs = np.array([ord(shade) for shade in self.shades], np.int32)[self.pixels]
        cells.shades(row, column, glyphs, white, black)


def fitting(rows: int, columns: int, level: int) -> tuple[int, int]:
    """The rows and columns that a picture takes of an area; level: 0, each more a step smaller."""
    scale = min(1.0, (MAX_CELLS / max(1, rows * columns)) ** 0.5) / (level + 1)
    return min(rows, max(SMALLEST[0], round(rows * scale))), min(columns, max(SMALLEST[1], round(columns * scale)))


def draw(rgb: np.ndarray, rows: int, columns: int, before: DrawnPicture | None, shades: str) -> DrawnPicture:
    """A picture in so many cells; its centre fills them.

    rgb: uint8 (h, w, 3). before: what was drawn there. shades: dark to bright, empty for colours.
    """
    old = before.pixels if before is not None and before.shades == shades else None
    if shades:
        luma = shrink(rgb, 2 * rows, columns).reshape(rows, 2, columns, 3).mean((1, 3)) * len(shades) / 256
        numbers = luma.astype(np.int16)
        if old is not None:
            numbers = np.where(np.abs(luma - old - 0.5) < 0.7, old, numbers)
        return DrawnPicture(numbers, shades)
    pixels = shrink(rgb, 2 * rows, columns).astype(np.int32)
    indices = nearest_256(pixels)
    if old is not None:
        off, best = (((PALETTE[which] - pixels) ** 2).sum(-1) for which in (old, indices))
        indices = np.where(off < best + NEARLY, old, indices)
    return DrawnPicture(indices, shades)
