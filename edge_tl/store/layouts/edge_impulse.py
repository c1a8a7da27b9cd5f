"""Edge Impulse's export: `training` and `testing`, with `info.labels` or `bounding_boxes.labels`, or names alone.

The class of a file is told by the list, else by its name up to the first dot: `training/red.0000.jpg`.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

from edge_tl.errors import ExampleError
from edge_tl.files import read_limited
from edge_tl.labels import check_label
from edge_tl.media.kinds import is_of
from edge_tl.store.folders import FolderPicture, Skipped
from edge_tl.store.layouts.things import Things
from edge_tl.store.layouts.tree import SPLIT, LayoutContents, Tree, split_of
from edge_tl.store.listed import UnusableEntry, as_number, box_of, inside, reason

INFO, BOXES = "info.labels", "bounding_boxes.labels"
MAX_BYTES = 50_000_000
_UNUSABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


def fits(tree: Tree) -> bool:
    """One of its lists is there."""
    return any(file.name in (INFO, BOXES) for file in tree.files)


def read(tree: Tree, kind: str, split: bool, skip: Skipped) -> LayoutContents:
    """The files with the labels, or the boxes, that the lists tell; ExampleError where a list is none."""
    entries: dict[PurePosixPath, dict[str, Any]] = {}
    with_boxes = False
    for file in tree.files:
        if file.name not in (INFO, BOXES):
            continue
        try:
            content = json.loads(read_limited(tree.root / file, MAX_BYTES).decode("utf-8-sig"))
            if file.name == BOXES:
                told = {name: {"boundingBoxes": boxes} for name, boxes in content["boundingBoxes"].items()}
            else:
                told = {one["path"]: one for one in content["files"]}
            for name, one in told.items():
                entries.setdefault(file.parent / inside(name), {}).update(one)
                with_boxes |= bool(one.get("boundingBoxes")) or file.name == BOXES
        except (OSError, *_UNUSABLE) as error:
            raise ExampleError(
                f"{tree.root / file}: is no list of Edge Impulse ({reason(error)}): export it again"
            ) from None
    files = [file for file in tree.media if is_of(kind, tree.root / file)]
    missing = sorted(set(entries) - set(tree.files))
    left_out = [f"{file}: is in the list and not in the folder" for file in missing]
    if with_boxes:
        return _boxes(files, entries, left_out, split)
    found = []
    for file in files:
        try:
            if file not in entries:
                raise UnusableEntry("is in no list")
            label = entries[file]["label"]
            if isinstance(label, dict):
                if label.get("type", "label") != "label":
                    raise UnusableEntry(f"its label is {label['type']!a}; one label for all of it is wanted")
                label = label["label"]
            found.append(_found(tree, file, check_label(str(label)), split))
        except _UNUSABLE as error:
            left_out.append(f"{file}: left out ({reason(error)})")
    return LayoutContents(found, None, left_out)


def fits_by_names(tree: Tree) -> bool:
    """Nothing but splits at the top, the files in them, and names LABEL.NUMBER, several of each label."""
    if not tree.media or not all(len(file.parts) == 2 and SPLIT.search(file.parts[0]) for file in tree.media):
        return False
    labels = Counter(_label_in(file) for file in tree.media)
    return "" not in labels and 2 * len(labels) <= len(tree.media)


def read_by_names(tree: Tree, kind: str, split: bool, skip: Skipped) -> LayoutContents:
    """The files with the labels that their names begin with."""
    found, left_out = [], []
    for file in (file for file in tree.media if is_of(kind, tree.root / file)):
        try:
            found.append(_found(tree, file, check_label(_label_in(file)), split))
        except ExampleError as error:
            left_out.append(f"{file}: left out (its name tells no class: {reason(error)})")
    return LayoutContents(found, None, left_out)


def _label_in(file: PurePosixPath) -> str:
    """What a name says before its first dot; empty for `x.jpg`, and for what Roboflow makes of names."""
    label, _, more = file.stem.partition(".")
    return label if more and not more.startswith("rf.") else ""


def _found(tree: Tree, file: PurePosixPath, label: str, split: bool) -> FolderPicture:
    name = split_of(file)
    number = 0 if not split or not name else 1 + sorted({split_of(one) for one in tree.media}).index(name)
    return FolderPicture(label, "", tree.root / file, number, name if split else "")


def _boxes(
    files: list[PurePosixPath], entries: dict[PurePosixPath, dict[str, Any]], left_out: list[str], split: bool
) -> LayoutContents:
    things = Things()
    for file in files:
        if file not in entries:
            things.unknown(file, "is in no list")
        with suppress(KeyError):
            try:
                for box in entries[file].get("boundingBoxes") or ():
                    x, y, width, height = (as_number(box[side]) for side in ("x", "y", "width", "height"))
                    things.add(file, str(box["label"]), box_of((x, y, x + width, y + height)))
            except _UNUSABLE as error:
                things.unknown(file, reason(error))
    listed, more = things.listed(files, lambda file: split_of(file) if split else "")
    return LayoutContents(listed=listed, left_out=left_out + more)
