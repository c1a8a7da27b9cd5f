"""What each threshold of listening does, as SVG or PNG: words told against false alarms an hour (the ROC)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from device.report.svg import DASHES, GREY, PALE, Drawing, Place
from device.report.training import COLOURS, HEIGHT, LEFT, RIGHT, TOP, WIDTH
from edge_tl.errors import ConfigError
from edge_tl.listener import ThresholdOutcome

STEPS = 4


def draw_thresholds(path: Path, made: Sequence[ThresholdOutcome], used: float) -> None:
    """Write the curve, as PNG where the name says so, else as SVG; the threshold in use is marked.

    ConfigError where there were no words to tell or no sound to be alarmed by, or the file cannot be written.
    """
    if not made or not made[0].words or not made[0].hours:
        raise ConfigError(
            "--curve of words needs recordings that were left out and --against PATH, sounds in which none is said"
        )
    height = 2 * HEIGHT
    drawing = Drawing(WIDTH, height)
    wide, high = WIDTH - LEFT - RIGHT, height - TOP - 40
    most = max(1.0, *(one.alarms_per_hour for one in made))
    shares = [step / STEPS for step in range(STEPS + 1)]
    on = drawing.axes((LEFT, TOP), (wide, high), (0, 1), [(share, f"{share:.0%}") for share in shares])

    def place(alarms: float, told: float) -> Place:
        # A square root: few false alarms is where the difference matters, and none must have its place too.
        return on((alarms / most) ** 0.5, told)

    for share in shares:
        alarms = most * share**2
        drawing.line([place(alarms, 0), place(alarms, 1)], PALE, width=1)
        drawing.words(place(alarms, 0)[0], TOP + high + 16, f"{alarms:.3g}", "end" if share else "start")
    ordered = sorted(made, key=lambda one: one.threshold)
    points = [place(one.alarms_per_hour, one.heard / one.words) for one in ordered]
    drawing.line(points, COLOURS[0])
    x, y = points[[one.threshold for one in ordered].index(used)]
    drawing.line([(x, TOP), (x, TOP + high)], GREY, DASHES, 1)
    drawing.line([(LEFT, y), (LEFT + wide, y)], GREY, DASHES, 1)
    end = "start" if x < LEFT + wide / 2 else "end"
    drawing.words(x + (4 if end == "start" else -4), y + 14, f"threshold {used:g}", end, COLOURS[1])
    drawing.words(LEFT, 14, "detection rate on held-out recordings")
    drawing.words(LEFT + wide, height - 6, "false alarms an hour", "end")
    drawing.write(path)
