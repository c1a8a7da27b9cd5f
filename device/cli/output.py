"""What goes to stdout and stderr: JSON that is always valid, warnings of one line, and progress on a terminal."""

from __future__ import annotations

import io
import json
import math
import re
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TextIO

from device.cli.calling import as_called
from edge_tl.errors import EdgeTLError, escaped


def forgive_encodings() -> None:
    """Let stdout and stderr write what their encoding lacks as `\\U0001f642`, instead of failing on a label."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


_PLACES: ContextVar[tuple[tuple[str, str], ...]] = ContextVar("places", default=())
"""Folders that are called otherwise now, with their names."""


@contextmanager
def shown_as(folder: Path, name: str) -> Iterator[None]:
    """Within it, whatever is printed or raised calls a folder by this name, and a file in it `NAME: sub/file`.

    An archive is unpacked into a folder that nobody knows and that is gone when its name is read.
    """
    before = _PLACES.set((*_PLACES.get(), (str(folder), name)))
    try:
        yield
    except EdgeTLError as error:
        raise type(error)(_placed(str(error))) from error
    finally:
        _PLACES.reset(before)


def _placed(text: str) -> str:
    for folder, name in _PLACES.get():
        text = text.replace(f"{folder}/", f"{name}: ").replace(folder, name)
    return text


def print_json(value: Any) -> None:
    """Print a value as JSON that any parser reads: no NaN, and plain ASCII where stdout is not UTF-8."""
    encoding = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "")
    text = json.dumps(value, indent=2, ensure_ascii=encoding != "utf8", allow_nan=False)
    for folder, name in _PLACES.get():
        start, call = json.dumps(folder)[1:-1], json.dumps(name)[1:-1]
        text = text.replace(f"{start}/", f"{call}: ").replace(start, call)
    print(_MOVING.sub(lambda one: f"\\u{ord(one[0]):04x}", text))


_MOVING = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves a terminal's cursor, or turns its lines around, and JSON would let stand."""
PIPED_COLUMNS = 80
"""As wide as lines are made where nobody knows how wide the reader's window is."""


def columns_of(stream: TextIO) -> int:
    """The columns of the terminal that a stream is; 80 where it is none."""
    return shutil.get_terminal_size((PIPED_COLUMNS, 24)).columns if stream.isatty() else PIPED_COLUMNS


def wrapped(line: str, columns: int) -> str:
    """A line as one or several of so many columns, broken between words and never inside a command in backticks.

    What follows is indented by two columns more than the line. A word that is longer than all of it stays whole.
    """
    if len(line) <= columns:
        return line
    begins = line[: len(line) - len(line.lstrip())]
    whole = re.sub("`[^`]*`", lambda command: command[0].replace(" ", "\0"), line.strip())
    lines = textwrap.wrap(
        whole,
        columns,
        initial_indent=begins,
        subsequent_indent=f"{begins}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace("\0", " ")


def say(*lines: str) -> None:
    """Print a line a sentence on stdout; a terminal shows them broken between their words."""
    columns = columns_of(sys.stdout)
    for line in (as_called(one) for text in lines for one in map(escaped, _placed(text).split("\n"))):
        print(wrapped(line, columns) if sys.stdout.isatty() else line)


def warn(text: object) -> None:
    """Say one line on stderr; a terminal shows it broken between its words."""
    line = f"edge-tl: {as_called(escaped(_placed(str(text))))}"
    print(wrapped(line, columns_of(sys.stderr)) if sys.stderr.isatty() else line, file=sys.stderr, flush=True)


def warn_all(texts: Iterable[object]) -> None:
    """Say each on a line of its own."""
    for text in texts:
        warn(text)


BAR_CELLS = 24


SHOWN_S = 0.1
"""A bar is drawn so seldom at most: each step of a thousand would only be traffic."""
LINE_S = 10.0
"""Where no terminal shows a bar, work that takes longer says a line after so many seconds, and again each time."""


class Progress:
    """Says how far long work is, on stderr: on a terminal a bar where it is known how much there is, else a line now
    and then.

    Use it with `with`.
    """

    def __init__(self, what: str, total: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.what, self.total = what, total
        self.shown = sys.stderr.isatty()
        self._clock = clock
        self._said_s = clock()
        self._steps = 0
        self._shown_s = float("-inf")

    def __call__(self, done: int, detail: str = "") -> None:
        """Show that `done` of `total` is finished."""
        if not self.shown and self._clock() - self._said_s >= LINE_S:
            self._said_s = self._clock()
            warn(f"{self.what}: {done}{f' of {self.total}' if self.total else ''} {detail}".rstrip())
        if self.shown and (self._clock() - self._shown_s >= SHOWN_S or done == self.total):
            self._shown_s = self._clock()
            said = f"{self.what}: {done} {detail}"
            if self.total:
                cells = BAR_CELLS * min(done, self.total) // self.total
                said = f"{self.what} [{'#' * cells:.<{BAR_CELLS}}] {done}/{self.total} {detail}"
            # One that is broken by the terminal's border would not be wiped out.
            fits = shutil.get_terminal_size().columns - 1
            print(f"\r\x1b[K{said[:fits]}", end="", file=sys.stderr, flush=True)

    def of(self, done: int, total: int) -> None:
        """The same for work that says its total each time."""
        self.total = total
        self(done)

    def step(self) -> None:
        """One more is done."""
        self._steps += 1
        self(self._steps)

    def trained(self, epoch: int, loss: float, _: float) -> None:
        """The same for a head that learns: epochs, or, where there is no loss, how many hundredths are done."""
        if math.isnan(loss):
            self.of(epoch, 100)
        else:
            self(epoch, "epochs")

    def warn(self, text: object) -> None:
        """A line that stays, above the progress."""
        self._clear()
        warn(text)

    def say(self, *lines: str) -> None:
        """Lines on stdout, above the progress."""
        if lines:
            self._clear()
            say(*lines)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def _clear(self) -> None:
        if self.shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
