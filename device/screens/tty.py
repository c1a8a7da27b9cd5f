"""The line of a terminal itself: its modes, its size, keys in, and bytes out without ever waiting for it."""

from __future__ import annotations

import contextlib
import os
import select
import termios
import time
from typing import Any

UNKNOWN_SIZE = (24, 80)
"""Of a serial line, which has none."""
GONE_READS = 20
"""So many reads without anything, one after the other, and the terminal is gone."""
END_S = 2.0
"""At the end the terminal has so long to take what it was sent; then the rest is thrown away."""


class Tty:
    """Standard input and output, which are a terminal: keys come at once and unseen, and writing never waits.

    It writes through a descriptor of its own: one that does not wait would otherwise be the shell's too.
    """

    def __init__(self) -> None:
        self._modes: list[Any] | None = None
        self._out = -1
        self._shared = False
        self._pending = b""
        self._empty = 0

    def open(self) -> None:
        """Take the terminal over; its modes are remembered."""
        if self._out < 0:
            self._out = self._descriptor()
        self._modes = termios.tcgetattr(0)
        changed = termios.tcgetattr(0)
        changed[3] &= ~(termios.ICANON | termios.ECHO)
        changed[6][termios.VMIN], changed[6][termios.VTIME] = 1, 0
        termios.tcsetattr(0, termios.TCSADRAIN, changed)

    def _descriptor(self) -> int:
        for path in (os.ttyname(1), "/dev/tty"):
            with contextlib.suppress(OSError):  # of another user, after `su`
                return os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        self._shared = True
        os.set_blocking(1, False)
        return os.dup(1)

    def give_back(self, last: bytes, *, throw_away: bytes) -> None:
        """Send what waits and then `last`, and set the modes that were.

        throw_away: ends whatever was cut off, where the terminal does not take what waits.
        """
        if self._modes is None:
            return
        with contextlib.suppress(OSError, termios.error):  # after a hang-up there is no terminal
            self._pending += last
            end_s = time.monotonic() + END_S
            while self.flush()[1] and time.monotonic() < end_s:
                select.select([], [self._out], [], 0.1)
            if self._pending:
                termios.tcflush(self._out, termios.TCOFLUSH)
                self._pending = throw_away + last
                self.flush()
        self._pending = b""
        with contextlib.suppress(OSError, termios.error):
            termios.tcsetattr(0, termios.TCSANOW, self._modes)
        self._modes = None

    def forget_keys(self) -> None:
        """What was typed and not read is nobody's."""
        with contextlib.suppress(OSError, termios.error):
            termios.tcflush(0, termios.TCIFLUSH)

    def close(self) -> None:
        """Give the descriptor up; may be called twice."""
        if self._out >= 0:
            os.close(self._out)
            self._out = -1
        if self._shared:
            self._shared = False
            with contextlib.suppress(OSError):
                os.set_blocking(1, True)

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns) of the window now."""
        columns, rows = os.get_terminal_size(1)
        return (rows or UNKNOWN_SIZE[0], columns or UNKNOWN_SIZE[1])

    @property
    def waits(self) -> bool:
        """Whether something could not be sent yet."""
        return bool(self._pending)

    def write(self, data: bytes) -> tuple[int, int]:
        """Send, after what waits: how many bytes were taken, and how many wait."""
        self._pending += data
        return self.flush()

    def flush(self) -> tuple[int, int]:
        """Send what waits: how many bytes were taken, and how many still wait."""
        taken = 0
        while self._pending:
            try:
                count = os.write(self._out, self._pending)
            except BlockingIOError:
                break
            self._pending = self._pending[count:]
            taken += count
        return taken, len(self._pending)

    def read(self, wait_s: float) -> bytes | None:
        """What was typed, waiting so long for it, or until what waits can be sent; None where the terminal is gone."""
        ready, _, _ = select.select([0], [self._out] if self._pending else [], [], max(0.0, wait_s))
        if not ready:
            return b""
        try:
            typed = os.read(0, 65536)
        except OSError:
            typed = b""
        # Between a shell's modes and ours a read may end without anything, once; where the terminal is gone all do.
        self._empty = 0 if typed else self._empty + 1
        return None if self._empty >= GONE_READS else typed
