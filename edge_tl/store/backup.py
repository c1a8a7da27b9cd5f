"""A whole profile in one file, and back: a ZIP archive that is checked before anything of it is believed.

edge-tl-backup.json     {"format": 2, "profile": NAME, "time_s": …, "files": {NAME: [BYTES, SHA-256], …}}
examples.sqlite …       the files of the profile's folder, lessons of other devices too, under their names there
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from edge_tl.core.archive import Archive, DamagedArchive
from edge_tl.errors import ExampleError, ProfileError, counted
from edge_tl.files import PRIVATE, PRIVATE_FOLDER, UnnamedFile, create, sync_folder
from edge_tl.labels import check_label
from edge_tl.store.database import check_database, copy_database
from edge_tl.store.examples import ExampleStore
from edge_tl.store.lessons import FILE as LESSONS
from edge_tl.store.lessons import TABLES as LESSON_TABLES
from edge_tl.store.lessons import VERSION as LESSON_VERSION
from edge_tl.store.lessons import check_lessons
from edge_tl.store.profile import Profile
from edge_tl.store.schema import RESTORED
from edge_tl.store.sessions import check_session_name
from edge_tl.store.settings import FILES as SMALL

INDEX, FORMAT = "edge-tl-backup.json", 2
READ = (1, FORMAT)
"""Format 1 knows no settings.json."""
EXAMPLES = "examples.sqlite"
_GENERATION = re.compile(r"generations/\d{6,}(\.rolled-back)?/(profile\.json|arrays\.npz|SHA256SUMS)")
MAX_INDEX_BYTES = 1_000_000
MAX_SMALL_BYTES = 100_000
MAX_FILES = 100
MAX_FOLD = 20
"""So many times its size a backup may unfold to, where somebody packed it again; zeros become a thousand times less."""


def write_backup(profile: Profile, name: str, out: Path, time_s: float) -> int:
    """Write all of a profile into a new file, also while somebody teaches it, and return its size in bytes.

    name: of the profile, told in the file. time_s: seconds since 1970. What is damaged is left out: a backup holds
    nothing that restoring would refuse. ProfileError where the file exists or cannot be written.
    """
    if out.exists():
        raise ProfileError(f"{out} exists already: choose another name")
    place = out.absolute().parent
    try:
        with ExitStack() as stack:
            kept = {name: stack.enter_context(file) for name, file in _kept(profile, place)}
            index = {
                "format": FORMAT,
                "profile": name,
                "time_s": time_s,
                "files": {where: [os.fstat(file.fileno()).st_size, _sha256(file)] for where, file in kept.items()},
            }
            new = stack.enter_context(UnnamedFile(place))
            with zipfile.ZipFile(new.file, "w") as archive:  # pictures and arrays do not shrink
                archive.writestr(_member(INDEX), json.dumps(index, ensure_ascii=False, indent=1))
                for where, file in kept.items():
                    with archive.open(_member(where), "w", force_zip64=True) as member:
                        shutil.copyfileobj(file, member)
            new.name_it(out)
    except FileExistsError as error:
        raise ProfileError(f"{out} exists already: choose another name") from error
    except OSError as error:
        raise ProfileError(f"{out} cannot be written ({error.strerror or error}): free some space") from error
    return out.stat().st_size


def _member(name: str) -> zipfile.ZipInfo:
    """A file of the archive, its owner's, with a date that every ZIP knows: no clock has to be right."""
    member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    member.external_attr = PRIVATE << 16
    return member


def _kept(profile: Profile, place: Path) -> Iterator[tuple[str, BinaryIO]]:
    """Name in the archive → file, open, of all that is whole."""
    for name in (EXAMPLES, LESSONS):
        if (profile.folder / name).exists():
            # SQLite's own copy: whole, whatever the writer commits meanwhile.
            yield name, copy_database(profile.folder / name, place / f".edge-tl-backup-{os.getpid()}")
    for name in SMALL:
        if (profile.folder / name).is_file():
            yield name, (profile.folder / name).open("rb")
    for one in profile.generations():
        if one.ok:
            folder = f"{one.number:06d}" + (".rolled-back" if one.rolled_back else "")
            for name in ("profile.json", "arrays.npz", "SHA256SUMS"):
                yield f"generations/{folder}/{name}", (profile.folder / "generations" / folder / name).open("rb")


def restore_backup(file: Path, folder: Path, ask: Callable[[Path], str] = lambda _: "") -> dict[str, Any]:
    """Make a profile's folder from a backup: whole, or not at all; what the backup says of itself.

    The archive may come from anywhere: only the files that a profile has are taken, under their own names, each as long
    as and with the hash that the index says, and a database only where it has our tables and nothing else. ask: tries
    out what was unpacked before it gets its name, and tells what is wrong with it. ProfileError (one line) for anything
    else, and where the folder exists.
    """
    if folder.exists():
        raise ProfileError(f"{folder} exists already: choose another --profile")
    new = folder.with_name(f".{folder.name}.restoring")
    shutil.rmtree(new, ignore_errors=True)
    try:
        new.parent.mkdir(parents=True, exist_ok=True)
        new.mkdir(PRIVATE_FOLDER)
        with Archive(file) as archive:
            index = _index(archive, file)
            _check_room(index, new, file)
            _check_fold(index, file)
            for name, (size_bytes, sha256) in index["files"].items():
                _take(archive, name, new / name, size_bytes, sha256, file)
        if (new / EXAMPLES).exists():
            check_database(new / EXAMPLES, RESTORED)
            _check_texts(new / EXAMPLES)
        if (new / LESSONS).exists():
            check_database(new / LESSONS, {LESSON_VERSION: LESSON_TABLES})
            check_lessons(new / LESSONS)
        wrong = ask(new)
        if wrong:
            raise _bad(file, wrong)
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
        index = json.loads(archive.read(INDEX, MAX_INDEX_BYTES))
    except (ValueError, RecursionError) as error:
        raise _bad(file, str(error)) from error
    if not isinstance(index, dict) or not isinstance(index.get("files"), dict):
        raise _bad(file, "its index is not what edge-tl writes")
    if index.get("format") not in READ:
        raise ProfileError(f"{file} has format {index.get('format')}, this edge-tl reads {FORMAT}: upgrade edge-tl")
    if len(index["files"]) > MAX_FILES:
        raise _bad(file, f"it holds {counted(len(index['files']), 'file')}")
    for name, about in index["files"].items():
        if name not in (EXAMPLES, LESSONS, *SMALL) and not _GENERATION.fullmatch(name):
            raise _bad(file, f"it holds {name[:60]!a}, which no profile has")
        whole = isinstance(about, list) and len(about) == 2 and type(about[0]) is int and isinstance(about[1], str)
        if not whole or about[0] < 0 or (name in SMALL and about[0] > MAX_SMALL_BYTES):
            raise _bad(file, f"what it says of {name} makes no sense")
    return index


def _check_room(index: dict[str, Any], folder: Path, file: Path) -> None:
    """Refuse before anything is written what would fill the disk."""
    wanted = sum(size_bytes for size_bytes, _ in index["files"].values())
    free = shutil.disk_usage(folder).free
    if wanted > 0.9 * free:
        raise ProfileError(f"{file} needs {wanted / 1e6:.0f} MB and the disk has {free / 1e6:.0f}: free some space")


def _check_fold(index: dict[str, Any], file: Path) -> None:
    """Refuse at once what unfolds to far more than it is: what edge-tl packs does not shrink."""
    wanted = sum(size_bytes for size_bytes, _ in index["files"].values())
    if wanted > MAX_FOLD * file.stat().st_size + MAX_INDEX_BYTES:
        raise _bad(file, f"{wanted / 1e6:.0f} MB are said to be in {file.stat().st_size / 1e6:.1f} MB")


def _check_texts(path: Path) -> None:
    """ProfileError for labels and names that nobody could have typed."""
    with ExampleStore(path, writable=False) as store:
        try:
            for label in store.labels():
                if check_label(label) != label:
                    raise ExampleError(f"label {label[:40]!a} is not as labels are kept")
            for session in store.sessions():
                check_session_name(session.name)
        except ExampleError as error:
            raise ProfileError(f"{path.name} holds what is no label or name ({error}): take another copy") from error


def _take(archive: Archive, name: str, path: Path, size_bytes: int, sha256: str, file: Path) -> None:
    """Write one file of the archive; never more than it was said to be."""
    for folder in (path.parent.parent, path.parent):
        if not folder.is_dir():
            folder.mkdir(PRIVATE_FOLDER)
    digest = hashlib.sha256()
    whole = archive.size_bytes(name) == size_bytes
    with create(path, PRIVATE) as out:
        for block in archive.blocks(name, size_bytes) if whole else ():
            digest.update(block)
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    if not whole or digest.hexdigest() != sha256:
        raise _bad(file, f"{name} is not what its index says")


def _sha256(file: BinaryIO) -> str:
    """Of an open file, which is then at its beginning again."""
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()


def _bad(file: Path, reason: str) -> ProfileError:
    return ProfileError(f"{file} is no whole backup of edge-tl ({' '.join(reason.split())[:120]}): take another copy")
