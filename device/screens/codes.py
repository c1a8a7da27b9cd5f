"""What a terminal is told to move, to colour and to clear, from its terminfo entry: the only file that knows curses.

Nothing of curses' screen is used: it writes when it likes, and waits for a terminal that is slow.
"""

from __future__ import annotations

import curses
import re
from dataclasses import dataclass, field
from functools import cache, lru_cache

BOLD, REVERSE = 1, 2
"""Bits of a cell's attributes."""
FALLBACKS = ("xterm-256color", "xterm", "vt100")
"""What a terminal of an unknown name is taken for: nearly all in use understand xterm."""

Style = tuple[int, int, int]
"""(text colour, background, attributes); colours −1 where they do not matter."""


@dataclass(frozen=True, eq=False)
class Codes:
    """The sequences of one kind of terminal."""

    name: str
    """Of the terminfo entry."""
    colours: int
    """How many it has: 0, 8, 16, 256 or more."""
    begin: bytes
    """Another screen, an invisible cursor, pasted text marked as such."""
    end: bytes
    """As it was."""
    clear: bytes
    fills: bool
    """Whether what is cleared gets the background colour of now (terminfo's `bce`)."""
    scrolls: bool
    """Whether a character in the last cell of all moves everything up."""
    ecma: bool
    """Whether 256 colours are set as xterm does it, so that several settings fit in one sequence."""
    asks: bytes
    """Asks whether it is well; terminals in use answer when they have come to it."""
    _strings: dict[str, bytes] = field(repr=False, default_factory=dict)

    @lru_cache(maxsize=20_000)  # noqa: B019 - one lives as long as the program
    def move(self, row: int, column: int) -> bytes:
        """To a cell."""
        return _plain(curses.tparm(self._strings["cup"], row, column))

    @lru_cache(maxsize=1000)  # noqa: B019
    def right(self, columns: int) -> bytes:
        """So many cells to the right; empty where it cannot."""
        return _plain(curses.tparm(self._strings["cuf"], columns)) if self._strings["cuf"] else b""

    @lru_cache(maxsize=50_000)  # noqa: B019
    def style(self, before: Style | None, wanted: Style) -> bytes:
        """From one style to another; before None: not known."""
        text, background, attributes = wanted
        known = before is not None and before[2] == attributes
        parts: list[str] = []
        sent = b""
        if not known:
            parts.append("0")
            sent = self._strings["sgr0"]
            if attributes & BOLD:
                parts.append("1")
                sent += self._strings["bold"]
            if attributes & REVERSE:
                parts.append("7")
                sent += self._strings["rev"]
        if text >= 0 and not (known and before is not None and before[0] == text):
            parts.append(f"38;5;{text}")
            sent += self._colour("setaf", text)
        if background >= 0 and not (known and before is not None and before[1] == background):
            parts.append(f"48;5;{background}")
            sent += self._colour("setab", background)
        if self.ecma:
            return f"\x1b[{';'.join(parts)}m".encode() if parts else b""
        return sent

    def _colour(self, name: str, number: int) -> bytes:
        return _plain(curses.tparm(self._strings[name], number)) if self.colours and self._strings[name] else b""


def codes_of(name: str, *, colours: bool = True) -> Codes | None:
    """The codes of a terminal by its name (TERM), or those of xterm where nobody here knows the name.

    colours: False leaves them out, whatever the terminal has. None where there is no name, or the terminal cannot move
    its cursor.
    """
    known = _set_up(name)
    if not known:
        return None
    strings = {one: curses.tigetstr(one) or b"" for one in ("cup", "cuf", "sgr0", "bold", "rev", "setaf", "setab")}
    if not strings["cup"]:
        return None

    def of(*names: str) -> bytes:
        return b"".join(_plain(curses.tigetstr(one) or b"") for one in names)

    with_numbers = ("cup", "cuf", "setaf", "setab")
    number = max(0, curses.tigetnum("colors")) if colours and strings["setaf"] else 0
    xterm_like = b"\x1b[" in of("cup")
    # Where there is no other screen to leave, what was drawn is wiped out.
    end = of("cnorm", "rmcup") if of("rmcup") else of("cnorm", "clear")
    return Codes(
        name=known,
        colours=number,
        begin=of("smcup", "civis") + (b"\x1b[?2004h" if xterm_like else b""),
        end=of("sgr0") + (b"\x1b[?2004l" if xterm_like else b"") + end,
        clear=of("clear"),
        fills=curses.tigetflag("bce") > 0,
        scrolls=curses.tigetflag("am") > 0 and curses.tigetflag("xenl") <= 0,
        ecma=number >= 256 and _plain(curses.tparm(strings["setaf"], 100)) == b"\x1b[38;5;100m",
        asks=b"\x1b[5n" if xterm_like else b"",
        _strings={one: text if one in with_numbers else _plain(text) for one, text in strings.items()},
    )


@cache
def _set_up(name: str) -> str:
    """Have curses read the entry of a terminal, or of the first one that it may be taken for; the entry's name."""
    if not name:
        return ""
    for one in (name, *FALLBACKS):
        try:
            curses.setupterm(term=one, fd=1)
        except curses.error:
            continue
        return one  # Python's curses reads one entry and no other after it
    return ""


def _plain(text: bytes) -> bytes:
    """A sequence without the pauses that terminals of paper and glass wanted."""
    return re.sub(rb"\$<[^>]*>", b"", text)
