"""WebDataset's samples: files of one name, of which one is a picture or sound and another tells its class."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

from edge_tl.files import read_limited
from edge_tl.labels import check_label
from edge_tl.media.kinds import is_of
from edge_tl.store.folders import FolderPicture, Skipped
from edge_tl.store.layouts.numbered import with_names
from edge_tl.store.layouts.tree import LayoutContents, Tree
from edge_tl.store.listed import UnusableEntry, reason

CLASS, MORE = ".cls", ".json"
KEYS = ("label", "class", "class_name", "cls", "category")
MAX_BYTES = 1_000_000
_UNUSABLE = (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


def fits(tree: Tree) -> bool:
    """A `.cls` file with the name of a picture or sound, or a JSON file that holds its label."""
    for _, file in _pairs(tree):
        with suppress(*_UNUSABLE):
            return file.suffix == CLASS or bool(_label_in(tree, file))
    return False


def read(tree: Tree, kind: str, split: bool, skip: Skipped) -> LayoutContents:
    """The classes of all samples; one that is not told is left out."""
    pairs = dict(_pairs(tree))
    found, left_out = [], []
    for sample in (file for file in tree.media if is_of(kind, tree.root / file)):
        try:
            if sample not in pairs:
                raise UnusableEntry("neither a .cls nor a .json file is there for it")
            found.append(FolderPicture(_label_in(tree, pairs[sample]), "", tree.root / sample))
        except _UNUSABLE as error:
            left_out.append(f"{sample}: left out ({reason(error)})")
    return with_names(LayoutContents(found, None, left_out), (tree.root,))


def _pairs(tree: Tree) -> Iterator[tuple[PurePosixPath, PurePosixPath]]:
    """Each picture or sound with the file of its name that tells its class."""
    files = set(tree.files)
    for sample in tree.media:
        for file in (sample.with_suffix(CLASS), sample.with_suffix(MORE)):
            if file in files:
                yield sample, file
                break


def _label_in(tree: Tree, file: PurePosixPath) -> str:
    """The class that a file tells; UnusableEntry where it tells none."""
    text = read_limited(tree.root / file, MAX_BYTES).decode("utf-8-sig")
    told: Any = text.strip()
    if file.suffix == MORE:
        content = json.loads(text)
        told = next((content[key] for key in KEYS if key in content), None) if isinstance(content, dict) else None
    if isinstance(told, bool) or not isinstance(told, (str, int)):
        raise UnusableEntry(f"{file.name}: it has no label")
    return check_label(str(told))
