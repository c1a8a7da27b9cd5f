"""A box drawn by keys over the camera's picture."""

from __future__ import annotations

import numpy as np

from edge_tl.embedders.look.marks import Mark, corners

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in shares of the picture's width and height."""
MIDDLE: Box = (0.25, 0.1, 0.75, 0.9)
"""What one begins with."""
STEP, MIN_SIDE = 0.05, 0.1
"""How far a key moves, and the shortest side."""
HELP = "arrows move the box, + - make it larger or smaller, < > narrower or wider, enter confirms, escape cancels"
MOVES = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
GROWTHS = {"+": (1, 1), "-": (-1, -1), ">": (1, 0), "<": (-1, 0)}
"""Key → steps across and down."""


def changed(box: Box, key: str, step: float = STEP, least: float = MIN_SIDE) -> Box:
    """The box after a key: moved or sized by a step, never beyond the picture's border nor below the shortest side.

    step, least: shares of the picture's width and height.
    """
    left, top, right, bottom = box
    if key in MOVES:
        x, y = (step * steps for steps in MOVES[key])
        x, y = min(max(x, -left), 1 - right), min(max(y, -top), 1 - bottom)
        return rounded(left + x, top + y, right + x, bottom + y)
    if key in GROWTHS:
        wider, higher = (step * steps for steps in GROWTHS[key])
        left, right = sized(left, right, wider, least)
        top, bottom = sized(top, bottom, higher, least)
    return rounded(left, top, right, bottom)


def sized(low: float, high: float, more: float, least: float = MIN_SIDE) -> tuple[float, float]:
    """Both ends of a side, each moved outwards by half of `more`."""
    if high - low + more < least:
        return low, high
    return max(0.0, low - more / 2), min(1.0, high + more / 2)


def rounded(left: float, top: float, right: float, bottom: float) -> Box:
    """Shares with three digits: what is drawn is what a command line can say again."""
    return round(left, 3), round(top, 3), round(right, 3), round(bottom, 3)


def mark(box: Box, shape: tuple[int, ...]) -> Mark:
    """The box as a mark over a picture whose array has this shape."""
    left, top, right, bottom = np.array(box) * (shape[1], shape[0], shape[1], shape[0])
    return Mark(corners(left, top, right, bottom), np.empty((0, 2)))
