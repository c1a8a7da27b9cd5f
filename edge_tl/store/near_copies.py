"""The near-copies among a store's examples, and what was seen of their pictures, for looking takes time.

What was heard of sounds only this program remembers: to hear it again takes less than a millisecond each.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge_tl.core.archive import packed_arrays, read_arrays
from edge_tl.core.examples import Examples
from edge_tl.core.near_copies import SIDE, hold_together
from edge_tl.core.same_sound import heard, same_sounds
from edge_tl.errors import ExampleError, MissingDependency
from edge_tl.files import DAMAGE, PRIVATE, create
from edge_tl.media.image import grey_square
from edge_tl.store.database import Database
from edge_tl.store.media import JPEG, stored_sound

SEEN = "seen.npz"
"""The file beside the examples, which may be removed: it is made again."""
MAX_BYTES = 50_000_000
"""Unfolded: of more than a hundred thousand pictures nothing is remembered."""
_FILES = "SELECT example_id, crc32, length(media) FROM media ORDER BY example_id"
_MEDIA = "SELECT media_type, media FROM media WHERE example_id = ?"
_SILENT = np.zeros(0, np.int8)

File = tuple[int, int]
"""Check sum and size of what an example kept."""


class NearCopies:
    """Finds near-copies; what it saw of a picture it remembers, where it may write also for the next program.

    An id comes never twice, and check sum and size tell whether a file from elsewhere speaks of these examples.
    """

    def __init__(self, folder: Path, *, writable: bool) -> None:
        """Nothing was looked at yet; folder: the examples'; writable: for the one writer, who forgets the removed."""
        self._path = folder / SEEN
        self._writable = writable
        self._small: dict[int, np.ndarray] = {}
        self._files: dict[int, File] = {}
        self._heard: dict[int, np.ndarray] = {}
        self._read = False

    def hold(self, database: Database, examples: Examples, beat: Callable[[], object] | None = None) -> Examples:
        """The same examples, near-copies with the take and session of what they copy; in a snapshot of the caller's.

        beat: called after each picture that was looked at for the first time.
        """
        files = self._kept(database)
        new = [number for number in files if number not in self._small]
        for number in new:
            self._small[number] = _seen(*next(database.rows(_MEDIA, (number,))))
            if beat:
                beat()
        self._files = files
        for number in files.keys() - self._heard.keys():
            # A picture that shows something is no sound, and need not be read again.
            shows = self._small[number].any()
            self._heard[number] = _SILENT if shows else _heard(*next(database.rows(_MEDIA, (number,))))
        if new:
            self._write()
        if not len(examples.y):
            return examples
        nothing = np.zeros(SIDE * SIDE, np.uint8)
        small = np.array([self._small.get(number, nothing) for number in examples.ids.tolist()])
        names: dict[File, int] = {}
        same = [names.setdefault(files.get(number, (-number, -1)), len(names)) for number in examples.ids.tolist()]
        sounds = same_sounds([self._heard.get(number, _SILENT) for number in examples.ids.tolist()])
        held = hold_together(small, np.array(same), examples.y, examples.takes, examples.sessions, sounds)
        if held is None:
            return examples
        torn = tuple((int(one), int(other)) for other, one in examples.ids[held.torn])
        return replace(
            examples,
            takes=held.takes,
            sessions=held.sessions,
            parts=held.parts,
            near_copies=held.copies,
            torn=torn,
            aside=replace(examples.aside, held=examples.aside.rows(examples.takes)),
        )

    def forget_removed(self, database: Database) -> None:
        """Forget what was seen of examples that are no more, on disk too."""
        self._remember()
        before = len(self._small)
        self._files = self._kept(database)
        if len(self._small) != before or not before:
            self._write()

    def _kept(self, database: Database) -> dict[int, File]:
        """The files that there are; of others, and of what others had, nothing is remembered any more."""
        files = {number: (crc, size) for number, crc, size in database.rows(_FILES)}
        self._remember()
        self._small = {
            number: small for number, small in self._small.items() if files.get(number) == self._files[number]
        }
        self._heard = {number: wave for number, wave in self._heard.items() if number in self._small}
        return files

    def _remember(self) -> None:
        """Read what another program saw, once."""
        if not self._read:
            self._small, self._files = self._from_disk()
            self._read = True

    def _from_disk(self) -> tuple[dict[int, np.ndarray], dict[int, File]]:
        """What another program saw; nothing where that is no whole file of ours."""
        try:
            kept = read_arrays(self._path, MAX_BYTES, ("files", "small"))
            numbers, small = kept["files"], kept["small"]
            if numbers.dtype != np.int64 or small.dtype != np.uint8 or small.shape != (len(numbers), SIDE * SIDE):
                return {}, {}
            rows = numbers.reshape(len(small), 3).tolist()
        except DAMAGE:
            return {}, {}
        return {row[0]: one for row, one in zip(rows, small, strict=True)}, {row[0]: (row[1], row[2]) for row in rows}

    def _write(self) -> None:
        """Keep it for the next program; where that cannot be, it will look again."""
        if not self._writable:
            return
        if not self._small:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            return
        rows = [(number, *self._files[number]) for number in self._small]
        small = np.array(list(self._small.values()), np.uint8).reshape(-1, SIDE * SIDE)
        data = packed_arrays({"files": np.array(rows, np.int64).reshape(-1, 3), "small": small})
        part = self._path.with_name(f".{SEEN}")
        try:
            part.unlink(missing_ok=True)  # of a program that was killed
            with create(part, PRIVATE) as file:  # small pictures of somebody are pictures of somebody
                file.write(data)
            os.replace(part, self._path)
        except OSError:
            # What is removed must not stay, and a full disk lets go of a file.
            for path in (part, self._path):
                with suppress(OSError):
                    path.unlink(missing_ok=True)


def _seen(kind: str, media: bytes) -> np.ndarray:
    """A picture, small; zeros for what is none."""
    if kind == JPEG:
        with suppress(ExampleError):  # damaged: whoever wants the picture itself is told
            return grey_square(media, SIDE).reshape(-1)
    return np.zeros(SIDE * SIDE, np.uint8)


def _heard(kind: str, media: bytes) -> np.ndarray:
    """What is compared of a sound; nothing of what is none."""
    with suppress(ExampleError, MissingDependency):  # whoever wants the sound itself is told
        sound = None if kind == JPEG else stored_sound(kind, media)
        if sound is not None:
            return heard(sound.samples, sound.rate_hz)
    return _SILENT
