"""Label Studio's JSON and JSON-MIN: boxes and polygons in percent, or choices for whole pictures and sounds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from edge_tl.core.examples import Box
from edge_tl.labels import check_label
from edge_tl.store.folders import FolderPicture
from edge_tl.store.layouts.finder import FileFinder
from edge_tl.store.layouts.things import Things
from edge_tl.store.layouts.tree import MEDIA, LayoutContents
from edge_tl.store.listed import UnusableEntry, as_number, box_of, positive, reason

_UNUSABLE = (ValueError, TypeError, KeyError, AttributeError, IndexError)
LABELS = ("rectanglelabels", "polygonlabels", "labels")


def read_tasks(tasks: list[dict[str, Any]], path: Path, finder: FileFinder) -> LayoutContents:
    """The pictures of all tasks: with boxes where any has some, else with the class that was chosen.

    A task that nobody annotated is unknown; one whose annotation is empty shows nothing. ValueError where these are no
    tasks.
    """
    if not tasks or not all(isinstance(task, dict) for task in tasks):
        raise UnusableEntry("no tasks are in it")
    things, files, lost = Things(), dict[PurePosixPath, None](), []
    choices: dict[PurePosixPath, str] = {}
    boxes = False
    for number, task in enumerate(tasks, 1):
        try:
            file = finder.find(_name_in(task))
        except _UNUSABLE as error:
            lost.append(f"{path}, task {number}: {reason(error)}")
            continue
        files[file] = None
        try:
            for value, size in _results(task):
                if isinstance(value, str):
                    if choices.setdefault(file, value) != value:
                        raise UnusableEntry(f"{choices[file]!a} and {value!a} are given for it")
                    continue
                boxes = True
                if size is not None:
                    things.size(file, *size)
                label = next(value[kind][0] for kind in LABELS if value.get(kind))
                things.add(file, check_label(label), _box(value, size))
        except (*_UNUSABLE, StopIteration) as error:
            things.unknown(file, "a thing has no label" if isinstance(error, StopIteration) else reason(error))
    listed, left_out = things.listed(files, lambda file: "")
    if boxes or not choices:
        return LayoutContents(listed=listed, left_out=lost + left_out)
    found = []
    for one in listed:
        if one.file not in choices:
            left_out.append(f"{one.file}: left out (nothing was chosen for it)")
            continue
        found.append(FolderPicture(check_label(choices[one.file]), "", finder.root / one.file))
    return LayoutContents(found, None, lost + left_out)


def _name_in(task: dict[str, Any]) -> str:
    """The file of a task: the first text that ends as one."""
    data = task["data"] if isinstance(task.get("data"), dict) else task
    for key, value in data.items():
        ending = PurePosixPath(str(value).partition("?")[0] if "?d=" not in str(value) else str(value)).suffix.lower()
        if isinstance(value, str) and (ending in MEDIA or key in ("image", "audio")):
            return value
    raise UnusableEntry("it names no picture and no sound")


def _results(task: dict[str, Any]) -> Iterable[tuple[dict[str, Any] | str, tuple[float, float] | None]]:
    """Each thing (a value with percents, or the class of it all) and the size of its picture, where it is told."""
    if "data" in task:
        done = [one for one in task.get("annotations") or task.get("completions") or () if not one.get("was_cancelled")]
        if not done:
            raise UnusableEntry("it has no annotation")
        for one in done[-1]["result"]:
            value = one["value"]
            if one["type"] == "choices":
                yield str(value["choices"][0]), None
            elif one["type"] in LABELS:
                yield value, _size(one)
            elif one["type"] not in ("rectangle", "polygon", "textarea", "rating"):
                raise UnusableEntry(f"{one['type'][:20]!a} is neither box, polygon nor choice")
        return
    told = [key for key in task if key in ("label", "bbox", "choice", "choices", *LABELS)]
    if not told:
        raise UnusableEntry("it has no annotation")
    for value in (task[key] for key in told):
        if isinstance(value, str):
            yield value, None
            continue
        for one in value if isinstance(value, list) else [value["choices"]]:
            yield (one, None) if isinstance(one, str) else (one, _size(one))


def _size(one: dict[str, Any]) -> tuple[float, float] | None:
    width, height = one.get("original_width"), one.get("original_height")
    return (positive(width), positive(height)) if width and height else None


def _box(value: dict[str, Any], size: tuple[float, float] | None) -> Box:
    """Shares of the picture: of a rectangle, around a turned one, or around a polygon."""
    if "points" in value:
        points = [(as_number(x), as_number(y)) for x, y in value["points"]]
    else:
        x, y, width, height = (as_number(value[side]) for side in ("x", "y", "width", "height"))
        angle = math.radians(as_number(value.get("rotation") or 0))
        if angle and size is None:
            raise UnusableEntry("it is turned, and the size of its picture is missing")
        form = size[0] / size[1] if size else 1.0
        points = []
        for across, down in ((0, 0), (width, 0), (0, height), (width, height)):
            across *= form  # percents of the width as those of the height, so that angles are angles
            turned = (
                across * math.cos(angle) - down * math.sin(angle),
                across * math.sin(angle) + down * math.cos(angle),
            )
            points.append((x + turned[0] / form, y + turned[1]))
    xs, ys = [point[0] / 100 for point in points], [point[1] / 100 for point in points]
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    if not value.get("rotation") and (min(left, top) < -0.01 or max(right, bottom) > 1.01):
        raise UnusableEntry("sides from 0 to 100 percent are wanted")
    return box_of(min(1.0, max(0.0, side)) for side in (left, top, right, bottom))
