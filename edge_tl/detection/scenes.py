"""Drawn pictures with one thing to find in each, from a seed: the task of spec S6, and a camera for trying detectors.

A target (an equilateral triangle or an upright rectangle) on white, among circles and lines that may lie over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_tl.errors import ConfigError, counted

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

# All numbers are those of spec S6; the width of a line is what a browser's canvas, where the task comes from, draws.
SIDE_PX = 224
SHAPES = ("triangle", "rectangle")
"""In the order of their numbers: 0 and 1."""
TRIANGLE_PX, RECTANGLE_PX, RADIUS_PX = (50.0, 100.0), (40.0, 100.0), (5.0, 20.0)
CIRCLES, LINES = 10, 10
LINE_PX = 1
FINER = 2
"""Drawn so many times larger and reduced, so that edges are smooth."""


@dataclass(frozen=True)
class Scenes:
    """Pictures and what is true of them."""

    pictures: np.ndarray
    """uint8 (N, 224, 224, 3) RGB."""
    shapes: np.ndarray
    """int64 (N,): places in SHAPES."""
    boxes: np.ndarray
    """float64 (N, 4): left, top, right, bottom of the whole target in pixels, also where clutter hides some of it."""


def scenes(count: int, seed: int, first: int = 0) -> Scenes:
    """The scenes `first` to `first + count` of a seed; each is the same whatever is drawn beside it.

    ConfigError for a negative number.
    """
    if min(count, seed, first) < 0:
        raise ConfigError(f"{counted(count, 'scene')} from {first} of seed {seed}; numbers of 0 or more are wanted")
    pictures = np.empty((count, SIDE_PX, SIDE_PX, 3), np.uint8)
    shapes, boxes = np.empty(count, np.int64), np.empty((count, 4))
    for row in range(count):
        pictures[row], shapes[row], boxes[row] = _scene(np.random.default_rng([seed, first + row]))
    return Scenes(pictures, shapes, boxes)


def _scene(rng: np.random.Generator) -> tuple[np.ndarray, int, np.ndarray]:
    """One picture, the number of its shape, and its box."""
    from PIL import Image, ImageDraw

    shape = int(rng.integers(len(SHAPES)))
    corners = _triangle(rng) if SHAPES[shape] == "triangle" else _rectangle(rng)
    low, high = corners.min(axis=0), corners.max(axis=0)
    corners += rng.uniform(0, SIDE_PX - (high - low)) - low
    clutter = ["circle"] * CIRCLES + ["line"] * LINES
    over = rng.random(len(clutter)) < 0.5
    image = Image.new("RGB", (FINER * SIDE_PX, FINER * SIDE_PX), "white")
    draw = ImageDraw.Draw(image)
    for kind, later in zip(clutter, over, strict=True):
        if not later:
            _clutter(draw, kind, rng)
    draw.polygon([(x, y) for x, y in (FINER * corners).tolist()], fill=_colour(rng))
    for kind, later in zip(clutter, over, strict=True):
        if later:
            _clutter(draw, kind, rng)
    return np.asarray(image.reduce(FINER)), shape, np.concatenate([corners.min(axis=0), corners.max(axis=0)])


def _triangle(rng: np.random.Generator) -> np.ndarray:
    """The corners (3, 2) of an equilateral triangle around the origin, turned at random."""
    radius = rng.uniform(*TRIANGLE_PX) / np.sqrt(3)
    angles = rng.uniform(0, 2 * np.pi) + 2 * np.pi / 3 * np.arange(3)
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _rectangle(rng: np.random.Generator) -> np.ndarray:
    """The corners (4, 2) of an upright rectangle at the origin."""
    return rng.uniform(*RECTANGLE_PX, 2) * np.array([[0, 0], [1, 0], [1, 1], [0, 1]])


def _clutter(draw: ImageDraw, kind: str, rng: np.random.Generator) -> None:
    """A circle, or a line between two places, anywhere."""
    if kind == "circle":
        (x, y), radius = rng.uniform(0, SIDE_PX, 2), rng.uniform(*RADIUS_PX)
        draw.ellipse([FINER * side for side in (x - radius, y - radius, x + radius, y + radius)], fill=_colour(rng))
    else:
        ends = (FINER * rng.uniform(0, SIDE_PX, 4)).tolist()
        draw.line(ends, fill=_colour(rng), width=FINER * LINE_PX)


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = rng.integers(0, 256, 3).tolist()
    return red, green, blue
