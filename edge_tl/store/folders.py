"""Folders of pictures or sounds, in and out: `label/picture.jpg` or `label/take/picture.jpg`, also below a folder a
session."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge_tl.errors import ExampleError
from edge_tl.files import is_clutter, write_synced
from edge_tl.labels import check_label, escape, unescape
from edge_tl.media.kinds import MEDIA, TRACKS, ending, is_of, is_picture, is_sound
from edge_tl.store.examples import ExampleStore
from edge_tl.store.media import JPEG, TRACK, WAV
from edge_tl.store.sessions import check_session_name

ENDINGS = {JPEG: ".jpg", WAV: ".wav", TRACK: ".npz"}
"""Media type → the ending of the file it is exported to."""
INDEX = "labels.json"
"""Beside the folders, for labels whose folder cannot carry their name: `{"format": 1, "labels": {folder: label}}`."""
SESSIONS = "sessions.json"
"""Beside the folders: `{"format": 1, "sessions": [{"name": "kitchen", "takes": ["00000001", ...]}, ...]}`, where takes
are folders' names, and beside `sessions` the list `typed` of the takes that a program's voice said. The labels stay on
top, where every other program looks for them."""
_NAME_MAX_BYTES = 255  # of Linux file systems, and not more than the characters FAT and NTFS take

Skipped = Callable[[Path, str], None]


@dataclass(frozen=True, slots=True)
class LabelledStretch:
    """A part of a recording that somebody labelled, in seconds from its beginning."""

    start_s: float
    end_s: float
    from_s: float
    """What is kept with it begins here or later: before lies another part."""
    to_s: float
    """It ends here or earlier; infinite where nothing follows."""


@dataclass(frozen=True, slots=True)
class FolderPicture:
    """A picture file in a folder of pictures."""

    label: str
    take_name: str
    """The name of its take's folder; empty for a picture that lies in the label's folder itself."""
    path: Path
    session: int = 0
    """Which session of the folder it belongs to; counts from 0, the pictures of which no session is told."""
    session_name: str = ""
    """What the session is called; may be empty."""
    take: int = 0
    """Which of the takes without a folder it belongs to (`in_takes`); counts from 0 in each class of a session."""
    typed: bool = False
    """Whether a program's voice said it."""
    cuts: tuple[LabelledStretch, ...] = ()
    """The parts of a recording that are of this label; empty where all of it is."""


def import_folder(
    root: Path, skipped: Skipped | None = None, *, sessions: bool = False, kind: str = "picture"
) -> Iterator[FolderPicture]:
    """The pictures below a folder (or its sound files), label by label and take by take, each in the order of names.

    kind: "picture", "sound" or "movement".

    sessions: the folders at the top are sessions, those below them labels. Without it all is one session, but for the
    takes that a `sessions.json`, as `export_folder` writes it, puts into others.
    skipped(path, reason) is called for each thing that is left out: another kind of file, a picture at the top, folders
    deeper than `label/take`, a folder whose name is no label, a link that leads nowhere or back. Hidden files, clutter
    (`is_clutter`) and our own `labels.json` and `sessions.json` are skipped in silence. ExampleError where `root`,
    or one of these that is needed, cannot be read.
    """
    skip = skipped or (lambda path, reason: None)
    for found in _import(Path(root), skip, sessions):
        if is_of(kind, found.path):
            yield found
        else:
            skip(found.path, f"is no {kind} file (it ends in {found.path.suffix!a})")


def kind_of(root: Path) -> str:
    """What more of a folder's files are: `picture`, clips that show something included, or `sound`."""
    pictures = sounds = 0
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not is_clutter(name)]
        for path in (Path(folder) / name for name in names if not is_clutter(name)):
            shown = is_picture(path)
            pictures += shown
            sounds += not shown and is_sound(path)
    return "sound" if sounds > pictures else "picture"


def _import(root: Path, skip: Skipped, sessions: bool) -> Iterator[FolderPicture]:
    """The files of either kind."""
    seen: set[str] = set()
    if not sessions:
        told, typed = _read_sessions(root / SESSIONS)
        for found in _pictures(root, skip, seen):
            session, name = told.get(found.take_name, (0, ""))
            yield replace(found, session=session, session_name=name, typed=found.take_name in typed)
        return
    for number, folder in enumerate(_top(root, skip, seen, "session"), 1):
        for found in _pictures(folder, skip, seen):
            yield replace(found, session=number, session_name=session_name_of(unescape(folder.name)))


def _pictures(root: Path, skip: Skipped, seen: set[str]) -> Iterator[FolderPicture]:
    """The pictures of the folders of labels in a folder."""
    for folder, label in _label_folders(root, skip, seen):
        files, takes = _entries(folder, skip, seen)
        for path in files:
            yield FolderPicture(label, "", path)
        for take in takes:
            pictures, deeper = _entries(take, skip, seen)
            for path in pictures:
                yield FolderPicture(label, take.name, path)
            for path in deeper:
                skip(path, "lies deeper than label/take/picture (are the folders at the top sessions?)")


def labels_in(root: Path) -> list[str]:
    """The labels a folder of pictures has, those without a picture included, in the order of their folders' names."""
    found = (label for _, label in _label_folders(Path(root), lambda path, reason: None, set()))
    return list(dict.fromkeys(found))


def export_folder(store: ExampleStore, root: Path, progress: Callable[[int, int], bool | None] | None = None) -> int:
    """Write every stored picture to `root/label/take/number.jpg`, byte for byte; return how many were written.

    Sounds become `number.wav`. Importing the folder gives the same labels, sessions, takes and files. progress(done,
    total) is called after each; True ends it. Examples that kept no file are left out. ExampleError where `root` is not
    an empty folder or cannot be written (what was written before stays there).
    """
    root = Path(root)
    try:
        root.mkdir(parents=True, exist_ok=True)
        if any(root.iterdir()):
            raise ExampleError(f"{root} is not empty: choose a new folder for the export")
        with store.snapshot():
            return _export(store, root, progress)
    except OSError as error:
        raise ExampleError(f"cannot export to {root} ({error.strerror}): free or choose another disk") from error


@dataclass(frozen=True, slots=True)
class Export:
    """What an export consists of, names below its root with slashes."""

    folders: tuple[str, ...]
    """A label's each, those without examples included."""
    files: dict[str, bytes]
    """Beside them, name → content: what folders' names cannot tell."""
    examples: tuple[tuple[str, int], ...]
    """(name, example) of each stored file, in the order in which they were added."""


def plan_export(store: ExampleStore) -> Export:
    """The folders and files that `export_folder` writes, without reading a picture."""
    labels = store.labels()
    names = folder_names(labels)
    files: dict[str, bytes] = {}
    index = {name: label for label, name in names.items() if unescape(name) != label}
    if index:
        files[INDEX] = json.dumps({"format": 1, "labels": index}, ensure_ascii=False, indent=1).encode()
    examples = [example for example in store.list() if example.media_type in ENDINGS]
    takes: dict[int, set[str]] = {}
    for example in examples:
        takes.setdefault(example.session, set()).add(f"{example.take:08d}")
    sessions = [{"name": store.session_name(number), "takes": sorted(takes[number])} for number in sorted(takes)]
    typed = sorted({f"{example.take:08d}" for example in examples if example.typed})
    if len(sessions) > 1 or any(session["name"] for session in sessions):
        content = {"format": 1, "sessions": sessions} | ({"typed": typed} if typed else {})
        text = json.dumps(content, ensure_ascii=False, indent=1)
        files[SESSIONS] = text.encode()
    # Numbers of one width sort as they were added, so that an import keeps the order.
    named = ((f"{names[one.label]}/{one.take:08d}/{one.id:08d}{ENDINGS[one.media_type]}", one.id) for one in examples)
    return Export(tuple(names.values()), files, tuple(named))


def _export(store: ExampleStore, root: Path, progress: Callable[[int, int], bool | None] | None) -> int:
    """Write the pictures of one snapshot of the store."""
    plan = plan_export(store)
    for name, data in plan.files.items():
        write_synced(root / name, data)
    for name in plan.folders:
        (root / name).mkdir()
    for done, (name, example) in enumerate(plan.examples, 1):
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(store.media(example)[1])
        if progress and progress(done, len(plan.examples)):
            return done
    return len(plan.examples)


def folder_names(labels: Sequence[str]) -> dict[str, str]:
    """A folder's name for every label: escaped, at most 255 bytes, and different also where case does not count."""
    names: dict[str, str] = {}
    taken = {INDEX.casefold(), SESSIONS.casefold()}
    for label in labels:
        name = escape(label)
        if len(name.encode()) > _NAME_MAX_BYTES or name.casefold() in taken:
            name = f"{escape(label[:16])}~{hashlib.sha256(label.encode()).hexdigest()[:12]}"
            while name.casefold() in taken:
                name += "~"
        taken.add(name.casefold())
        names[label] = name
    return names


def _label_folders(root: Path, skip: Skipped, seen: set[str]) -> Iterator[tuple[Path, str]]:
    """The folders at the top and the label of each."""
    folders = _top(root, skip, seen, "label")
    index = _read_index(root / INDEX)
    for folder in folders:
        try:
            label = check_label(index.get(folder.name, unescape(folder.name)))
        except ExampleError as error:
            skip(folder, str(error))
            continue
        yield folder, label


def _top(root: Path, skip: Skipped, seen: set[str], what: str) -> list[Path]:
    """The folders at the top, each of a label or of a session."""
    if not os.path.isdir(root):
        raise ExampleError(f"{root} is no folder: one with a folder of pictures for each {what} is wanted")
    seen.add(os.path.realpath(root))
    files, folders = _entries(root, skip, seen)
    for path in files:
        skip(path, f"lies in no {what}'s folder")
    return folders


def session_name_of(text: str) -> str:
    """A folder's name as that of a session; empty where it cannot be one."""
    try:
        return check_session_name(text)
    except ExampleError:
        return ""


def _entries(folder: Path, skip: Skipped, seen: set[str]) -> tuple[list[Path], list[Path]]:
    """The pictures and the folders in a folder, in the order of names; `seen` holds the folders that were entered."""
    files, folders = [], []
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        skip(folder, f"cannot be read ({error.strerror})")
        return [], []
    for name in names:
        path = folder / name
        if is_clutter(name) or name in (INDEX, SESSIONS):
            continue
        if os.path.isdir(path):  # unlike Path.is_dir, False where rights are missing
            real = os.path.realpath(path)
            if real in seen:
                skip(path, "is a link to a folder that is read already")
            else:
                seen.add(real)
                folders.append(path)
        elif not os.path.isfile(path):  # a broken link, a device, a pipe that would block
            skip(path, "is no file")
        elif ending(path) not in MEDIA | TRACKS:
            skip(path, "is no picture, sound or track" + (f" (it ends in {path.suffix!a})" if path.suffix else ""))
        else:
            files.append(path)
    return files, folders


def _read_index(path: Path) -> dict[str, str]:
    """The labels of folders that cannot carry their name; empty where there is no such file."""
    if not os.path.isfile(path):
        return {}
    try:
        content = json.loads(path.read_bytes())
        labels = content["labels"]
        if content["format"] != 1 or not all(isinstance(label, str) for label in labels.values()):
            raise ValueError("another format")
        return dict(labels)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ExampleError(f"{path} cannot be read: mend or remove it (folders' names are labels then)") from error


def _read_sessions(path: Path) -> tuple[dict[str, tuple[int, str]], set[str]]:
    """Take's folder → (number from 1, name) of its session, and the takes that are typed; empty where there is no such
    file."""
    if not os.path.isfile(path):
        return {}, set()
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != 1:
            raise ValueError("another format")
        told = {}
        for number, session in enumerate(content["sessions"], 1):
            name = check_session_name(session["name"])
            told.update({str(take): (number, name) for take in session["takes"]})
        return told, {str(take) for take in content.get("typed", ())}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, ExampleError) as error:
        raise ExampleError(f"{path} cannot be read: mend or remove it (all is one session then)") from error
