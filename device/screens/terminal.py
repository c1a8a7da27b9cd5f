"""The terminal as a screen draws on it.

    with Terminal(min_rows=24, min_columns=80) as term:
        while "q" not in (keys := term.keys()):
            if term.ready:
                term.clear()
                term.put(0, 0, "hello", "yellow", bold=True)
                term.show()

A screen draws everything anew each time between `clear` and `show`. What has changed is sent as the line takes it, and
never waited for: of several screens the newest is sent (`link.py` says when, `grid.py` what).
"""

from __future__ import annotations

import contextlib
import locale
import os
import signal
import sys
import tempfile
import threading
import time
from types import FrameType, TracebackType
from typing import Any, Self

import numpy as np

from device.cli.output import warn
from device.screens.cells import COLOURS, ascii_text, console_text, cut, nearest_8, nearest_256, printable, text_columns
from device.screens.codes import BOLD, REVERSE, Codes, codes_of
from device.screens.grid import Cells, Painter
from device.screens.keyboard import Keyboard
from device.screens.link import Link, Pictures
from device.screens.picture import DrawnPicture, draw, fitting
from device.screens.tty import Tty
from edge_tl.errors import ConfigError

Colour = str | tuple[int, int, int]
"""A name of `cells.COLOURS`, or RGB 0..255."""

AWAY = "away"
"""The key that comes when nobody sees the screen any more: Ctrl-Z, or a window that became too small."""
SMALL_KEYS = ("q", "escape", "resize")
"""The keys that a window which is too small still takes."""
_STDERR_KEPT_BYTES = 8000
_LOOK_S = 0.1
"""A new size of the window is seen after so long at the latest."""
_CANCEL = b"\x18"
"""Ends a sequence that was cut off."""


class Terminal:
    """The whole terminal as a grid of cells; a context manager that gives it back whatever happens.

    SIGTERM and SIGHUP leave as SystemExit(143) and SystemExit(129) through the `with`, after the terminal is restored.
    Ctrl-Z gives it back too, once a screen has seen the key `AWAY`. What libraries print to a terminal's standard error
    meanwhile is kept and printed after the end.
    """

    def __init__(self, *, min_rows: int = 1, min_columns: int = 1, has_plain: bool = False) -> None:
        """min_rows, min_columns: a smaller window is a ConfigError at entering; once inside, `show` says so.

        has_plain: whether the command does the same in lines, which the ConfigError then says.
        """
        self._minimum = (min_rows, min_columns)
        self._otherwise = ", or give --plain" if has_plain else ""
        self._handlers: dict[int, Any] = {}
        self._leaving = False
        self._signal: int | None = None
        self._stop = ""
        self._stderr: tuple[int, Any] | None = None
        self._tty = Tty()
        self._codes: Codes | None = None
        self._was_small = False
        self.unicode = True
        """False where the locale is not UTF-8: line and block characters are drawn as ASCII then."""
        self.colours = 0
        """How many colours the terminal has: 256, 16, 8 or 0."""

    def check(self) -> None:
        """Raise the ConfigError that entering would raise; for programs that have long work to do before."""
        self._codes = _check_terminal(self._minimum, self._otherwise, said=self._codes is not None)

    def __enter__(self) -> Self:
        self.check()
        assert self._codes is not None
        encoding = locale.nl_langinfo(locale.CODESET)
        self.unicode = "utf" in encoding.lower()
        self.colours = self._codes.colours
        self._console = self._codes.name.startswith("linux")
        self._leaving, self._signal, self._stop = False, None, ""
        self._link, self._pictures = Link(time.monotonic), Pictures(time.monotonic)
        self._painter = Painter(self._codes)
        self._keyboard = Keyboard(time.monotonic, "utf-8" if self.unicode else encoding)
        self._kept: dict[tuple[int, ...], DrawnPicture] = {}
        self._unsent = self._picture_open = False
        self._size = self._tty.size
        try:
            if threading.current_thread() is threading.main_thread():
                for number in (signal.SIGTERM, signal.SIGHUP):
                    self._handlers[number] = signal.signal(number, self._on_signal)
                self._handlers[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, self._on_stop)
            self._divert_stderr()
            self._open()
        except BaseException:
            self._restore()
            raise
        self.clear()
        self._wanted = self._draft
        return self

    def _open(self) -> None:
        assert self._codes is not None
        self._tty.open()
        self._painter.forget()
        self._hand_over(self._codes.begin)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()
        if self._signal is not None and kind is None:
            raise SystemExit(128 + self._signal)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        # Only the first signal unwinds; while the terminal is being given back none may interrupt that.
        first, self._signal = self._signal is None, number
        if first and not self._leaving:
            raise SystemExit(128 + number)

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop = self._stop or "asked"

    def _suspend(self) -> None:
        """Give the terminal to the shell until it says `fg`; where there is no such shell, go on at once."""
        self._stop = ""
        self._close_screen()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._on_stop)
        self._open()
        self._unsent = True

    def _close_screen(self) -> None:
        """Leave the other screen and its modes; answers that are still on their way are no keys for the shell."""
        assert self._codes is not None
        end_s = time.monotonic() + self._link.patience_s
        with contextlib.suppress(OSError):
            while self._link.asked and time.monotonic() < end_s and self._look(0.02):
                pass
        last_row = self._codes.move(self._size[0] - 1, 0)  # where there is no other screen, what follows stands below
        self._tty.give_back(last_row + self._codes.end, throw_away=_CANCEL)
        if self._link.asked:
            self._tty.forget_keys()

    def _restore(self) -> None:
        self._leaving = True
        self._close_screen()
        self._tty.close()
        if self._stderr is not None:
            saved, kept = self._stderr
            self._stderr = None
            with contextlib.suppress(OSError):
                sys.stderr.flush()
                os.dup2(saved, 2)
                os.close(saved)
                kept.seek(max(0, kept.tell() - _STDERR_KEPT_BYTES))
                os.write(2, kept.read())
            kept.close()
        while self._handlers:
            number, handler = self._handlers.popitem()
            signal.signal(number, handler)

    def _divert_stderr(self) -> None:
        """Keep what LiteRT and libcamera print on descriptor 2 from scribbling over the screen."""
        if os.isatty(2):
            kept = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the screen; _restore closes it
            self._stderr = (os.dup(2), kept)
            os.dup2(kept.fileno(), 2)

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns) of the window, as `keys` saw it last."""
        return self._size

    @property
    def too_small(self) -> bool:
        """True while the window is smaller than the minimum; `show` then shows only how large it must be."""
        rows, columns = self.size
        return rows < self._minimum[0] or columns < self._minimum[1]

    @property
    def ready(self) -> bool:
        """Whether the line takes another screen now; of what is shown before, the newest is sent when it does."""
        return not self._unsent and not self._tty.waits and self._link.ready

    @property
    def slow(self) -> str:
        """`slow terminal: picture at 2 a second`, or nothing where it is not."""
        return self._pictures.words(slow=self._link.slow)

    def clear(self) -> None:
        """Begin a new, empty screen."""
        self._draft = Cells(*self._size, self._index("black"))
        # Pictures are renewed once the last ones are there, all of one moment.
        self._fresh = not self._picture_open
        self._drawn: dict[tuple[int, ...], DrawnPicture] = {}

    def put(
        self,
        row: int,
        column: int,
        text: str,
        colour: Colour = "white",
        *,
        bold: bool = False,
        reverse: bool = False,
        background: Colour = "black",
    ) -> None:
        """Write a text at a cell (0, 0 is the upper left one); what lies outside of the window is cut off.

        Control characters appear as `?`, so a label cannot take the terminal over.
        """
        rows, columns = self.size
        if not 0 <= row < rows:
            return
        text = printable(text)
        if not self.unicode:
            text = ascii_text(text)
        elif self._console:
            text = console_text(text)
        if column < 0:
            visible = text
            while visible and column < 0:
                column += text_columns(visible[0])
                visible = visible[1:]
            text = visible
        text = cut(text, columns - column)
        if not text:
            return
        if self.colours:
            numbers = self._index(colour), self._index(background)
            style = (*(numbers[::-1] if reverse else numbers), BOLD if bold else 0)
        else:  # a ghost without its colour is still a block
            style = (-1, -1, (BOLD if bold else 0) | (REVERSE if reverse != (background != "black") else 0))
        self._draft.put(row, column, text, style)

    def fitting(self, rows: int, columns: int) -> tuple[int, int]:
        """The rows and columns that a picture should take of an area, which is less where the line is slow."""
        return fitting(rows, columns, self._pictures.level)

    def picture(self, row: int, column: int, rgb: np.ndarray, rows: int, columns: int) -> None:
        """Draw a picture in half blocks, two pixels a cell; its centre fills the area.

        rgb: uint8 (h, w, 3), any size; rows, columns: the area in cells. Shades of grey where there are no 256 colours
        or no Unicode. Over a slow line it is not drawn anew before all of the last one is there.
        """
        if rows <= 0 or columns <= 0:
            return
        key = (row, column, rows, columns)
        if self._fresh or key not in self._kept:
            assert self._codes is not None
            self._drawn[key] = draw(rgb, rows, columns, self._kept.get(key), self._shades())
            if self._fresh and not self._picture_open:
                self._picture_open = True
                self._pictures.begin()
        else:
            self._drawn[key] = self._kept[key]
        self._drawn[key].put(self._draft, row, column, self._index("white"), self._index("black"))

    def _shades(self) -> str:
        """The characters of a grey picture, dark to bright; empty where it has colours."""
        if not self.unicode:
            return " .:-=+*#%@"
        if self.colours >= 256:
            return ""
        return " ░▒█" if self._console else " ░▒▓█"

    def show(self) -> None:
        """Have what has changed sent as soon as the line takes it."""
        if self.too_small:
            self.clear()
            rows, columns = self.size
            text = f"make the window larger: {columns}×{rows}, needs {self._minimum[1]}×{self._minimum[0]}"
            lines = [text] if len(text) <= columns else ["make the", "window", "larger"]
            for i, line in enumerate(lines):
                self.put(max(0, (rows - len(lines)) // 2) + i, max(0, (columns - len(line)) // 2), line, "yellow")
        self._wanted, self._kept, self._unsent = self._draft, self._drawn, True
        self._send()

    def settle(self, most_s: float = 1.0) -> None:
        """Wait until what was shown is sent, before work that lets nothing be sent; most_s: no longer than this."""
        end_s = time.monotonic() + most_s
        while (self._unsent or self._painter.behind or self._tty.waits) and time.monotonic() < end_s:
            self._look(0.02)

    def _send(self) -> None:
        """Send what waits, else the newest screen, as far as the line takes it."""
        if self._tty.waits:
            self._link.moved(*self._tty.flush())
        if self._tty.waits or not self._link.ready:
            self._pictures.wait()
            return
        if self._unsent or self._painter.behind:
            self._unsent = False
            data = self._painter.paint(self._wanted, self._link.most)
            if data:
                self._hand_over(data)
                return
        if self._picture_open:
            self._picture_open = False
            self._pictures.end(slow=self._link.slow)

    def _hand_over(self, data: bytes) -> None:
        assert self._codes is not None
        data += self._codes.asks
        self._link.sent(len(data), asked=bool(self._codes.asks))
        self._link.moved(*self._tty.write(data))

    def _look(self, wait_s: float) -> bool:
        """Take what was typed or answered, and send what can be sent; False where the terminal is gone."""
        typed = self._tty.read(wait_s)
        if typed is None:
            return False
        self._link.poll()
        self._keyboard.feed(typed)
        answers = self._keyboard.take_answers()
        self._link.answered(answers)
        if not self._leaving:
            self._send()
        return True

    def keys(self, wait_s: float = 0.0) -> list[str]:
        """All keys since the last call, as `Keyboard` names them; `resize` when the window has another size.

        wait_s: how long to wait for the first one, in seconds; 0 returns at once. `AWAY` comes before the program is
        stopped by Ctrl-Z, at the next call, and when the window has become too small: then nearly all others are
        dropped until it is larger.
        """
        if self._stop == "told":
            self._suspend()
        end_s = time.monotonic() + wait_s
        pause_s = 0.0
        while True:
            if not self._look(pause_s):
                raise SystemExit(128 + signal.SIGHUP)
            names = self._keyboard.keys()
            size = self._tty.size
            if size != self._size:
                self._size = size
                self._painter.forget()  # terminals move the text about when they are resized
                names.append("resize")
            if self._stop:
                self._stop = "told"
                return [AWAY]
            left_s = end_s - time.monotonic()
            if names or left_s <= 0:
                break
            pause_s = min(left_s, 0.02 if self._unsent or self._keyboard.waits else _LOOK_S)
        small, self._was_small = self._was_small, self.too_small
        if self.too_small:
            names = ([] if small else [AWAY]) + [name for name in names if name in SMALL_KEYS]
        return names

    def _index(self, colour: Colour) -> int:
        if not self.colours:
            return -1
        rgb = COLOURS[colour] if isinstance(colour, str) else colour
        return nearest_8(rgb) if self.colours < 256 else _index_256(rgb)


def _index_256(rgb: tuple[int, int, int]) -> int:
    if rgb not in _INDICES:
        if len(_INDICES) > 4096:
            _INDICES.clear()
        _INDICES[rgb] = int(nearest_256(np.array(rgb)))
    return _INDICES[rgb]


_INDICES: dict[tuple[int, int, int], int] = {}


def _check_terminal(minimum: tuple[int, int], otherwise: str, *, said: bool) -> Codes:
    """The terminal's codes; ConfigError, in one line, where there is no usable one. said: of what it is taken for."""
    if not (os.isatty(0) and os.isatty(1)):
        raise ConfigError("this needs a terminal, but input or output is not one; run it in a terminal, without a pipe")
    name = os.environ.get("TERM", "")
    codes = codes_of(name, colours=not os.environ.get("NO_COLOR"))
    if codes is None:
        advice = f"try TERM=xterm-256color{otherwise}"
        raise ConfigError(f"the terminal type TERM={name!r} cannot move the cursor; {advice}")
    columns, rows = os.get_terminal_size(1)
    if rows and columns and (rows < minimum[0] or columns < minimum[1]):
        wanted = f"this needs {minimum[1]}×{minimum[0]}; make it larger{otherwise}"
        raise ConfigError(f"the window has {columns}×{rows} characters, {wanted}")
    if codes.name != name and not said:
        warn(f"the terminal type TERM={name!r} is unknown here: taken for {codes.name}")
    return codes
