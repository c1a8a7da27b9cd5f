"""Lists of pictures with boxes, in and out: CSV, and COCO's JSON.

CSV       a line a picture: file, label, left, top, right, bottom in pixels (of a picture of `width` × `height`, where
          these columns are there); empty sides where there is nothing; `take` and `session` as words, if known
COCO      images, annotations with bbox (x, y, width, height in pixels), categories; of several boxes the largest counts
Files are named relative to the list.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from edge_tl.core.examples import Box
from edge_tl.errors import ExampleError
from edge_tl.files import read_limited

COLUMNS = ("file", "width", "height", "label", "left", "top", "right", "bottom", "take", "session")
SIDES = ("left", "top", "right", "bottom")
ENDINGS = (".csv", ".json")
MOST_BYTES = 50_000_000
_DAMAGED = (ValueError, LookupError, TypeError, AttributeError, RecursionError, ArithmeticError, csv.Error)
NOTHING = "nothing"
"""The label of a picture in which there is nothing to find."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One picture of a list."""

    file: PurePosixPath
    """Relative to the list, never above it."""
    label: str
    pixels: Box | None
    """Left, top, right, bottom; None where there is nothing."""
    size_px: tuple[float, float] | None
    """(width, height) of the picture that these are pixels of; None for the file's own."""
    take: str
    """What it was recorded with; the name of its folder where the list does not say."""
    session: str
    """Where and when; empty where the list does not say."""

    def box(self, shape: tuple[int, ...]) -> Box | None:
        """The box in shares of the picture, whose array has this shape (height_px, width_px, …)."""
        if self.pixels is None:
            return None
        width, height = self.size_px or (shape[1], shape[0])
        left, top, right, bottom = self.pixels
        return left / width, top / height, right / width, bottom / height


def read_list(path: Path) -> tuple[list[Listed], list[str]]:
    """The pictures of a CSV or COCO file, and a line for each thing that was left out.

    ExampleError (one line) for a file that is no such list.
    """
    try:
        data = read_limited(path, MOST_BYTES)
    except OSError as error:
        raise ExampleError(f"{path}: cannot be read ({error.strerror}); a list of pictures is wanted") from error
    try:
        text = data.decode("utf-8-sig")
        return _coco(text, path) if path.suffix.lower() == ".json" else _csv(text, path)
    except ExampleError:
        raise
    except _DAMAGED as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:80]}"
        raise ExampleError(f"{path}: is no list of pictures ({reason}); CSV or COCO's JSON is wanted") from None


def _csv(text: str, path: Path) -> tuple[list[Listed], list[str]]:
    rows = csv.DictReader(io.StringIO(text), strict=True)
    missing = [name for name in ("file", "label", *SIDES) if name not in (rows.fieldnames or ())]
    if missing:
        raise ExampleError(f"{path}: has no column {', '.join(missing)}; file, label and four sides are wanted")
    found: list[Listed] = []
    left_out: list[str] = []
    for number, row in enumerate(rows, 2):
        try:
            file = _inside(row["file"])
            sides = [(row[side] or "").strip() for side in SIDES]
            pixels = _box(sides) if any(sides) else None
            size = None
            if row.get("width") and row.get("height"):
                size = _positive(row["width"]), _positive(row["height"])
            label = (row["label"] or "").strip() or NOTHING
            take, session = row.get("take") or str(file.parent), row.get("session") or ""
            found.append(Listed(file, label, pixels, size, take, session))
        except (ValueError, TypeError) as error:
            left_out.append(f"{path}, line {number}: {' '.join(str(error).split())[:100]}")
    return found, left_out


def _coco(text: str, path: Path) -> tuple[list[Listed], list[str]]:
    content = json.loads(text)
    names = {one["id"]: str(one["name"]) for one in content["categories"]}
    boxes: dict[Any, list[tuple[float, str, Box]]] = {}
    left_out: list[str] = []
    for one in content["annotations"]:
        try:
            x, y, width, height = (float(side) for side in one["bbox"])
            pixels = _box((x, y, x + width, y + height))
            boxes.setdefault(one["image_id"], []).append((width * height, names[one["category_id"]], pixels))
        except (ValueError, TypeError, KeyError) as error:
            left_out.append(f"{path}: an annotation is left out ({' '.join(str(error).split())[:80]})")
    found = []
    for one in content["images"]:
        try:
            file = _inside(one["file_name"])
            size = (_positive(one["width"]), _positive(one["height"])) if "width" in one and "height" in one else None
        except (ValueError, TypeError, KeyError) as error:
            left_out.append(f"{path}: a picture is left out ({' '.join(str(error).split())[:80]})")
            continue
        here = sorted(boxes.get(one["id"], []), key=lambda box: -box[0])
        if len(here) > 1:
            left_out.append(f"{file}: {len(here) - 1} smaller boxes are left out: one thing a picture is taught")
        label = here[0][1] if here else NOTHING
        found.append(Listed(file, label, here[0][2] if here else None, size, str(file.parent), ""))
    return found, left_out


def write_csv(listed: Iterable[Listed]) -> str:
    """The list as CSV, which `read_list` reads again."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in listed:
        sides = [f"{side:.2f}" for side in one.pixels] if one.pixels is not None else [""] * 4
        size = [f"{side:g}" for side in one.size_px] if one.size_px is not None else [""] * 2
        writer.writerow([one.file, *size, one.label, *sides, one.take, one.session])
    return out.getvalue()


def write_coco(listed: Iterable[Listed]) -> str:
    """The list as COCO's JSON."""
    pictures = list(listed)
    names = list(dict.fromkeys(one.label for one in pictures if one.pixels is not None))
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, one in enumerate(pictures, 1):
        width, height = one.size_px or (0, 0)
        images.append({"id": number, "file_name": str(one.file), "width": round(width), "height": round(height)})
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


def _inside(name: str) -> PurePosixPath:
    """A file's path below the list; ValueError for one that leads elsewhere."""
    path = PurePosixPath(str(name).replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.name or "\0" in str(path):
        raise ValueError(f"{str(path)[:60]!a} is no file below the list")
    return path


def _box(sides: Iterable[Any]) -> Box:
    left, top, right, bottom = (float(side) for side in sides)
    if not (left < right and top < bottom and abs(left) + abs(top) + abs(right) + abs(bottom) < 1e9):
        raise ValueError(f"{left:g}, {top:g}, {right:g}, {bottom:g}: left < right and top < bottom are wanted")
    return left, top, right, bottom


def _positive(value: Any) -> float:
    number = float(value)
    if not 0 < number < 1e6:
        raise ValueError(f"{value!r} is no size of a picture")
    return number
