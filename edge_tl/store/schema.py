"""The tables that examples are kept in, and how those of older files become them."""

from __future__ import annotations

from edge_tl.store.database import Upgrade
from edge_tl.store.moments import BEGUN_S
from edge_tl.store.sessions import PAUSE_S

VERSION = 5
"""Of the tables: 1 had no sessions, 2 listed nothing of what kind of file an example kept (all were pictures), 3 had no
boxes, 4 no boots: of when something was it knew what the clock on the wall showed."""
_SESSIONS = """
CREATE TABLE sessions (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, started_s REAL NOT NULL,
    closed INTEGER NOT NULL);
"""
_BOXES = """
CREATE TABLE boxes (example_id INTEGER PRIMARY KEY REFERENCES examples ON DELETE CASCADE,
    x0 REAL NOT NULL, y0 REAL NOT NULL, x1 REAL NOT NULL, y1 REAL NOT NULL);
"""
_LISTED = """
CREATE {temporary} VIEW listed AS SELECT e.id, l.name AS label, t.id AS take, {session}e.time_s,
    t.source, coalesce(length(m.media), 0) AS media_bytes, {kind}, v.dtype, v.crc32, v.embedding{box}{boot}
    FROM examples e JOIN takes t ON t.id = e.take_id JOIN labels l ON l.id = t.label_id
    {join} embeddings v ON v.example_id = e.id LEFT JOIN media m ON m.example_id = e.id{boxes};
"""
_FIRST = {"temporary": "", "session": "", "kind": "v.fingerprint", "box": "", "boot": "", "join": "JOIN", "boxes": ""}
_SESSION = {"session": "t.session_id AS session, "}
_KIND = {
    "kind": "coalesce(m.media_type, '') AS media_type, coalesce(v.fingerprint, '') AS fingerprint",
    "join": "LEFT JOIN",
}
_BOX = {"box": ", b.x0, b.y0, b.x1, b.y1", "boxes": "\n    LEFT JOIN boxes b ON b.example_id = e.id"}
_LISTED_1 = _LISTED.format(**_FIRST)
_LISTED_2 = _LISTED.format(**_FIRST | _SESSION)
_LISTED_3 = _LISTED.format(**_FIRST | _SESSION | _KIND)
_OLD_LISTED = _LISTED.format(**_FIRST | _SESSION | _KIND | _BOX)
_NOW = _FIRST | _SESSION | _KIND | _BOX | {"boot": ", t.boot_id, e.boot_s"}
_NEW_LISTED = _LISTED.format(**_NOW)
_OWN_LISTED = _LISTED.format(**_NOW | {"temporary": "TEMP"})
_NO_BOXES = """
CREATE TEMP VIEW boxes AS SELECT 0 AS example_id, 0.0 AS x0, 0.0 AS y0, 0.0 AS x1, 0.0 AS y1 WHERE 0;
"""
_NO_BOOTS = """
CREATE TEMP VIEW boots AS SELECT 0 AS id, '' AS boot, NULL AS began_s WHERE 0;
CREATE TEMP VIEW examples AS SELECT id, time_s, take_id, NULL AS boot_s FROM main.examples;
"""
_NO_BOOTS_OF_TAKES = """
CREATE TEMP VIEW sessions AS SELECT id, name, started_s, closed, NULL AS boot_id, NULL AS boot_s FROM main.sessions;
CREATE TEMP VIEW takes AS SELECT id, source, time_s, label_id, session_id, NULL AS boot_id, NULL AS boot_s
    FROM main.takes;
"""
# Media and embeddings lie apart from the example, so that lists and counts read no blob, and so that an example that
# keeps no picture fits. The check sums find what SQLite does not: bits that flip inside a blob. AUTOINCREMENT never
# gives a number twice, so that a row in somebody's cache is never taken for another. A closed session (an import) is
# not gone on with. The session of a take may be NULL only because SQLite adds no other column to a table that exists.
_TABLES_1 = """
CREATE TABLE labels (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
CREATE TABLE takes (id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, time_s REAL NOT NULL,
    label_id INTEGER NOT NULL REFERENCES labels ON DELETE CASCADE);
CREATE TABLE examples (id INTEGER PRIMARY KEY AUTOINCREMENT, time_s REAL NOT NULL,
    take_id INTEGER NOT NULL REFERENCES takes ON DELETE CASCADE);
CREATE TABLE media (example_id INTEGER PRIMARY KEY REFERENCES examples ON DELETE CASCADE,
    media_type TEXT NOT NULL, crc32 INTEGER NOT NULL, media BLOB NOT NULL);
CREATE TABLE embeddings (example_id INTEGER PRIMARY KEY REFERENCES examples ON DELETE CASCADE,
    fingerprint TEXT NOT NULL, dtype TEXT NOT NULL, crc32 INTEGER NOT NULL, embedding BLOB NOT NULL);
CREATE INDEX takes_of_label ON takes (label_id);
CREATE INDEX examples_of_take ON examples (take_id);
"""
_TABLES_2 = f"""{_TABLES_1}
{_SESSIONS}
ALTER TABLE takes ADD COLUMN session_id INTEGER REFERENCES sessions;
"""
_TABLES_4 = _TABLES_2 + _BOXES + _OLD_LISTED
# The seconds since a boot, in which nobody sets a clock, tell how long a pause was; and, once the clock on the wall has
# told when the boot began (NULL until then), when something was. `time_s` stays what the wall clock showed.
_BOOTS = f"""
CREATE TABLE boots (id INTEGER PRIMARY KEY AUTOINCREMENT, boot TEXT NOT NULL UNIQUE, began_s REAL);
ALTER TABLE sessions ADD COLUMN boot_id INTEGER REFERENCES boots;
ALTER TABLE sessions ADD COLUMN boot_s REAL;
ALTER TABLE takes ADD COLUMN boot_id INTEGER REFERENCES boots;
ALTER TABLE takes ADD COLUMN boot_s REAL;
ALTER TABLE examples ADD COLUMN boot_s REAL;
DROP VIEW listed;
{_NEW_LISTED}"""
TABLES = _TABLES_4 + _BOOTS
RESTORED = {
    1: _TABLES_1 + _LISTED_1,
    2: _TABLES_2 + _LISTED_2,
    3: _TABLES_2 + _LISTED_3,
    4: _TABLES_4,
    VERSION: TABLES,
}
"""Version → its tables, exactly: a backup brings those of any, for what is only read stays as it was made."""
# Takes recorded before there were sessions: a pause begins one, exactly as while recording, where both times can be
# right. (Days would cut an evening at midnight, and put a morning and an evening, with other light, into one.)
_BY_PAUSES = f"""SELECT id, source, time_s, label_id, sum(begins) OVER (ORDER BY id) AS session_id FROM (
    SELECT *, coalesce(time_s - before_s > {PAUSE_S} AND before_s >= {BEGUN_S}, 1) AS begins FROM (
    SELECT *, lag(time_s) OVER (ORDER BY id) AS before_s FROM main.takes))"""
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
{_OLD_LISTED}""",
        # Views of a connection's own, with the names of the new tables, so that every query works on the old file.
        view=f"""
CREATE TEMP VIEW takes AS SELECT *, NULL AS boot_id, NULL AS boot_s FROM ({_BY_PAUSES});
CREATE TEMP VIEW sessions AS SELECT session_id AS id, '' AS name, min(time_s) AS started_s, 0 AS closed,
    NULL AS boot_id, NULL AS boot_s FROM temp.takes GROUP BY session_id;
{_NO_BOXES}
{_NO_BOOTS}
{_OWN_LISTED}""",
    ),
    2: Upgrade(
        change=f"DROP VIEW listed; {_OLD_LISTED}",
        view=_NO_BOXES + _NO_BOOTS + _NO_BOOTS_OF_TAKES + _OWN_LISTED,
    ),
    3: Upgrade(
        change=f"{_BOXES} DROP VIEW listed; {_OLD_LISTED}",
        view=_NO_BOXES + _NO_BOOTS + _NO_BOOTS_OF_TAKES + _OWN_LISTED,
    ),
    4: Upgrade(
        change=_BOOTS,
        view=_NO_BOOTS + _NO_BOOTS_OF_TAKES + _OWN_LISTED,
    ),
}
"""Version → what makes it the next one, and how it is read where it must stay as it is."""
