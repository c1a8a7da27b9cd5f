"""SVG: strokes, areas, marks and words as text, and drawings on axes of their own. Every drawing is made of these."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

import numpy as np

from edge_tl.errors import ConfigError
from edge_tl.media.image import drawn, save_png

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#B8A800", "#7F7F7F")
"""Told apart by the colour-blind too: Okabe and Ito (2008), the yellow darker so that it is seen on white."""
SHAPES = ("circle", "square", "triangle", "diamond")
"""After eight classes the colours come again in another shape."""
INK, GREY, PALE = "#222222", "#888888", "#dddddd"
DASHES = "4 3"
SHARP = 2
"""A PNG has so many pixels for each unit of the SVG."""
Place = tuple[float, float]
Axes = Callable[[float, float], Place]
"""Where (share of the width, value) lies."""


def text(x: float, y: float, words: str, anchor: str = "middle", paint: str = "") -> str:
    """Words with their line there."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{paint and " " + paint}>{escape(words)}</text>'


def stroke(points: Sequence[Place], paint: str) -> str:
    """A line through points."""
    return f'<polyline points="{joined(points)}" {paint}/>'


def area(points: Sequence[Place], paint: str) -> str:
    """What points go around."""
    return f'<polygon points="{joined(points)}" {paint}/>'


def circle(x: float, y: float, r: float, paint: str) -> str:
    """A circle around a point."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" {paint}/>'


def bar(x: float, y: float, wide: float, high: float, paint: str) -> str:
    """A rectangle with its upper left corner there."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" {paint}/>'


def joined(points: Sequence[Place]) -> str:
    """Points as an attribute."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def marker(kind: int, x: float, y: float, size: float = 4.0, more: str = "") -> str:
    """The mark of a class, by its number."""
    colour, shape = COLOURS[kind % len(COLOURS)], SHAPES[kind // len(COLOURS) % len(SHAPES)]
    paint = f'fill="{colour}" {more}'
    if shape == "circle":
        return circle(x, y, size, paint)
    if shape == "square":
        return bar(x - size, y - size, 2 * size, 2 * size, paint)
    down = size if shape == "triangle" else 0.0
    corners = [(x, y - 1.3 * size), (x + 1.3 * size, y + down), (x, y + down or y), (x - 1.3 * size, y + down)]
    if shape == "diamond":
        corners[2] = (x, y + 1.3 * size)
    return area(corners, paint)


class Drawing:
    """Lines and words on white, in units of which `width` and `height` hold so many, y downwards: as SVG or as pixels.

    The title, where there is one, is what a screen reader says.
    """

    def __init__(self, width: int, height: int, title: str = "") -> None:
        self.width, self.height, self.title = width, height, title
        self._lines: list[tuple[Sequence[Place], str, str, float]] = []
        self._words: list[tuple[Place, str, str, str, bool]] = []

    def line(self, points: Sequence[Place], colour: str, dashes: str = "", width: float = 1.8) -> None:
        """A line through points; a dot where there is one only. dashes: lengths drawn and left out, "" for none."""
        if len(points) == 1:
            ((x, y),) = points
            points = [(x - 2, y), (x, y - 2), (x + 2, y), (x, y + 2), (x - 2, y)]
        if points:
            self._lines.append((points, colour, dashes, width))

    def words(self, x: float, y: float, said: str, end: str = "start", colour: str = INK, bold: bool = False) -> None:
        """Words with their line there; which end of it: "start", "middle" or "end"."""
        self._words.append(((x, y), said, end, colour, bold))

    def axes(self, corner: Place, size: Place, scale: Place, ticks: Sequence[tuple[float, str]]) -> Axes:
        """A value upwards, with a pale line at each tick (value, words).

        corner: the upper left one. size: width and height. scale: the values at the bottom and at the top.
        """
        (left, top), (wide, high), (low, most) = corner, size, scale

        def place(across: float, value: float) -> Place:
            return left + wide * across, top + high * (1 - (value - low) / max(most - low, 1e-9))

        for value, said in ticks:
            self.line([place(0, value), place(1, value)], PALE, width=1)
            if said:
                self.words(left - 6, place(0, value)[1] + 4, said, "end")
        return place

    def svg(self) -> str:
        """The text of an SVG file."""
        body = []
        for points, colour, dashes, width in self._lines:
            more = f' stroke-dasharray="{dashes}"' if dashes else ""
            body.append(stroke(points, f'fill="none" stroke="{colour}" stroke-width="{width:g}"{more}'))
        for (x, y), said, end, colour, bold in self._words:
            body.append(text(x, y, said, end, f'fill="{colour}"' + (' font-weight="bold"' if bold else "")))
        label = f' role="img" aria-label="{escape(self.title)}"' if self.title else ""
        lines = "\n".join(body)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}"{label} '
            f'font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="11">\n'
            f'<rect width="100%" height="100%" fill="#ffffff"/>\n{lines}\n</svg>\n'
        )

    def picture(self) -> np.ndarray:
        """As pixels, uint8 (SHARP·height, SHARP·width, 3)."""
        lines = [(points, colour, bool(dashes)) for points, colour, dashes, _ in self._lines]
        return drawn((SHARP * self.height, SHARP * self.width), lines, [one[:4] for one in self._words], SHARP)

    def write(self, path: Path) -> None:
        """As PNG where the name says so, else as SVG; ConfigError where it cannot be written."""
        part = path.with_name(f".{path.name}.part{path.suffix}")
        try:
            if path.suffix.lower() == ".png":
                save_png(part, self.picture())
            else:
                part.write_text(self.svg(), encoding="utf-8")
            os.replace(part, path)
        except OSError as error:
            raise ConfigError(f"--curve {path}: cannot be written ({error.strerror}); choose another file") from error
