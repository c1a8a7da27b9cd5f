"""Apple Create ML's JSON: pictures with boxes by their centre, width and height in pixels."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from edge_tl.core.examples import Box
from edge_tl.labels import check_label
from edge_tl.store.layouts.finder import FileFinder
from edge_tl.store.layouts.things import Things
from edge_tl.store.layouts.tree import LayoutContents
from edge_tl.store.listed import as_number, box_of, reason

FILE = ("image", "imagefilename")
_UNUSABLE = (ValueError, TypeError, KeyError, AttributeError)


def is_create_ml(entries: list[Any]) -> bool:
    """Whether a list is one of that program: Label Studio's tasks have no coordinates in their annotations."""
    return bool(entries) and all(
        isinstance(one, dict)
        and any(isinstance(one.get(name), str) for name in FILE)
        and isinstance(one.get("annotations"), list)
        and "data" not in one
        for one in entries
    )


def read_create_ml(entries: list[dict[str, Any]], path: Path, finder: FileFinder) -> LayoutContents:
    """The pictures with their largest boxes; one with an empty list of annotations shows nothing."""
    things, files, lost = Things(), dict[PurePosixPath, None](), []
    for number, one in enumerate(entries, 1):
        try:
            file = finder.find(next(one[name] for name in FILE if name in one))
        except ValueError as error:
            lost.append(f"{path}, picture {number}: {reason(error)}")
            continue
        files[file] = None
        try:
            for thing in one["annotations"]:
                things.add(file, check_label(thing["label"]), _box(thing["coordinates"]))
        except _UNUSABLE as error:
            things.unknown(file, reason(error))
    listed, left_out = things.listed(files, lambda file: "")
    return LayoutContents(listed=listed, left_out=lost + left_out)


def _box(told: dict[str, Any]) -> Box:
    x, y, width, height = (as_number(told[side]) for side in ("x", "y", "width", "height"))
    return box_of((x - width / 2, y - height / 2, x + width / 2, y + height / 2))
