"""The curves of several trainings of the same examples as one SVG: loss and accuracy, a colour for each."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from device.report.svg import COLOURS, text
from edge_tl.errors import ConfigError
from edge_tl.nn import Epoch

WIDTH, HEIGHT, LEFT, TOP, BOTTOM, GAP = 560, 250, 52, 44, 24, 20
Line = Sequence[float | None]


def draw_modes(path: Path, curves: Mapping[str, Sequence[Epoch]], title: str) -> None:
    """Write the curves of the modes; what was trained on is dashed where something was held out, which is drawn full.

    ConfigError where the file cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(drawing(curves, title), encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise ConfigError(f"--curve {path}: cannot be written ({error.strerror}); choose another file") from error


def drawing(curves: Mapping[str, Sequence[Epoch]], title: str) -> str:
    """The SVG."""
    loss = {
        name: ([one.loss for one in curve], [one.validation_loss for one in curve]) for name, curve in curves.items()
    }
    right = {
        name: ([one.score for one in curve], [one.validation_score for one in curve]) for name, curve in curves.items()
    }
    held = any(one.validation_loss is not None for curve in curves.values() for one in curve)
    drawn = [chart("loss", loss, 0), chart("accuracy", right, HEIGHT + GAP)]
    keys = []
    for number, name in enumerate(curves):
        x = LEFT + 110 * number
        keys.append(f'<path d="M{x} 28h22" stroke="{COLOURS[number]}" stroke-width="2.5"/>')
        keys.append(text(x + 28, 32, name, "start"))
    if held:
        keys.append(text(WIDTH - 12, 32, "full: held out, dashed: trained on", "end"))
    body = "\n".join([text(LEFT, 15, title, "start"), *keys, *drawn])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {2 * HEIGHT + GAP}" role="img" '
        f'aria-label="{escape(title)}" font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="11">\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


def chart(title: str, lines: Mapping[str, tuple[Line, Line]], down: float) -> str:
    """One of the two: epochs to the right, the value upwards; accuracies from a little below the least."""
    values = [value for both in lines.values() for line in both for value in line if value is not None]
    accuracy = title == "accuracy"
    bottom = max(0.0, int(10 * min(values)) / 10) if accuracy else 0.0
    top = 1.0 if accuracy else max(*values, 1e-9)
    epochs = max(len(both[0]) for both in lines.values())
    wide, high = WIDTH - LEFT - 12, HEIGHT - TOP - BOTTOM
    span = max(top - bottom, 1e-9)

    def place(number: int, value: float) -> str:
        x = LEFT + wide * number / max(epochs - 1, 1)
        return f"{x:.1f},{down + TOP + high * (1 - (value - bottom) / span):.1f}"

    parts = [text(8, down + TOP - 8, title, "start")]
    for number in range(5):
        y = down + TOP + high * number / 4
        parts.append(f'<path d="M{LEFT} {y:.1f}H{LEFT + wide}" stroke="#dddddd"/>')
        parts.append(text(LEFT - 6, y + 4, f"{top - span * number / 4:.3g}", "end"))
    for number, both in enumerate(lines.values()):
        held = any(value is not None for value in both[1])
        for line, dashes in zip(both, ('stroke-dasharray="4 3" stroke-opacity="0.7"' if held else "", ""), strict=True):
            points = [place(at, value) for at, value in enumerate(line) if value is not None]
            if len(points) == 1:
                across, up = points[0].split(",")
                parts.append(f'<circle cx="{across}" cy="{up}" r="3" fill="{COLOURS[number]}"/>')
            elif points:
                paint = f'fill="none" stroke="{COLOURS[number]}" stroke-width="1.8" {dashes}'
                parts.append(f'<polyline points="{" ".join(points)}" {paint}/>')
    parts.append(text(LEFT, down + HEIGHT - 6, "epoch 1", "start"))
    parts.append(text(LEFT + wide, down + HEIGHT - 6, str(epochs), "end"))
    return "\n".join(parts)
