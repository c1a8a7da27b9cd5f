"""Curves as an SVG document: small panels in rows, one line a contender."""

from __future__ import annotations

from collections.abc import Sequence

from device.report.svg import Drawing

Panel = tuple[Sequence[str], dict[str, list[float]]]
"""The levels in words, and for each contender its values, 0 to 1, one a level."""
WIDE_PX, HIGH_PX = 150, 110
"""Of a panel's drawing."""
LEFT_PX, TOP_PX, GAP_PX, BELOW_PX = 34, 40, 16, 44
STROKES = {
    "frame": ("#c0392b", ""),
    "box": ("#e08e0b", "5 3"),
    "hand-crop": ("#2471a3", "2 2"),
    "hand": ("#1e8449", ""),
    "face": ("#7d3c98", ""),
    "face-crop": ("#b9770e", "2 2"),
}
"""Of each contender: colour and dashes."""
OTHER = ("#555555", "")


def panels(rows: dict[str, dict[str, Panel]]) -> str:
    """Rows of panels under their titles, with a legend; all panels share the axis from 0 to 1."""
    columns, row_px = max(len(row) for row in rows.values()), TOP_PX + HIGH_PX + BELOW_PX
    drawing = Drawing(LEFT_PX + columns * (WIDE_PX + GAP_PX), len(rows) * row_px)
    for i, (title, row) in enumerate(rows.items()):
        top = i * row_px
        legend(drawing, title, list(next(iter(row.values()))[1]), top + 14)
        for j, (name, panel) in enumerate(row.items()):
            draw(drawing, name, panel, LEFT_PX + j * (WIDE_PX + GAP_PX), top + TOP_PX, axis=j == 0)
    return drawing.svg()


def legend(drawing: Drawing, title: str, names: list[str], y: float) -> None:
    """The row's title, and a stroke with its name for each contender."""
    drawing.words(LEFT_PX, y, title, bold=True)
    x = LEFT_PX + 70.0
    for name in names:
        drawing.line([(x, y - 4), (x + 22, y - 4)], *STROKES.get(name, OTHER))
        drawing.words(x + 27, y, name)
        x += 50 + 7 * len(name)


def draw(drawing: Drawing, title: str, panel: Panel, x: float, y: float, axis: bool) -> None:
    """One panel with its upper left corner there."""
    levels, contenders = panel
    ticks = [(share, f"{share:g}" if axis else "") for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    place = drawing.axes((x, y), (WIDE_PX, HIGH_PX), (0, 1), ticks)
    drawing.words(x, y - 6, title)
    steps = max(len(levels) - 1, 1)
    for i, level in enumerate(levels):
        drawing.words(place(i / steps, 0)[0], y + HIGH_PX + 13, level, "middle")
    for name, values in contenders.items():
        drawing.line([place(i / steps, value) for i, value in enumerate(values)], *STROKES.get(name, OTHER))
