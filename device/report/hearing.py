"""What each threshold of listening does, as SVG or PNG: words told against false alarms an hour (the ROC)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from device.report.training import COLOURS, GREY, HEIGHT, INK, LEFT, PALE, TOP, WIDTH, Drawing, Place, write_drawing
from edge_tl.errors import ConfigError
from edge_tl.listener import Tried

STEPS = 4
BESIDE = 12
"""Room on the right."""


def draw_thresholds(path: Path, made: Sequence[Tried], used: float) -> None:
    """Write the curve, as PNG where the name says so, else as SVG; the threshold in use is marked.

    ConfigError where there were no words to tell or no sound to be alarmed by, or the file cannot be written.
    """
    if not made or not made[0].words or not made[0].hours:
        raise ConfigError(
            "--curve of words needs recordings that were left out and --against PATH, sounds in which none is said"
        )
    drawing, height = Drawing(), 2 * HEIGHT
    wide, high = WIDTH - LEFT - BESIDE, height - TOP - 40
    most = max(1.0, *(one.alarms_per_hour for one in made))

    def place(alarms: float, told: float) -> Place:
        # A square root: few false alarms is where the difference matters, and none must have its place too.
        return LEFT + wide * (alarms / most) ** 0.5, TOP + high * (1 - told)

    for step in range(STEPS + 1):
        share, alarms = step / STEPS, most * (step / STEPS) ** 2
        drawing.lines.append(([place(0, share), place(most, share)], PALE, False))
        drawing.lines.append(([place(alarms, 0), place(alarms, 1)], PALE, False))
        drawing.words.append(((LEFT - 6, place(0, share)[1] + 4), f"{share:.0%}", "end", INK))
        drawing.words.append(((place(alarms, 0)[0], TOP + high + 16), f"{alarms:.3g}", "end" if step else "start", INK))
    ordered = sorted(made, key=lambda one: one.threshold)
    points = [place(one.alarms_per_hour, one.heard / one.words) for one in ordered]
    drawing.lines.append((points, COLOURS[0], False))
    x, y = points[[one.threshold for one in ordered].index(used)]
    drawing.lines += [([(x, TOP), (x, TOP + high)], GREY, True), ([(LEFT, y), (LEFT + wide, y)], GREY, True)]
    end = "start" if x < LEFT + wide / 2 else "end"
    drawing.words.append(((x + (4 if end == "start" else -4), y + 14), f"threshold {used:g}", end, COLOURS[1]))
    drawing.words.append(((LEFT, 14), "words told, each left out of what was taught", "start", INK))
    drawing.words.append(((LEFT + wide, height - 6), "false alarms an hour", "end", INK))
    write_drawing(path, drawing, height)
