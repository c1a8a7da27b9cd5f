"""Database: one SQLite file that survives kill -9 and power cuts, and errors of one line. Home of sqlite3."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from edge_tl.errors import ProfileError
from edge_tl.files import PRIVATE, create, make_private

APPLICATION_ID = 0x65_64_67_65
""""edge" in ASCII, in the header of the file, so that `file` and we tell our databases from others."""
RESERVE_BYTES = 1_000_000
"""Are kept so that examples can be removed from a full disk: SQLite writes down what it is about to forget."""
MEND = "restore a copy of it, or move it away and teach again"
"""What is to be done about a damaged file, where nothing else is said."""
BUSY_S = 5.0
"""How long a write waits for another connection before it gives up."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """How a file of an older version is used."""

    change: str
    """A script that makes it the next version; run in one transaction."""
    view: str
    """A script of TEMP views that make it look like the newest version, where it must stay as it is."""


class Database:
    """A SQLite file in WAL mode with synchronous=FULL: what a `writing` block wrote is on disk when the block ends.

    Used by one thread. Readers never block the writer nor wait for it, and also work where they may not write, e.g.
    on a read-only SD card. Every method raises ProfileError for what SQLite raises.
    """

    def __init__(
        self,
        path: Path,
        *,
        writable: bool,
        tables: str,
        version: int,
        upgrades: Mapping[int, Upgrade],
        mend: str = MEND,
    ) -> None:
        """Open the file; where it is `writable` and missing or empty, make it with `tables`, a script of CREATEs.

        version: of `tables`, kept in the file; ProfileError where the file's is newer. upgrades: one for each version
        before it; a file that is `writable` is upgraded, at once and whole or not at all. mend: what to do where it is
        damaged, for the error.
        """
        self.path, self._mend = path, mend
        self.writable = writable
        self._upgrades = upgrades
        with self._one_line():
            if writable:
                _make(path)
                with suppress(OSError):
                    if free_bytes(path) < RESERVE_BYTES // 4:  # even to open it SQLite makes two files beside it
                        self._reserve.unlink(missing_ok=True)
            self._db = _open(path, "mode=rw") if writable else _open_reader(path)
            try:
                self._prepare(tables, version)
            except BaseException:
                self._db.close()
                raise

    def _prepare(self, tables: str, version: int) -> None:
        """Check whose file it is and of which version, and set up durability."""
        (application,) = self._db.execute("PRAGMA application_id").fetchone()
        (found,) = self._db.execute("PRAGMA user_version").fetchone()
        if application == APPLICATION_ID and found > version:
            raise ProfileError(
                f"{self.path} was made by a newer edge-tl (format {found}, this one reads {version}): upgrade edge-tl"
            )
        # Killed while it was made, a file has no table yet: that is empty, not foreign.
        empty = not found and not self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not empty and application != APPLICATION_ID:
            raise ProfileError(f"{self.path} is a database of another program: choose another folder")
        if not self.writable:
            if empty:
                raise _nothing_at(self.path)
            if found < version:
                self._db.executescript(f"PRAGMA temp_store = MEMORY; {self._upgrades[found].view}")
            return
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA foreign_keys = ON")
        if empty:
            header = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version};"
            self._db.executescript(f"BEGIN IMMEDIATE; {tables}; {header} COMMIT;")
            self._keep_reserve()
            return
        self._keep_reserve()
        for old in range(found, version):
            change = f"{self._upgrades[old].change} PRAGMA user_version = {old + 1};"
            self._db.executescript(f"PRAGMA temp_store = MEMORY; BEGIN IMMEDIATE; {change} COMMIT;")

    def rows(self, sql: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, one after the other."""
        with self._one_line():
            yield from self._db.execute(sql, values)

    def one(self, sql: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
        """The first row of a query, None where there is none."""
        return next(self.rows(sql, values), None)

    def number(self, sql: str, values: Sequence[object] = ()) -> int:
        """The first value of a query that always has one, a count."""
        return int(next(self.rows(sql, values))[0])

    def change(self, sql: str, values: Sequence[object] = ()) -> int:
        """Run one statement inside `writing`; how many rows it changed (not those that it removed with them)."""
        with self._one_line():
            return self._db.execute(sql, values).rowcount

    @contextmanager
    def writing(self, *, frees: bool = False) -> Iterator[None]:
        """One transaction: all of the block is on disk at its end, or, where it raises, nothing.

        frees: it only removes, for which there is room on a full disk too: the log of it takes that of the reserve.
        What is removed there is not overwritten with zeros, as some builds of SQLite do: all of it would be in the log.
        """
        self.check_writable()
        scarce = frees and free_bytes(self.path) < 2 * RESERVE_BYTES
        with self._one_line():
            zeros = self._db.execute("PRAGMA secure_delete").fetchone()[0]
            if scarce:
                self._reserve.unlink(missing_ok=True)
                self._db.execute("PRAGMA secure_delete = FAST").fetchall()
            self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            with self._one_line():
                self._db.execute("COMMIT")
        finally:
            self._roll_back()
            if scarce:
                self._db.execute(f"PRAGMA secure_delete = {zeros}").fetchall()
                self._keep_reserve()

    @property
    def _reserve(self) -> Path:
        """A file of nothing, which makes room where there is none."""
        return self.path.with_name(f"{self.path.name}-reserve")

    def _keep_reserve(self) -> None:
        """Make it, as large as there is room for it."""
        with suppress(OSError), create(self._reserve, PRIVATE) as file:
            for size_bytes in (RESERVE_BYTES, RESERVE_BYTES // 2, RESERVE_BYTES // 4):
                with suppress(OSError):
                    os.posix_fallocate(file.fileno(), 0, size_bytes)
                    return
            self._reserve.unlink()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """While it lasts every read sees the same data, whatever the writer commits meanwhile; it may be nested."""
        if self._db.in_transaction:
            yield
            return
        with self._one_line():
            self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._roll_back()

    def _roll_back(self) -> None:
        """End a transaction that was not committed."""
        with self._one_line():
            if self._db.in_transaction:  # after some errors SQLite has rolled back already
                self._db.execute("ROLLBACK")

    def check_writable(self) -> None:
        """ProfileError where it was opened for reading."""
        if not self.writable:
            raise ProfileError(f"{self.path} was opened for reading: open the profile with writable=True")

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._db.close()

    @contextmanager
    def _one_line(self) -> Iterator[None]:
        """Turn what SQLite raises into one line that says what to do."""
        try:
            yield
        except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
            raise ProfileError(_explain(self.path, error, self._mend)) from error


def free_bytes(path: Path) -> int:
    """What may still be written to the disk of a file."""
    found = os.statvfs(path.parent)
    return found.f_bavail * found.f_frsize


def _make(path: Path) -> None:
    """Make the file where it is missing, closed to others; SQLite gives the files beside it the same rights."""
    with suppress(OSError):  # SQLite says it in its own words
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE))
        for one in (path, *(path.with_name(f"{path.name}-{more}") for more in ("wal", "shm"))):
            make_private(one)


def _open(path: Path, options: str) -> sqlite3.Connection:
    """A connection that has read from the file once; a connection that fails there is closed."""
    uri = f"{path.absolute().as_uri()}?{options}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_S)
    try:
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        db.close()
        raise
    return db


def _open_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads, also where no file can be made beside the database."""
    try:
        if not path.is_file():
            raise _nothing_at(path)
        wal = path.with_name(path.name + "-wal")
        unfinished = wal.exists() and wal.stat().st_size > 0
    except OSError as error:
        raise ProfileError(f"{path} cannot be read ({error.strerror}): check its rights") from error
    try:
        return _open(path, "mode=ro")
    except sqlite3.OperationalError as error:
        # Readers of a WAL database make a file beside it (-shm) that they share with the writer. Where they cannot and
        # nothing waits in the log, the file alone is the whole truth; a log must not be ignored, it holds examples.
        if not _name(error).startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_IOERR")):
            raise
        if unfinished:
            raise ProfileError(
                f"{wal} holds examples that cannot be read without the right to write beside it: copy the folder to "
                "where you may write"
            ) from error
        return _open(path, "mode=ro&immutable=1")


def _nothing_at(path: Path) -> ProfileError:
    """The error of a reader that finds no examples."""
    return ProfileError(
        f"there are no examples at {path}: teach some first (`edge-tl teach`, `edge-tl examples import`)"
    )


def _name(error: Exception) -> str:
    """SQLite's name of an error, e.g. SQLITE_FULL; empty where Python's module raised it."""
    return str(getattr(error, "sqlite_errorname", ""))


def _explain(path: Path, error: Exception, mend: str = MEND) -> str:
    """What came and what to do, in one line (the names: https://www.sqlite.org/rescode.html)."""
    name, said = _name(error), " ".join(str(error).split())
    # UnicodeDecodeError: SQLite quotes damaged text in its message, which Python's module then cannot read.
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or isinstance(error, UnicodeDecodeError):
        return f"{path} is damaged ({said}): {mend}"
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        more = "" if name == "SQLITE_FULL" else " (it may also be read-only, or worn out)"
        return f"{path} cannot be written ({said}): free some space on the disk{more}; what was counted before is safe"
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return f"{path} cannot be opened or written ({said}): check the rights of the file and its folder"
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"{path} is in use by another program: close that first"
    return f"{path}: SQLite says {said}"


def copy_database(source: Path, target: Path) -> BinaryIO:
    """A whole copy of a database, as of one moment, also while somebody writes to it; ProfileError where it fails.

    target: the name that the copy has until it is open: a process that is killed later leaves nothing of it.
    """
    try:
        reader = _open_reader(source)
        try:
            _make(target)
            writer = _open(target, "mode=rw")
            try:
                writer.execute("PRAGMA journal_mode = OFF")
                copy = target.open("rb")
                target.unlink()
                reader.backup(writer)
                return copy
            finally:
                writer.close()
        finally:
            reader.close()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise ProfileError(_explain(source, error)) from error


def check_database(path: Path, versions: Mapping[int, str]) -> None:
    """Raise ProfileError unless a file of unknown origin is ours: of a version, exactly its tables, nothing torn.

    versions: version → its tables, a script of CREATEs. A view or a trigger that somebody put into it would run with
    our queries, so that the schema must be the same text.
    """
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            db.execute("PRAGMA trusted_schema = OFF")
            application = db.execute("PRAGMA application_id").fetchone()[0]
            found = db.execute("PRAGMA user_version").fetchone()[0]
            same = application == APPLICATION_ID and found in versions and _schema(db) == _wanted(versions[found])
            whole = same and db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        finally:
            db.close()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise ProfileError(_explain(path, error)) from error
    if not same:
        raise ProfileError(
            f"{path.name} has other tables than edge-tl makes (format {max(versions)}): take another copy, or upgrade "
            "edge-tl where a newer one made it"
        )
    if not whole:
        raise ProfileError(f"{path.name} is damaged inside: take another copy")


def _wanted(tables: str) -> set[tuple[Any, ...]]:
    """As `_schema`, of the database that a script makes."""
    own = sqlite3.connect(":memory:")
    try:
        own.executescript(tables)
        return _schema(own)
    finally:
        own.close()


def _schema(db: sqlite3.Connection) -> set[tuple[Any, ...]]:
    """All that is defined in a database: type, name, table, SQL with its white space made even."""
    rows = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master")
    return {(kind, name, table, " ".join((sql or "").split())) for kind, name, table, sql in rows}
