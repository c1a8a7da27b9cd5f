"""The terminal, through curses: the only file that knows it.

    with Terminal(min_rows=24, min_columns=80) as term:
        while "q" not in (keys := term.keys()):
            term.clear()
            term.put(0, 0, "hello", "yellow", bold=True)
            term.show()

A screen draws everything anew each time between `clear` and `show`; curses sends only what has changed.
"""

from __future__ import annotations

import contextlib
import curses
import locale
import os
import signal
import sys
import tempfile
import threading
from types import FrameType, TracebackType
from typing import Any, Self

import numpy as np

from device.screens.cells import (
    BLACK,
    COLOURS,
    ascii_text,
    cut,
    nearest_8,
    nearest_256,
    printable,
    shrink,
    text_columns,
)
from device.screens.pairs import Pairs
from edge_tl.errors import ConfigError

Colour = str | tuple[int, int, int]
"""A name of `cells.COLOURS`, or RGB 0..255."""

_NAMES = {
    "\n": "enter",
    "\r": "enter",
    "\t": "tab",
    "\b": "backspace",
    "\x7f": "backspace",
    "\x1b": "escape",
    curses.KEY_UP: "up",
    curses.KEY_DOWN: "down",
    curses.KEY_LEFT: "left",
    curses.KEY_RIGHT: "right",
    curses.KEY_ENTER: "enter",
    curses.KEY_BACKSPACE: "backspace",
    curses.KEY_DC: "delete",
    curses.KEY_HOME: "home",
    curses.KEY_END: "end",
    curses.KEY_PPAGE: "page up",
    curses.KEY_NPAGE: "page down",
    curses.KEY_RESIZE: "resize",
}
_ARROWS = {"A": "up", "B": "down", "C": "right", "D": "left"}
_STDERR_KEPT_BYTES = 8000


def name_keys(raw: list[str | int]) -> list[str]:
    """The names of the keys of one read.

    raw: what curses gave: characters and key codes. Result: characters as they are (`a`, ` `, `é`), `up`, `enter`,
    `escape`, `ctrl-a`, `f1`…; an escape sequence that curses does not know is one unknown key, not an `escape`
    followed by letters: an arrow where it is one, else dropped.
    """
    names: list[str] = []
    rest = list(raw)
    while rest:
        key = rest.pop(0)
        if key == "\x1b" and rest and rest[0] in ("[", "O"):
            rest.pop(0)
            while rest and isinstance(rest[0], str) and rest[0] in "0123456789;<?":
                rest.pop(0)
            last = rest.pop(0) if rest else ""
            if last in _ARROWS:
                names.append(_ARROWS[str(last)])
        elif key in _NAMES:
            names.append(_NAMES[key])
        elif isinstance(key, int):
            if curses.KEY_F0 < key <= curses.KEY_F0 + 12:
                names.append(f"f{key - curses.KEY_F0}")
        elif key < " ":
            names.append(f"ctrl-{chr(ord(key) + 96)}")
        else:
            names.append(key)
    return names


class Terminal:
    """The whole terminal as a grid of cells; a context manager that gives it back whatever happens.

    SIGTERM and SIGHUP leave as SystemExit(143) and SystemExit(129) through the `with`, after the terminal is restored.
    What libraries print to a terminal's standard error meanwhile is kept and printed after the end.
    """

    def __init__(self, *, min_rows: int = 1, min_columns: int = 1) -> None:
        """min_rows, min_columns: a smaller window is a ConfigError at entering; once inside, `show` says so."""
        self._minimum = (min_rows, min_columns)
        self._handlers: dict[int, Any] = {}
        self._leaving = False
        self._signal: int | None = None
        self._stderr: tuple[int, Any] | None = None
        self.unicode = True
        """False where the locale is not UTF-8: line and block characters are drawn as ASCII then."""
        self.colours = 0
        """How many colours the terminal has: 256, 16, 8 or 0."""

    def check(self) -> None:
        """Raise the ConfigError that entering would raise; for programs that have long work to do before."""
        _check_terminal(self._minimum)

    def __enter__(self) -> Self:
        self.check()
        self.unicode = "utf" in locale.nl_langinfo(locale.CODESET).lower()
        self._leaving, self._signal = False, None
        try:
            if threading.current_thread() is threading.main_thread():
                for number in (signal.SIGTERM, signal.SIGHUP):
                    self._handlers[number] = signal.signal(number, self._on_signal)
            self._divert_stderr()
            self._open()
        except BaseException:
            self._restore()
            raise
        return self

    def _open(self) -> None:
        self._window = curses.initscr()
        curses.noecho()
        curses.cbreak()
        with contextlib.suppress(curses.error):
            curses.curs_set(0)
        curses.set_escdelay(25)
        # Keys are read from a pad of their own: reading them from the screen would show a half-drawn picture.
        self._keyboard = curses.newpad(1, 1)
        self._keyboard.keypad(True)
        limit = 0
        with contextlib.suppress(curses.error):
            curses.start_color()
            if curses.has_colors():
                self.colours = curses.COLORS
                # curses.color_pair keeps 8 bits of the number, whatever COLOR_PAIRS promises.
                limit = max(0, min(curses.COLOR_PAIRS, 256) - 1)
        self._pairs = Pairs(limit, curses.init_pair)
        self._window.bkgdset(" ", self._pair("white", "black"))
        self.clear()

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

    def _restore(self) -> None:
        self._leaving = True
        with contextlib.suppress(curses.error):  # after a hang-up there is no terminal to restore
            curses.endwin()
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
        """(rows, columns) of the window now."""
        return self._window.getmaxyx()

    @property
    def too_small(self) -> bool:
        """True while the window is smaller than the minimum; `show` then shows only how large it must be."""
        rows, columns = self.size
        return rows < self._minimum[0] or columns < self._minimum[1]

    def clear(self) -> None:
        """Begin a new, empty screen."""
        self._window.erase()
        self._pairs.begin()

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
        if column < 0:
            visible = text
            while visible and column < 0:
                column += text_columns(visible[0])
                visible = visible[1:]
            text = visible
        text = cut(text, columns - column)
        if not text:
            return
        attributes = self._pair(colour, background)
        attributes |= (curses.A_BOLD if bold else 0) | (curses.A_REVERSE if reverse else 0)
        with contextlib.suppress(curses.error):  # the last cell: written, but the cursor finds no place after it
            self._window.addstr(row, column, text, attributes)

    def picture(self, row: int, column: int, rgb: np.ndarray, rows: int, columns: int) -> None:
        """Draw a picture in half blocks, two pixels a cell; its centre fills the area.

        rgb: uint8 (h, w, 3), any size; rows, columns: the area in cells. Shades of grey where there are no 256 colours
        or no Unicode.
        """
        if rows <= 0 or columns <= 0:
            return
        pixels = shrink(rgb, 2 * rows, columns)
        if self.colours < 256 or not self.unicode:
            shades = " ░▒▓█" if self.unicode else " .:-=+*#%@"
            luma = pixels.reshape(rows, 2, columns, 3).mean((1, 3))
            for r, line in enumerate((luma * len(shades) / 256).astype(int)):
                self.put(row + r, column, "".join(shades[i] for i in line))
            return
        indices = nearest_256(pixels)
        numbers, on_top = self._pairs.picture(indices[::2], indices[1::2])
        height, width = self.size
        for r in range(max(0, -row), min(rows, height - row)):
            for c in range(max(0, -column), min(columns, width - column)):
                with contextlib.suppress(curses.error):
                    block = "▀" if on_top[r, c] else "▄"
                    self._window.addstr(row + r, column + c, block, curses.color_pair(int(numbers[r, c])))

    def show(self) -> None:
        """Send what has changed since the last time to the terminal."""
        if self.too_small:
            self.clear()
            rows, columns = self.size
            text = f"make the window larger: {columns}×{rows}, needs {self._minimum[1]}×{self._minimum[0]}"
            lines = [text] if len(text) <= columns else ["make the", "window", "larger"]
            for i, line in enumerate(lines):
                self.put(max(0, (rows - len(lines)) // 2) + i, max(0, (columns - len(line)) // 2), line, "yellow")
        self._window.refresh()

    def keys(self, wait_s: float = 0.0) -> list[str]:
        """All keys since the last call, as `name_keys` names them; `resize` when the window has another size.

        wait_s: how long to wait for the first one, in seconds; 0 returns at once.
        """
        raw: list[str | int] = []
        self._keyboard.timeout(round(wait_s * 1000))
        while True:
            try:
                raw.append(self._keyboard.get_wch())
            except curses.error:
                break
            self._keyboard.timeout(0)
        names = name_keys(raw)
        if "resize" in names:
            self._window.clearok(True)  # terminals move the text about when they are resized
        return names

    def _pair(self, colour: Colour, background: Colour) -> int:
        return curses.color_pair(self._pairs.number(self._index(colour), self._index(background)))

    def _index(self, colour: Colour) -> int:
        rgb = COLOURS[colour] if isinstance(colour, str) else colour
        if self.colours < 256:
            return nearest_8(rgb)
        return _index_256(rgb)


def _index_256(rgb: tuple[int, int, int]) -> int:
    if rgb not in _INDICES:
        if len(_INDICES) > 4096:
            _INDICES.clear()
        _INDICES[rgb] = int(nearest_256(np.array(rgb)))
    return _INDICES[rgb]


_INDICES: dict[tuple[int, int, int], int] = {(0, 0, 0): BLACK}


def _check_terminal(minimum: tuple[int, int]) -> None:
    """Raise ConfigError, in one line, where there is no usable terminal."""
    if not (os.isatty(0) and os.isatty(1)):
        raise ConfigError("this needs a terminal, but input or output is not one; run it in a terminal, without a pipe")
    name = os.environ.get("TERM", "")
    try:
        curses.setupterm(term=name or "unknown", fd=1)
        usable = curses.tigetstr("cup") is not None
    except curses.error:
        usable = False
    if not usable:
        raise ConfigError(f"the terminal type TERM={name!r} cannot move the cursor; try TERM=xterm-256color")
    columns, rows = os.get_terminal_size(1)
    if rows and columns and (rows < minimum[0] or columns < minimum[1]):
        raise ConfigError(
            f"the window has {columns}×{rows} characters, this needs {minimum[1]}×{minimum[0]}; make it larger"
        )
