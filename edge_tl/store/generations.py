"""Generations: what was trained, on disk, one folder each time; whole or skipped, never half.

generations/000007/profile.json     what was saved: JSON
                   arrays.npz       and arrays, never pickled
                   SHA256SUMS       of both, as `sha256sum --check` reads it
generations/000008.rolled-back/     a generation that was set aside

profile.json says beside what was saved when that was, and the settings it was trained with: what it needs to be asked.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from edge_tl.core.answers import SavedHead
from edge_tl.core.archive import packed_arrays, read_arrays
from edge_tl.errors import ProfileError, ProfileMismatch
from edge_tl.files import DAMAGE, PRIVATE, PRIVATE_FOLDER, read_limited, sync_folder, write_synced
from edge_tl.store.moments import Moment

T = TypeVar("T")
KEPT = 5
"""How many generations stay on disk, those set aside included."""
FORMAT = 1
MAX_BYTES, MAX_SUMS_BYTES = 1_000_000_000, 1000
"""Of each file, and of the sums of both."""
LONGEST_TEXT, LATEST_S = 200, 2.0e11
"""Of what is listed; the year 8300 or so, for a calendar ends with 9999."""
_FILES = ("profile.json", "arrays.npz")
_SUMS = "SHA256SUMS"
_NAME = re.compile(r"(\d{6,})(\.rolled-back)?")


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation on disk, as `Profile.generations` lists it."""

    number: int
    time_s: float | None
    """When it was saved, in seconds since 1970; None where it is damaged, or nobody knows: the clock was not set."""
    ok: bool
    """Whether it is whole, by its check sums."""
    rolled_back: bool
    """Whether roll_back set it aside, so that `load` passes it over."""
    head: str | None
    """`meta["head"]["name"]`, where there is one."""
    accuracy: float | None
    """`meta["evaluation"]["accuracy"]`, where there is one."""
    embedder: str | None
    """The fingerprint of the embedder that it was trained with, where it tells."""
    looks: str | None = None
    """The name of that embedder, with the way to look in front of it."""
    boxes: bool = False
    """Whether it finds boxes, and names no whole pictures."""
    mean_iou: float | None = None
    """`meta["evaluation"]["mean_iou"]`, of one that finds boxes."""
    settings: dict[str, Any] | None = None
    """What the profile remembered of the way to look, model and base when it was trained, as JSON; None where an
    edge-tl of before did not keep it."""

    @property
    def usable(self) -> bool:
        """Whether `load` may give it."""
        return self.ok and not self.rolled_back


class Generations:
    """The generations in one folder; one writer (Profile holds the lock), any number of readers."""

    def __init__(self, folder: Path) -> None:
        """Look into the folder, which need not exist before `save`."""
        self.folder = folder
        self.warnings: list[str] = []
        """One line for each damaged generation that `load_as` skipped."""
        self.loaded = 0
        """The number of the generation that `load_as` gave last, 0 for none."""

    def save(self, saved: SavedHead, now: Moment, settings: dict[str, Any] | None = None) -> int:
        """As Profile.save; settings: what it needs to be asked."""
        more: dict[str, Any] = {"boot": now.boot, "boot_s": now.boot_s} if now.boot else {}
        if settings is not None:
            more["settings"] = settings
        content = {"format": FORMAT, "time_s": now.wall_s, **more, "meta": saved.meta}
        try:
            text = json.dumps(content, allow_nan=False, ensure_ascii=False, indent=1).encode()
            files = dict(zip(_FILES, (text, packed_arrays(saved.arrays)), strict=True))
        except (TypeError, ValueError, RecursionError) as error:
            raise ProfileError(f"cannot save this ({error}): JSON and arrays of numbers or text are wanted") from error
        if max(map(len, files.values())) > MAX_BYTES:
            raise ProfileError(f"cannot save this: it is larger than {MAX_BYTES // 1_000_000} MB, teach with less")
        try:
            return self._write({**files, _SUMS: _sums(files)})
        except OSError as error:
            raise self._not_written(error) from error

    def load_as(self, make: Callable[[SavedHead], T], fingerprint: str | None = None) -> T | None:
        """As Profile.load_as."""
        current = [path for _, path in self._found() if not path.suffix]
        others = False
        self.loaded = 0
        for path in current:
            saved = _load(path)
            if saved is not None and fingerprint not in (None, _part(saved.meta, "embedder", "fingerprint")):
                others = True
                continue
            if saved is not None:
                try:
                    made = make(saved)
                except ProfileMismatch:
                    raise
                except ProfileError:  # whole by its check sums, and damaged inside
                    pass
                else:
                    self.loaded = int(path.name)
                    return made
            line = f"generation {path.name} in {self.folder} is damaged: the one before it is used; train again"
            if line not in self.warnings:
                self.warnings.append(line)
        if current and not others:
            raise ProfileError(
                f"no generation in {self.folder} is whole: run `edge-tl train` again, the examples are not concerned"
            )
        return None

    def listed(self, when: Callable[[Moment], float | None]) -> list[Generation]:
        """As Profile.generations; when: of the moment in which one was saved."""
        return [_describe(number, path, when) for number, path in self._found()]

    def use(self, number: int) -> None:
        """As Profile.use_generation."""
        found = self._found()
        wanted = next((path for one, path in found if one == number), None)
        if wanted is None:
            there = ", ".join(str(one) for one, _ in reversed(found)) or "none"
            raise ProfileError(f"{self.folder} has no generation {number}: choose one of those that are kept ({there})")
        if _read(wanted) is None:
            raise ProfileError(f"generation {number} in {self.folder} is damaged: choose another, or train again")
        try:
            # A kill in between leaves one that was current once: first the wanted, then from the newest down to it.
            if wanted.suffix:
                wanted.rename(wanted.with_suffix(""))
            for one, path in found:
                if one > number and not path.suffix:
                    path.rename(path.with_name(f"{path.name}.rolled-back"))
            sync_folder(self.folder)
        except OSError as error:
            raise self._not_written(error) from error

    def _write(self, files: dict[str, bytes]) -> int:
        """Write the files into a new generation: a temporary name, fsync, rename, fsync of the folder."""
        if not self.folder.is_dir():
            self.folder.mkdir(PRIVATE_FOLDER)
            sync_folder(self.folder.parent)
        for left in self.folder.glob(".*"):  # by a writer that was killed
            shutil.rmtree(left, ignore_errors=True)
        number = max((number for number, _ in self._found()), default=0) + 1
        new = self.folder / f".new-{number:06d}"
        try:
            new.mkdir(PRIVATE_FOLDER)
            for name, data in files.items():
                write_synced(new / name, data, PRIVATE)
            sync_folder(new)
            new.rename(self.folder / f"{number:06d}")
        except OSError:
            shutil.rmtree(new, ignore_errors=True)
            raise
        sync_folder(self.folder)
        self._remove_old()
        return number

    def _remove_old(self) -> None:
        """Remove the oldest generations; that this fails is no reason to fail, for the new one is written."""
        for _, path in self._found()[KEPT:]:
            # Under its own name it would be a damaged generation while it is being removed.
            hidden = path.with_name(f".old-{path.name}")
            try:
                path.rename(hidden)
            except OSError:
                continue
            shutil.rmtree(hidden, ignore_errors=True)

    def _found(self) -> list[tuple[int, Path]]:
        """The numbers and folders of all generations, the newest first."""
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ProfileError(f"{self.folder} cannot be read ({error.strerror}): check its rights") from error
        matches = [match for name in names if (match := _NAME.fullmatch(name))]
        return sorted(((int(match[1]), self.folder / match[0]) for match in matches), reverse=True)

    def _not_written(self, error: OSError) -> ProfileError:
        """The error of a generation that the disk did not take."""
        return ProfileError(
            f"{self.folder} cannot be written ({error.strerror}): free some space or check the rights; what was "
            "saved before is safe"
        )


def _sums(files: dict[str, bytes]) -> bytes:
    """The content of SHA256SUMS."""
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items()).encode()


def _read(path: Path) -> dict[str, bytes] | None:
    """The files of a generation, None where one is missing or is not what was written."""
    try:
        files = {name: read_limited(path / name, MAX_BYTES) for name in _FILES}
        return files if read_limited(path / _SUMS, MAX_SUMS_BYTES) == _sums(files) else None
    except OSError:
        return None


def _load(path: Path) -> SavedHead | None:
    """What a generation holds, None where it is damaged; ProfileError where a newer edge-tl wrote it."""
    files = _read(path)
    if files is None:
        return None
    # The check sums speak of accidents only: who writes them anew can still not make us run or raise anything else.
    try:
        content = json.loads(files["profile.json"])
        found = _part(content, "format")
        if found == FORMAT:
            # They are written as they are, not packed: what would unfold to more than the file is not of ours.
            return SavedHead(dict(content["meta"]), read_arrays(files["arrays.npz"], len(files["arrays.npz"])))
    except DAMAGE:
        return None
    raise ProfileError(f"{path} has format {found}, this edge-tl reads {FORMAT}: upgrade edge-tl")


def _describe(number: int, path: Path, when: Callable[[Moment], float | None]) -> Generation:
    """One generation as it is listed."""
    files = _read(path)
    try:
        content = None if files is None else json.loads(files["profile.json"])
    except (ValueError, RecursionError):
        content = None
    moment = _moment(content)
    return Generation(
        number,
        None if moment is None else when(moment),
        content is not None,
        bool(path.suffix),
        _text(_part(content, "meta", "head", "name")),
        _share(_part(content, "meta", "evaluation", "accuracy")),
        _text(_part(content, "meta", "embedder", "fingerprint")),
        _text(_part(content, "meta", "embedder", "name")),
        _part(content, "meta", "head") is not None and _part(content, "meta", "features") is None,
        _share(_part(content, "meta", "evaluation", "mean_iou")),
        _settings(_part(content, "settings")),
    )


def _share(value: Any) -> float | None:
    """A number of 0 to 1, None for all else: NaN too, which is no JSON."""
    return float(value) if isinstance(value, (int, float)) and 0 <= value <= 1 else None


def _text(value: Any) -> str | None:
    """A text that may be shown, None for all else."""
    return value if isinstance(value, str) and len(value) <= LONGEST_TEXT and value.isprintable() else None


def _settings(value: Any) -> dict[str, Any] | None:
    """Settings that are JSON, None for all else: NaN is none."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _moment(content: Any) -> Moment | None:
    """When a generation was saved, as its file tells it; None where it does not."""
    wall_s, boot, boot_s = (_part(content, key) for key in ("time_s", "boot", "boot_s"))
    if not _is_time(wall_s):
        return None
    known = isinstance(boot, str) and _is_time(boot_s)
    return Moment(wall_s, boot, boot_s) if known else Moment(wall_s)


def _is_time(value: Any) -> bool:
    """Whether this is a number of seconds that a calendar knows."""
    return isinstance(value, (int, float)) and -LATEST_S < value < LATEST_S


def _part(value: Any, *keys: str) -> Any:
    """A value inside nested dicts, None where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
