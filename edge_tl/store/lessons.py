"""LessonStore: what other devices taught, beside a profile's own examples, and what of the own they were given.

FOLDER/lessons.sqlite    lessons by their hashes, tombstones, what is thought of each device, and which takes are shared

Lessons are kept as they came, so that whoever holds one can give it on. What a head is taught is decided when it is
asked for (`taken`): what was set aside comes back as it went.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from edge_tl.errors import ConfigError, ProfileError, escaped
from edge_tl.fleet.keys import DeviceKey, key_id
from edge_tl.fleet.lesson import FleetLesson, LessonError, Tombstone, new_tombstone, parse_lesson
from edge_tl.frames import Closable
from edge_tl.store.database import Database

FILE = "lessons.sqlite"
BESIDE = tuple(f"{FILE}-{more}" for more in ("wal", "shm", "reserve"))
VERSION = 1
TABLES = """
CREATE TABLE lessons (hash TEXT PRIMARY KEY, key BLOB NOT NULL, label TEXT NOT NULL, fingerprint TEXT NOT NULL,
    examples INTEGER NOT NULL, same TEXT NOT NULL, state TEXT NOT NULL, wire BLOB NOT NULL);
CREATE TABLE tombstones (hash TEXT NOT NULL, key BLOB NOT NULL, wire BLOB NOT NULL, PRIMARY KEY (hash, key));
CREATE TABLE devices (key BLOB PRIMARY KEY, name TEXT NOT NULL, decision TEXT NOT NULL);
CREATE TABLE shared (hash TEXT PRIMARY KEY, take INTEGER NOT NULL, stamp TEXT NOT NULL, withdrawn INTEGER NOT NULL);
"""
MEND = "move it away: the lessons come again from the broker, and what was decided about devices is to be decided again"
"""What to do where the file is damaged."""
TAKEN, WAITING, LEFT = "taken", "waiting", "left"
"""What becomes of a lesson by the rules of this device: it teaches, waits until somebody says yes, or is only kept."""
ASIDE, ACCEPTED = "aside", "accepted"
"""What somebody decided about a device; empty where nobody did."""
MAX_LESSONS = 20_000
MAX_TOMBSTONES = 100_000
_HASH = re.compile(r"[0-9a-f]{64}")
_USED = """l.hash NOT IN (SELECT hash FROM shared) AND (l.state = 'taken' OR (l.state = 'waiting' AND d.decision =
'accepted')) AND coalesce(d.decision, '') <> 'aside'
AND l.same NOT IN (SELECT o.same FROM lessons o JOIN shared s ON s.hash = o.hash)"""


@dataclass(frozen=True, slots=True)
class DeviceLessons:
    """What one device gave."""

    key: bytes
    name: str
    """As this device calls it; empty where it is not trusted any more."""
    decision: str
    """`aside`, `accepted`, or empty."""
    lessons: int
    used: int
    """Of them, those that teach here."""
    waiting: int
    labels: tuple[str, ...]

    @property
    def id(self) -> str:
        """As `key_id`."""
        return key_id(self.key)

    @property
    def shown(self) -> str:
        """What to call it."""
        return self.name or self.id


class LessonStore(Closable):
    """Lessons in one SQLite file; what is in it is on disk, and survives a kill and a power cut.

    Used by one thread, but several processes may write, each in short transactions. ProfileError, one line, where the
    file cannot be read or written.
    """

    def __init__(self, folder: Path, *, writable: bool) -> None:
        """Open the file in a profile's folder, made where it is missing and `writable`."""
        self.path = Path(folder) / FILE
        self._db = Database(self.path, writable=writable, tables=TABLES, version=VERSION, upgrades={}, mend=MEND)

    # -- lessons of others, and the own that were given --------------------------------------------------------------

    @contextmanager
    def together(self) -> Iterator[None]:
        """All that the block writes is one commit: on disk at its end, or nothing of it."""
        with self._db.writing():
            yield

    def add(self, lesson: FleetLesson, state: str) -> None:
        """Keep a lesson whose signature was checked; inside `together`."""
        about = lesson.header
        values = (lesson.hash, lesson.key, about.label, about.fingerprint, len(lesson.rows), lesson.same, state)
        self._db.change("INSERT OR IGNORE INTO lessons VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*values, lesson.wire()))

    def bury(self, tombstone: Tombstone) -> bool:
        """Forget a lesson for good, where its own device says so; whether it was here. Inside `together`."""
        signed = tombstone.hash, tombstone.key
        self._db.change("INSERT OR IGNORE INTO tombstones VALUES (?, ?, ?)", (*signed, tombstone.wire()))
        return bool(self._db.change("DELETE FROM lessons WHERE hash = ? AND key = ?", signed))

    def buried(self, hash: str, key: bytes) -> bool:
        """Whether the device with this key took the lesson back."""
        return self._db.one("SELECT 1 FROM tombstones WHERE hash = ? AND key = ?", (hash, key)) is not None

    def key_of(self, hash: str) -> bytes | None:
        """Whose lesson it is; None where it is not here."""
        row = self._db.one("SELECT key FROM lessons WHERE hash = ?", (hash,))
        return None if row is None else bytes(row[0])

    def wire(self, hash: str) -> bytes:
        """A lesson as it came; ProfileError where it is not here."""
        row = self._db.one("SELECT wire FROM lessons WHERE hash = ?", (hash,))
        if row is None:
            raise ProfileError(f"there is no lesson {hash[:12]}: see `edge-tl fleet status`")
        return bytes(row[0])

    def keys(self) -> dict[str, bytes]:
        """Hash → whose, of every lesson that is here."""
        return {str(hash): bytes(key) for hash, key in self._db.rows("SELECT hash, key FROM lessons")}

    def tombstones(self) -> dict[tuple[str, bytes], bytes]:
        """(hash, key) → the tombstone as it came."""
        rows = self._db.rows("SELECT hash, key, wire FROM tombstones")
        return {(str(hash), bytes(key)): bytes(wire) for hash, key, wire in rows}

    def room(self) -> tuple[int, int]:
        """How many more lessons, and how many more tombstones, are taken."""
        lessons = self._db.number("SELECT count(*) FROM lessons")
        return MAX_LESSONS - lessons, MAX_TOMBSTONES - self._db.number("SELECT count(*) FROM tombstones")

    def used(self) -> dict[str, bytes]:
        """Hash → whose, of the lessons of others that teach here."""
        sql = f"SELECT l.hash, l.key FROM lessons l LEFT JOIN devices d ON d.key = l.key WHERE {_USED}"
        return {str(hash): bytes(key) for hash, key in self._db.rows(sql)}

    def taken(self, fingerprint: str, known: Mapping[str, FleetLesson] | None = None) -> list[FleetLesson]:
        """The lessons of others that teach a head on this embedder; one that did not survive on disk is left out.

        known: those of before by their hashes, which are not read again: a lesson never changes.
        """
        sql = f"""SELECT l.hash FROM lessons l LEFT JOIN devices d ON d.key = l.key
            WHERE {_USED} AND l.fingerprint = ? ORDER BY l.hash"""
        made, known = [], known or {}
        for (hash,) in list(self._db.rows(sql, (fingerprint,))):
            one = known.get(hash)
            if one is None:
                with suppress(LessonError):
                    read = parse_lesson(self.wire(hash), keep=False)
                    one = read if read.hash == hash else None
            if one is not None:
                made.append(one)
        return made

    def judge(self, state_of: Callable[[bytes, str], str]) -> None:
        """Decide anew by other rules: state_of(key, label) of every lesson of others."""
        with self.together():
            rows = [*self._db.rows("SELECT DISTINCT key, label FROM lessons")]
            for key, label in rows:
                wanted = state_of(bytes(key), str(label))
                self._db.change(
                    "UPDATE lessons SET state = ? WHERE key = ? AND label = ? AND state <> ?",
                    (wanted, key, label, wanted),
                )

    # -- devices -----------------------------------------------------------------------------------------------------

    def call(self, names: dict[bytes, str]) -> None:
        """Remember what the trusted devices are called; others lose their name, not what was decided about them."""
        with self.together():
            self._db.change("UPDATE devices SET name = ''")
            for key, name in names.items():
                self._db.change(
                    "INSERT INTO devices VALUES (?, ?, '') ON CONFLICT (key) DO UPDATE SET name = excluded.name",
                    (key, name),
                )

    def decide(self, key: bytes, decision: str) -> None:
        """Set a device aside, accept it, or forget that anything was decided."""
        with self.together():
            self._db.change(
                "INSERT INTO devices VALUES (?, '', ?) ON CONFLICT (key) DO UPDATE SET decision = excluded.decision",
                (key, decision),
            )

    def names(self) -> dict[bytes, str]:
        """Public key → what the device is called, its id where it has no name."""
        rows = self._db.rows("SELECT key, name FROM devices")
        return {bytes(key): str(name) or key_id(bytes(key)) for key, name in rows}

    def devices(self) -> list[DeviceLessons]:
        """All that are trusted, gave something, or were decided about, by their names."""
        used, found = self.used(), dict[bytes, list[tuple[str, str, str]]]()
        own = {hash for (hash,) in self._db.rows("SELECT hash FROM shared")}
        about = {bytes(key): (str(name), str(said)) for key, name, said in self._db.rows("SELECT * FROM devices")}
        for hash, key, label, state in self._db.rows("SELECT hash, key, label, state FROM lessons"):
            if hash not in own:
                found.setdefault(bytes(key), []).append((hash, label, state))
        made = []
        for key in {**about, **found}:
            name, decision = about.get(key, ("", ""))
            rows = found.get(key, [])
            waiting = sum(state == WAITING for *_, state in rows) if decision == "" else 0
            labels = tuple(sorted({label for _, label, _ in rows}))
            made.append(
                DeviceLessons(key, name, decision, len(rows), sum(one[0] in used for one in rows), waiting, labels)
            )
        return sorted(made, key=lambda one: (one.shown, one.id))

    def device(self, text: str) -> DeviceLessons:
        """The device of this name or id; ConfigError, which names those there are, where there is none, or are two."""
        every = self.devices()
        those = [one for one in every if one.name == text] or [one for one in every if text and one.id == text]
        if len(those) == 1:
            return those[0]
        known = ", ".join(f"{one.shown} ({one.id})" for one in every) or "none yet"
        what = "two devices are called" if those else "there is no device"
        raise ConfigError(f"{what} {escaped(text[:60])!r}; there are: {known}")

    # -- the own that are given to others ----------------------------------------------------------------------------

    def shared(self) -> dict[int, tuple[str, list[str]]]:
        """Take → the stamp with which it was given, and the hashes of its lessons; those withdrawn included."""
        made: dict[int, tuple[str, list[str]]] = {}
        for hash, take, stamp in self._db.rows("SELECT hash, take, stamp FROM shared ORDER BY hash"):
            made.setdefault(take, (stamp, []))[1].append(hash)
        return made

    def share(self, take: int, stamp: str, lessons: Iterable[FleetLesson]) -> None:
        """Remember the lessons of an own take, to be given; inside `together`.

        One that was taken back already stays so: a tombstone is for good.
        """
        for one in lessons:
            gone = self.buried(one.hash, one.key)
            if not gone:
                self.add(one, TAKEN)
            self._db.change("INSERT OR REPLACE INTO shared VALUES (?, ?, ?, ?)", (one.hash, take, stamp, gone))

    def withdraw(self, hash: str, key: DeviceKey, *, forget: bool) -> Tombstone:
        """Take an own lesson back from everybody; inside `together`.

        forget: the take is no more, or is another lesson now; else it stays known as one that is not to be given.
        ProfileError where it is none of the own.
        """
        if self._db.one("SELECT 1 FROM shared WHERE hash = ?", (hash,)) is None:
            raise ProfileError(f"lesson {hash[:12]} was not shared by this device")
        stone = new_tombstone(key, hash)
        self.bury(stone)
        if forget:
            self._db.change("DELETE FROM shared WHERE hash = ?", (hash,))
        else:
            self._db.change("UPDATE shared SET withdrawn = 1 WHERE hash = ?", (hash,))
        return stone

    def forget_shared(self, key: bytes) -> None:
        """What was given under another key is another device's: a backup was restored here."""
        with self.together():
            self._db.change("DELETE FROM shared WHERE hash IN (SELECT hash FROM lessons WHERE key <> ?)", (key,))

    def own(self, beginning: str) -> str:
        """The hash of the own lesson that begins so; ConfigError where there is none, or several."""
        if not re.fullmatch(r"[0-9a-f]{4,64}", beginning):
            raise ConfigError(
                f"{escaped(beginning[:40])!r} is not a lesson: give at least four of its hexadecimal digits, as "
                "`edge-tl fleet status` shows them"
            )
        rows = self._db.rows("SELECT hash FROM shared WHERE NOT withdrawn")
        found = [hash for (hash,) in rows if hash.startswith(beginning)]
        if len(found) == 1:
            return str(found[0])
        several = "several lessons of this device begin" if found else "no lesson of this device begins"
        raise ConfigError(f"{several} with {beginning}: see `edge-tl fleet status`")

    def given(self) -> list[tuple[str, str, int, int]]:
        """(hash, label, take, examples) of the own lessons that others have."""
        sql = """SELECT l.hash, l.label, s.take, l.examples FROM shared s JOIN lessons l ON l.hash = s.hash
            WHERE NOT s.withdrawn ORDER BY s.take, l.hash"""
        return [*self._db.rows(sql)]

    @property
    def version(self) -> int:
        """A number that changes when another process, or another thread's store, wrote."""
        return self._db.number("PRAGMA data_version")

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._db.close()


def has_lessons(folder: Path) -> bool:
    """Whether a profile's folder is in a fleet, or was."""
    return (Path(folder) / FILE).is_file()


def damage_of_lessons(folder: Path) -> str:
    """Why the lessons beside a profile cannot be read, in a line; empty where they can, or where there are none."""
    try:
        if has_lessons(folder):
            with LessonStore(folder, writable=False) as store:
                store.used()
    except ProfileError as error:
        return f"training leaves the lessons of other devices out: {error}"
    return ""


def taken_lessons(
    folder: Path, fingerprint: str, known: Mapping[str, FleetLesson] | None = None
) -> tuple[list[FleetLesson], dict[bytes, str]]:
    """The lessons that teach beside a profile's own examples, and what their devices are called; none where the
    profile is in no fleet. known: as of `LessonStore.taken`."""
    if not has_lessons(folder):
        return [], {}
    with LessonStore(folder, writable=False) as store:
        return store.taken(fingerprint, known), store.names()


def check_lessons(path: Path) -> None:
    """ProfileError unless a restored file holds what this module writes: lessons that are whole, by their own names."""
    with LessonStore(path.parent, writable=False) as store:
        for sql, kinds in _KINDS.items():
            for row in store._db.rows(sql):
                if [type(value) for value in row] != kinds:
                    raise _no_lessons(path)
        for hash, key, label, fingerprint, same, wire in store._db.rows(
            "SELECT hash, key, label, fingerprint, same, wire FROM lessons"
        ):
            try:
                one = parse_lesson(wire)
            except LessonError as error:
                raise _no_lessons(path) from error
            if (one.hash, one.key, one.same) != (hash, key, same):
                raise _no_lessons(path)
            if (one.header.label, one.header.fingerprint) != (label, fingerprint):
                raise _no_lessons(path)


_KINDS = {
    "SELECT hash, label, fingerprint, same, state, key, wire, examples FROM lessons": [*[str] * 5, bytes, bytes, int],
    "SELECT hash, key, wire FROM tombstones": [str, bytes, bytes],
    "SELECT key, name, decision FROM devices": [bytes, str, str],
    "SELECT hash, take, stamp, withdrawn FROM shared": [str, int, str, int],
}


def _no_lessons(path: Path) -> ProfileError:
    return ProfileError(f"{path.name} contains invalid lessons: use another copy")


def is_hash(text: str) -> bool:
    """Whether it can be the hash of a lesson."""
    return _HASH.fullmatch(text) is not None
