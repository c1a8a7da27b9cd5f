"""The log of the service: what is so is said once, what comes and goes ever more rarely, what happens often is counted.

A part of the service says a line a minute at most, whatever happens to it: a card must not fill with what flips.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from edge_tl.errors import counted

PAUSE_S, LONGEST_S = 60.0, 3600.0
"""After a line; where one follows the other twice as long each time. What never came, or not for the longest pause,
is said after the shortest."""
MAX_KINDS = 32


@dataclass
class _Part:
    """What is known of a part; times are of the clock."""

    said_s: float = float("-inf")
    pause_s: float = PAUSE_S
    kinds: dict[str, float] = field(default_factory=dict)
    """What was said, without its numbers → when it last came."""
    now: str = ""
    fault: str = ""
    """The last that was wrong."""
    changed: bool = False
    """Since the last line."""
    times: int = 0
    """How often it came since the last line."""


class Journal:
    """Says lines in a log, from any thread. clock: seconds, monotonic."""

    def __init__(self, log: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._log, self._clock = log, clock
        self._states: dict[str, _Part] = {}
        self._events: dict[str, _Part] = {}
        self._lock = threading.Lock()

    def state(self, name: str, line: str) -> None:
        """What is wrong with a part now, empty where nothing is; to be told again and again, changed or not."""
        with self._lock:
            part = self._states.setdefault(name, _Part())
            if line != part.now:
                self._seen(part, line)
                part.changed = True
                if line and _kind(line) != _kind(part.fault):
                    part.times = 1
                else:
                    part.times += bool(line) and not part.now
                part.now, part.fault = line, line or part.fault
            if part.changed and self._may(part, line):
                self._say(part, f"{name}: {_said(part)}", line)

    def happened(self, name: str, line: str) -> None:
        """Something happened to a part: said at once, or counted and said later where much happens."""
        with self._lock:
            part = self._events.setdefault(name, _Part())
            self._seen(part, line)
            part.now, part.changed, part.times = line, True, part.times + 1
        self.turn()

    def turn(self) -> None:
        """Say what had to wait; to be called now and then."""
        with self._lock:
            for part in self._events.values():
                if part.changed and self._may(part, part.now):
                    more = f" (and {part.times - 1} more since)" if part.times > 1 else ""
                    self._say(part, f"{part.now}{more}", part.now)

    def _may(self, part: _Part, line: str) -> bool:
        """Whether a part may say a line now."""
        since_s = self._clock() - part.said_s
        if since_s < PAUSE_S:
            return False
        return since_s >= part.pause_s or _kind(line) not in part.kinds

    def _seen(self, part: _Part, line: str) -> None:
        """What was said and comes again is no news, as long as it comes."""
        kind, now_s = _kind(line), self._clock()
        if now_s - part.kinds.get(kind, now_s) >= LONGEST_S:
            del part.kinds[kind]
        elif kind in part.kinds:
            part.kinds[kind] = now_s

    def _say(self, part: _Part, line: str, what: str) -> None:
        now_s = self._clock()
        part.pause_s = min(2 * part.pause_s, LONGEST_S) if now_s - part.said_s < 2 * part.pause_s else PAUSE_S
        part.said_s, part.changed, part.times = now_s, False, 0
        part.kinds[_kind(what)] = now_s
        while len(part.kinds) > MAX_KINDS:
            del part.kinds[next(iter(part.kinds))]
        self._log(line)


def _said(part: _Part) -> str:
    """How a part is, and how often that changed."""
    often = f"it failed and recovered {counted(part.times, 'time')}"
    if part.now:
        return part.now if part.times <= 1 else f"{part.now} ({often})"
    return "works again" if not part.times else f"works again ({part.fault}: {often})"


def _kind(line: str) -> str:
    """A line without its numbers: with others it is the same."""
    return re.sub(r"\d+", "#", line)
