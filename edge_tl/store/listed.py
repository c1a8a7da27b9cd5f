"""One picture of a list, and what a list may say of it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from edge_tl.core.examples import Box
from edge_tl.errors import ExampleError

NOTHING = "nothing"
"""The label of a picture in which there is nothing to find."""
SAME_FORM = math.log(1.02)
"""Width by height may differ so much, by rounding, where a list was made of the picture in another size."""


@dataclass(frozen=True, slots=True)
class ListedPicture:
    """One picture of a list."""

    file: PurePosixPath
    """Relative to the list, never above it."""
    label: str
    pixels: Box | None
    """Left, top, right, bottom; None where there is nothing."""
    size_px: tuple[float, float] | None
    """(width, height) of the picture that these are pixels of; None for the file's own."""
    take: str
    """What it was recorded with; where the list does not say, the name of its folder below the list, empty for none."""
    session: str
    """Where and when; empty where the list does not say."""

    def box(self, shape: tuple[int, ...]) -> Box | None:
        """The box in shares of the picture, whose array has this shape (height_px, width_px, …).

        Sides of 1 and less are shares already: in pixels no box is that small. ExampleError where the list was made of
        a picture of another form: of one that its EXIF says to turn, which it is in the array and is not in the list.
        """
        if self.pixels is None:
            return None
        width, height = self.size_px or (shape[1], shape[0])
        if abs(math.log(width * shape[0] / (height * shape[1]))) > SAME_FORM:
            raise ExampleError(
                f"{self.file}: the list says {width:g}×{height:g} pixels and the picture, upright, has "
                f"{shape[1]}×{shape[0]}: make the list of the upright picture"
            )
        left, top, right, bottom = self.pixels
        if max(self.pixels) <= 1:
            return self.pixels
        return left / width, top / height, right / width, bottom / height


def inside(name: str) -> PurePosixPath:
    """A file's path below the list; ValueError for one that leads elsewhere."""
    path = PurePosixPath(str(name).replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.name or "\0" in str(path):
        raise ValueError(f"{str(path)[:60]!a} is no file below the list")
    return path


def folder_of(file: PurePosixPath) -> str:
    """The folder of a file below the list, which tells its take; empty where it lies beside the list."""
    return "" if file.parent == PurePosixPath() else str(file.parent)


def box_of(sides: Iterable[Any]) -> Box:
    left, top, right, bottom = (float(side) for side in sides)
    if not (left < right and top < bottom and abs(left) + abs(top) + abs(right) + abs(bottom) < 1e9):
        raise ValueError(f"{left:g}, {top:g}, {right:g}, {bottom:g}: left < right and top < bottom are wanted")
    return left, top, right, bottom


def positive(value: Any) -> float:
    number = float(value)
    if not 0 < number < 1e6:
        raise ValueError(f"{value!r} is no size of a picture")
    return number
