"""VGG Image Annotator's JSON (VIA 1 and 2): regions in pixels, each with attributes that name what it shows."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from edge_tl.core.examples import Box
from edge_tl.labels import check_label
from edge_tl.store.folders import FolderPicture
from edge_tl.store.layouts.finder import FileFinder
from edge_tl.store.layouts.shapes import BOXES, OUTLINES, around, around_ellipse
from edge_tl.store.layouts.things import Things
from edge_tl.store.layouts.tree import LayoutContents
from edge_tl.store.listed import UnusableEntry, as_number, box_of, reason

PROJECT = "_via_img_metadata"
_UNUSABLE = (ValueError, TypeError, KeyError, AttributeError)


def is_via(content: dict[str, Any]) -> bool:
    """Whether it is a project or an export of that program."""
    if PROJECT in content:
        return True
    return bool(content) and all(
        isinstance(one, dict) and {"filename", "regions"} <= set(one) for one in content.values()
    )


def read_via(content: dict[str, Any], path: Path, finder: FileFinder) -> LayoutContents:
    """The pictures with boxes around their regions; where no picture has one, with the class that is theirs as a whole.

    A picture without a region was perhaps never looked at: it is left out, and never shows nothing.
    """
    things, files, lost = Things(), dict[PurePosixPath, None](), []
    classes: dict[PurePosixPath, str] = {}
    boxes = False
    for one in content.get(PROJECT, content).values():
        try:
            file = finder.find(one["filename"])
        except _UNUSABLE as error:
            lost.append(f"{path}: a picture is left out ({reason(error)})")
            continue
        files[file] = None
        try:
            regions = one["regions"]
            regions = list(regions.values()) if isinstance(regions, dict) else regions
            for region in regions:
                boxes = True
                label = _label(region.get("region_attributes"))
                things.add(file, label, _box(region["shape_attributes"]))
            if not regions:
                classes[file] = _label(one.get("file_attributes"))
        except _UNUSABLE as error:
            things.unknown(file, reason(error))
    if boxes:
        for file in classes:
            things.unknown(file, "no region is drawn in it")
        listed, left_out = things.listed(files, lambda file: "")
        return LayoutContents(listed=listed, left_out=lost + left_out)
    _, left_out = things.listed(files, lambda file: "")
    found = [FolderPicture(label, "", finder.root / file) for file, label in classes.items()]
    return LayoutContents(found, None, lost + left_out)


def _label(attributes: Any) -> str:
    """What the attributes name: the first that is text, or that a box is ticked for; ValueError for none."""
    for value in (attributes or {}).values():
        if isinstance(value, dict):
            value = next((name for name, ticked in value.items() if ticked is True), "")
        if isinstance(value, str) and value.strip():
            return check_label(value)
    raise UnusableEntry("no region with a class is drawn in it")


def _box(shape: dict[str, Any]) -> Box:
    """Left, top, right, bottom of a shape."""
    kind = shape["name"]
    if kind in BOXES:
        x, y, width, height = (as_number(shape[side]) for side in ("x", "y", "width", "height"))
        return box_of((x, y, x + width, y + height))
    if kind in OUTLINES:
        return around([as_number(x) for x in shape["all_points_x"]], [as_number(y) for y in shape["all_points_y"]])
    if kind == "circle" or (kind == "ellipse" and not as_number(shape.get("theta") or 0)):
        sides = ("cx", "cy", "r", "r") if kind == "circle" else ("cx", "cy", "rx", "ry")
        return around_ellipse(*(as_number(shape[side]) for side in sides))
    raise UnusableEntry(f"{str(kind)[:20]!a} is neither box, polygon nor circle")
