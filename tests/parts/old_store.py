"""A file of examples as edge-tl made it before there were sessions (format 1), for the tests of the upgrade."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from edge_tl.core.kept import checksum, pack
from edge_tl.store.media import stored_jpeg

TABLES_1 = """
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
CREATE VIEW listed AS SELECT e.id, l.name AS label, t.id AS take, e.time_s, t.source,
    coalesce(length(m.media), 0) AS media_bytes, v.fingerprint, v.dtype, v.crc32, v.embedding
    FROM examples e JOIN takes t ON t.id = e.take_id JOIN labels l ON l.id = t.label_id
    JOIN embeddings v ON v.example_id = e.id LEFT JOIN media m ON m.example_id = e.id;
"""
PRINT = "a" * 64
LABELS = ("up", "down")


def old_store(path: Path, takes_s: Iterable[float], *, picture: bool = True) -> Path:
    """Make the file, with one example in each take, which began at that time; labels take turns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(f"BEGIN; {TABLES_1} PRAGMA application_id = {0x65646765}; PRAGMA user_version = 1;")
    for label in LABELS:
        db.execute("INSERT INTO labels (name) VALUES (?)", (label,))
    jpeg = stored_jpeg(np.full((8, 8, 3), 90, np.uint8))
    for number, time_s in enumerate(takes_s, 1):
        db.execute("INSERT INTO takes VALUES (?, 'camera', ?, ?)", (number, time_s, 1 + number % 2))
        db.execute("INSERT INTO examples VALUES (?, ?, ?)", (number, time_s, number))
        dtype, packed = pack(np.full(5, number, np.float32))
        values = (number, PRINT, dtype, checksum(PRINT, dtype, packed), packed)
        db.execute("INSERT INTO embeddings VALUES (?, ?, ?, ?, ?)", values)
        if picture:
            db.execute("INSERT INTO media VALUES (?, 'image/jpeg', ?, ?)", (number, zlib.crc32(jpeg), jpeg))
    db.execute("COMMIT")
    db.close()
    return path
