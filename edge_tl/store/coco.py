"""COCO's JSON, in and out: images, annotations with bbox (x, y, width, height in pixels), categories.

What COCO has no word for, the label of a picture without a box, its take and its session, stands in each image under
`edge_tl`, which other readers pass over. An annotation that cannot be used makes its picture unknown: it is left out
and named, and never taken for one that shows nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from edge_tl.core.examples import Box
from edge_tl.errors import ExampleError, counted
from edge_tl.store.listed import (
    NOTHING,
    ListedPicture,
    UnusableEntry,
    as_number,
    box_of,
    folder_of,
    inside,
    positive,
    reason,
)

OWN = "edge_tl"
_UNUSABLE = (ValueError, TypeError, KeyError, AttributeError, OverflowError)


def read_coco(
    content: Any, path: Path, find: Callable[[Any], PurePosixPath] = inside
) -> tuple[list[ListedPicture], list[str]]:
    """The pictures of a file's content with their largest boxes, and a line for each thing that was left out.

    find: gives the place of a picture from its name, ValueError for none. Raises what lookups raise where it is no
    such content, ExampleError where nothing in it says what any picture shows.
    """
    names = {_key(one["id"]): str(one["name"]) for one in content["categories"]}
    files: dict[str, dict[str, Any]] = {}
    unknown: dict[str, str] = {}
    for one in content["images"]:
        image = _key(one["id"])
        if files.setdefault(image, one) is not one:
            unknown[image] = f"id {image[:20]!a} is also that of {str(one.get('file_name'))[:60]}"
    if not content["annotations"] and not any(isinstance(one.get(OWN), dict) for one in files.values()):
        raise ExampleError(
            f"{path}: has no annotation, so that nobody may have looked at its pictures; if there is nothing in them, "
            f"import their folder with --label {NOTHING}"
        )
    boxes: dict[str, list[tuple[float, str, Box]]] = {}
    crowds: set[str] = set()
    of_none = 0
    left_out: list[str] = []
    for number, one in enumerate(content["annotations"], 1):
        try:
            image = _key(one["image_id"])
            if image not in files:
                raise UnusableEntry(f"image_id {image[:20]!a} is that of no image")
        except _UNUSABLE as error:
            of_none += 1
            left_out.append(f"{path}: annotation {number} is left out ({reason(error)})")
            continue
        try:
            category = _key(one["category_id"])
            if category not in names:
                raise UnusableEntry(f"category_id {category[:20]!a} is that of no category")
            if one.get("iscrowd") in (1, True):  # a region around many things, and no thing
                crowds.add(image)
                continue
            pixels = _sides(one)
            area = (pixels[2] - pixels[0]) * (pixels[3] - pixels[1])
            boxes.setdefault(image, []).append((area, names[category], pixels))
        except _UNUSABLE as error:
            unknown.setdefault(image, reason(error))
    found = []
    for image, one in files.items():
        try:
            file = find(one["file_name"])
            size = (positive(one["width"]), positive(one["height"])) if one.get("width") and one.get("height") else None
        except _UNUSABLE as error:
            left_out.append(f"{path}: a picture is left out ({reason(error)})")
            continue
        if image in unknown:
            left_out.append(f"{file}: left out, an annotation of it cannot be used ({unknown[image]})")
            continue
        own = one.get(OWN)
        here = sorted(boxes.get(image, []), key=lambda box: -box[0])
        if not here and not isinstance(own, dict) and (of_none or image in crowds):
            lost = counted(of_none, "annotation is", "annotations are")
            why = "only a crowd is marked in it" if image in crowds else f"{lost} of no image, and may be of this one"
            left_out.append(f"{file}: left out ({why})")
            continue
        if len(here) > 1:
            smaller = counted(len(here) - 1, "smaller box is", "smaller boxes are")
            left_out.append(f"{file}: {smaller} left out: only one object per picture is used")
        told = {name: str(value) for name, value in own.items()} if isinstance(own, dict) else {}
        label = here[0][1] if here else told.get("label") or NOTHING
        take, session = told.get("take") or folder_of(file), told.get("session", "")
        found.append(ListedPicture(file, label, here[0][2] if here else None, size, take, session))
    return found, left_out


def write_coco(listed: Iterable[ListedPicture]) -> str:
    """The list as COCO's JSON, which `read_coco` reads again with nothing lost."""
    pictures = list(listed)
    names = list(dict.fromkeys(one.label for one in pictures if one.pixels is not None))
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, one in enumerate(pictures, 1):
        width, height = one.size_px or (0, 0)
        own = {"label": one.label, "take": one.take, "session": one.session}
        size = {"width": round(width), "height": round(height)}
        images.append({"id": number, "file_name": str(one.file), **size, OWN: own})
        if one.pixels is None:
            continue
        left, top, right, bottom = one.pixels
        sides = [round(side, 2) for side in (left, top, right - left, bottom - top)]
        annotations.append(
            {
                "id": len(annotations) + 1,
                "image_id": number,
                "category_id": names.index(one.label) + 1,
                "bbox": sides,
                "area": round(sides[2] * sides[3], 2),
                "iscrowd": 0,
            }
        )
    categories = [{"id": place, "name": name} for place, name in enumerate(names, 1)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    return json.dumps(content, ensure_ascii=False, indent=1)


def _key(value: Any) -> str:
    """An id, which some tools write as a number and some as text."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise UnusableEntry(f"{str(value)[:20]!a} is no id")
    return str(value).strip()


def _sides(annotation: dict[str, Any]) -> Box:
    """Left, top, right, bottom: of the bbox, else around the polygons."""
    if annotation.get("bbox"):
        x, y, width, height = map(as_number, annotation["bbox"])
        return box_of((x, y, x + width, y + height))
    polygons = annotation.get("segmentation")
    if not isinstance(polygons, list) or not polygons:
        raise UnusableEntry("it has neither a bbox nor polygons")
    xs = [as_number(x) for polygon in polygons for x in polygon[::2]]
    ys = [as_number(y) for polygon in polygons for y in polygon[1::2]]
    return box_of((min(xs), min(ys), max(xs), max(ys)))
