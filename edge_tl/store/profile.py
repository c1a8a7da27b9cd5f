"""Profile: a taught recognizer on disk — its examples, and generations of what was trained from them.

FOLDER/examples.sqlite   the examples (ExampleStore)
FOLDER/generations/      what was trained (Generations)
FOLDER/lessons.sqlite    what other devices taught (LessonStore); only of a profile in a fleet
FOLDER/lock              held by the one process that writes; its PID is in it
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from edge_tl.core.answers import SavedHead
from edge_tl.errors import ProfileError, ProfileLocked
from edge_tl.files import PRIVATE, PRIVATE_FOLDER, UnnamedFile, make_private, sync_folder
from edge_tl.store.examples import ExampleStore
from edge_tl.store.generations import KEPT, Generation, Generations
from edge_tl.store.moments import BEGUN_S, Clock, Moment, now
from edge_tl.store.near_copies import SEEN
from edge_tl.store.settings import needed

T = TypeVar("T")
_EXAMPLES = "examples.sqlite"
_BESIDE = {f"{_EXAMPLES}-{more}" for more in ("wal", "shm", "reserve")}
_UNTAUGHT = {"lock", "settings.json", SEEN, _EXAMPLES, *_BESIDE}
"""What a profile has before anything is trained."""

__all__ = ["KEPT", "Generation", "Profile", "SavedHead"]


class Profile:
    """A folder with everything that was taught; any number of readers, one writer.

    Use it in `with`, or close it. A reader needs no right to write and never waits. Every method raises ProfileError,
    one line, where the folder cannot be read or written.
    """

    def __init__(self, folder: Path, *, writable: bool = False, clock: Clock = now, keep_empty: bool = True) -> None:
        """Open the folder, made when it is missing and `writable`; `clock` tells when something is.

        Raises ProfileLocked, which names the PID, where another process writes to it. A folder that was made here goes
        again where `with` ends in an error and nothing was taught, named or chosen: a start that failed leaves no
        profile behind. Without `keep_empty` it goes where `with` ends well too.
        """
        self.folder = Path(folder)
        self.writable = writable
        self._clock = clock
        self._store: ExampleStore | None = None
        self._generations = Generations(self.folder / "generations")
        self._lock: int | None = None
        self._keep_empty = keep_empty
        self.standard: frozenset[str] = frozenset()
        """Labels that a program begins with: a profile with no example and no other label is as good as none."""
        self._made = writable and not os.path.isdir(self.folder)
        if writable:
            self._lock = _lock(self.folder)
        elif not os.path.isdir(self.folder):
            raise ProfileError(f"there is no profile at {self.folder}: make one with `edge-tl teach`")

    @property
    def store(self) -> ExampleStore:
        """The examples, opened on first use, as writable as the profile."""
        if self._store is None:
            self._store = ExampleStore(self.folder / _EXAMPLES, writable=self.writable, clock=self._clock)
        return self._store

    def check_disk(self) -> None:
        """ProfileError where the disk takes nothing just now: it is full, or turned read-only."""
        try:
            with UnnamedFile(self.folder) as probe:
                probe.file.write(bytes(4096))
                probe.file.flush()
                os.fsync(probe.file.fileno())
        except OSError as error:
            what = "turned read-only" if error.errno == errno.EROFS else f"takes nothing ({error.strerror})"
            raise ProfileError(
                f"the disk of {self.folder} {what}: nothing can be taught until it can be written again; what was "
                "counted before is safe"
            ) from error

    def why_not(self, error: ProfileError) -> str:
        """Why something could not be written: what is wrong with the disk, where it takes nothing, else the error."""
        try:
            self.check_disk()
        except ProfileError as told:
            return str(told)
        return str(error)

    @property
    def warnings(self) -> list[str]:
        """One line for each damaged generation that `load` skipped."""
        return self._generations.warnings

    def save(self, saved: SavedHead) -> int:
        """Write a new generation, which becomes the current one, and return its number.

        It is on disk, complete, when this returns; a process killed before leaves the previous one current. The oldest
        beyond the newest `KEPT` are removed. ProfileError for what is no JSON, an array of objects, or a full disk.
        """
        self._check_writable()
        settings = None
        with contextlib.suppress(ProfileError):  # damaged ones are told of by whoever needs them
            settings = needed(self.folder)
        return self._generations.save(saved, self._clock(), settings)

    def load(self, fingerprint: str | None = None) -> SavedHead | None:
        """What was saved last, None where nothing ever was; with a fingerprint, the last that this embedder made.

        Where the newest generation is damaged the newest whole one is taken and `warnings` says so, once. ProfileError
        where none is whole, or where a newer edge-tl wrote it.
        """
        return self.load_as(lambda saved: saved, fingerprint)

    def load_as(self, make: Callable[[SavedHead], T], fingerprint: str | None = None) -> T | None:
        """What a function makes of the newest generation of which it can be made, else as `load`.

        make: ProfileError for what is damaged inside, and the generation before is tried; ProfileMismatch and others
        end it.
        """
        return self._generations.load_as(make, fingerprint)

    @property
    def loaded(self) -> int:
        """The number of the generation that `load` gave last, 0 for none."""
        return self._generations.loaded

    def generations(self) -> list[Generation]:
        """Every generation on disk, the newest first."""
        return self._generations.listed(self._when)

    def roll_back(self, fits: Callable[[Generation], bool] = lambda _: True) -> int:
        """Make the newest whole generation before the current one that `fits` current, and return its number.

        As `use_generation`. May be repeated. ProfileError where there is none.
        """
        before = [one for one in self.generations() if one.usable][1:]
        return self._use_first([one for one in before if fits(one)], "before the current one")

    def roll_forward(self, fits: Callable[[Generation], bool] = lambda _: True) -> int:
        """Make the first generation that was set aside after the current one, and that `fits`, current; its number.

        ProfileError where there is none.
        """
        every = self.generations()
        current = next((one.number for one in every if one.usable), 0)
        after = [one for one in reversed(every) if one.ok and one.rolled_back and one.number > current]
        return self._use_first([one for one in after if fits(one)], "that was set aside after the current one")

    def _use_first(self, fitting: list[Generation], where: str) -> int:
        self._check_writable()
        if not fitting:
            raise ProfileError(f"{self.folder / 'generations'} has no whole generation {where}")
        self.use_generation(fitting[0].number)
        return fitting[0].number

    def use_generation(self, number: int) -> None:
        """Make this generation the current one, whether it was set aside or not.

        Those after it are set aside, not destroyed: they stay listed as `rolled_back`, count among the `KEPT`, and
        their numbers are not given again. ProfileError where it is not there or damaged. Whether it fits what the
        profile looks with is for the caller to ask (`Generation.embedder`, `boxes`).
        """
        self._check_writable()
        self._generations.use(number)

    def close(self) -> None:
        """Commit the waiting examples, close the store and free the lock; may be called twice."""
        self.__exit__(None, None, None)

    def keep(self) -> None:
        """Somebody chose something in it (a way to look, thresholds): it stays, though nothing may be taught."""
        self._made = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._store is not None:
                self._store.__exit__(kind, error, trace)
            if (error is not None or not self._keep_empty) and self._made and self.writable:
                _remove_untaught(self.folder, self.standard)
        finally:
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None
            self.writable = False  # without the lock it must not write any more

    def _when(self, moment: Moment) -> float | None:
        """When a generation was saved, by what the examples tell of its boot; None where nobody knows."""
        if moment.boot and (self._store is not None or (self.folder / "examples.sqlite").exists()):
            with contextlib.suppress(ProfileError):  # damaged examples are told of by whoever needs them
                return self.store.boots.when(moment)
        return moment.wall_s if moment.wall_s >= BEGUN_S else None

    def _check_writable(self) -> None:
        """ProfileError where it was opened for reading or is closed."""
        if not self.writable:
            raise ProfileError(f"{self.folder} is open for reading only: open the profile with writable=True")


def _remove_untaught(folder: Path, standard: frozenset[str]) -> None:
    """Remove a profile in which nothing was taught or trained and no class named but the standard ones.

    Nothing else goes, and no file that is not a profile's.
    """
    with contextlib.suppress(OSError, ProfileError):  # it is only tidiness
        files = set(os.listdir(folder))
        if not files <= _UNTAUGHT:
            return
        if _EXAMPLES in files:
            with ExampleStore(folder / _EXAMPLES, writable=False) as store:
                if any(count.examples or label not in standard for label, count in store.counts().items()):
                    return
        for name in files | _BESIDE:
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()


def _lock(folder: Path) -> int:
    """Make the folder where it is missing, and take its lock: a file descriptor that holds it until it is closed."""
    try:
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(PRIVATE_FOLDER)
            sync_folder(folder.parent)
        make_private(folder)  # an edge-tl of before left it open to all
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    except OSError as error:
        raise ProfileError(
            f"{folder} cannot be written ({error.strerror}): check its rights or choose another"
        ) from error
    try:
        # The kernel frees it when the process ends, however it ends: a lock is never stale.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        pid = os.pread(lock, 20, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(lock)
        if not isinstance(error, BlockingIOError):
            raise ProfileError(f"{folder} cannot be locked ({error.strerror}): choose a local disk") from error
        raise ProfileLocked(f"another process (PID {pid}) writes to {folder}: end it, or wait until it ends") from None
    with contextlib.suppress(OSError):  # a full disk: the lock holds all the same
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock
