"""What the camera sees and what is made of it, drawn beside the game or the classes."""

from __future__ import annotations

import numpy as np

from device.screens.cells import fit, shrink
from device.screens.chart import bars
from device.screens.terminal import Terminal
from edge_tl.embedders.look.marks import Mark, marks
from edge_tl.embedders.look.ways import way_of
from edge_tl.errors import counted
from edge_tl.line import Line, Sight
from edge_tl.line.movement import MovementLine
from edge_tl.media.image import marked
from edge_tl.movements.spotter import FoundMovement


def draw_picture(
    term: Terminal,
    row: int,
    column: int,
    rows: int,
    columns: int,
    line: Line,
    sight: Sight | None,
    found: list[Mark] | None = None,
) -> None:
    """The newest frame in half blocks, `rows` × `columns` cells, with what was looked at, under its source's name.

    Of sound, the spectrogram of the last seconds. found: drawn instead of what the embedder found.
    """
    term.put(row, column, fit(line.source.name, columns), "grey")
    if line.state != "open":
        what = "microphone" if line.kind == "sound" else "camera"
        term.put(row + rows // 2, column, fit(f"{what} lost, searching for it …", columns), "red", bold=True)
    elif sight is None:
        what = "microphone" if line.kind == "sound" else "camera"
        term.put(row + rows // 2, column, fit(f"waiting for the {what} …", columns), "grey")
    elif line.kind == "sound":
        if rows > 0 and columns > 0:
            high, wide = term.fitting(rows, columns)
            term.picture(row + 1 + (rows - high) // 2, column, line.picture(2 * high, wide), high, wide)
    elif rows > 0 and columns > 0:
        picture = sight.frame.data
        if found is None and isinstance(line, MovementLine):
            found = line.marks()
        elif found is None:
            found = marks(line.recognizer.embedder, picture.shape)
        high, wide = term.fitting(rows, columns)
        down, right = (rows - high) // 2, (columns - wide) // 2
        term.picture(row + 1 + down, column + right, preview(picture, found, 2 * high, wide), high, wide)
        if (missing := missing_text(line)) and not found:
            term.put(row + rows, column, f" {missing} "[:columns], "orange", bold=True)


def preview(picture: np.ndarray, found: list[Mark], height: int, width: int) -> np.ndarray:
    """The whole picture, as large as it fits, in uint8 (height, width, 3); outlines and points are drawn over it.

    What is beside it is black: of a wide or upright picture all is seen, so a hand at its border is.
    """
    rows, columns = picture.shape[:2]
    high, wide = min(height, max(1, round(rows * width / columns))), min(width, max(1, round(columns * height / rows)))
    small = shrink(picture, high, wide)
    if found:
        scale = np.array((wide / columns, high / rows))
        small = marked(small, [mark.outline * scale for mark in found], [mark.points * scale for mark in found])
    top, left = (height - high) // 2, (width - wide) // 2
    drawn = np.zeros((height, width, 3), np.uint8)
    drawn[top : top + high, left : left + wide] = small
    return drawn


def missing_text(line: Line) -> str:
    """`no hand` or `no face` where the embedder looks for one and found none, else nothing."""
    if isinstance(line, MovementLine):
        return "no hand" if line.sight is not None and line.hand is None else ""
    finder = line.recognizer.finder
    return f"no {finder.looks_for}" if finder is not None and finder.seen is None else ""


def way_text(line: Line) -> str:
    """What of the picture counts, for a title."""
    return f"{'hears' if line.kind == 'sound' else 'look'}: {way_of(line.recognizer.embedder)}"


def draw_movements(term: Terminal, row: int, column: int, columns: int, line: MovementLine, limit: int) -> int:
    """The last movements that were told, at most `limit`, the newest last; returns the row below."""
    for one in list(line.reported)[-limit:] if limit > 0 else []:
        fresh = one is line.lately
        term.put(row, column, fit(movement_text(one), columns), "yellow" if fresh else "white", bold=fresh)
        row += 1
    return row


def movement_text(moved: FoundMovement) -> str:
    """A movement in a line: which, how sure, and how long it took."""
    return f"{moved.label} {moved.confidence:.0%}, {moved.end_s - moved.start_s:.1f} s"


def draw_probabilities(term: Terminal, row: int, column: int, columns: int, sight: Sight | None, limit: int) -> int:
    """A bar a class, at most `limit`, the steady label highlighted; returns the row below."""
    if sight is None or sight.observation is None:
        return row
    steady = sight.steady.label if sight.steady is not None else None
    chances = list(sight.chances.values())
    lines = list(zip(sight.classes, bars(sight.classes, chances, columns), strict=True))
    # Where there is no room for all, the likeliest stay, in the same order.
    for position in sorted(np.argsort(-np.array(chances), kind="stable")[: max(0, limit)].tolist()):
        label, text = lines[position]
        winner = label == steady
        term.put(row, column, text, "yellow" if winner else "white", bold=winner)
        row += 1
    return row


def speed_text(line: Line, latencies_ms: list[float], columns: int = 80) -> str:
    """Frames a second, and latency from capture to action, p50/p95 in ms: of these what fits whole.

    Pictures that were skipped are no part of it: the newest wins, and the frames a second say how many it is. Of
    sound nothing may be lost, and what was is said first.
    """
    parts = [f"{line.fps:4.1f} {'windows' if line.kind == 'sound' else 'frames'}/s"]
    if line.dropped and line.kind == "sound":
        parts.insert(0, f"{counted(line.dropped, 'block')} lost")
    if latencies_ms:
        p50, p95 = np.percentile(latencies_ms[-300:], [50, 95])
        parts.append(f"{p50:.0f}/{p95:.0f} ms")
    while len(parts) > 1 and len("  ".join(parts)) > columns:
        parts.pop()
    return "  ".join(parts)
