"""A whole profile in one file, and back: a ZIP archive that is checked before anything of it is believed.

edge-tl-backup.json     {"format": 2, "profile": NAME, "time_s": …, "files": {NAME: [BYTES, SHA-256], …}}
examples.sqlite …       the files of the profile's folder, under their names there
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge_tl.core.archive import Archive, DamagedArchive
from edge_tl.errors import ProfileError, counted
from edge_tl.files import sync_folder
from edge_tl.store.database import check_database, copy_database
from edge_tl.store.profile import Profile
from edge_tl.store.schema import RESTORED
from edge_tl.store.settings import FILES as SMALL

INDEX, FORMAT = "edge-tl-backup.json", 2
READ = (1, FORMAT)
"""Format 1 knows no settings.json."""
EXAMPLES = "examples.sqlite"
_GENERATION = re.compile(r"generations/\d{6,}(\.rolled-back)?/(profile\.json|arrays\.npz|SHA256SUMS)")
MOST_INDEX_BYTES = 1_000_000
MOST_SMALL_BYTES = 100_000
MOST_FILES = 100


def write_backup(profile: Profile, name: str, out: Path, time_s: float) -> int:
    """Write all of a profile into a new file, also while somebody teaches it, and return its size in bytes.

    name: of the profile, told in the file. time_s: seconds since 1970. What is damaged is left out: a backup holds
    nothing that restoring would refuse. ProfileError where the file exists or cannot be written.
    """
    if out.exists():
        raise ProfileError(f"{out} exists already: choose another name")
    new = out.with_name(f".{out.name}.new")
    try:
        with tempfile.TemporaryDirectory(dir=out.absolute().parent) as folder:
            # SQLite's own copy: whole, whatever the writer commits meanwhile.
            if (profile.folder / EXAMPLES).exists():
                copy_database(profile.folder / EXAMPLES, Path(folder) / EXAMPLES)
            kept = dict(_kept(profile, Path(folder)))
            index = {
                "format": FORMAT,
                "profile": name,
                "time_s": time_s,
                "files": {where: [path.stat().st_size, _sha256(path)] for where, path in kept.items()},
            }
            with zipfile.ZipFile(new, "w") as archive:  # pictures and arrays do not shrink
                archive.writestr(INDEX, json.dumps(index, ensure_ascii=False, indent=1))
                for where, path in kept.items():
                    archive.write(path, where)
        with new.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(new, out)
        sync_folder(out.absolute().parent)
    except OSError as error:
        raise ProfileError(f"{out} cannot be written ({error.strerror or error}): free some space") from error
    finally:
        new.unlink(missing_ok=True)
    return out.stat().st_size


def _kept(profile: Profile, copied: Path) -> Iterator[tuple[str, Path]]:
    """Name in the archive → file, of all that is whole."""
    if (copied / EXAMPLES).exists():
        yield EXAMPLES, copied / EXAMPLES
    for name in SMALL:
        if (profile.folder / name).is_file():
            yield name, profile.folder / name
    for one in profile.generations():
        if one.ok:
            folder = f"{one.number:06d}" + (".rolled-back" if one.rolled_back else "")
            for name in ("profile.json", "arrays.npz", "SHA256SUMS"):
                yield f"generations/{folder}/{name}", profile.folder / "generations" / folder / name


def restore_backup(file: Path, folder: Path) -> dict[str, Any]:
    """Make a profile's folder from a backup: whole, or not at all; what the backup says of itself.

    The archive may come from anywhere: only the files that a profile has are taken, under their own names, each as long
    as and with the hash that the index says, and a database only where it has our tables and nothing else. ProfileError
    (one line) for anything else, and where the folder exists.
    """
    if folder.exists():
        raise ProfileError(f"{folder} exists already: choose another --profile")
    new = folder.with_name(f".{folder.name}.restoring")
    shutil.rmtree(new, ignore_errors=True)
    try:
        new.mkdir(parents=True)
        with Archive(file) as archive:
            index = _index(archive, file)
            _check_room(index, new, file)
            for name, (size_bytes, sha256) in index["files"].items():
                _take(archive, name, new / name, size_bytes, sha256, file)
        if (new / EXAMPLES).exists():
            check_database(new / EXAMPLES, RESTORED)
        for path in new.rglob("*"):
            if path.is_dir():
                sync_folder(path)
        sync_folder(new)
        new.rename(folder)
        sync_folder(folder.parent)
    except ProfileError:
        raise
    except OSError as error:
        raise ProfileError(f"{file} cannot be restored ({error.strerror or error}): check the disk") from error
    except DamagedArchive as error:
        raise _bad(file, str(error)) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return index


def _index(archive: Archive, file: Path) -> dict[str, Any]:
    """What the archive says of itself, checked."""
    try:
        index = json.loads(archive.read(INDEX, MOST_INDEX_BYTES))
    except (ValueError, RecursionError) as error:
        raise _bad(file, str(error)) from error
    if not isinstance(index, dict) or not isinstance(index.get("files"), dict):
        raise _bad(file, "its index is not what edge-tl writes")
    if index.get("format") not in READ:
        raise ProfileError(f"{file} has format {index.get('format')}, this edge-tl reads {FORMAT}: upgrade edge-tl")
    if len(index["files"]) > MOST_FILES:
        raise _bad(file, f"it holds {counted(len(index['files']), 'file')}")
    for name, about in index["files"].items():
        if name not in (EXAMPLES, *SMALL) and not _GENERATION.fullmatch(name):
            raise _bad(file, f"it holds {name[:60]!a}, which no profile has")
        whole = isinstance(about, list) and len(about) == 2 and type(about[0]) is int and isinstance(about[1], str)
        if not whole or about[0] < 0 or (name in SMALL and about[0] > MOST_SMALL_BYTES):
            raise _bad(file, f"what it says of {name} makes no sense")
    return index


def _check_room(index: dict[str, Any], folder: Path, file: Path) -> None:
    """Refuse before anything is written what would fill the disk."""
    wanted = sum(size_bytes for size_bytes, _ in index["files"].values())
    free = shutil.disk_usage(folder).free
    if wanted > 0.9 * free:
        raise ProfileError(f"{file} needs {wanted / 1e6:.0f} MB and the disk has {free / 1e6:.0f}: free some space")


def _take(archive: Archive, name: str, path: Path, size_bytes: int, sha256: str, file: Path) -> None:
    """Write one file of the archive; never more than it was said to be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    whole = archive.size_bytes(name) == size_bytes
    with path.open("xb") as out:
        for block in archive.blocks(name, size_bytes) if whole else ():
            digest.update(block)
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    if not whole or digest.hexdigest() != sha256:
        raise _bad(file, f"{name} is not what its index says")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _bad(file: Path, reason: str) -> ProfileError:
    return ProfileError(f"{file} is no whole backup of edge-tl ({' '.join(reason.split())[:120]}): take another copy")
