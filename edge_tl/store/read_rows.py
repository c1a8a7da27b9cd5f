"""All examples of a store as the rows that a head is trained on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge_tl.core.examples import Example, Examples, as_example
from edge_tl.core.kept import checksum, unpack
from edge_tl.core.near_copies import SIDE, hold_together
from edge_tl.errors import ExampleError, ProfileError, ProfileMismatch
from edge_tl.media.image import grey_square
from edge_tl.store.boots import Times
from edge_tl.store.database import Database
from edge_tl.store.media import JPEG

_LIST = """SELECT time_s, boot_id, boot_s, id, label, take, session, source, media_bytes, media_type, fingerprint,
x0, y0, x1, y1 FROM listed ORDER BY id"""
_MEDIA = "SELECT media_type, crc32, media FROM media WHERE example_id = ?"
_ROWS = """SELECT id, label, take, session, dtype, crc32, embedding FROM listed WHERE fingerprint <> '' ORDER BY id"""


def read_matrix(database: Database, fingerprint: str, path: Path) -> Examples:
    """The embeddings of a store that one embedder made, in a snapshot of the caller's; path: named in errors.

    ProfileMismatch where some are another embedder's, ProfileError where one did not survive on disk.
    """
    others = database.number("SELECT count(*) FROM embeddings WHERE fingerprint <> ?", (fingerprint,))
    total = database.number("SELECT count(*) FROM embeddings")
    if others:
        raise ProfileMismatch(
            f"{others} of {total} examples were embedded by another model than {fingerprint[:12]}: run "
            "`edge-tl examples re-embed`"
        )
    X = np.zeros((0, 0), np.float32)
    ids, labels, takes, sessions = [], [], [], []
    for row, (number, label, take, session, dtype, crc, packed) in enumerate(database.rows(_ROWS)):
        whole = isinstance(label, str) and isinstance(dtype, str) and isinstance(packed, bytes)
        if not (whole and isinstance(session, int)):
            raise damaged(path, number, "embedding")
        if checksum(fingerprint, dtype, packed) != crc:
            raise damaged(path, number, "embedding")
        vector = unpack(dtype, packed)
        if not row:
            X = np.empty((total, len(vector)), np.float32)
        if row >= total or vector.shape != X.shape[1:]:
            raise damaged(path, number, "embedding")
        X[row] = vector
        ids.append(number)
        labels.append(label)
        takes.append(take)
        sessions.append(session)
    if len(ids) != total:
        raise ProfileError(f"{path} is damaged ({total - len(ids)} examples lost their take): restore a copy")
    numbers = np.array([ids, takes, sessions], np.int64).reshape(3, -1)
    return Examples(numbers[0], X, np.array(labels, np.str_), numbers[1], numbers[2], fingerprint)


def read_list(database: Database, times: Times) -> list[Example]:
    """Every example of a store without its blobs, in the order in which they were added; times: when each was."""
    return [as_example((*row[3:7], times.of(*row[:3]), *row[7:])) for row in database.rows(_LIST)]


class NearCopies:
    """Finds the near-copies among a store's examples; what it saw of a picture it remembers, for no id comes twice."""

    def __init__(self) -> None:
        """Nothing was looked at yet."""
        self._small: dict[int, np.ndarray] = {}
        self._files: dict[int, tuple[int, int]] = {}

    def hold(self, database: Database, examples: Examples, beat: Callable[[], object] | None = None) -> Examples:
        """The same examples, near-copies with the take and session of what they copy; in a snapshot of the caller's.

        beat: called after each picture that was looked at for the first time: a thousand of them take a second.
        """
        for (number,) in list(database.rows("SELECT example_id FROM media ORDER BY example_id")):
            if number not in self._small:
                self._look(number, *next(database.rows(_MEDIA, (number,))))
                if beat:
                    beat()
        if not len(examples.y):
            return examples
        nothing = np.zeros(SIDE * SIDE, np.uint8)
        small = np.array([self._small.get(number, nothing) for number in examples.ids.tolist()])
        names: dict[tuple[int, int], int] = {}
        files = [
            names.setdefault(self._files.get(number, (-number, -1)), len(names)) for number in examples.ids.tolist()
        ]
        held = hold_together(small, np.array(files), examples.y, examples.takes, examples.sessions)
        if held is None:
            return examples
        return replace(examples, takes=held.takes, sessions=held.sessions, parts=held.parts, near_copies=held.copies)

    def _look(self, number: int, kind: str, crc: int, media: bytes) -> None:
        """Remember a picture, small, and which file it is."""
        self._small[number] = np.zeros(SIDE * SIDE, np.uint8)
        self._files[number] = crc, len(media)
        if kind == JPEG:
            with suppress(ExampleError):  # damaged: whoever wants the picture itself is told
                self._small[number] = grey_square(media, SIDE).reshape(-1)


def damaged(path: Path, example: int, what: str) -> ProfileError:
    """The error of an example that did not survive on disk."""
    remedy = f"remove it with `edge-tl examples remove --id {example}`"
    return ProfileError(f"{path} is damaged (the {what} of example {example}): {remedy}")
