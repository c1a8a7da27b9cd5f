"""The curves of a training as SVG or PNG: loss and accuracy, taught and held out, and where the second phase begins."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10
from pathlib import Path

from device.report.svg import DASHES, GREY, Axes, Drawing
from edge_tl.errors import ConfigError
from edge_tl.heads import Head, TunedHead
from edge_tl.nn import Epoch

WIDTH, HEIGHT, LEFT, TOP, GAP = 520, 200, 52, 26, 34
RIGHT = 12
COLOURS = ("#2471a3", "#c0392b")
"""Of what was taught, and of what was held out."""
Values = Sequence[float | None]
"""One an epoch; None where nothing was held out."""


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
    drawing = Drawing(WIDTH, 2 * HEIGHT + GAP)
    chart(drawing, "loss", [one[1] for one in curve], [one[0] for one in held], kink, 0)
    chart(drawing, "accuracy", [one[2] for one in curve], [one[1] for one in held], kink, HEIGHT + GAP)
    drawing.write(path)


def draw_phases(path: Path, curve: Sequence[Epoch], kink: int, said: str) -> None:
    """Write the loss of a training whose second phase begins after `kink` epochs, as powers of ten; as draw_training.

    said: what the second phase trains.
    """
    drawing = Drawing(WIDTH, HEIGHT)
    taught, held = [one.loss for one in curve], [one.validation_loss for one in curve]
    chart(drawing, "loss", taught, held, kink, 0, said, logs=True)
    drawing.write(path)


def chart(
    drawing: Drawing,
    title: str,
    taught: Values,
    held: Values,
    kink: int,
    down: float,
    said: str = "the dense layer too",
    logs: bool = False,
) -> None:
    """One of the two, with what its lines are, and what is trained from epoch `kink` on (said)."""
    place = epochs(drawing, title, [(taught, COLOURS[0], ""), (held, COLOURS[1], "")], down, logs=logs)
    drawing.words(LEFT + 70, down + 14, "taught", colour=COLOURS[0])
    if any(value is not None for value in held):
        drawing.words(LEFT + 120, down + 14, "held out", colour=COLOURS[1])
    if 0 < kink < len(taught):
        x = place(kink / (len(taught) - 1), 0)[0]
        drawing.line([(x, down + TOP), (x, down + HEIGHT - 22)], GREY, DASHES, 1)
        drawing.words(x + 4, down + TOP + 12, said)


def epochs(
    drawing: Drawing,
    title: str,
    lines: Sequence[tuple[Values, str, str]],
    down: float,
    low: float = 0.0,
    logs: bool = False,
) -> Axes:
    """Lines (values, colour, dashes): epochs to the right, the value upwards.

    From `low` to the largest value, 1 for "accuracy"; with `logs` from a power of ten to another.
    """
    values = [value for line, _, _ in lines for value in line if value is not None]
    most, steps = max(1.0 if title == "accuracy" else max(values), 1e-9), 4
    if logs:
        low, most = floor(log10(max(min(values), 1e-9))), ceil(log10(most))
        steps = max(1, round(most - low))
    heights = [low + (most - low) * number / steps for number in range(steps + 1)]
    ticks = [(height, f"{10**height if logs else height:.3g}") for height in heights]
    wide = WIDTH - LEFT - RIGHT
    place = drawing.axes((LEFT, down + TOP), (wide, HEIGHT - TOP - 22), (low, most), ticks)
    last = max(len(line) for line, _, _ in lines)
    for line, colour, dashes in lines:
        points = [
            place(number / max(last - 1, 1), log10(max(value, 1e-9)) if logs else value)
            for number, value in enumerate(line)
            if value is not None
        ]
        drawing.line(points, colour, dashes)
    drawing.words(LEFT, down + 14, title)
    drawing.words(LEFT, down + HEIGHT - 6, "epoch 1")
    drawing.words(LEFT + wide, down + HEIGHT - 6, str(last), "end")
    return place
