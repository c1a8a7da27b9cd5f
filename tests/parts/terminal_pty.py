"""A real pseudo-terminal for tests: runs a program in it, types keys, and reads the screen through pyte.

    with Pty.spawn([sys.executable, "-c", code], rows=24, columns=80) as pty:
        pty.wait_for("ready")
        pty.send("up", "q")
        assert pty.wait_exit() == 0

Nothing sleeps: the output is read until what is expected has appeared, or the deadline has passed.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from typing import Self

import pyte
from places import ROOT

DEADLINE_S = 30.0

KEYS = {
    "up": "\x1bOA",
    "down": "\x1bOB",
    "right": "\x1bOC",
    "left": "\x1bOD",
    "escape": "\x1b",
    "enter": "\r",
    "backspace": "\x7f",
    "tab": "\t",
    "ctrl-c": "\x03",
}

# The program gets the pty as its controlling terminal, so that ctrl-c and resizing reach it. Done in a step of its
# own and not with preexec_fn, which Python warns about in a process with threads.
_ADOPT = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"


class Pty:
    """A program in a pseudo-terminal."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        master: int,
        slave: int,
        size: tuple[int, int],
        rate: float | None,
        answers: bool,
    ) -> None:
        rows, columns = size
        self.process = process
        self.raw = b""
        """Everything that the program has sent."""
        self.modes = termios.tcgetattr(slave)
        """The terminal's modes before the program touched them; `restored` compares."""
        self._master, self._slave = master, slave
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        if answers:
            self._screen.write_process_input = lambda text: os.write(self._master, text.encode())
        self._rate, self._read_s = rate, time.monotonic()

    @classmethod
    def spawn(
        cls,
        argv: Sequence[str],
        rows: int = 24,
        columns: int = 80,
        env: dict[str, str | None] | None = None,
        *,
        rate: float | None = None,
        answers: bool = True,
    ) -> Self:
        """Start a program; env: what differs from this process's environment (None removes a name).

        rate: bytes a second that are read of it at most; None for all that come. answers: whether it is answered when
        it asks whether the terminal is well, as those in use do.
        """
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        changed: dict[str, str | None] = {
            "TERM": "screen-256color",  # xterm's `rep` is unknown to pyte
            "LC_ALL": "C.UTF-8",
            "LINES": None,
            "COLUMNS": None,
            "PYTHONPATH": str(ROOT),
            **(env or {}),
        }
        merged: dict[str, str | None] = {**os.environ, **changed}
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _ADOPT, *argv],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={name: value for name, value in merged.items() if value is not None},
        )
        return cls(process, master, slave, (rows, columns), rate, answers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, *keys: str) -> None:
        """Type keys: names of KEYS, or any text as it is."""
        os.write(self._master, "".join(KEYS.get(key, key) for key in keys).encode())

    def resize(self, rows: int, columns: int) -> None:
        """Give the window another size; the kernel tells the program."""
        self._screen.resize(rows, columns)
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def signal(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        self.process.send_signal(number)

    def read(self, timeout_s: float = 0.05) -> bool:
        """Take in what the program has sent, waiting for it at most so long; True if there was something."""
        if not select.select([self._master], [], [], timeout_s)[0]:
            return False
        most = 65536
        if self._rate is not None:
            # What a slow line would have brought since the last time, a tenth of a second's worth at most.
            now_s = time.monotonic()
            most = round(self._rate * min(now_s - self._read_s, 0.1))
            if most < 1:
                select.select([], [], [], 1 / self._rate)
                return True
            self._read_s = now_s
        data = os.read(self._master, most)
        self.raw += data
        self._stream.feed(data)
        return True

    def wait_until(self, condition: Callable[[Pty], bool], deadline_s: float = DEADLINE_S, what: str = "it") -> None:
        """Read until the condition holds; AssertionError with the screen if it never does."""
        end = time.monotonic() + deadline_s
        while not condition(self):
            alive = self.process.poll() is None
            if not self.read() and (not alive or time.monotonic() > end) and not condition(self):
                why = "in time" if alive else f"before the program ended ({self.process.returncode})"
                raise AssertionError(f"{what} did not come {why}; the screen:\n" + "\n".join(self.screen()))

    def wait_for(self, text: str, deadline_s: float = DEADLINE_S) -> None:
        """Read until a text stands in one line of the screen.

        What the program sent after it may still be on its way: wait for what comes last, not for what comes first.
        """
        self.wait_until(lambda pty: any(text in line for line in pty.screen()), deadline_s, repr(text))

    def wait_said(self, text: str, deadline_s: float = DEADLINE_S) -> None:
        """Read until a text of whole words stands on the screen, be it broken over several of its lines."""
        self.wait_until(lambda pty: text in " ".join(" ".join(pty.screen()).split()), deadline_s, repr(text))

    def wait_gone(self, text: str, deadline_s: float = DEADLINE_S) -> None:
        """Read until a text stands nowhere on the screen."""
        gone = f"the end of {text!r}"
        self.wait_until(lambda pty: not any(text in line for line in pty.screen()), deadline_s, gone)

    def wait_exit(self, deadline_s: float = DEADLINE_S) -> int:
        """Read until the program has ended; its exit status (negative: the signal that killed it)."""
        self.wait_until(lambda pty: pty.process.poll() is not None, deadline_s, "the end of the program")
        while self.read(0):
            pass
        return self.process.wait()

    def screen(self) -> list[str]:
        """The lines of the screen, without the spaces at their ends."""
        return [line.rstrip() for line in self._screen.display]

    def find(self, text: str) -> tuple[int, int]:
        """(row, column) of a text on the screen."""
        for row, line in enumerate(self.screen()):
            if text in line:
                return row, line.index(text)
        raise AssertionError(f"no {text!r} on the screen:\n" + "\n".join(self.screen()))

    def colour_at(self, row: int, column: int) -> tuple[str, str]:
        """(text colour, background) of a cell as pyte names them: `ff5f5f`, or `default`, `red`."""
        cell = self._screen.buffer[row][column]
        return cell.fg, cell.bg

    def reversed_at(self, row: int, column: int) -> bool:
        """Whether a cell's colours are exchanged."""
        return bool(self._screen.buffer[row][column].reverse)

    def plain(self) -> str:
        """Everything that was sent as text, without the escape sequences."""
        return re.sub(r"\x1b(\[[0-9;?]*[a-zA-Z]|[()].|[=>78])", "", self.raw.decode(errors="replace"))

    def restored(self) -> bool:
        """True if the terminal has the modes that it had at the start, and its first screen."""
        return self.left() and self.same_modes()

    def left(self) -> bool:
        """True if the program has gone back to the first screen."""
        return self.raw.rfind(b"\x1b[?1049l") >= self.raw.rfind(b"\x1b[?1049h")

    def same_modes(self) -> bool:
        """True if the terminal has the modes that it had at the start."""
        return termios.tcgetattr(self._slave) == self.modes

    def typed_ahead(self) -> int:
        """How many bytes wait to be read from the terminal by whoever comes next."""
        return int(struct.unpack("i", fcntl.ioctl(self._slave, termios.FIONREAD, bytes(4)))[0])

    def close(self) -> None:
        """End the program and the terminal; may be called twice."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for descriptor in (self._master, self._slave):
            if descriptor >= 0:
                os.close(descriptor)
        self._master = self._slave = -1
