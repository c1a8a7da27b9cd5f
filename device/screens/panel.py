"""What the camera sees and what is made of it, drawn beside the game or the classes."""

from __future__ import annotations

import numpy as np

from device.line import Line, Sight
from device.screens.chart import bars
from device.screens.terminal import Terminal


def draw_picture(
    term: Terminal, row: int, column: int, rows: int, columns: int, line: Line, sight: Sight | None
) -> None:
    """The newest frame in half blocks, `rows` × `columns` cells, and its source's name above it."""
    term.put(row, column, line.source.name[:columns], "grey")
    if line.state != "open":
        term.put(row + rows // 2, column, "camera lost, looking for it …"[:columns], "red", bold=True)
    elif sight is None:
        term.put(row + rows // 2, column, "waiting for the camera …"[:columns], "grey")
    else:
        term.picture(row + 1, column, sight.frame.data, rows, columns)


def draw_probabilities(term: Terminal, row: int, column: int, columns: int, sight: Sight | None, limit: int) -> int:
    """A bar a class, at most `limit`, the steady label highlighted; returns the row below."""
    if sight is None or sight.observation is None:
        return row
    steady = sight.steady.label if sight.steady is not None else None
    chances = sight.observation.probabilities
    lines = list(zip(sight.classes, bars(sight.classes, list(map(float, chances)), columns), strict=True))
    # Where there is no room for all, the likeliest stay, in the same order.
    for position in sorted(np.argsort(-chances, kind="stable")[: max(0, limit)].tolist()):
        label, text = lines[position]
        winner = label == steady
        term.put(row, column, text, "yellow" if winner else "white", bold=winner)
        row += 1
    return row


def speed_text(line: Line, latencies_ms: list[float]) -> str:
    """Frames a second, and latency from capture to action, p50/p95 in ms."""
    text = f"{line.fps:4.1f} frames/s"
    if latencies_ms:
        p50, p95 = np.percentile(latencies_ms[-300:], [50, 95])
        text += f"  {p50:.0f}/{p95:.0f} ms"
    if line.dropped:
        text += f"  {line.dropped} dropped"
    return text
