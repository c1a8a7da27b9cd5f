"""What if the picture were upright, nearer, further, in the middle, or its own mirror image?

Each repair undoes one thing that may have happened to a picture. Which of them brings it back to what was taught says
what happened (`judge/why.py`). Beyond the border the outermost pixels are repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from edge_tl.media.image import warp

TURNS = (-90.0, -60.0, -30.0, -15.0, 15.0, 30.0, 60.0, 90.0, 180.0)
"""In degrees, clockwise as it is seen."""
SIZES = (0.6, 0.75, 1.3, 1.7, 2.0)
"""Times as large as it is."""
SHIFTS = ((-0.25, 0.0), (-0.12, 0.0), (0.12, 0.0), (0.25, 0.0), (0.0, -0.15), (0.0, 0.15))
"""To the right and down, in shares of the width and height."""


class Repair(NamedTuple):
    """One thing that is undone."""

    kind: str
    """`turn`, `distance`, `spot` or `mirrored`."""
    amount: float
    """Of a turn what the picture is turned by, in degrees; of a distance how many times as large it is made; of a spot
    how far it is moved, in shares of the picture; else 0."""
    apply: Callable[[np.ndarray], np.ndarray]
    """A picture uint8 (height_px, width_px, 3) as it would have been, of the same size."""


def repairs() -> list[Repair]:
    """All of them, the small ones of a kind beside the large ones."""
    made = [Repair("turn", degrees, _turned(degrees)) for degrees in TURNS]
    made += [Repair("distance", times, _scaled(times)) for times in SIZES]
    made += [Repair("spot", float(np.hypot(*by)), _moved(by)) for by in SHIFTS]
    return [*made, Repair("mirrored", 0.0, lambda picture: np.ascontiguousarray(picture[:, ::-1]))]


def _turned(degrees: float) -> Callable[[np.ndarray], np.ndarray]:
    angle_rad = np.deg2rad(degrees)
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return lambda picture: _mapped(picture, np.array(((c, -s), (s, c))), (0.0, 0.0))


def _scaled(times: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda picture: _mapped(picture, np.eye(2) * times, (0.0, 0.0))


def _moved(by: tuple[float, float]) -> Callable[[np.ndarray], np.ndarray]:
    return lambda picture: _mapped(picture, np.eye(2), by)


def _mapped(picture: np.ndarray, linear: np.ndarray, by: tuple[float, float]) -> np.ndarray:
    """The picture after p → middle + linear · (p − middle) + by, by in shares of its sides."""
    rows, columns = picture.shape[:2]
    size, back = np.array((columns, rows)), np.linalg.inv(linear)
    padded = np.pad(picture, ((rows, rows), (columns, columns), (0, 0)), mode="edge")
    origin = size / 2 - back @ (size / 2 + np.array(by) * size) + size
    return warp(padded, np.concatenate([back, origin[:, None]], axis=1), (rows, columns))
