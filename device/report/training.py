"""The curves of a training as one SVG: loss and accuracy, taught and held out, and where the second phase begins."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from device.report.svg import text
from edge_tl.errors import ConfigError
from edge_tl.heads import Head

WIDTH, HEIGHT, LEFT, TOP, GAP = 520, 200, 52, 26, 34
COLOURS = ("#2471a3", "#c0392b")
"""Of what was taught, and of what was held out."""
Line = Sequence[float | None]


def draw_training(path: Path, head: Head) -> None:
    """Write the curves of a trained head; ConfigError where it has none (ridge, kNN and prototype are one step)."""
    curve: Any = getattr(head, "curve_", None)
    if not curve:
        raise ConfigError(
            f"--curve: a {head.name} head is trained in one step and has no curve; softmax, mlp, tuned do"
        )
    epochs: Any = getattr(head, "epochs_", [])
    held = [(one.validation_loss, one.validation_score) for one in epochs] or [(None, None)] * len(curve)
    kink = int(getattr(head, "kink_", 0)) if len({one.number for one in epochs}) else 0
    loss = chart("loss", [one[1] for one in curve], [one[0] for one in held], kink, 0)
    accuracy = chart("accuracy", [one[2] for one in curve], [one[1] for one in held], kink, HEIGHT + GAP)
    body = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {2 * HEIGHT + GAP}" '
        f'font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="11">\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n{loss}\n{accuracy}\n</svg>\n'
    )
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(body, encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise ConfigError(f"--curve {path}: cannot be written ({error.strerror}); choose another file") from error


def chart(title: str, taught: Line, held: Line, kink: int, down: float) -> str:
    """One of the two: epochs to the right, the value upwards from 0."""
    values = [value for value in (*taught, *held) if value is not None]
    top = max(1.0 if title == "accuracy" else max(values), 1e-9)
    wide, high = WIDTH - LEFT - 12, HEIGHT - TOP - 22

    def place(number: int, value: float) -> tuple[float, float]:
        return LEFT + wide * number / max(len(taught) - 1, 1), down + TOP + high * (1 - value / top)

    parts = [text(LEFT, down + 14, title, "start")]
    for number in range(5):
        y = down + TOP + high * number / 4
        parts.append(f'<path d="M{LEFT} {y:.1f}H{LEFT + wide}" stroke="#dddddd"/>')
        parts.append(text(LEFT - 6, y + 4, f"{top * (1 - number / 4):.2g}", "end"))
    for line, colour, name in zip((taught, held), COLOURS, ("taught", "held out"), strict=True):
        points = [place(number, value) for number, value in enumerate(line) if value is not None]
        if points:
            joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
            parts.append(
                f'<g fill="{colour}">{text(LEFT + (70 if name == "taught" else 120), down + 14, name, "start")}</g>'
            )
    if 0 < kink < len(taught):
        x = place(kink, 0.0)[0]
        parts.append(f'<path d="M{x:.1f} {down + TOP}V{down + TOP + high}" stroke="#888888" stroke-dasharray="4 3"/>')
        parts.append(text(x + 4, down + TOP + 12, "the dense layer too", "start"))
    parts.append(text(LEFT, down + HEIGHT - 6, "epoch 1", "start"))
    parts.append(text(LEFT + wide, down + HEIGHT - 6, str(len(taught)), "end"))
    return "\n".join(parts)
