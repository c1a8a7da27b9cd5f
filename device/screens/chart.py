"""Curves and bars as lines of text: pure functions, for the screens and for a plain print."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from device.screens.cells import fit, fit_apart, text_columns

LABEL_COLUMNS = 8
"""What the numbers beside a curve take, the axis included."""


def curve(values: Sequence[float], rows: int, columns: int, *, low: float | None = None) -> list[str]:
    """One line over the numbers, from the first on the left to the last on the right.

    values: any numbers, also none; those not finite leave gaps. rows, columns: the size of the result in cells, the
    numbers on the left included. low: the bottom of the scale where it must not be the smallest value, e.g. 0.
    Result: exactly `rows` lines of exactly `columns` columns. More values than columns: each column shows a mean.
    """
    if rows <= 0 or columns <= 0:
        return []
    width = columns - LABEL_COLUMNS
    finite = [value for value in values if math.isfinite(value)]
    if width < 1 or not finite:
        return [" " * columns] * rows
    bottom = min(finite) if low is None else min(low, *finite)
    top = max(finite)
    middle = [math.nan] * width
    for i in range(min(width, len(values))):
        # As many columns as values, or, with more values than columns, equal shares of them.
        begin, end = (i, i + 1) if len(values) <= width else (i * len(values) // width, (i + 1) * len(values) // width)
        share = [value for value in values[begin:end] if math.isfinite(value)]
        middle[i] = math.fsum(share) / len(share) if share else math.nan
    span = top - bottom
    heights = [
        None if math.isnan(value) else rows - 1 - round((value - bottom) / span * (rows - 1) if span else 0)
        for value in middle
    ]
    grid = [[" "] * width for _ in range(rows)]
    before = None
    for column, row in enumerate(heights):
        if row is None:
            before = None
            continue
        if before is None or before == row:
            grid[row][column] = "─"
        else:
            step = 1 if row > before else -1
            grid[before][column] = "┐" if step > 0 else "┘"
            grid[row][column] = "└" if step > 0 else "┌"
            for between in range(before + step, row, step):
                grid[between][column] = "│"
        before = row
    labelled = {0: top, rows - 1: bottom} if rows > 1 else {0: finite[-1]}
    return [
        (f"{_number(labelled[row])} ┤" if row in labelled else " " * (LABEL_COLUMNS - 1) + "│") + "".join(line)
        for row, line in enumerate(grid)
    ]


def curves(lines: Mapping[str, Sequence[float]], rows: int, columns: int, *, low: float | None = None) -> list[str]:
    """Several lines over the same scale, each drawn in the first letter of its name, and below who is who.

    lines: name → numbers, as many in each; those not finite leave gaps; of lines that meet the later is seen.
    rows, columns: the size of the result in cells, its last row the names; low: as in `curve`.
    """
    width, high = columns - LABEL_COLUMNS, rows - 1
    finite = [value for values in lines.values() for value in values if math.isfinite(value)]
    if width < 1 or high < 2 or not finite:
        return [" " * columns] * max(rows, 0)
    bottom, top = min(finite) if low is None else min(low, *finite), max(finite)
    grid = [[" "] * width for _ in range(high)]
    for name, values in lines.items():
        for column in range(width):
            # The line between two numbers is straight.
            at = column * (len(values) - 1) / max(width - 1, 1)
            left, right = values[int(at)], values[min(int(at) + 1, len(values) - 1)]
            value = left + (at - int(at)) * (right - left)
            if math.isfinite(value):
                up = (value - bottom) / (top - bottom) if top > bottom else 0.0
                grid[high - 1 - round(up * (high - 1))][column] = name[:1]
    labelled = {0: top, high - 1: bottom}
    drawn = [
        (f"{_number(labelled[row])} ┤" if row in labelled else " " * (LABEL_COLUMNS - 1) + "│") + "".join(line)
        for row, line in enumerate(grid)
    ]
    return [*drawn, fit(" " * LABEL_COLUMNS + "  ".join(f"{name[:1]} {name}" for name in lines), columns)]


def _number(value: float) -> str:
    """A number in six columns."""
    for form in ("6.3f", "6.2f", "6.1f", "6.0f", "6.0e"):
        text = format(value, form)
        if len(text) <= 6 and not (abs(value) >= 10 and form == "6.3f"):
            return text
    return format(value, ".0e")[:6].rjust(6)


def bar(share: float, columns: int) -> str:
    """A horizontal bar that fills its share (0..1, clipped; NaN is 0) of the columns, to half a column."""
    share = min(max(share, 0.0), 1.0) if math.isfinite(share) else 0.0
    halves = round(share * 2 * columns)
    return ("█" * (halves // 2) + "▌" * (halves % 2)).ljust(columns)


def bars(names: Sequence[str], shares: Sequence[float], columns: int) -> list[str]:
    """A line for each name: the name, a bar, and the share in percent, as with probabilities.

    shares: 0..1, one a name. Result: one line a name, each of exactly `columns` columns; the names get at most half.
    """
    widest = max((text_columns(name) for name in names), default=0)
    name_columns = min(widest, max(1, columns // 2 - 3))
    lines = []
    for name, share in zip(fit_apart(names, name_columns), shares, strict=True):
        percent = f"{share:5.0%}" if math.isfinite(share) else "    –"
        bar_columns = columns - name_columns - 1 - len(percent)
        lines.append(fit(f"{name} {bar(share, max(0, bar_columns))}{percent}", columns))
    return lines
