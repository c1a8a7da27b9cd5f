"""One picture of a list, and what a list may say of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from edge_tl.core.examples import Box
from edge_tl.errors import ExampleError

NOTHING = "nothing"
"""The label of a picture in which there is nothing to find."""
SAME_FORM = math.log(1.02)
"""Width by height may differ so much, by rounding, where a list was made of the picture in another size."""

BEYOND = 0.05
"""A box may be drawn over the border of its picture by so much of its width or height; it is cut there."""


class UnusableEntry(ValueError):
    """An entry of a list that cannot be used; the message says why, in words that a person is shown."""


def reason(error: Exception) -> str:
    """Why an entry or a list cannot be used, in words: what Python says of a wrong value is nobody's language."""
    if isinstance(error, (UnusableEntry, ExampleError)):
        return " ".join(str(error).split())[:120]
    if isinstance(error, KeyError):
        return f"it has no {str(error.args[0])[:40]}"
    if isinstance(error, json.JSONDecodeError):
        return f"it is no JSON: line {error.lineno}, character {error.colno}" if error.doc.strip() else "it is empty"
    if isinstance(error, UnicodeError):
        return "its text is neither UTF-8 nor UTF-16"
    if isinstance(error, OSError):
        return error.strerror or "it cannot be read"
    return "it is not written as such lists are"


def as_number(value: Any) -> float:
    """A number, also as text; UnusableEntry for anything else."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise UnusableEntry(f"{str(value)[:20]!a} is no number") from None


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
        a picture of another form: of one that its EXIF says to turn, which it is in the array and is not in the list;
        and where the box reaches far beyond the picture, so that the list was made of a larger one.
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
        box = left / width, top / height, right / width, bottom / height
        if min(box) < -BEYOND or max(box) > 1 + BEYOND or min(box[2:]) <= 0 or max(box[:2]) >= 1:
            raise ExampleError(
                f"{self.file}: its box reaches from {left:g}, {top:g} to {right:g}, {bottom:g}, and the picture has "
                f"{width:g}×{height:g} pixels: is the list of a larger one? Say its size in columns width and height"
            )
        return box


def at_odds(pictures: Sequence[ListedPicture]) -> dict[int, str]:
    """Position → why it is left out, of pictures that a list names twice: once with a box, once with nothing in it."""
    alike: dict[PurePosixPath, list[int]] = {}
    for at, one in enumerate(pictures):
        alike.setdefault(one.file, []).append(at)
    said: dict[int, str] = {}
    for file, places in alike.items():
        nothing = [at for at in places if pictures[at].pixels is None and pictures[at].label == NOTHING]
        if nothing and len(nothing) < len(places):
            label = next(pictures[at].label for at in places if at not in nothing)
            line = f"{file}: left out (the list says {label!r} of it, and also that there is nothing in it)"
            said |= dict.fromkeys(places, line)
    return said


def inside(name: str) -> PurePosixPath:
    """A file's path below the list; ValueError for one that leads elsewhere."""
    path = PurePosixPath(str(name).replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.name or "\0" in str(path):
        raise UnusableEntry(f"{str(path)[:60]!a} is no file below the list")
    return path


def folder_of(file: PurePosixPath) -> str:
    """The folder of a file below the list, which tells its take; empty where it lies beside the list."""
    return "" if file.parent == PurePosixPath() else str(file.parent)


def box_of(sides: Iterable[Any]) -> Box:
    left, top, right, bottom = map(as_number, sides)
    if not (left < right and top < bottom and abs(left) + abs(top) + abs(right) + abs(bottom) < 1e9):
        raise UnusableEntry(f"{left:g}, {top:g}, {right:g}, {bottom:g}: left < right and top < bottom are wanted")
    return left, top, right, bottom


def positive(value: Any) -> float:
    number = as_number(value)
    if not 0 < number < 1e6:
        raise UnusableEntry(f"{value!r} is no size of a picture")
    return number
