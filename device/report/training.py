"""The curves of a training as SVG or PNG: loss and accuracy, taught and held out, and where the second phase begins."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, floor, log10
from pathlib import Path

import numpy as np

from device.report.svg import text
from edge_tl.errors import ConfigError
from edge_tl.heads import Head, TunedHead
from edge_tl.media.image import drawn, save_png
from edge_tl.nn import Epoch

WIDTH, HEIGHT, LEFT, TOP, GAP = 520, 200, 52, 26, 34
COLOURS = ("#2471a3", "#c0392b")
"""Of what was taught, and of what was held out."""
INK, GREY, PALE = "#222222", "#888888", "#dddddd"
SHARP = 2
"""A PNG has so many pixels for each unit of the SVG."""
Line = Sequence[float | None]
Place = tuple[float, float]


@dataclass
class Drawing:
    """Lines and words, in the units of the SVG, y downwards."""

    lines: list[tuple[list[Place], str, bool]] = field(default_factory=list)
    """Points, colour, dashed."""
    words: list[tuple[Place, str, str, str]] = field(default_factory=list)
    """Where its line stands, the text, which end of it is there ("start" or "end"), colour."""

    def svg(self, width: int, height: int) -> str:
        """As the text of an SVG file."""
        parts = []
        for points, colour, dashed in self.lines:
            joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            more = ' stroke-dasharray="4 3"' if dashed else ""
            parts.append(f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="1.4"{more}/>')
        for (x, y), said, anchor, colour in self.words:
            parts.append(f'<g fill="{colour}">{text(x, y, said, anchor)}</g>')
        body = "\n".join(parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="11">\n'
            f'<rect width="100%" height="100%" fill="#ffffff"/>\n{body}\n</svg>\n'
        )

    def picture(self, width: int, height: int) -> np.ndarray:
        """As pixels, uint8 (SHARP·height, SHARP·width, 3)."""
        return drawn((SHARP * height, SHARP * width), self.lines, self.words, SHARP)


def draw_training(path: Path, head: Head) -> None:
    """Write the curves of a trained head, as PNG where the name says so, else as SVG.

    ConfigError where it has none (ridge, kNN and prototype are one step) or the file cannot be written.
    """
    curve = head.curve_
    if not curve:
        raise ConfigError(
            f"--curve: a {head.name} head is trained in one step and has no curve; softmax, mlp, tuned do"
        )
    held: list[tuple[float | None, float | None]] = [(None, None)] * len(curve)
    kink = 0
    if isinstance(head, TunedHead):
        held, kink = [(one.validation_loss, one.validation_score) for one in head.epochs_], head.kink_
    drawing = Drawing()
    chart(drawing, "loss", [one[1] for one in curve], [one[0] for one in held], kink, 0)
    chart(drawing, "accuracy", [one[2] for one in curve], [one[1] for one in held], kink, HEIGHT + GAP)
    write_drawing(path, drawing, 2 * HEIGHT + GAP)


def draw_phases(path: Path, curve: Sequence[Epoch], kink: int, said: str) -> None:
    """Write the loss of a training whose second phase begins after `kink` epochs, as powers of ten; as draw_training.

    said: what the second phase trains.
    """
    drawing = Drawing()
    taught, held = [one.loss for one in curve], [one.validation_loss for one in curve]
    chart(drawing, "loss", taught, held, kink, 0, said, logs=True)
    write_drawing(path, drawing, HEIGHT)


def write_drawing(path: Path, drawing: Drawing, height: int) -> None:
    """As PNG where the name says so, else as SVG; ConfigError where it cannot be written."""
    size = WIDTH, height
    part = path.with_name(f".{path.name}.part{path.suffix}")
    try:
        if path.suffix.lower() == ".png":
            save_png(part, drawing.picture(*size))
        else:
            part.write_text(drawing.svg(*size), encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise ConfigError(f"--curve {path}: cannot be written ({error.strerror}); choose another file") from error


def chart(
    drawing: Drawing,
    title: str,
    taught: Line,
    held: Line,
    kink: int,
    down: float,
    said: str = "the dense layer too",
    logs: bool = False,
) -> None:
    """One of the two: epochs to the right, the value upwards from 0, or, with `logs`, from a power of ten to another.

    said: what is trained from epoch `kink` on.
    """
    values = [value for value in (*taught, *held) if value is not None]
    low, top, steps = 0.0, max(1.0 if title == "accuracy" else max(values), 1e-9), 4
    if logs:
        low, top = floor(log10(max(min(values), 1e-9))), ceil(log10(top))
        steps = max(1, round(top - low))
    wide, high = WIDTH - LEFT - 12, HEIGHT - TOP - 22

    def place(number: int, value: float) -> Place:
        up = (log10(max(value, 1e-9)) - low) / max(top - low, 1) if logs else value / top
        return LEFT + wide * number / max(len(taught) - 1, 1), down + TOP + high * (1 - up)

    drawing.words.append(((LEFT, down + 14), title, "start", INK))
    for number in range(steps + 1):
        y = down + TOP + high * number / steps
        drawing.lines.append(([(LEFT, y), (LEFT + wide, y)], PALE, False))
        value = 10 ** (top - number) if logs else top * (1 - number / steps)
        drawing.words.append(((LEFT - 6, y + 4), f"{value:g}" if logs else f"{value:.2g}", "end", INK))
    for line, colour, name in zip((taught, held), COLOURS, ("taught", "held out"), strict=True):
        points = [place(number, value) for number, value in enumerate(line) if value is not None]
        if points:
            drawing.lines.append((points, colour, False))
            drawing.words.append(((LEFT + (70 if name == "taught" else 120), down + 14), name, "start", colour))
    if 0 < kink < len(taught):
        x = place(kink, 0.0)[0]
        drawing.lines.append(([(x, down + TOP), (x, down + TOP + high)], GREY, True))
        drawing.words.append(((x + 4, down + TOP + 12), said, "start", INK))
    drawing.words.append(((LEFT, down + HEIGHT - 6), "epoch 1", "start", INK))
    drawing.words.append(((LEFT + wide, down + HEIGHT - 6), str(len(taught)), "end", INK))
