"""The curves of several trainings of the same examples in one drawing: loss and accuracy, a colour for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from device.report.svg import COLOURS, DASHES, Drawing
from device.report.training import GAP, HEIGHT, LEFT, RIGHT, WIDTH, Values, epochs
from edge_tl.nn import Epoch

HEAD = 40
"""Room for the title and the names of the modes."""


def modes_drawing(curves: Mapping[str, Sequence[Epoch]], title: str) -> Drawing:
    """The drawing; what was trained on is dashed where something was held out, which is drawn full."""
    drawing = Drawing(WIDTH, HEAD + 2 * HEIGHT + GAP, title)
    drawing.words(LEFT, 15, title, bold=True)
    held = any(one.validation_loss is not None for curve in curves.values() for one in curve)
    if held:
        drawing.words(WIDTH - RIGHT, HEAD + 14, "full: held out, dashed: trained on", "end")
    loss: list[tuple[Values, str, str]] = []
    right: list[tuple[Values, str, str]] = []
    for number, (name, curve) in enumerate(curves.items()):
        x, colour = LEFT + 110 * number, COLOURS[number]
        drawing.line([(x, 28), (x + 22, 28)], colour, width=2.5)
        drawing.words(x + 28, 32, name)
        dashes = DASHES if held else ""
        loss += [([one.loss for one in curve], colour, dashes), ([one.validation_loss for one in curve], colour, "")]
        right += [([one.score for one in curve], colour, dashes), ([one.validation_score for one in curve], colour, "")]
    least = min(value for values, _, _ in right for value in values if value is not None)
    epochs(drawing, "loss", loss, HEAD)
    # From a little below the least.
    epochs(drawing, "accuracy", right, HEAD + HEIGHT + GAP, low=max(0.0, int(10 * least) / 10))
    return drawing
