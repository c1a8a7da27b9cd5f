"""Lists of pictures: which kind a file is, and what it tells.

CSV, TSV    `tables`: a line a picture or a box, or `id,label`
JSON        COCO (`store.coco`), Label Studio (`label_studio`), Create ML (`create_ml`), VIA (`via`)
JSON lines  Hugging Face's `metadata.jsonl` (`json_lines`)
XML         CVAT for images (`cvat`)
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath

from edge_tl.errors import ExampleError
from edge_tl.files import read_limited
from edge_tl.store.coco import read_coco
from edge_tl.store.folders import INDEX, SESSIONS, FolderPicture, Skipped
from edge_tl.store.layouts.create_ml import is_create_ml, read_create_ml
from edge_tl.store.layouts.cvat import read_images
from edge_tl.store.layouts.finder import FileFinder
from edge_tl.store.layouts.json_lines import read_lines
from edge_tl.store.layouts.label_studio import read_tasks
from edge_tl.store.layouts.labelme import is_labelme
from edge_tl.store.layouts.numbered import with_names
from edge_tl.store.layouts.safe_xml import read_xml
from edge_tl.store.layouts.tables import read_table
from edge_tl.store.layouts.tree import LayoutContents, Tree, split_of
from edge_tl.store.layouts.via import is_via, read_via
from edge_tl.store.listed import ListedPicture, reason

ENDINGS = (".csv", ".tsv", ".json", ".jsonl", ".xml")
UNCONFIRMED = ("invalidated.tsv", "other.tsv", "reported.tsv")
"""Common Voice's lists of recordings that listeners rejected, or that nobody confirmed."""
FIRST = ("annot", "instan", "label", "class", "validated")
"""What is in the names of lists that count before others of the same pictures."""
MAX_BYTES = 50_000_000
MAX_LISTS = 20
"""So many files of a folder are looked into for one."""
_DAMAGED = (ValueError, LookupError, TypeError, AttributeError, RecursionError, ArithmeticError, csv.Error)


def read_list(path: Path, images: Path | None = None) -> LayoutContents:
    """What a list tells of its pictures; ExampleError (one line) for a file that is no such list.

    images: the folder in which they lie, where they are not below the list.
    """
    return _read(path, FileFinder(images or path.parent), path.parent.parent)


def fits(tree: Tree) -> bool:
    """A list of pictures that are there."""
    return next(_lists_in(tree), None) is not None


def read(tree: Tree, kind: str, split: bool, skip: Skipped) -> LayoutContents:
    """What all lists tell; of a picture that several name, the first counts."""
    found: list[FolderPicture] = []
    listed: list[ListedPicture] = []
    left_out: list[str] = []
    notes = [f"{file} was skipped: nobody confirmed its recordings" for file in tree.files if file.name in UNCONFIRMED]
    named: set[PurePosixPath] = set()
    splits = sorted({split_of(file) for file in tree.media})
    for file, told in _lists_in(tree):
        here = {one.file for one in told.listed or ()} | {_below(one, tree) for one in told.found}
        if here & named:
            notes.append(f"{file} names pictures of another list and was skipped")
            continue
        named |= here
        left_out += told.left_out
        notes += told.notes
        listed += [replace(one, session=split_of(one.file) if split else one.session) for one in told.listed or ()]
        for one in told.found:
            name = split_of(_below(one, tree)) if split else ""
            found.append(replace(one, session=splits.index(name) + 1 if name else 0, session_name=name))
    if listed and found:
        raise ExampleError(f"{tree.root}: one list tells boxes, another classes: import one of them by its name")
    return LayoutContents(found, listed or None, left_out, notes)


def _lists_in(tree: Tree) -> Iterator[tuple[PurePosixPath, LayoutContents]]:
    """The lists of a folder that name a picture in it, those called annotations or labels first."""
    unread = (INDEX, SESSIONS, *UNCONFIRMED)
    files = [file for file in tree.files if file.suffix.lower() in ENDINGS and file.name not in unread]
    # A file a picture, as of Pascal VOC, is no list.
    stems = {picture.stem for picture in tree.media}
    files = [file for file in files if file.stem not in stems]
    files.sort(key=lambda file: (not any(word in file.name for word in FIRST), file))
    for file in files[:MAX_LISTS]:
        with suppress(ExampleError):
            told = _read(tree.root / file, FileFinder(tree.root, file.parent), tree.root)
            names = [one.file for one in told.listed or ()] + [_below(one, tree) for one in told.found]
            if set(names) & set(tree.media):
                yield file, told


def _below(found: FolderPicture, tree: Tree) -> PurePosixPath:
    return PurePosixPath(found.path.relative_to(tree.root))


def _read(path: Path, finder: FileFinder, above: Path) -> LayoutContents:
    """What a list tells, with the names of its classes where files there or in the folder above name its numbers."""
    return with_names(_told_by(path, finder), dict.fromkeys((path.parent, above)))


def _told_by(path: Path, finder: FileFinder) -> LayoutContents:
    """ExampleError (one line) for a file that is no list."""
    try:
        if path.suffix.lower() == ".xml":
            return read_images(read_xml(path, MAX_BYTES), path, finder)
        data = read_limited(path, MAX_BYTES)
        # Spreadsheets save "Unicode text" in UTF-16, which says so in its first two bytes.
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        if path.suffix.lower() == ".jsonl":
            return read_lines(text, path, finder)
        if path.suffix.lower() != ".json":
            return read_table(text, path, finder)
        content = json.loads(text)
        if isinstance(content, list):
            return (read_create_ml if is_create_ml(content) else read_tasks)(content, path, finder)
        if is_labelme(content):
            raise ExampleError(f"{path}: is LabelMe's annotation of one picture: give the folder that it lies in")
        if is_via(content):
            return read_via(content, path, finder)
        listed, left_out = read_coco(content, path, finder.find)
        return LayoutContents(listed=listed, left_out=left_out)
    except ExampleError:
        raise
    except OSError as error:
        raise ExampleError(f"{path}: cannot be read ({error.strerror}); a list of pictures is wanted") from error
    except _DAMAGED as error:
        raise ExampleError(
            f"{path}: is no list of pictures ({reason(error)}); CSV, the JSON of COCO, Label Studio, VIA or Create "
            "ML, or CVAT's XML is wanted"
        ) from None
