"""A box drawn by keys over the camera's picture."""

from __future__ import annotations

import numpy as np

from edge_tl.look.marks import Mark, corners

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in shares of the picture's width and height."""
MIDDLE: Box = (0.25, 0.1, 0.75, 0.9)
"""What one begins with."""
STEP = 0.05
LEAST = 0.1
"""The shortest side."""
HELP = "arrows move the box, + - make it larger or smaller, < > narrower or wider, enter takes it, escape leaves"
MOVES = {"left": (-STEP, 0.0), "right": (STEP, 0.0), "up": (0.0, -STEP), "down": (0.0, STEP)}
GROWTHS = {"+": (STEP, STEP), "-": (-STEP, -STEP), ">": (STEP, 0.0), "<": (-STEP, 0.0)}


def changed(box: Box, key: str) -> Box:
    """The box after a key: moved or sized by a twentieth of the picture, never beyond its border nor below a tenth."""
    left, top, right, bottom = box
    if key in MOVES:
        x, y = MOVES[key]
        x, y = min(max(x, -left), 1 - right), min(max(y, -top), 1 - bottom)
        return rounded(left + x, top + y, right + x, bottom + y)
    if key in GROWTHS:
        wider, higher = GROWTHS[key]
        left, right = sized(left, right, wider)
        top, bottom = sized(top, bottom, higher)
    return rounded(left, top, right, bottom)


def sized(low: float, high: float, more: float) -> tuple[float, float]:
    """Both ends of a side, each moved outwards by half of `more`."""
    if high - low + more < LEAST:
        return low, high
    return max(0.0, low - more / 2), min(1.0, high + more / 2)


def rounded(left: float, top: float, right: float, bottom: float) -> Box:
    """Shares with three digits: what is drawn is what a command line can say again."""
    return round(left, 3), round(top, 3), round(right, 3), round(bottom, 3)


def mark(box: Box, shape: tuple[int, ...]) -> Mark:
    """The box as a mark over a picture whose array has this shape."""
    left, top, right, bottom = np.array(box) * (shape[1], shape[0], shape[1], shape[0])
    return Mark(corners(left, top, right, bottom), np.empty((0, 2)))
