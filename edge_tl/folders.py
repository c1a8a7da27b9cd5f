"""Folders of pictures, in and out: `label/picture.jpg` or `label/take/picture.jpg`."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_tl.durable import write_synced
from edge_tl.errors import ExampleError
from edge_tl.examples import ExampleStore
from edge_tl.labels import check_label, escape, unescape

PICTURES = {".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pnm"}
"""The endings, in small letters, by which a picture file is known; whether it is one shows when it is decoded."""
INDEX = "labels.json"
"""Beside the folders, for labels whose folder cannot carry their name: `{"format": 1, "labels": {folder: label}}`."""
_NAME_MAX_BYTES = 255  # of Linux file systems, and not more than the characters FAT and NTFS take

Skipped = Callable[[Path, str], None]


@dataclass(frozen=True, slots=True)
class Found:
    """A picture file in a folder of pictures."""

    label: str
    take_name: str
    """The name of its take's folder; empty for a picture that lies in the label's folder itself: those are one take."""
    path: Path


def import_folder(root: Path, skipped: Skipped | None = None) -> Iterator[Found]:
    """The pictures below a folder, label by label and take by take, each in the order of names.

    skipped(path, reason) is called for each thing that is left out: another kind of file, a picture at the top, folders
    deeper than `label/take`, a folder whose name is no label, a link that leads nowhere or back. Hidden files and our
    own `labels.json` are passed over in silence. ExampleError where `root` or its `labels.json` cannot be read.
    """
    skip = skipped or (lambda path, reason: None)
    seen: set[str] = set()
    for folder, label in _label_folders(Path(root), skip, seen):
        files, takes = _entries(folder, skip, seen)
        for path in files:
            yield Found(label, "", path)
        for take in takes:
            pictures, deeper = _entries(take, skip, seen)
            for path in pictures:
                yield Found(label, take.name, path)
            for path in deeper:
                skip(path, "lies deeper than label/take/picture")


def labels_in(root: Path) -> list[str]:
    """The labels a folder of pictures has, those without a picture included, in the order of their folders' names."""
    found = (label for _, label in _label_folders(Path(root), lambda path, reason: None, set()))
    return list(dict.fromkeys(found))


def export_folder(store: ExampleStore, root: Path, progress: Callable[[int, int], bool | None] | None = None) -> int:
    """Write every stored picture to `root/label/take/number.jpg`, byte for byte; return how many were written.

    Importing the folder gives the same labels, takes and pictures. progress(done, total) is called after each picture;
    True ends it. Examples that kept no picture are left out. ExampleError where `root` is not an empty folder or
    cannot be written (what was written before stays there).
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


def _export(store: ExampleStore, root: Path, progress: Callable[[int, int], bool | None] | None) -> int:
    """Write the pictures of one snapshot of the store."""
    labels = store.labels()
    names = folder_names(labels)
    index = {name: label for label, name in names.items() if unescape(name) != label}
    if index:
        text = json.dumps({"format": 1, "labels": index}, ensure_ascii=False, indent=1)
        write_synced(root / INDEX, text.encode())
    for name in names.values():
        (root / name).mkdir()
    examples = [example for example in store.list() if example.media_bytes_len]
    for done, example in enumerate(examples, 1):
        # Numbers of one width sort as they were added, so that an import keeps the order.
        folder = root / names[example.label] / f"{example.take:08d}"
        folder.mkdir(exist_ok=True)
        (folder / f"{example.id:08d}.jpg").write_bytes(store.picture(example.id))
        if progress and progress(done, len(examples)):
            return done
    return len(examples)


def folder_names(labels: Sequence[str]) -> dict[str, str]:
    """A folder's name for every label: escaped, at most 255 bytes, and different also where case does not count."""
    names: dict[str, str] = {}
    taken = {INDEX.casefold()}
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
    if not os.path.isdir(root):
        raise ExampleError(f"{root} is no folder: one with a folder of pictures for each label is wanted")
    index = _read_index(root / INDEX)
    seen.add(os.path.realpath(root))
    files, folders = _entries(root, skip, seen)
    for path in files:
        skip(path, "lies in no label's folder")
    for folder in folders:
        try:
            label = check_label(index.get(folder.name, unescape(folder.name)))
        except ExampleError as error:
            skip(folder, str(error))
            continue
        yield folder, label


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
        if name.startswith(".") or name == INDEX:
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
        elif path.suffix.lower() not in PICTURES:
            skip(path, f"is no picture file (it ends in {path.suffix!a})" if path.suffix else "is no picture file")
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
