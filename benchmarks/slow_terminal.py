"""A terminal at the end of a slow link: a pseudo-terminal that is read at so many bytes a second, and answers."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

SLICE_S = 0.02
"""So often a share of the second's bytes is read."""
QUERY, ANSWER = b"\x1b[5n", b"\x1b[0n"
"""Is the terminal well, and that it is: terminals answer when they have come to the question."""


class SlowTerminal:
    """A program before a terminal of so many rows and columns; bytes a second: None for as fast as they come.

    folder: where the program runs. answers: whether the terminal answers what it is asked, as those in use do.
    """

    def __init__(
        self,
        argv: Sequence[str],
        rows: int,
        columns: int,
        rate: float | None,
        environment: Mapping[str, str],
        folder: Path,
        *,
        answers: bool = True,
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        adopt = "import os, sys; from fcntl import ioctl; from termios import TIOCSCTTY; ioctl(0, TIOCSCTTY, 0); "
        adopt += "os.execvp(sys.argv[1], sys.argv[1:])"
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", adopt, *argv],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            cwd=folder,
            env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **environment},
        )
        os.close(slave)
        self.rate, self.answers = rate, answers
        self.bytes = 0
        """Read so far."""
        self.tail = b""
        """The last of it, 200 kB at most."""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        next_s = time.monotonic()
        while True:
            most = 1 << 16
            if self.rate is not None:
                next_s = max(next_s + SLICE_S, time.monotonic() - SLICE_S)
                time.sleep(max(0.0, next_s - time.monotonic()))
                most = max(1, round(self.rate * SLICE_S))
            try:
                if not select.select([self._master], [], [], 1.0)[0]:
                    continue
                data = os.read(self._master, most)
            except OSError:  # the program has ended
                return
            self.bytes += len(data)
            before = self.tail[-3:]
            self.tail = (self.tail + data)[-200_000:]
            if self.answers:
                self.type(ANSWER * len(re.findall(re.escape(QUERY), before + data)))

    def type(self, text: bytes) -> None:
        """Type something."""
        if text:
            os.write(self._master, text)

    def wait_for(self, text: str, seconds: float = 120.0) -> None:
        """Wait until a text was sent; RuntimeError if it never is."""
        end_s = time.monotonic() + seconds
        while text.encode() not in self.tail:
            if time.monotonic() > end_s or self.process.poll() is not None:
                raise RuntimeError(f"{text!r} never came; the last was {self.tail[-2000:]!r}")
            time.sleep(0.02)

    def hold(self, key: str, seconds: float, a_second: float = 30.0) -> None:
        """Hold a key down."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            self.type(key.encode())
            time.sleep(1 / a_second)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._thread.join()
        os.close(self._master)


def command(arguments: Sequence[str | Path], counts: Path) -> list[str]:
    """The command line of `edge-tl`; counts: a file for the times at which frames had been recognized."""
    code = f"""
import json, sys, time
import edge_tl.line as lines
times = []
def counted(read):
    def reading(self, *arguments, **options):
        sight = read(self, *arguments, **options)
        if sight is not None:
            times.append(time.monotonic())
        return sight
    return reading
for kind in (lines.PictureLine, lines.SoundLine):
    kind.read = counted(kind.read)
from device.commands.main import main
try:
    code = main()
finally:
    open({str(counts)!r}, "w").write(json.dumps(times))
sys.exit(code)
"""
    return [sys.executable, "-c", code, *map(str, arguments)]
