"""A curve that grows on stderr while something is trained."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from device.cli.output import LINE_S, warn
from device.screens.cells import fit
from device.screens.chart import curve

DRAW_S = 0.4
"""Drawn so seldom at most: drawing must not slow the training down, nor fill a slow line."""
SHARE = 10
"""A terminal that takes its time gets a share of it: one part of so many."""


class LiveCurve:
    """The loss of a training that runs, drawn on stderr when that is a terminal, and gone at the end; else a line
    now and then.

    clock: seconds, monotonic.
    """

    ROWS = 8

    def __init__(self, clock: Callable[[], float]) -> None:
        self.points: list[tuple[int, float, float]] = []
        """(epoch, loss, accuracy) of every epoch so far."""
        self._clock = clock
        self._shown = sys.stderr.isatty()
        self._drawn_s = float("-inf") if self._shown else clock()
        self._pause_s = DRAW_S
        self._lines = 0

    def __call__(self, epoch: int, loss: float, accuracy: float) -> None:
        """Take in one epoch; draw when it is time."""
        self.points.append((epoch, loss, accuracy))
        if not self._shown and self._clock() - self._drawn_s >= LINE_S:
            self._drawn_s = self._clock()
            warn(f"training: epoch {epoch}, loss {loss:.4f}, accuracy {accuracy:.1%}")
        if self._shown and self._clock() - self._drawn_s >= self._pause_s:
            began_s = self._clock()
            self._draw(f"epoch {epoch}  loss {loss:.4f}  accuracy {accuracy:.1%}  (Ctrl-C keeps the best so far)")
            self._drawn_s = self._clock()
            self._pause_s = max(DRAW_S, SHARE * (self._drawn_s - began_s))

    def _draw(self, title: str) -> None:
        columns, rows = os.get_terminal_size(sys.stderr.fileno())
        lines = [fit(title, columns - 1).rstrip()]
        if rows > self.ROWS + 2:
            lines += curve([loss for _, loss, _ in self.points], self.ROWS, min(72, columns - 1), low=0.0)
        self._erase()
        print("\n".join(lines), file=sys.stderr, flush=True)
        self._lines = len(lines)

    def _erase(self) -> None:
        if self._lines:
            print(f"\r\x1b[{self._lines}A\x1b[J", end="", file=sys.stderr, flush=True)
        self._lines = 0

    def __enter__(self) -> LiveCurve:
        return self

    def __exit__(self, *_: object) -> None:
        self._erase()
