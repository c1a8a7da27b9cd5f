"""Bytes from a terminal to the names of keys: escape sequences whole or not at all, and pasted text as one piece.

Terminals send a key as one character or as a sequence that begins with escape; over a slow line it may come in pieces.
A sequence that nobody here knows (a mouse, a key with Alt) is dropped whole: its letters are no keys.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

PASTE = "paste:"
"""What a key that is pasted text begins with; the text follows."""
ESCAPE_S = 0.1
"""A lone escape is the key of that name once nothing has followed it for so long."""
SEQUENCE_S = 0.5
"""One that has begun is dropped once nothing has followed it for so long."""
PASTE_S = 3.0
"""A paste whose end was lost is over once nothing has come for so long."""
PASTE_CHARACTERS = 4096
"""More of one paste is dropped: it would only be a name."""

_CONTROLS = {"\n": "enter", "\r": "enter", "\t": "tab", "\b": "backspace", "\x7f": "backspace"}
_FINALS = {"A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end", "M": "enter", "Z": "tab"}
"""What ends `ESC [` and `ESC O`; M is enter only after O, Z only after [."""
_NUMBERED = {
    **{1: "home", 2: "insert", 3: "delete", 4: "end", 5: "page up", 6: "page down", 7: "home", 8: "end"},
    **{number: f"f{key}" for key, number in enumerate((11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 23, 24), 1)},
}
"""`ESC [ N ~`."""
_KEYPAD = dict(zip("pqrstuvwxyjklmnoXI", "0123456789*+,-./=\t", strict=True))
"""The numpad where a program before this one switched it to application mode: `ESC O` and one of these."""
_CSI = re.compile(r"\x1b\[(?:\[[A-E]|M...|[0-9;]+\$|(?![M\[])[0-?]*[ -/]*[@-~])", re.DOTALL)
"""A whole sequence: also the Linux console's `[[A`, an old mouse's `[M` with three, and rxvt's `$` at the end."""
_CSI_BEGUN = re.compile(r"\x1b\[(?:\[|M.{0,2}|[0-?]*[ -/]*)", re.DOTALL)
_STRING = re.compile(r"\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)")
_STRING_BEGUN = re.compile(r"\x1b[\]PX^_][^\x07\x1b]*(?:\x1b\Z)?")
_PASTE_BEGIN, _PASTE_END = "\x1b[200~", "\x1b[201~"
_ANSWER = re.compile(r"\x1b\[[03]n")


class Keyboard:
    """Takes bytes as they come and gives keys.

    Characters are named by themselves (`a`, ` `, `é`), others `up`, `enter`, `escape`, `ctrl-a`, `f1`…; a paste is one
    key, `PASTE` and its text. clock: seconds. encoding: the locale's.
    """

    def __init__(self, clock: Callable[[], float], encoding: str = "utf-8") -> None:
        self._clock = clock
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="ignore")
        self._rest = ""
        self._came_s = clock()
        self._pasted: str | None = None
        self._answers = 0

    def feed(self, data: bytes) -> None:
        """Take what came from the terminal."""
        before = self._rest
        # Answers come whenever they come, also between an escape and what tells that nothing follows it.
        self._rest, answers = _ANSWER.subn("", before + self._decoder.decode(data))
        self._answers += answers
        if self._rest != before:
            self._came_s = self._clock()

    @property
    def waits(self) -> bool:
        """True while the beginning of a sequence waits for its end, or for the time in which it would have come."""
        return bool(self._rest) or self._pasted is not None

    def take_answers(self) -> int:
        """How often the terminal has answered, since the last call, that it is well."""
        answers, self._answers = self._answers, 0
        return answers

    def keys(self) -> list[str]:
        """The keys that are complete, since the last call."""
        names: list[str] = []
        late_s = self._clock() - self._came_s
        while self._rest or self._pasted is not None:
            if self._pasted is not None:
                if not self._paste(late_s):
                    break
                names.append(PASTE + self._end_paste())
            elif self._rest[0] != "\x1b":
                names += _named(self._rest[0])
                self._rest = self._rest[1:]
            elif not self._sequence(names, late_s):
                break
        return names

    def _sequence(self, names: list[str], late_s: float) -> bool:
        """Take one sequence off the rest; False where more of it has to come first."""
        rest = self._rest
        whole = _CSI.match(rest) or _STRING.match(rest) or re.match("\x1bO[0-9;]*[A-Za-z]", rest)
        if whole is not None:
            self._rest = rest[whole.end() :]
            if whole[0] == _PASTE_BEGIN:
                self._pasted = ""
            else:
                names += _sequence_named(whole[0])
            return True
        begun = _CSI_BEGUN.match(rest) or _STRING_BEGUN.match(rest) or re.match("\x1b(?:O[0-9;]*)?", rest)
        assert begun is not None
        if begun[0] == rest:
            if late_s < (ESCAPE_S if rest == "\x1b" else SEQUENCE_S):
                return False
            # Nothing followed: escape itself, or Alt and the first character of a sequence.
            self._rest = ""
            names += ["escape"] if rest == "\x1b" else []
            return True
        if begun[0] != "\x1b":  # it broke off, and what follows is something else
            self._rest = rest[begun.end() :]
            return True
        if rest[1] == "\x1b":  # escape twice, or Alt with a key that is a sequence itself: the latter is dropped
            alone = rest == "\x1b\x1b"
            if alone and late_s < ESCAPE_S:
                return False
            if alone:
                self._rest = ""
                names.append("escape")
                return True
            before = len(names)
            self._rest = rest[1:]
            done = self._sequence(names, late_s)
            if not done:
                self._rest = rest
            del names[before:]
            return done
        self._rest = rest[2:]  # Alt and a character: no key
        return True

    def _paste(self, late_s: float) -> bool:
        """Take pasted text off the rest; True where the paste is over."""
        assert self._pasted is not None
        text, end, after = self._rest.partition(_PASTE_END)
        if end:
            self._pasted, self._rest = self._pasted + text, after
            return True
        # What may be the beginning of the end stays.
        kept = next((n for n in range(len(_PASTE_END) - 1, 0, -1) if text.endswith(_PASTE_END[:n])), 0)
        self._pasted = (self._pasted + text[: len(text) - kept])[:PASTE_CHARACTERS]
        self._rest = text[len(text) - kept :]
        return late_s >= PASTE_S

    def _end_paste(self) -> str:
        text, self._pasted = (self._pasted or "")[:PASTE_CHARACTERS], None
        return text


def _named(character: str) -> list[str]:
    if character in _CONTROLS:
        return [_CONTROLS[character]]
    if character < " ":
        return [f"ctrl-{chr(ord(character) + 96)}"] if "\x00" < character < "\x1b" else []
    return [] if "\x80" <= character < "\xa0" else [character]


def _sequence_named(sequence: str) -> list[str]:
    """The key of a whole sequence, or none."""
    last, inside = sequence[-1], sequence[2:-1]
    if sequence.startswith("\x1b[["):
        return [f"f{'ABCDE'.index(last) + 1}"]
    if sequence[1] == "O" and last in "PQRS":
        return [f"f{'PQRS'.index(last) + 1}"]
    if sequence[1] == "O" and last in _KEYPAD:
        return _named(_KEYPAD[last])
    if sequence[1] not in "[O" or (inside and not re.fullmatch("[0-9;]+", inside)):
        return []
    if last == "~":
        return [_NUMBERED[int(inside)]] if inside.isdigit() and int(inside) in _NUMBERED else []
    if (last == "M" and sequence[1] == "[") or (last == "Z" and sequence[1] == "O"):
        return []
    return [_FINALS[last]] if last in _FINALS else []
