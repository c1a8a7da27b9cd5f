"""The report's charts as inline SVG. Axes take the colour of the page's text: they are right in the dark too."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import isfinite

import numpy as np

from device.report.svg import COLOURS, Place, area, bar, circle, marker, stroke, text
from edge_tl.judge.calibration import Reliability
from edge_tl.judge.learning_curve import Point

LEFT, RIGHT, TOP, BOTTOM = 44, 20, 18, 40
WIDTH, HEIGHT = 420, 280


def scatter(points: np.ndarray, kinds: Sequence[int], ringed: frozenset[int], title: str) -> str:
    """Points (N, 2) in the marks of their classes; the ringed ones (positions) lie above the others."""
    low, high = points.min(axis=0), points.max(axis=0)
    scale = min((WIDTH - 24) / max(high[0] - low[0], 1e-9), (HEIGHT - 24) / max(high[1] - low[1], 1e-9))
    middle = (low + high) / 2
    drawn: list[str] = []
    above: list[str] = []
    for i, (point, kind) in enumerate(zip(points, kinds, strict=True)):
        x = WIDTH / 2 + (point[0] - middle[0]) * scale
        y = HEIGHT / 2 - (point[1] - middle[1]) * scale
        (above if i in ringed else drawn).append(marker(kind, x, y, 3.2, 'fill-opacity="0.75"'))
        if i in ringed:
            above.append(circle(x, y, 7.5, 'class="ring"'))
    return frame("".join(drawn + above), title)


def curve(points: Sequence[Point], title: str) -> str:
    """Accuracy against the number of taught takes, with the range of the draws."""
    most = max(point.takes for point in points)
    bottom = max(0.0, np.floor(10 * min(point.low for point in points) - 0.01) / 10)

    def at(takes: float, value: float) -> Place:
        across = (takes - 1) / (most - 1) if most > 1 else 0.5
        return LEFT + 10 + across * (WIDTH - LEFT - RIGHT - 20), rise(value, bottom)

    band = [at(p.takes, p.high) for p in points] + [at(p.takes, p.low) for p in reversed(points)]
    line = [at(p.takes, p.accuracy) for p in points]
    parts = [shares(bottom)]
    parts.append(area(band, f'fill="{COLOURS[0]}" fill-opacity="0.18"'))
    parts.append(stroke(line, f'fill="none" stroke="{COLOURS[0]}" stroke-width="2.5"'))
    for point, (x, y) in zip(points, line, strict=True):
        parts.append(marker(0, x, y, 4))
        parts.append(text(x, HEIGHT - BOTTOM + 16, str(point.takes)))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "training takes of each class"))
    return frame("".join(parts), title)


def calibration(of: Reliability, title: str) -> str:
    """The share of right answers against the confidence: on the diagonal both are the same."""
    wide = WIDTH - LEFT - RIGHT
    parts = [shares(0.0)]
    most = max(one.count for one in of.bins)
    for one in of.bins:
        if not one.count:
            continue
        x, y = LEFT + one.low * wide, rise(one.accuracy, 0.0)
        width = (one.high - one.low) * wide - 2
        # The fuller a bar, the more answers it stands for.
        opacity = 0.25 + 0.6 * (one.count / most) ** 0.5
        paint = f'fill="{COLOURS[0]}" fill-opacity="{opacity:.2f}"'
        parts.append(bar(x + 1, y, width, HEIGHT - BOTTOM - y, paint))
        parts.append(text(x + width / 2, min(y - 4, HEIGHT - BOTTOM - 4), str(one.count)))
    parts.append(stroke([(LEFT, rise(0, 0)), (WIDTH - RIGHT, rise(1, 0))], 'class="ideal"'))
    for share in (0.0, 0.5, 1.0):
        parts.append(text(LEFT + share * wide, HEIGHT - BOTTOM + 16, f"{share:.0%}"))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "confidence of the answer"))
    return frame("".join(parts), title)


def shares(bottom: float) -> str:
    """The vertical scale from a share to 100 %."""
    lines = []
    step = 0.25 if not bottom else 0.2 if bottom < 0.5 else 0.1
    for share in np.arange(1, bottom - 1e-9, -step):
        y = rise(float(share), bottom)
        lines.append(stroke([(LEFT, y), (WIDTH - RIGHT, y)], 'class="grid"'))
        lines.append(text(LEFT - 6, y + 4, f"{share:.0%}", "end"))
    return "".join(lines)


def rise(share: float, bottom: float) -> float:
    """Where a share lies between the bottom of the scale and 100 %."""
    share = share if isfinite(share) else bottom
    return HEIGHT - BOTTOM - (share - bottom) / (1 - bottom) * (HEIGHT - TOP - BOTTOM)


def frame(inner: str, title: str) -> str:
    """The chart itself; the title is what a screen reader says."""
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{inner}</svg>"
    )
