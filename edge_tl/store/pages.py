"""A few of many examples, as a gallery shows them: asked of the tables, without a list of all of them."""

from __future__ import annotations

from dataclasses import dataclass

from edge_tl.core.examples import Example
from edge_tl.store.boots import Boots
from edge_tl.store.database import Database
from edge_tl.store.read_rows import COLUMNS, as_listed

_TAKES = """SELECT t.id, (SELECT count(*) FROM examples e WHERE e.take_id = t.id) AS many FROM takes t
JOIN labels l ON l.id = t.label_id WHERE (?1 = '' OR l.name = ?1) AND many > 0 ORDER BY t.id DESC"""
_OF_TAKE = f"SELECT {COLUMNS} FROM listed WHERE take = ? ORDER BY id DESC LIMIT ?"
_FIRST = f"SELECT {COLUMNS} FROM listed WHERE take = ? ORDER BY id LIMIT 1"
_WHICH = "FROM examples e JOIN takes t ON t.id = e.take_id JOIN labels l ON l.id = t.label_id WHERE {}"
_ONLY = "(?1 = '' OR l.name = ?1) AND (?2 = 0 OR t.id = ?2) AND (?3 = 0 OR e.id < ?3)"
_COUNT = f"SELECT count(*) {_WHICH.format(_ONLY)}"
_IDS = f"SELECT e.id {_WHICH.format(_ONLY)} ORDER BY e.id DESC LIMIT ?4"
_ONE = f"SELECT {COLUMNS} FROM listed WHERE id = ?"


@dataclass(frozen=True, slots=True)
class TakePage:
    """A take, with its newest examples."""

    take: int
    total: int
    """So many examples it has."""
    first: Example
    newest: list[Example]
    """The newest first."""


class Pages:
    """Reads pages of an ExampleStore, the newest first; ProfileError as there."""

    def __init__(self, database: Database, boots: Boots) -> None:
        """Take the store's file, and when its boots began."""
        self._db, self._boots = database, boots

    def takes(self, label: str, before: int, count: int, each: int) -> tuple[int, int, list[TakePage]]:
        """How many takes there are of a label (of all for ""), how many are older than the page, and the page.

        before: only takes older than this one, 0 for the newest. count: so many takes; each: so many examples of one.
        """
        every = list(self._db.rows(_TAKES, (label,)))
        older = [one for one in every if not before or one[0] < before]
        times = self._boots.times()
        shown = [
            TakePage(
                take,
                total,
                as_listed(self._db, self._db.rows(_FIRST, (take,)), times)[0],
                as_listed(self._db, self._db.rows(_OF_TAKE, (take, each)), times),
            )
            for take, total in older[:count]
        ]
        return len(every), len(older) - len(shown), shown

    def examples(self, label: str, take: int, before: int, count: int) -> tuple[int, int, list[Example]]:
        """The same of examples: of a label ("" for all) and a take (0 for all), older than `before` (0 for all)."""
        total = self._db.number(_COUNT, (label, take, 0))
        older = self._db.number(_COUNT, (label, take, before)) if before else total
        ids = [number for (number,) in self._db.rows(_IDS, (label, take, before, count))]
        rows = [row for number in ids for row in self._db.rows(_ONE, (number,))]
        shown = as_listed(self._db, rows, self._boots.times())
        return total, older - len(shown), shown

    def media_bytes(self) -> int:
        """What all pictures and sounds take on disk, in bytes."""
        return self._db.number("SELECT coalesce(sum(length(media)), 0) FROM media")
