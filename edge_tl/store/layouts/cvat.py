"""CVAT's XML "for images": boxes and polygons in pixels, or tags for whole pictures."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element

from edge_tl.core.examples import Box
from edge_tl.labels import check_label
from edge_tl.store.folders import FolderPicture
from edge_tl.store.layouts.finder import FileFinder
from edge_tl.store.layouts.things import Things
from edge_tl.store.layouts.tree import LayoutContents
from edge_tl.store.listed import UnusableEntry, as_number, box_of, positive, reason

_UNUSABLE = (ValueError, KeyError)


def read_images(root: Element, path: Path, finder: FileFinder) -> LayoutContents:
    """The images of a file: with boxes where any has some, else with their tags. ValueError where it is none."""
    if root.tag == "annotation":
        raise UnusableEntry("it is the annotation of one picture: give the folder")
    images = root.findall("image")
    if root.tag != "annotations" or not images:
        raise UnusableEntry("no image is in it; of a video export `CVAT for images` is wanted")
    things, files, lost = Things(), dict[PurePosixPath, None](), []
    tags: dict[PurePosixPath, str] = {}
    boxes = False
    for image in images:
        try:
            file = finder.find(image.get("name"))
        except ValueError as error:
            lost.append(f"{path}, image {image.get('id', '?')[:10]}: {reason(error)}")
            continue
        files[file] = None
        try:
            if image.get("width") and image.get("height"):
                things.size(file, positive(image.get("width")), positive(image.get("height")))
            for shape in image:
                if shape.tag == "tag":
                    if tags.setdefault(file, shape.attrib["label"]) != shape.attrib["label"]:
                        raise UnusableEntry(f"{tags[file]!a} and {shape.attrib['label']!a} are given for it")
                    continue
                boxes = True
                things.add(file, check_label(shape.attrib["label"]), _box(shape))
        except _UNUSABLE as error:
            things.unknown(file, reason(error))
    listed, left_out = things.listed(files, lambda file: "")
    if boxes or not tags:
        return LayoutContents(listed=listed, left_out=lost + left_out)
    left_out += [f"{one.file}: left out (it has no tag)" for one in listed if one.file not in tags]
    found = [
        FolderPicture(check_label(tags[one.file]), "", finder.root / one.file) for one in listed if one.file in tags
    ]
    return LayoutContents(found, None, lost + left_out)


def _box(shape: Element) -> Box:
    if shape.tag == "box":
        if as_number(shape.get("rotation", 0)):
            raise UnusableEntry("a box is turned: draw it upright, or as a polygon")
        return box_of(shape.attrib[side] for side in ("xtl", "ytl", "xbr", "ybr"))
    if shape.tag == "polygon":
        points = [tuple(map(as_number, point.split(","))) for point in shape.attrib["points"].split(";")]
        xs, ys = [point[0] for point in points], [point[-1] for point in points]
        return box_of((min(xs), min(ys), max(xs), max(ys)))
    raise UnusableEntry(f"{shape.tag[:20]!a} is neither box, polygon nor tag")
