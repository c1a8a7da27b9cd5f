"""Batch: examples on their way to disk, and the tables that they are written to."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from edge_tl.database import Database, Upgrade
from edge_tl.recorded import Box
from edge_tl.sessions import PAUSE_S
from edge_tl.stored import checksum

BATCH_S = 0.25
"""The longest an example waits for its commit while `ExampleStore.tick` is called."""
BATCH_EXAMPLES = 32
"""The most examples that wait, where nobody calls `tick` (an import)."""

VERSION = 4
"""Of the tables: 1 had no sessions, 2 listed nothing of what kind of file an example kept (all were pictures), 3 had no
boxes."""
_SESSIONS = """
CREATE TABLE sessions (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, started_s REAL NOT NULL,
    closed INTEGER NOT NULL);
"""
_BOXES = """
CREATE TABLE boxes (example_id INTEGER PRIMARY KEY REFERENCES examples ON DELETE CASCADE,
    x0 REAL NOT NULL, y0 REAL NOT NULL, x1 REAL NOT NULL, y1 REAL NOT NULL);
"""
_LISTED = """
CREATE {temporary} VIEW listed AS SELECT e.id, l.name AS label, t.id AS take, t.session_id AS session, e.time_s,
    t.source, coalesce(length(m.media), 0) AS media_bytes, coalesce(m.media_type, '') AS media_type,
    coalesce(v.fingerprint, '') AS fingerprint, v.dtype, v.crc32, v.embedding, b.x0, b.y0, b.x1, b.y1
    FROM examples e JOIN takes t ON t.id = e.take_id JOIN labels l ON l.id = t.label_id
    LEFT JOIN embeddings v ON v.example_id = e.id LEFT JOIN media m ON m.example_id = e.id
    LEFT JOIN boxes b ON b.example_id = e.id;
"""
_NO_BOXES = """
CREATE TEMP VIEW boxes AS SELECT 0 AS example_id, 0.0 AS x0, 0.0 AS y0, 0.0 AS x1, 0.0 AS y1 WHERE 0;
"""
# Media and embeddings lie apart from the example, so that lists and counts read no blob, and so that an example that
# keeps no picture fits. The check sums find what SQLite does not: bits that flip inside a blob. AUTOINCREMENT never
# gives a number twice, so that a row in somebody's cache is never taken for another. A closed session (an import) is
# not gone on with. The session of a take may be NULL only because SQLite adds no other column to a table that exists.
TABLES = (
    _SESSIONS
    + """
CREATE TABLE labels (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
CREATE TABLE takes (id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, time_s REAL NOT NULL,
    label_id INTEGER NOT NULL REFERENCES labels ON DELETE CASCADE, session_id INTEGER REFERENCES sessions);
CREATE TABLE examples (id INTEGER PRIMARY KEY AUTOINCREMENT, time_s REAL NOT NULL,
    take_id INTEGER NOT NULL REFERENCES takes ON DELETE CASCADE);
CREATE TABLE media (example_id INTEGER PRIMARY KEY REFERENCES examples ON DELETE CASCADE,
    media_type TEXT NOT NULL, crc32 INTEGER NOT NULL, media BLOB NOT NULL);
CREATE TABLE embeddings (example_id INTEGER PRIMARY KEY REFERENCES examples ON DELETE CASCADE,
    fingerprint TEXT NOT NULL, dtype TEXT NOT NULL, crc32 INTEGER NOT NULL, embedding BLOB NOT NULL);
CREATE INDEX takes_of_label ON takes (label_id);
CREATE INDEX examples_of_take ON examples (take_id);
"""
    + _BOXES
    + _LISTED.format(temporary="")
)
# Takes recorded before there were sessions: a pause begins one, exactly as while recording. (Days would cut an evening
# at midnight, and put a morning and an evening, with other light, into one.)
_BY_PAUSES = f"""SELECT id, source, time_s, label_id, sum(begins) OVER (ORDER BY id) AS session_id FROM (
    SELECT *, coalesce(abs(time_s - lag(time_s) OVER (ORDER BY id)) > {PAUSE_S}, 1) AS begins FROM main.takes)"""
UPGRADES = {
    1: Upgrade(
        change=f"""
{_SESSIONS}
CREATE TEMP TABLE old AS {_BY_PAUSES};
CREATE UNIQUE INDEX temp.old_id ON old (id);
INSERT INTO sessions (id, name, started_s, closed) SELECT session_id, '', min(time_s), 0 FROM old GROUP BY session_id;
ALTER TABLE takes ADD COLUMN session_id INTEGER REFERENCES sessions;
UPDATE takes SET session_id = (SELECT session_id FROM old WHERE old.id = takes.id);
DROP TABLE old;
DROP VIEW listed;
{_LISTED.format(temporary="")}""",
        # Views of a connection's own, with the names of the new tables, so that every query works on the old file.
        view=f"""
CREATE TEMP VIEW takes AS {_BY_PAUSES};
CREATE TEMP VIEW sessions AS SELECT session_id AS id, '' AS name, min(time_s) AS started_s, 0 AS closed
    FROM temp.takes GROUP BY session_id;
{_NO_BOXES}
{_LISTED.format(temporary="TEMP")}""",
    ),
    2: Upgrade(
        change=f"DROP VIEW listed; {_LISTED.format(temporary='')}",
        view=_NO_BOXES + _LISTED.format(temporary="TEMP"),
    ),
    3: Upgrade(
        change=f"{_BOXES} DROP VIEW listed; {_LISTED.format(temporary='')}",
        view=_NO_BOXES + _LISTED.format(temporary="TEMP"),
    ),
}
"""Version → what makes it the next one, and how it is read where it must stay as it is."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An example that is not committed yet."""

    id: int
    take: int
    time_s: float
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
        self._takes: dict[int, tuple[str, str, int, float]] = {}
        self._waiting: list[Waiting] = []
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

    def new_take(self, label: str, source: str, session: int, time_s: float) -> int:
        """Number a take; it is written with the next commit."""
        take = self._next_take
        self._next_take += 1
        self._takes[take] = label, source, session, time_s
        return take

    def add(
        self,
        take: int,
        time_s: float,
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
        self._waiting.append(Waiting(example, take, time_s, media, fingerprint, packed, box))
        return example

    def due(self, now_s: float) -> bool:
        """Whether the oldest example may have waited for `BATCH_S`; now_s: of one clock that does not jump."""
        self._ticked_s = now_s
        return bool(self._waiting) and (self._since_s is None or not 0 <= now_s - self._since_s < BATCH_S)

    def write(self, database: Database) -> None:
        """Write all of it, in the caller's transaction; nothing is forgotten until `clear`."""
        for take, (label, source, session, time_s) in self._takes.items():
            database.change("INSERT OR IGNORE INTO labels (name) VALUES (?)", (label,))
            if session in self.sessions:
                sql = "INSERT OR IGNORE INTO sessions (id, name, started_s, closed) VALUES (?, ?, ?, ?)"
                name, closed = self.sessions[session]
                database.change(sql, (session, name, time_s, closed))
            sql = (
                "INSERT INTO takes (id, source, time_s, session_id, label_id) "
                "SELECT ?, ?, ?, ?, id FROM labels WHERE name = ?"
            )
            database.change(sql, (take, source, time_s, session, label))
        for one in self._waiting:
            database.change(
                "INSERT INTO examples (id, time_s, take_id) VALUES (?, ?, ?)", (one.id, one.time_s, one.take)
            )
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
