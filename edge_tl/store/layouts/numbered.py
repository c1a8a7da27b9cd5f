"""Classes that a list gives as numbers, as `datasets` and WebDataset do: their names out of a file beside it.

README.md, dataset_infos.json   Hugging Face: `class_label` with its names
classnames.txt, classes.txt     a name a line, in the order of the numbers
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge_tl.errors import counted
from edge_tl.files import read_limited
from edge_tl.labels import check_label
from edge_tl.store.layouts.names_yaml import item_of
from edge_tl.store.layouts.tree import LayoutContents
from edge_tl.store.listed import NOTHING

CARD, INFOS, LINES = "README.md", "dataset_infos.json", ("classnames.txt", "classes.txt", "labels.txt")
LABELS = ("label", "labels", "category", "categories", "class", "classes")
"""What the feature is called whose names count, where a card names those of several."""
MAX_BYTES = 5_000_000
_FEATURE = re.compile(r"^\s*(?:-\s+)?name:\s*(['\"]?)([\w.-]+)\1\s*$")
_NAMES = re.compile(r"^(\s*)names:\s*$")
_UNUSABLE = (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


def with_names(told: LayoutContents, folders: Iterable[Path]) -> LayoutContents:
    """The same with the names of classes that are numbers; a note where these are all numbers and nothing names them.

    folders: where files that name them may lie, the nearest first.
    """
    labels = {one.label for one in told.found} | {one.label for one in told.listed or ()} - {NOTHING}
    if not labels or not all(label.isascii() and label.isdecimal() for label in labels):
        return told
    for folder in folders:
        names = _names_in(folder)
        if names and labels <= set(names):
            found = [replace(one, label=names[one.label]) for one in told.found]
            listed = None
            if told.listed is not None:
                listed = [replace(one, label=names.get(one.label, one.label)) for one in told.listed]
            return replace(told, found=found, listed=listed)
    first, *more = sorted(labels, key=int)
    which = f"its {counted(len(labels), 'class is a number', 'classes are numbers')} ({first}{' …' if more else ''})"
    note = f"{which} that no file beside it names: `edge-tl examples rename {first} NAME` does"
    return replace(told, notes=[*told.notes, note])


def _names_in(folder: Path) -> dict[str, str]:
    """Number → name, of the first file of a folder that tells them; empty where none does."""
    with suppress(*_UNUSABLE):
        names = _of_card(read_limited(folder / CARD, MAX_BYTES).decode("utf-8-sig"))
        if names:
            return names
    with suppress(*_UNUSABLE):
        configurations = json.loads(read_limited(folder / INFOS, MAX_BYTES))
        names = _chosen({name: one for about in configurations.values() for name, one in _labels_of(about["features"])})
        if names:
            return names
    for name in LINES:
        with suppress(*_UNUSABLE):
            lines = read_limited(folder / name, MAX_BYTES).decode("utf-8-sig").splitlines()
            return {str(at): check_label(line) for at, line in enumerate(line for line in lines if line.strip())}
    return {}


def _of_card(text: str) -> dict[str, str]:
    """The names that the head of a data set's card, YAML between lines of ---, gives to numbers."""
    if not text.startswith("---"):
        return {}
    lines = text.split("\n---", 1)[0].splitlines()
    features: dict[str, dict[str, str]] = {}
    feature = ""
    for at, line in enumerate(lines):
        if match := _FEATURE.match(line):
            feature = match[2]
        if _NAMES.match(line):
            features[feature] = {}
            for more in lines[at + 1 :]:
                item = item_of(more, len(features[feature]))
                if item is None:
                    break
                features[feature][item[0]] = check_label(item[1])
    return _chosen(features)


def _labels_of(features: Any) -> Iterable[tuple[str, dict[str, str]]]:
    """(name, number → name) of each class label among features, those within others included."""
    for name, about in features.items():
        if isinstance(about, dict) and about.get("_type") == "ClassLabel":
            yield name, {str(at): check_label(one) for at, one in enumerate(about["names"])}
        elif isinstance(about, dict):
            yield from _labels_of(about.get("feature", about) if about.get("_type") == "Sequence" else about)


def _chosen(features: dict[str, dict[str, str]]) -> dict[str, str]:
    """Those of the feature that is called as classes are, else of the only one."""
    called = [names for name, names in features.items() if name in LABELS]
    return next(iter(called or (features.values() if len(features) == 1 else ())), {})
