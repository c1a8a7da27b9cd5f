"""Archives of pictures and sounds, unfolded for as long as they are imported."""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

from edge_tl.core.archive import DamagedArchive
from edge_tl.core.unfold import unfold
from edge_tl.errors import ExampleError
from edge_tl.files import is_clutter
from edge_tl.media.kinds import MEDIA, ending
from edge_tl.store.layouts.foreign import first_not_read, is_archive, not_read
from edge_tl.store.layouts.tree import Tree

LISTS = {".csv", ".tsv", ".json", ".jsonl", ".xml", ".txt", ".yaml", ".yml", ".names", ".labels", ".cls", ".md"}
"""What else than pictures and sounds a layout may be told by."""
MAX_BYTES = 20_000_000_000
SAMPLES = re.compile(r"(.+?)[-_ ]samples?(?: \(\d+\))?$", re.IGNORECASE)


def unfolded(path: Path, stack: ExitStack) -> Path:
    """The folder that an archive becomes, called like it and gone with the stack; ExampleError where it cannot be."""
    place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edge-tl-import-")))
    others: list[PurePosixPath] = []

    def is_wanted(file: PurePosixPath) -> bool:
        """Archives in it too: they are named, so that nobody thinks that their pictures came."""
        if any(map(is_clutter, file.parts)):
            return False
        if ending(file) in MEDIA or ending(file) in LISTS or is_archive(file):
            return True
        others.append(file)
        return False

    name = re.sub(r"(\.tar)?\.\w{1,4}$", "", path.name) or "archive"
    folder = place / name
    free = shutil.disk_usage(place).free
    try:
        folder.mkdir()
        count = unfold(path, folder, is_wanted, min(MAX_BYTES, free // 2))
    except DamagedArchive as error:
        raise ExampleError(f"{path}: is no archive of pictures that can be read: {error}") from None
    except OSError as error:
        raise ExampleError(
            f"{path}: cannot be unfolded in {place.parent} ({error.strerror}): free space there, or set TMPDIR"
        ) from error
    if not count:
        said = first_not_read(others)
        raise ExampleError(f"{path}: holds no picture and no sound" + (f"; {said}" if said else ""))
    return folder


def label_by_name(folder: Path) -> str | None:
    """The class that an archive of one class's samples is called by; None for any other name."""
    match = SAMPLES.match(folder.name)
    return match[1] if match else None


def archives_in(folder: Path) -> list[PurePosixPath]:
    """Archives among the files of a folder, whose contents are not imported with it.

    ExampleError where it holds nothing else that could be.
    """
    tree = Tree.of(folder)
    found = [file for file in tree.files if is_archive(file)]
    if tree.media:
        return found
    if found:
        shown = ", ".join(map(str, found[:3])) + (" …" if len(found) > 3 else "")
        raise ExampleError(
            f"{folder}: holds no picture and no sound, but archives ({shown}): import each, or unpack them"
        )
    return []


def check_known(path: Path) -> None:
    """ExampleError for a file that is known and not read, or a folder in which such files are all that there is."""
    if path.is_file() and (said := not_read(path)):
        raise ExampleError(f"{path}: {said}")
    if path.is_dir():
        tree = Tree.of(path)
        if not tree.media and (said := first_not_read(tree.files)):
            raise ExampleError(f"{path}: holds no picture and no sound; {said}")
