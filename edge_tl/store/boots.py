"""Boots: when each boot began in which something was recorded, found out when the clock is set, also afterwards."""

from __future__ import annotations

from contextlib import suppress

from edge_tl.errors import ProfileError
from edge_tl.store.database import Database
from edge_tl.store.moments import BEGUN_S, Clock, Moment

DRIFT_S = 1.0
"""A boot's beginning is written anew where it moved by more: a clock that is kept right moves it all the time."""
# Recorded examples in other boots, or before boots were known: this moment is later than all of it.
_NEWEST = """SELECT max(CASE WHEN t.boot_id IS NULL THEN t.time_s ELSE b.began_s + t.boot_s END)
FROM takes t LEFT JOIN boots b ON b.id = t.boot_id WHERE b.boot IS NULL OR b.boot <> ?"""


class Boots:
    """The boots of a store's machines."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """clock: the store's."""
        self._db, self._clock = database, clock
        self._newest_s: tuple[str, float] | None = None

    def is_set(self, moment: Moment) -> bool:
        """Whether the wall clock can be right: not before there was edge-tl, nor before what other boots recorded."""
        return moment.wall_s >= max(BEGUN_S, self._before(moment.boot))

    def when(self, moment: Moment) -> float | None:
        """When a moment was, in seconds since 1970; None where the clock was never set in its boot.

        Of a moment of a boot that the store knows nothing of, its own wall clock is all there is.
        """
        known, began_s = self._began(moment.boot)
        if not known:
            return moment.wall_s if moment.wall_s >= BEGUN_S else None
        return None if began_s is None else began_s + moment.boot_s

    def _began(self, boot: str) -> tuple[bool, float | None]:
        """Whether anything is known of a boot, and when it began; None where that is not known (yet)."""
        now = self._clock()
        row = self._db.one("SELECT began_s FROM boots WHERE boot = ?", (boot,))
        known_s = _number(row[0]) if row else None
        if boot and boot == now.boot and self.is_set(now):
            return True, known_s if _near(known_s, now.began_s) else now.began_s
        return row is not None, known_s

    def times(self) -> Times:
        """When all that is stored was, by what is known now."""
        rows = self._db.rows("SELECT id, boot FROM boots")
        return Times({number: self._began(boot)[1] for number, boot in [*rows]})

    def remember(self) -> None:
        """Write when this boot began, where that is news: it tells when all was that was recorded before."""
        # What cannot be written now is found out again; a second `close` of the store finds the file closed.
        with suppress(ProfileError):
            if self._db.writable and self._news():
                with self._db.writing():
                    self.write()

    def write(self) -> None:
        """The same, in the caller's transaction."""
        if self._news():
            now = self._clock()
            self._db.change("UPDATE boots SET began_s = ? WHERE boot = ?", (now.began_s, now.boot))

    def _news(self) -> bool:
        """Whether this boot is one in which something was recorded, and is known now to have begun at another time."""
        now = self._clock()
        row = self._db.one("SELECT began_s FROM boots WHERE boot = ?", (now.boot,)) if now.boot else None
        if row is None or not self.is_set(now):
            return False
        return not _near(_number(row[0]), now.began_s)

    def _before(self, boot: str) -> float:
        """The newest time that another boot recorded."""
        if self._newest_s is None or self._newest_s[0] != boot:  # what others recorded changes no more
            row = self._db.one(_NEWEST, (boot,))
            self._newest_s = boot, (_number(row[0]) if row else None) or 0.0
        return self._newest_s[1]


class Times:
    """When each thing in a store was."""

    def __init__(self, began_s: dict[int, float | None]) -> None:
        """began_s: number of a boot → when it began."""
        self._began_s = began_s

    def of(self, time_s: object, boot: int | None, boot_s: object) -> float | None:
        """The time of a row: its wall clock, the number of its boot, its seconds since then; None where nobody knows.

        boot: None in what was recorded before boots were kept. boot_s: None where whoever recorded it gave the time.
        """
        wall_s, elapsed_s = _number(time_s), _number(boot_s)
        if boot is None:
            return wall_s if wall_s is not None and wall_s >= BEGUN_S else None
        if elapsed_s is None:
            return wall_s
        began_s = self._began_s.get(boot)
        return None if began_s is None else began_s + elapsed_s


def _near(known_s: float | None, began_s: float) -> bool:
    """Whether what is known of a boot's beginning is what the clocks say now."""
    return known_s is not None and abs(known_s - began_s) <= DRIFT_S


def _number(value: object) -> float | None:
    """A number of a file that may be damaged."""
    return float(value) if isinstance(value, (int, float)) else None
