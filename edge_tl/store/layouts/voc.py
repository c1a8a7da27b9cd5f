"""Pascal VOC: an XML file a picture, in `Annotations` beside `JPEGImages`, or beside the picture itself."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element

from edge_tl.core.examples import Box
from edge_tl.files import read_limited
from edge_tl.store.folders import Skipped
from edge_tl.store.layouts.safe_xml import read_xml, text_of
from edge_tl.store.layouts.shapes import around
from edge_tl.store.layouts.things import Things
from edge_tl.store.layouts.tree import LayoutContents, Tree, split_of
from edge_tl.store.listed import UnusableEntry, as_number, box_of, positive, reason

MAX_BYTES = 1_000_000
SIDES = ("xmin", "ymin", "xmax", "ymax")


def fits(tree: Tree) -> bool:
    """An XML file with the name of a picture, whose first element is an `annotation`."""
    stems = {picture.stem for picture in tree.pictures}
    for file in tree.files:
        if file.suffix.lower() == ".xml" and file.stem in stems:
            with suppress(OSError, ValueError):
                return read_xml(tree.root / file, MAX_BYTES).tag == "annotation"
            return True  # what is wrong with it is said when it is read
    return False


def read(tree: Tree, kind: str, split: bool, skip: Skipped) -> LayoutContents:
    """The largest box of each picture."""
    things = Things()
    files = set(tree.files)
    with_xml = {(file.parent, file.stem): file for file in files if file.suffix.lower() == ".xml"}
    pictures = [
        picture for picture in tree.pictures if picture.parts[0] not in ("SegmentationClass", "SegmentationObject")
    ]
    for picture in pictures:
        file = next((with_xml[place] for place in _places(picture) if place in with_xml), None)
        if file is None:
            things.unknown(picture, "no XML file is there for it")
            continue
        try:
            root = read_xml(tree.root / file, MAX_BYTES)
            size = root.find("size")
            if size is not None and size.findtext("width", "0") != "0":
                things.size(picture, positive(text_of(size, "width")), positive(text_of(size, "height")))
            for thing in root.iter("object"):
                things.add(picture, text_of(thing, "name"), _box(thing))
        except (OSError, ValueError) as error:
            things.unknown(picture, f"{file.name}: {reason(error)}")
    splits = _splits(tree)
    listed, left_out = things.listed(pictures, lambda file: (splits.get(file.stem) or split_of(file)) if split else "")
    used = {picture.stem for picture in pictures}
    alone = sorted(file for file in with_xml.values() if file.stem not in used)
    return LayoutContents(listed=listed, left_out=left_out + [f"{file}: no picture is there for it" for file in alone])


def _box(thing: Element) -> Box:
    """The box of an object, else the one around its polygon, whose corners are `x1`, `y1`, `x2` … or `pt` elements."""
    box, polygon = thing.find("bndbox"), thing.find("polygon")
    if box is not None:
        return box_of(text_of(box, side) for side in SIDES)
    if polygon is None:
        raise UnusableEntry("an object has neither bndbox nor polygon")
    corners = {axis: [one for one in polygon.iter() if re.fullmatch(rf"{axis}\d*", one.tag)] for axis in "xy"}
    xs, ys = ([as_number(one.text) for one in corners[axis]] for axis in "xy")
    return around(xs, ys)


def _places(picture: PurePosixPath) -> list[tuple[PurePosixPath, str]]:
    """Where the annotation of a picture may lie, without its ending."""
    there = [PurePosixPath("Annotations" if part in ("JPEGImages", "images") else part) for part in picture.parts[:-1]]
    small = [PurePosixPath("annotations" if part in ("JPEGImages", "images") else part) for part in picture.parts[:-1]]
    folders = (PurePosixPath(*there), PurePosixPath(*small), PurePosixPath(*small) / "xmls", picture.parent)
    return [(folder, picture.stem) for folder in folders]


def _splits(tree: Tree) -> dict[str, str]:
    """Name of a picture → the split that ImageSets/Main puts it into."""
    told: dict[str, str] = {}
    for name in ("test", "val", "train"):
        for file in tree.files:
            if file.parts[-3:] == ("ImageSets", "Main", f"{name}.txt"):
                with suppress(OSError, ValueError):
                    lines = read_limited(tree.root / file, 10 * MAX_BYTES).decode().split()
                    told.update(dict.fromkeys(lines, name))
    return told
