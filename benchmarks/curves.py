"""Curves as an SVG document, written by hand: small panels in rows, one line a contender."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

Panel = tuple[Sequence[str], dict[str, list[float]]]
"""The levels in words, and for each contender its values, 0 to 1, one a level."""
WIDE_PX, HIGH_PX = 150, 110
"""Of a panel's drawing."""
LEFT_PX, TOP_PX, GAP_PX, BELOW_PX = 34, 40, 16, 44
COLOURS = {
    "frame": "#c0392b",
    "box": "#e08e0b",
    "hand-crop": "#2471a3",
    "hand": "#1e8449",
    "face": "#7d3c98",
    "face-crop": "#b9770e",
}
DASHES = {"frame": "", "box": "5 3", "hand-crop": "2 2", "hand": "", "face": "", "face-crop": "2 2"}


def panels(rows: dict[str, dict[str, Panel]]) -> str:
    """Rows of panels under their titles, with a legend; all panels share the axis from 0 to 1."""
    columns = max(len(row) for row in rows.values())
    width = LEFT_PX + columns * (WIDE_PX + GAP_PX)
    height = len(rows) * (TOP_PX + HIGH_PX + BELOW_PX)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="10">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for i, (title, row) in enumerate(rows.items()):
        top = i * (TOP_PX + HIGH_PX + BELOW_PX)
        parts += legend(title, list(next(iter(row.values()))[1]), top + 14)
        for j, (name, panel) in enumerate(row.items()):
            parts += drawn(name, panel, LEFT_PX + j * (WIDE_PX + GAP_PX), top + TOP_PX, axis=j == 0)
    return "\n".join([*parts, "</svg>"]) + "\n"


def legend(title: str, names: list[str], y: float) -> list[str]:
    """The row's title, and a stroke with its name for each contender."""
    parts = [text(title, LEFT_PX, y, size=12, bold=True)]
    x = LEFT_PX + 70.0
    for name in names:
        parts += [line([(x, y - 4), (x + 22, y - 4)], name), text(name, x + 27, y)]
        x += 50 + 6.5 * len(name)
    return parts


def drawn(title: str, panel: Panel, x: float, y: float, axis: bool) -> list[str]:
    """One panel with its upper left corner there."""
    levels, contenders = panel
    step = WIDE_PX / max(len(levels) - 1, 1)
    parts = [text(title, x, y - 6)]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        at = y + HIGH_PX * (1 - share)
        parts.append(f'<path d="M{x:g} {at:g}h{WIDE_PX}" stroke="#dddddd" stroke-width="1"/>')
        if axis:
            parts.append(text(f"{share:g}", x - 5, at + 3, anchor="end"))
    for i, level in enumerate(levels):
        parts.append(text(level, x + i * step, y + HIGH_PX + 13, anchor="middle"))
    for name, values in contenders.items():
        points = [(x + i * step, y + HIGH_PX * (1 - value)) for i, value in enumerate(values)]
        parts.append(line(points, name))
    return parts


def line(points: list[tuple[float, float]], name: str) -> str:
    """A contender's stroke through points."""
    at = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dash = f' stroke-dasharray="{DASHES[name]}"' if DASHES.get(name) else ""
    colour = COLOURS.get(name, "#555555")
    return f'<polyline points="{at}" fill="none" stroke="{colour}" stroke-width="1.8"{dash}/>'


def text(words: str, x: float, y: float, anchor: str = "start", size: int = 10, bold: bool = False) -> str:
    """Words with their baseline there."""
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{weight} fill="#222222">'
        f"{escape(words)}</text>"
    )
