"""The upright box around a shape that somebody drew, as several programs for annotating name shapes."""

from __future__ import annotations

from collections.abc import Sequence

from edge_tl.core.examples import Box
from edge_tl.store.listed import UnusableEntry, box_of

BOXES = ("rectangle", "rect")
OUTLINES = ("polygon", "polyline")


def around(xs: Sequence[float], ys: Sequence[float]) -> Box:
    """The box around points; ValueError where it has no width or no height, or there is no point."""
    if not xs or len(xs) != len(ys):
        raise UnusableEntry("its corners are not whole")
    return box_of((min(xs), min(ys), max(xs), max(ys)))


def around_ellipse(x: float, y: float, across: float, down: float) -> Box:
    """The box around an ellipse: centre, and half its width and height."""
    return box_of((x - across, y - down, x + across, y + down))
