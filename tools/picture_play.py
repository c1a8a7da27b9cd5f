"""Draws docs/play.svg, the README's terminal picture, from the real demo in a real pseudo-terminal.

Run from the checkout: python tools/picture_play.py [SECONDS]
"""

from __future__ import annotations

import re
import sys
import tempfile
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "parts")]

from terminal_pty import Pty  # noqa: E402

CELL_WIDTH_PX, CELL_HEIGHT_PX = 8, 17
NAMED = {
    "default": "d8d8d8", "black": "000000", "red": "cd3131", "green": "0dbc79", "brown": "e5e510", "blue": "3b8eea",
    "magenta": "bc3fbc", "cyan": "11a8cd", "white": "e5e5e5",
}  # fmt: skip
# Block elements are drawn as rectangles, (x, y, width, height) in parts of a cell: fonts leave gaps between them.
BLOCKS = {"▀": (0, 0, 1, 0.5), "▄": (0, 0.5, 1, 0.5), "█": (0, 0, 1, 1), "▌": (0, 0, 0.5, 1)}


def colour(name: str, background: bool) -> str:
    """A colour as pyte names it, as #rrggbb."""
    if background and name == "default":
        return "#111318"
    return "#" + NAMED.get(name, name)


def rectangle(x: float, y: float, width: float, height: float, fill: str) -> str:
    """An SVG rectangle with its corner in pixels."""
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{fill}"/>'


def draw(pty: Pty, rows: int, columns: int) -> str:
    """The screen as an SVG document."""
    width, height = columns * CELL_WIDTH_PX, rows * CELL_HEIGHT_PX
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="13.3" shape-rendering="crispEdges">',
        rectangle(0, 0, width, height, "#111318"),
    ]
    screen = pty.screen()
    for row in range(rows):
        line = screen[row].ljust(columns)
        for column in range(columns):
            text = line[column]
            front, back = pty.colour_at(row, column)
            x, y = column * CELL_WIDTH_PX, row * CELL_HEIGHT_PX
            if back not in ("default", "000000"):
                parts.append(rectangle(x, y, CELL_WIDTH_PX, CELL_HEIGHT_PX, colour(back, True)))
            if text in BLOCKS:
                left, top, wide, high = BLOCKS[text]
                parts.append(
                    rectangle(
                        x + left * CELL_WIDTH_PX,
                        y + top * CELL_HEIGHT_PX,
                        wide * CELL_WIDTH_PX,
                        high * CELL_HEIGHT_PX,
                        colour(front, False),
                    )
                )
            elif text != " ":
                parts.append(f'<text x="{x}" y="{y + 13}" fill="{colour(front, False)}">{escape(text)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def sure(pty: Pty) -> bool:
    """Whether the steady label is also the likeliest of this moment, and a direction."""
    text = "\n".join(pty.screen())
    label = re.search(r"→ (up|down|left|right)\b", text)
    return label is not None and re.search(rf"{label[1]} +█+▌? +(9\d|100)%", text) is not None


def main() -> None:
    """Run the demo, stop it in the middle of the game, and draw what stands there."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 12.0
    rows, columns = 24, 80
    code = "import sys; from device.commands.main import main; sys.exit(main())"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", code, "demo", "--seconds", "120", "--data-dir", folder]
        with Pty.spawn(command, rows, columns) as pty:
            pty.wait_for("frames/s", deadline_s=60)
            pty.wait_until(lambda one: len(one.raw) > seconds * 8000 and sure(one), deadline_s=90, what="some play")
            (ROOT / "docs" / "play.svg").write_text(draw(pty, rows, columns))


if __name__ == "__main__":
    main()
