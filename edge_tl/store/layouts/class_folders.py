"""Folders of classes: as they are, in splits (`train/CLASS/picture`), or in folders that hold nothing else."""

from __future__ import annotations

import re
from dataclasses import replace

from edge_tl.errors import counted
from edge_tl.store.folders import INDEX, SESSIONS, FolderPicture, Skipped, import_folder
from edge_tl.store.layouts.tree import SPLIT, LayoutContents, Tree

TAKE = re.compile(r"(take|session|clip|run|day|burst|scene)?[\s_-]*\d*$", re.I)
"""Names that takes have, as we write them and as people do."""
NO_CLASSES = frozenset(
    {"images", "image", "img", "imgs", "labels", "annotations", "masks", "jpegimages", "segmentationclass"}
    | {"segmentationobject", "imagesets", "data", "dataset", "obj_train_data", "pictures", "photos", "frames"}
    | {"clips", "audio", "sounds", "wav", "wavs", "recordings"}
)
"""Names that say what kind of files lie there, and never what they show."""


def fits(tree: Tree) -> bool:
    """Whatever no other layout explains; not where all names say that they are no classes."""
    tops = [top for top in tree.tops if top]
    if not tree.tops or _is_ours(tree):
        return True
    if not any(map(_may_be_class, tops)):
        return False
    return len(tops) > 1 or "" in tree.tops or all(len(file.parts) <= 3 for file in tree.media)


def names_classes(tree: Tree) -> bool:
    """Whether several folders have names that classes may have, whatever else is known of the files in them."""
    tree = tree if any(map(SPLIT.search, tree.tops)) else tree.unwrapped()
    return sum(map(_may_be_class, tree.tops)) > 1


def read(tree: Tree, kind: str, split: bool, skip: Skipped) -> LayoutContents:
    """CLASS/picture and CLASS/TAKE/picture."""
    return LayoutContents(list(import_folder(tree.root, skip, kind=kind)))


def fits_splits(tree: Tree) -> bool:
    """Splits at the top (others beside them or not), with folders of classes in at least one."""
    base = _above_splits(tree)
    holding = [top for top in base.tops if _classes_in(base, top)]
    if all(SPLIT.search(top) for top in base.tops):
        return bool(holding)
    # A class may be called `train`, and have takes, as long as others stand beside it.
    return any(not TAKE.match(name) for top in holding for name in base.within(top).tops)


def read_splits(tree: Tree, kind: str, split: bool, skip: Skipped) -> LayoutContents:
    """The classes of each split, merged, or each split a session; pictures that lie in no class are counted."""
    base = _above_splits(tree)
    found: list[FolderPicture] = []
    left_out: list[str] = []
    for number, top in enumerate(base.tops, 1):
        if not _classes_in(base, top):
            there = base.within(top).media if top else [file for file in base.media if len(file.parts) == 1]
            told = "no class's folder" if SPLIT.search(top) else "no split"
            left_out.append(f"{base.root / top}: {counted(len(there), 'file lies', 'files lie')} in {told}: left out")
            continue
        for one in import_folder(_below_split(base.within(top)).root, skip, kind=kind):
            name = f"{top} {one.take_name}" if one.take_name and not split else one.take_name
            one = replace(one, take_name=name)
            found.append(replace(one, session=number, session_name=top) if split else one)
    return LayoutContents(found, None, left_out)


def fits_nested(tree: Tree) -> bool:
    """One folder at the top, and folders in it that are not named as takes are."""
    if len(tree.tops) != 1 or not tree.tops[0] or _is_ours(tree):
        return False
    names = [top for top in tree.unwrapped().tops if top]
    if not names or fits_splits(tree):
        return False
    deep = any(len(file.parts) > 3 for file in tree.media)
    return deep or not all(map(TAKE.match, names))


def read_nested(tree: Tree, kind: str, split: bool, skip: Skipped) -> LayoutContents:
    """The classes below the folders that hold nothing else."""
    return LayoutContents(list(import_folder(tree.unwrapped().root, skip, kind=kind)))


def fits_sessions(tree: Tree) -> bool:
    """Several folders that hold the same several folders, whose names are not those of takes."""
    if len(tree.tops) < 2 or _is_ours(tree) or any(map(SPLIT.search, tree.tops)):
        return False
    inside = [set(tree.within(top).tops) if top else {""} for top in tree.tops]
    names = set.intersection(*inside)
    return len(names) > 1 and "" not in names and not all(map(TAKE.match, names))


def read_sessions(tree: Tree, kind: str, split: bool, skip: Skipped) -> LayoutContents:
    """The classes of each place or day."""
    return LayoutContents(list(import_folder(tree.root, skip, sessions=True, kind=kind)))


def _is_ours(tree: Tree) -> bool:
    """Whether our own export wrote it."""
    return any(file.name in (INDEX, SESSIONS) and len(file.parts) == 1 for file in tree.files)


def _may_be_class(name: str) -> bool:
    return bool(name) and name.lower() not in NO_CLASSES and not SPLIT.search(name)


def _above_splits(tree: Tree) -> Tree:
    """Below all folders that hold nothing but one folder, down to where splits stand."""
    while len(tree.tops) == 1 and tree.tops[0] and not SPLIT.search(tree.tops[0]):
        tree = tree.within(tree.tops[0])
    return tree


def _below_split(tree: Tree) -> Tree:
    """Below folders in a split that name it again, or only what kind of files these are: `train/train/CLASS`."""
    while len(tree.tops) == 1 and tree.tops[0] and not _may_be_class(tree.tops[0]):
        tree = tree.within(tree.tops[0])
    return tree


def _classes_in(tree: Tree, top: str) -> bool:
    """Whether a folder at the top is a split that holds folders of classes."""
    return bool(SPLIT.search(top)) and any(map(_may_be_class, _below_split(tree.within(top)).tops))
