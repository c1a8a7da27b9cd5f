"""LabelMe: a JSON file for each picture, beside it, with shapes in pixels; or flags for whole pictures."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

from edge_tl.core.examples import Box
from edge_tl.files import read_limited
from edge_tl.labels import check_label
from edge_tl.store.folders import FolderPicture, Skipped
from edge_tl.store.layouts.shapes import OUTLINES, around, around_ellipse
from edge_tl.store.layouts.things import Things
from edge_tl.store.layouts.tree import LayoutContents, Tree, split_of
from edge_tl.store.listed import UnusableEntry, as_number, positive, reason

MAX_BYTES = 100_000_000
"""The picture itself may be in it, as text."""
_UNUSABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


def is_labelme(content: Any) -> bool:
    """Whether JSON is that of a picture annotated with LabelMe."""
    return isinstance(content, dict) and "shapes" in content and "imagePath" in content


def fits(tree: Tree) -> bool:
    """A JSON file with the name of a picture beside it, that holds shapes."""
    for _, file in _pairs(tree):
        with suppress(OSError, *_UNUSABLE):
            return is_labelme(json.loads(read_limited(tree.root / file, MAX_BYTES)))
    return False


def read(tree: Tree, kind: str, split: bool, skip: Skipped) -> LayoutContents:
    """The largest box of each picture; where no shape is drawn in any, the flag that is set for each."""
    things, flags, boxes = Things(), dict[PurePosixPath, list[str]](), False
    pairs = dict(_pairs(tree))
    for picture in tree.pictures:
        if picture not in pairs:
            things.unknown(picture, "no JSON file is there for it")
            continue
        try:
            content = json.loads(read_limited(tree.root / pairs[picture], MAX_BYTES))
            if content.get("imageWidth") and content.get("imageHeight"):
                things.size(picture, positive(content["imageWidth"]), positive(content["imageHeight"]))
            for shape in content["shapes"]:
                boxes = True
                things.add(picture, check_label(shape["label"]), _box(shape))
            flags[picture] = [name for name, is_set in (content.get("flags") or {}).items() if is_set is True]
        except (OSError, *_UNUSABLE) as error:
            things.unknown(picture, f"{pairs[picture].name}: {reason(error)}")
    in_classes = not boxes and any(flags.values())
    if in_classes:
        for picture, names in flags.items():
            if len(names) != 1:
                things.unknown(picture, f"{len(names)} of its flags are set; one is wanted")
    listed, left_out = things.listed(tree.pictures, lambda file: split_of(file) if split else "")
    if not in_classes:
        return LayoutContents(listed=listed, left_out=left_out)
    splits = sorted({one.session for one in listed})
    found = [
        FolderPicture(
            check_label(flags[one.file][0]), "", tree.root / one.file, splits.index(one.session) + split, one.session
        )
        for one in listed
    ]
    return LayoutContents(found, None, left_out)


def _pairs(tree: Tree) -> Iterator[tuple[PurePosixPath, PurePosixPath]]:
    """Each picture that has a JSON file of its name beside it, with that file."""
    files = set(tree.files)
    for picture in tree.pictures:
        beside = picture.with_suffix(".json")
        if beside in files:
            yield picture, beside


def _box(shape: dict[str, Any]) -> Box:
    """Left, top, right, bottom of a shape."""
    kind = shape.get("shape_type") or "polygon"
    points = [(as_number(x), as_number(y)) for x, y in shape["points"]]
    if kind in ("rectangle", "linestrip", *OUTLINES):
        return around([x for x, _ in points], [y for _, y in points])
    if kind == "circle":
        (x, y), (edge_x, edge_y) = points
        radius = math.hypot(edge_x - x, edge_y - y)
        return around_ellipse(x, y, radius, radius)
    raise UnusableEntry(f"{str(kind)[:20]!a} is neither box, polygon nor circle")
