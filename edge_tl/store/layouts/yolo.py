"""YOLO's folders: a text file a picture (`class x y width height`, or a polygon), and the classes' names.

`images/…` beside `labels/…`, also in splits, with `data.yaml` (Ultralytics, Roboflow), or pictures and text files side
by side with `classes.txt` or `obj.names` (darknet, CVAT).
"""

from __future__ import annotations

from pathlib import PurePosixPath

from edge_tl.core.examples import Box
from edge_tl.errors import ExampleError, counted
from edge_tl.files import read_limited
from edge_tl.store.folders import Skipped
from edge_tl.store.layouts.names_yaml import read_keys
from edge_tl.store.layouts.things import Things
from edge_tl.store.layouts.tree import LayoutContents, Tree, split_of
from edge_tl.store.listed import UnusableEntry, as_number, box_of, reason

NAMES = ("classes.txt", "obj.names", "_darknet.labels", "labels.txt", "predefined_classes.txt")
MAX_BYTES = 1_000_000


def fits(tree: Tree) -> bool:
    """A file of names, and text files that belong to pictures."""
    if not _names_files(tree):
        return False
    files = set(tree.files)
    return any(_text_of(picture, files) is not None for picture in tree.pictures)


def read(tree: Tree, kind: str, split: bool, skip: Skipped) -> LayoutContents:
    """The largest box of each picture. ExampleError where no file tells the names of the classes."""
    names, keypoints = _read_names(tree)
    things = Things()
    files = set(tree.files)
    texts = {picture: text for picture in tree.pictures if (text := _text_of(picture, files)) is not None}
    lines: dict[PurePosixPath, list[list[str]]] = {}
    for picture, text in texts.items():
        try:
            data = read_limited(tree.root / text, MAX_BYTES).decode("utf-8-sig")
            lines[picture] = [line.split() for line in data.splitlines() if line.strip()]
        except (OSError, ValueError) as error:
            things.unknown(picture, f"{text.name} cannot be read ({reason(error)})")
    first = _first_number(lines, names)
    for picture in tree.pictures:
        if picture not in texts:
            things.unknown(picture, "no text file is there for it; an empty one says that nothing is to be found")
            continue
        for line in lines.get(picture, ()):
            try:
                at = _class_in(line) - first
                if at not in names:
                    raise UnusableEntry(f"class {line[0]} has no name")
                things.add(picture, names[at], _box(line[1:], keypoints))
            except (ValueError, IndexError) as error:
                things.unknown(picture, f"{texts[picture].name}: {reason(error)}")
    said = ["the classes are numbered from 1 on here"] if first else []
    listed, left_out = things.listed(tree.pictures, lambda file: split_of(file) if split else "")
    return LayoutContents(listed=listed, left_out=left_out, notes=said)


def _text_of(picture: PurePosixPath, files: set[PurePosixPath]) -> PurePosixPath | None:
    """The text file of a picture: below `labels` in the place of `images`, else beside it."""
    parts = list(picture.with_suffix(".txt").parts)
    places = [at for at, part in enumerate(parts) if part == "images"]
    for at in reversed(places):
        there = PurePosixPath(*parts[:at], "labels", *parts[at + 1 :])
        if there in files:
            return there
    beside = picture.with_suffix(".txt")
    return beside if beside in files and beside.name not in NAMES else None


def _names_files(tree: Tree) -> list[PurePosixPath]:
    """The files that may tell the classes' names, the nearest to the top first."""
    found = [file for file in tree.files if file.name in NAMES or file.suffix.lower() in (".yaml", ".yml")]
    return sorted(found, key=lambda file: (file.suffix == ".txt", len(file.parts), file))


def _read_names(tree: Tree) -> tuple[dict[int, str], bool]:
    """Number → name of each class, and whether key points follow a box. ExampleError where nothing tells them."""
    why = ""
    for file in _names_files(tree):
        try:
            text = read_limited(tree.root / file, MAX_BYTES).decode("utf-8-sig")
            if file.suffix.lower() not in (".yaml", ".yml"):
                lines = [line.strip() for line in text.splitlines() if line.strip()]
                return dict(enumerate(lines)), False
            keys = read_keys(text, ("names", "kpt_shape"))
            if keys["names"]:
                return {int(number): name for number, name in keys["names"].items()}, bool(keys["kpt_shape"])
        except (OSError, ValueError) as error:
            why = f" ({file}: {reason(error)})"
    raise ExampleError(
        f"{tree.root}: nothing tells the names of YOLO's classes{why}: put data.yaml with `names:` there, or "
        "classes.txt"
    )


def _class_in(line: list[str]) -> int:
    """The number of a line's class; UnusableEntry where it is none."""
    if not (line[0].isascii() and line[0].isdecimal()):
        raise UnusableEntry(f"{line[0][:20]!a} is no number of a class")
    return int(line[0])


def _first_number(lines: dict[PurePosixPath, list[list[str]]], names: dict[int, str]) -> int:
    """1 where the classes are counted from 1: none is 0, and the last has the number of how many there are."""
    used = {int(line[0]) for of_one in lines.values() for line in of_one if line[0].isascii() and line[0].isdecimal()}
    plain = set(names) == set(range(len(names)))
    return 1 if plain and used and min(used) == 1 and max(used) == len(names) else 0


def _box(values: list[str], keypoints: bool) -> Box:
    """Shares of the picture: of centre and size (a probability or key points may follow), or around a polygon."""
    numbers = [as_number(value) for value in values]
    if len(numbers) in (4, 5) or (keypoints and len(numbers) > 5):
        x, y, width, height = numbers[:4]
        sides = x - width / 2, y - height / 2, x + width / 2, y + height / 2
    elif len(numbers) >= 6 and len(numbers) % 2 == 0:
        sides = min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])
    else:
        raise UnusableEntry(
            f"{counted(len(numbers), 'number')} came; a box of 4 or the corners of a polygon are wanted"
        )
    if min(sides) < -0.01 or max(sides) > 1.01:
        raise UnusableEntry("sides from 0 to 1, shares of the picture, are wanted")
    left, top, right, bottom = (min(1.0, max(0.0, side)) for side in sides)
    return box_of((left, top, right, bottom))
