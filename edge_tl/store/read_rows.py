"""All examples of a store as the rows that a head is trained on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.core.examples import MARKED, TYPED, Aside, AsRows, Example, Examples, as_example
from edge_tl.core.kept import checksum, unpack
from edge_tl.errors import ExampleError, ProfileError, ProfileMismatch, counted, other_model
from edge_tl.labels import MAX_CLASSES
from edge_tl.store.boots import Times
from edge_tl.store.database import Database

COLUMNS = """time_s, boot_id, boot_s, id, label, take, session, source, media_bytes, media_type, fingerprint,
x0, y0, x1, y1"""
"""Of an example in the view `listed`, as `as_listed` takes them."""
_LIST = f"SELECT {COLUMNS} FROM listed ORDER BY id"
_ROWS = """SELECT id, label, take, session, dtype, crc32, embedding FROM listed WHERE fingerprint <> '' ORDER BY id"""
_BEGINS = "SELECT id FROM takes WHERE substr(source, 1, ?) = ?"
BLOCK = 256
"""Embeddings that are held at once where only their rows are wanted: 16 MB of 15 360 values."""


class _Rows:
    """Gathers embeddings, or what is made of them, a block at a time."""

    def __init__(self, total: int, as_rows: AsRows | None) -> None:
        self.X = np.zeros((0, 0), np.float32)
        self.found = None if as_rows is None else np.zeros(total, bool)
        self._total, self._as_rows, self._done = total, as_rows, 0
        self._waiting: list[np.ndarray] = []

    def add(self, vector: np.ndarray) -> bool:
        """Take the next embedding (D,); False where it is one too many, or of another length."""
        if self._waiting and len(self._waiting[-1]) != len(vector):
            return False
        self._waiting.append(vector)
        return self._done + len(self._waiting) <= self._total and (len(self._waiting) < BLOCK or self.flush())

    def flush(self) -> bool:
        """Put away what waits; False where it is of another length than what came before."""
        if not self._waiting:
            return True
        rows, some = np.stack(self._waiting), slice(self._done, self._done + len(self._waiting))
        if self.found is not None and self._as_rows is not None:
            rows, self.found[some] = self._as_rows(rows)
        if not self._done:
            self.X = np.empty((self._total, rows.shape[1]), np.float32)
        if rows.shape[1] != self.X.shape[1]:
            return False
        self.X[some] = rows
        self._done, self._waiting = some.stop, []
        return True


def read_matrix(database: Database, fingerprint: str, path: Path, as_rows: AsRows | None = None) -> Examples:
    """The embeddings of a store that one embedder made, in a snapshot of the caller's; path: named in errors.

    as_rows: makes of a block of them what is wanted in their place. ProfileMismatch where some are another embedder's,
    ProfileError where one did not survive on disk.
    """
    others = database.number("SELECT count(*) FROM embeddings WHERE fingerprint <> ?", (fingerprint,))
    total = database.number("SELECT count(*) FROM embeddings")
    if others:
        raise ProfileMismatch(
            f"another model than {fingerprint[:12]} embedded {others} of {counted(total, 'example')}: " + other_model()
        )
    rows = _Rows(total, as_rows)
    ids, labels, takes, sessions = [], [], [], []
    for number, label, take, session, dtype, crc, packed in database.rows(_ROWS):
        whole = isinstance(label, str) and isinstance(dtype, str) and isinstance(packed, bytes)
        if not (whole and isinstance(session, int)):
            raise damaged(path, number, "embedding")
        if checksum(fingerprint, dtype, packed) != crc:
            raise damaged(path, number, "embedding")
        if not rows.add(unpack(dtype, packed)):
            raise damaged(path, number, "embedding")
        ids.append(number)
        labels.append(label)
        takes.append(take)
        sessions.append(session)
    if ids and not rows.flush():
        raise damaged(path, ids[-1], "embedding")
    if len(ids) != total:
        raise ProfileError(f"{path} is damaged ({counted(total - len(ids), 'example')} without a take): restore a copy")
    numbers = np.array([ids, takes, sessions], np.int64).reshape(3, -1)
    y = np.array(labels, np.str_)
    typed, marked = (
        frozenset(take for (take,) in database.rows(_BEGINS, (len(mark), mark))) for mark in (TYPED, MARKED)
    )
    aside = Aside(typed, marked)
    return Examples(numbers[0], rows.X, y, numbers[1], numbers[2], fingerprint, found=rows.found, aside=aside)


def read_list(database: Database, times: Times) -> list[Example]:
    """Every example of a store without its blobs, in the order in which they were added; times: when each was."""
    return as_listed(database, database.rows(_LIST), times)


def as_listed(database: Database, rows: Iterable[tuple[Any, ...]], times: Times) -> list[Example]:
    """The examples of rows of `COLUMNS`; ProfileError where a label is no text."""
    listed = [as_example((*row[3:7], times.of(*row[:3]), *row[7:])) for row in rows]
    if not all(isinstance(one.label, str) and isinstance(one.source, str) for one in listed):
        raise ProfileError(f"{database.path} is damaged (a label is no text): restore a copy of it, or move it away")
    return listed


def read_labels(database: Database, path: Path) -> list[str]:
    """The labels in the order in which they were declared; ProfileError for what is no text."""
    labels = [name for (name,) in database.rows("SELECT name FROM labels ORDER BY id")]
    if not all(isinstance(label, str) for label in labels):
        raise ProfileError(f"{path} is damaged (a label is no text): restore a copy of it, or move it away")
    return labels


def check_more(label: str, labels: list[str]) -> str:
    """A label that may be used beside those there are; ExampleError where there are as many as may be."""
    if label not in labels and len(labels) >= MAX_CLASSES:
        raise ExampleError(f"there are {counted(len(labels), 'class', 'classes')}, as many as may be: remove some")
    return label


def damaged(path: Path, example: int, what: str) -> ProfileError:
    """The error of an example that did not survive on disk."""
    remedy = f"remove it with `edge-tl examples remove --id {example}`"
    return ProfileError(f"{path} is damaged (the {what} of example {example}): {remedy}")
