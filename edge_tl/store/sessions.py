"""Sessions: a place and a day. Pictures of two sessions differ more than anything within one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from edge_tl.errors import ExampleError
from edge_tl.labels import check_label
from edge_tl.store.batch import Batch
from edge_tl.store.boots import Boots
from edge_tl.store.database import Database
from edge_tl.store.moments import Clock, Moment, since

PAUSE_S = 30 * 60.0
"""A take that begins later than this after the one before begins a new session."""

# The newest session that goes on, and its last take; where that was removed, when the session began.
_NEWEST_SESSION = """SELECT s.id, coalesce(t.time_s, s.started_s), coalesce(b.boot, ''),
coalesce(iif(t.id IS NULL, s.boot_s, t.boot_s), 0.0) FROM sessions s LEFT JOIN takes t ON t.session_id = s.id
LEFT JOIN boots b ON b.id = iif(t.id IS NULL, s.boot_id, t.boot_id)
WHERE NOT s.closed ORDER BY s.id DESC, t.id DESC LIMIT 1"""
_SESSIONS = """SELECT s.id, s.name, s.started_s, s.boot_id, s.boot_s, l.name, count(DISTINCT t.id), count(e.id)
FROM sessions s
JOIN takes t ON t.session_id = s.id JOIN labels l ON l.id = t.label_id JOIN examples e ON e.take_id = t.id
GROUP BY s.id, l.id ORDER BY s.id, l.id"""


@dataclass(frozen=True, slots=True)
class Session:
    """Takes recorded at one place on one day."""

    id: int
    name: str
    """Free text of the user's, e.g. "kitchen"; may be empty, and two sessions may have the same."""
    started_s: float | None
    """When its first take began, in seconds since 1970; None where the clock was not set and nobody knows."""
    takes: int = 0
    counts: tuple[tuple[str, int], ...] = ()
    """(label, examples) of the labels that it has examples of, in the order of the labels."""

    @property
    def examples(self) -> int:
        """How many examples of all labels it has."""
        return sum(number for _, number in self.counts)

    @property
    def title(self) -> str:
        """Its name, or its number in words."""
        return self.name or f"session {self.id}"


def check_session_name(name: str) -> str:
    """The name as it is kept; empty, or as in `check_label` (ExampleError)."""
    return check_label(name) if name.strip() else ""


def in_one_session_only(sessions: Sequence[Session]) -> list[str]:
    """The labels that, of two sessions or more, only one has; empty where there are fewer than two."""
    if len(sessions) < 2:
        return []
    shown = [label for session in sessions for label, _ in session.counts]
    return [label for label in dict.fromkeys(shown) if shown.count(label) == 1]


class Sittings:
    """The sessions of a store: which there are, and to which a take that begins now belongs."""

    def __init__(self, database: Database, batch: Batch, boots: Boots, clock: Clock) -> None:
        """batch: where sessions wait for their first take; boots, clock: the store's."""
        self._db, self._batch, self._boots, self._clock = database, batch, boots, clock
        self._listed: list[tuple[Session, tuple[Any, ...]]] | None = None
        # The session that goes on, and when its last take began (None: it has none yet).
        self._current: int | None = None
        self._last_take: Moment | None = None
        if database.writable and (row := database.one(_NEWEST_SESSION)):
            self._current, self._last_take = row[0], Moment(row[1], row[2], row[3])

    def begin(self, name: str = "", *, closed: bool = False) -> int:
        """A new session, the current one unless it is `closed`, and its number."""
        number = self._batch.new_session(check_session_name(name), closed)
        if not closed:
            self._current, self._last_take = number, None
        return number

    def current(self) -> int:
        """The session of a take that begins now: the one before until a pause, also after a restart."""
        paused = self._last_take is not None and self._paused(self._last_take, self._clock())
        return self.begin() if self._current is None or paused else self._current

    def _paused(self, before: Moment, now: Moment) -> bool:
        """Whether so much time lies between two takes that the later begins a session.

        Within a boot time that passed, however the clock on the wall is set meanwhile; from one boot to another that
        clock, where it was set in both: what is not known begins no session.
        """
        elapsed_s = since(before, now)
        if elapsed_s is None:
            before_s = self._boots.when(before)
            elapsed_s = 0.0 if before_s is None or not self._boots.is_set(now) else now.wall_s - before_s
        return elapsed_s > PAUSE_S

    def take(self, session: int | None, now: Moment) -> int:
        """A take of a session, the current one for None, begins; the session's number."""
        number = self.current() if session is None else self.known(session)
        if number == self._current:
            self._last_take = now
        return number

    def listed(self) -> list[Session]:
        """Those that have examples on disk, in the order in which they began."""
        if self._listed is None or not self._db.writable:  # only a writer knows when they change
            found: dict[int, tuple[Session, tuple[Any, ...]]] = {}
            for number, name, *began, label, takes, examples in self._db.rows(_SESSIONS):
                one = found[number][0] if number in found else Session(number, name, None)
                counts = (*one.counts, (label, examples))
                found[number] = replace(one, takes=one.takes + takes, counts=counts), (*began,)
            self._listed = [*found.values()]
        times = self._boots.times()  # a clock may have been set since
        return [replace(one, started_s=times.of(*began)) for one, began in self._listed]

    def changed(self) -> None:
        """What was listed may hold no longer."""
        self._listed = None

    def name(self, number: int) -> str:
        """The name of a session, on disk or waiting; ExampleError where there is no such session."""
        if number in self._batch.sessions:
            return self._batch.sessions[number][0]
        row = self._db.one("SELECT name FROM sessions WHERE id = ?", (self.known(number),))
        return str(row[0]) if row else ""

    def rename(self, number: int, name: str) -> str:
        """Rename a session where it waits, and return the name as it is to be kept on disk."""
        name = check_session_name(name)
        if self.known(number) in self._batch.sessions:
            self._batch.sessions[number] = name, self._batch.sessions[number][1]
        return name

    def known(self, number: int) -> int:
        """The number of a session, which must exist (ExampleError)."""
        if number in self._batch.sessions or self._db.one("SELECT 1 FROM sessions WHERE id = ?", (number,)):
            return number
        known = ", ".join(f"{one.id} {one.name}".strip() for one in self.listed()) or "none"
        raise ExampleError(f"there is no session {number}; those there are: {known}")
