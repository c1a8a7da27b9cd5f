"""The takes of a profile as they are given to others: what was recorded, and no more than the rows of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_tl.core.examples import MARKED, TYPED
from edge_tl.core.kept import checksum, unpack
from edge_tl.frames import Closable
from edge_tl.store.database import Database
from edge_tl.store.schema import TABLES, UPGRADES, VERSION

_TAKES = """SELECT take, label, session, source, count(*), max(id), sum(crc32), min(fingerprint), max(fingerprint),
count(x0) FROM listed GROUP BY take ORDER BY take"""
_ROWS = "SELECT fingerprint, dtype, crc32, embedding FROM listed WHERE take = ? ORDER BY id"


@dataclass(frozen=True, slots=True)
class OwnTake:
    """A take that can be given."""

    take: int
    label: str
    session: int
    fingerprint: str
    stamp: str
    """Another one whenever the take's lesson would be another."""


class OwnTakes(Closable):
    """Reads the takes of a profile beside whoever writes it; used by one thread. ProfileError as of `ExampleStore`."""

    def __init__(self, folder: Path) -> None:
        """Open the examples of a profile's folder."""
        path = Path(folder) / "examples.sqlite"
        self._db = Database(path, writable=False, tables=TABLES, version=VERSION, upgrades=UPGRADES)

    @property
    def version(self) -> int:
        """A number that changes when something was written."""
        return self._db.number("PRAGMA data_version")

    def listed(self) -> list[OwnTake]:
        """The takes that somebody recorded: none that a program spoke, that was marked, or that has boxes."""
        made = []
        for take, label, session, source, count, last, crc, first, fingerprint, boxes in self._db.rows(_TAKES):
            if boxes or first != fingerprint or not fingerprint or source.startswith((TYPED, MARKED)):
                continue
            made.append(OwnTake(take, label, session, fingerprint, f"{count} {last} {crc} {fingerprint[:16]} {label}"))
        return made

    def embeddings(self, take: int) -> np.ndarray | None:
        """The embeddings (N, D) of a take, as a head is taught them; None where one of them is damaged."""
        rows = []
        for fingerprint, dtype, crc, packed in self._db.rows(_ROWS, (take,)):
            if checksum(fingerprint, dtype, packed) != crc:
                return None
            rows.append(unpack(dtype, packed))
        return np.stack(rows) if rows and len({len(row) for row in rows}) == 1 else None

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._db.close()
