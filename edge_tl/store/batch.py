"""Batch: examples on their way to disk."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from edge_tl.core.examples import Box
from edge_tl.core.kept import checksum
from edge_tl.store.database import Database
from edge_tl.store.moments import Moment

BATCH_S = 0.25
"""The longest an example waits for its commit while `ExampleStore.tick` is called."""
BATCH_EXAMPLES = 32
"""The most examples that wait, where nobody calls `tick` (an import)."""

_NEW_SESSION = "INSERT OR IGNORE INTO sessions (id, name, closed, started_s, boot_id, boot_s) VALUES (?, ?, ?, ?, ?, ?)"
_NEW_TAKE = (
    "INSERT INTO takes (id, source, session_id, time_s, boot_id, boot_s, label_id) "
    "SELECT ?, ?, ?, ?, ?, ?, id FROM labels WHERE name = ?"
)


@dataclass(frozen=True, slots=True)
class PendingExample:
    """An example that is not committed yet."""

    id: int
    take: int
    moment: Moment | float
    """When it was taken, or the time that whoever recorded it gave."""
    media: tuple[str, bytes] | None
    """Its media type and the bytes of the file."""
    fingerprint: str
    packed: tuple[str, bytes] | None
    """The embedding's dtype and bytes; None where no embedder can take it yet."""
    box: Box | None = None


class Batch:
    """What was added since the last commit: new takes and their examples, in memory."""

    def __init__(self, last_session: int, last_take: int, last_example: int) -> None:
        """Begin an empty batch; the numbers are the largest that were ever given."""
        self._next_session, self._next_take, self._next_example = last_session + 1, last_take + 1, last_example + 1
        self.sessions: dict[int, tuple[str, bool]] = {}
        """Number → (name, closed) of sessions that are not on disk: none of their takes is."""
        self._takes: dict[int, tuple[str, str, int, Moment]] = {}
        self._waiting: list[PendingExample] = []
        self._since_s: float | None = None
        self._ticked_s: float | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, take: int) -> bool:
        return take in self._takes

    def new_session(self, name: str, closed: bool) -> int:
        """Number a session; it is written with its first take."""
        session = self._next_session
        self._next_session += 1
        self.sessions[session] = name, closed
        return session

    def new_take(self, label: str, source: str, session: int, now: Moment) -> int:
        """Number a take; it is written with the next commit."""
        take = self._next_take
        self._next_take += 1
        self._takes[take] = label, source, session, now
        return take

    def add(
        self,
        take: int,
        moment: Moment | float,
        media: tuple[str, bytes] | None,
        fingerprint: str,
        packed: tuple[str, bytes] | None,
        box: Box | None = None,
    ) -> int:
        """Number an example and let it wait."""
        if not self._waiting:
            # It came after the last tick, so that counting from there never waits too long.
            self._since_s = self._ticked_s
        example = self._next_example
        self._next_example += 1
        self._waiting.append(PendingExample(example, take, moment, media, fingerprint, packed, box))
        return example

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """What the block adds waits on only where the block ends well."""
        session, take, example = self._next_session, self._next_take, self._next_example
        try:
            yield
        except BaseException:
            self.sessions = {number: one for number, one in self.sessions.items() if number < session}
            self._takes = {number: one for number, one in self._takes.items() if number < take}
            self._waiting = [one for one in self._waiting if one.id < example]
            raise

    def due(self, now_s: float) -> bool:
        """Whether the oldest example may have waited for `BATCH_S`; now_s: of one clock that does not jump."""
        self._ticked_s = now_s
        return bool(self._waiting) and (self._since_s is None or not 0 <= now_s - self._since_s < BATCH_S)

    def write(self, database: Database) -> None:
        """Write all of it, in the caller's transaction; nothing is forgotten until `clear`."""
        for take, (label, source, session, now) in self._takes.items():
            database.change("INSERT OR IGNORE INTO labels (name) VALUES (?)", (label,))
            when = _when(database, now)
            if session in self.sessions:
                name, closed = self.sessions[session]
                database.change(_NEW_SESSION, (session, name, closed, *when))
            database.change(_NEW_TAKE, (take, source, session, *when, label))
        for one in self._waiting:
            moment = one.moment
            time_s, boot_s = (moment.wall_s, moment.boot_s) if isinstance(moment, Moment) else (moment, None)
            sql = "INSERT INTO examples (id, time_s, boot_s, take_id) VALUES (?, ?, ?, ?)"
            database.change(sql, (one.id, time_s, boot_s, one.take))
            if one.media is not None:
                sql = "INSERT INTO media (example_id, media_type, crc32, media) VALUES (?, ?, ?, ?)"
                kind, media = one.media
                database.change(sql, (one.id, kind, zlib.crc32(media), media))
            if one.box is not None:
                database.change(
                    "INSERT INTO boxes (example_id, x0, y0, x1, y1) VALUES (?, ?, ?, ?, ?)", (one.id, *one.box)
                )
            if one.packed is None:
                continue
            dtype, embedding = one.packed
            sql = "INSERT INTO embeddings (example_id, fingerprint, dtype, crc32, embedding) VALUES (?, ?, ?, ?, ?)"
            crc = checksum(one.fingerprint, dtype, embedding)
            database.change(sql, (one.id, one.fingerprint, dtype, crc, embedding))

    def clear(self) -> None:
        """Forget what was committed; the numbers go on."""
        for _, _, session, _ in self._takes.values():
            self.sessions.pop(session, None)
        self._takes.clear()
        self._waiting.clear()


def _when(database: Database, now: Moment) -> tuple[float, int | None, float | None]:
    """A moment as it is stored: the wall clock, the number of the boot, made where it is new, and the time in it."""
    if not now.boot:
        return now.wall_s, None, None
    database.change("INSERT OR IGNORE INTO boots (boot) VALUES (?)", (now.boot,))
    return now.wall_s, database.number("SELECT id FROM boots WHERE boot = ?", (now.boot,)), now.boot_s
