"""Tables with a line a picture or a box: ours, TensorFlow's and Roboflow's, `id,label`, also out of a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from edge_tl.core.examples import Box
from edge_tl.errors import ExampleError, counted
from edge_tl.labels import check_label
from edge_tl.store.folders import FolderPicture
from edge_tl.store.layouts.finder import FileFinder
from edge_tl.store.layouts.open_images import by_name
from edge_tl.store.layouts.things import Things
from edge_tl.store.layouts.tree import LayoutContents
from edge_tl.store.listed import NOTHING, ListedPicture, UnusableEntry, box_of, folder_of, positive, reason

FILE = ("file", "filename", "file_name", "image", "image_path", "path", "image_name", "id", "image_id", "imageid")
LABEL = ("label", "class", "class_name", "category", "label_name", "labelname", "breed", "species", "sentence")
SIDES = (("left", "top", "right", "bottom"), ("xmin", "ymin", "xmax", "ymax"), ("x1", "y1", "x2", "y2"))
_UNUSABLE = (ValueError, TypeError)
Row = Mapping[str, str]


def read_table(text: str, path: Path, finder: FileFinder) -> LayoutContents:
    """What a table tells: pictures with boxes where it has four sides, else classes of whole pictures or sounds.

    Columns are separated by commas, semicolons (then a comma may stand for the point) or tabs, their names in letters
    of any size. ExampleError where columns are missing.
    """
    first = text.partition("\n")[0]
    separator = max(";\t,", key=first.count) if any(map(first.count, ";\t,")) else ","
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    names = [name.strip().lower() for name in next(reader, [])]
    rows = [(reader.line_num, dict(zip(names, map(str.strip, row), strict=False))) for row in reader if any(row)]
    return read_rows(names, rows, path, finder, separator == ";")


def read_rows(
    names: list[str], rows: list[tuple[int, dict[str, str]]], path: Path, finder: FileFinder, comma: bool = False
) -> LayoutContents:
    """The same of the names of the columns and the rows, each with its line's number.

    comma: whether a comma may stand for the point.
    """
    file = next((name for name in FILE if name in names), "")
    label = next((name for name in LABEL if name in names), "")
    sides = next((four for four in SIDES if set(four) <= set(names)), ())
    if label == "labelname":
        rows = by_name(rows, path)
    if label == "sentence" and 2 * len({row.get(label) for _, row in rows}) > len(rows):
        raise ExampleError(
            f"{path}: its sentences are hardly ever the same twice, and no words to learn; a list in which some words "
            "are said often is wanted"
        )
    if file and not label and not sides and len(names) > 2:
        return _one_hot(rows, [name for name in names if name != file], file, path, finder)
    if not file or not label or (not sides and _has_sides(names)):
        raise ExampleError(
            f"{path}: has no column {_missing(names, file, label)}; file and label are wanted, and for boxes "
            "left,top,right,bottom or xmin,ymin,xmax,ymax"
        )
    if not sides:
        return _classes(rows, lambda row: row.get(label, ""), file, path, finder)
    if file == "file":
        return _ours(rows, label, sides, path, finder, comma)
    return _boxes(rows, file, label, sides, path, finder, comma)


def _has_sides(names: list[str]) -> bool:
    """Whether some sides of a box are there, so that it is no table of classes."""
    return any(side in names for four in SIDES for side in four)


def _missing(names: list[str], file: str, label: str) -> str:
    """What a person would look for."""
    sides = next((four for four in SIDES if set(four) & set(names)), ())
    lacking = [name for name, has in (("file", file), ("label", label)) if not has]
    return ", ".join(lacking + [side for side in sides if side not in names])


def _sides_in(row: Row, sides: tuple[str, ...], comma: bool) -> Box | None:
    """The box of a line, None where its sides are empty."""
    texts = [row.get(side, "") for side in sides]
    if not any(texts):
        return None
    return box_of(text.replace(",", ".") if comma else text for text in texts)


def _size(row: Row, comma: bool) -> tuple[float, float] | None:
    texts = [row.get(side, "").replace(",", "." if comma else ",") for side in ("width", "height")]
    return (positive(texts[0]), positive(texts[1])) if all(texts) else None


def _ours(
    rows: list[tuple[int, dict[str, str]]],
    label: str,
    sides: tuple[str, ...],
    path: Path,
    finder: FileFinder,
    comma: bool,
) -> LayoutContents:
    """Each line a picture with its box, take and session."""
    listed, left_out = [], []
    for number, row in rows:
        try:
            file = finder.find(row.get("file"))
            take = row.get("take") or folder_of(file)
            what = row.get(label) or NOTHING
            box, size = _sides_in(row, sides, comma), _size(row, comma)
            listed.append(ListedPicture(file, what, box, size, take, row.get("session", "")))
        except _UNUSABLE as error:
            left_out.append(f"{path}, line {number}: {reason(error)}")
    return LayoutContents(listed=listed, left_out=left_out)


def _boxes(
    rows: list[tuple[int, dict[str, str]]],
    file_column: str,
    label: str,
    sides: tuple[str, ...],
    path: Path,
    finder: FileFinder,
    comma: bool,
) -> LayoutContents:
    """Each line a box: the largest of a picture counts."""
    things, files, lost = Things(), dict[PurePosixPath, None](), []
    for number, row in rows:
        try:
            file = finder.find(row.get(file_column))
        except ValueError as error:
            lost.append(f"{path}, line {number}: {reason(error)}")
            continue
        files[file] = None
        try:
            size = _size(row, comma)
            if size is not None:
                things.size(file, *size)
            box = _sides_in(row, sides, comma)
            if box is not None:
                things.add(file, check_label(row.get(label, "")), box)
        except _UNUSABLE as error:
            things.unknown(file, f"line {number}: {reason(error)}")
    listed, left_out = things.listed(files, lambda file: "")
    return LayoutContents(listed=listed, left_out=lost + left_out)


def _classes(
    rows: list[tuple[int, dict[str, str]]],
    label_of: Callable[[Row], str],
    file_column: str,
    path: Path,
    finder: FileFinder,
) -> LayoutContents:
    """Each line a whole picture or sound and its class."""
    found, left_out = [], []
    for number, row in rows:
        try:
            file = finder.root / finder.find(row.get(file_column))
            if not file.is_file():
                raise UnusableEntry(f"no file {row.get(file_column, '')[:60]!a} is there")
            found.append(FolderPicture(check_label(label_of(row)), row.get("take", ""), file))
        except _UNUSABLE as error:
            left_out.append(f"{path}, line {number}: {reason(error)}")
    return LayoutContents(found, None, left_out)


def _one_hot(
    rows: list[tuple[int, dict[str, str]]], names: list[str], file: str, path: Path, finder: FileFinder
) -> LayoutContents:
    """A column a class, with 1 in that of the picture: Roboflow's `_classes.csv`."""
    if any(row.get(name) not in ("0", "1") for _, row in rows for name in names):
        raise ExampleError(f"{path}: has no column label; file and label are wanted, or a column of 0 and 1 a class")

    def label_of(row: Row) -> str:
        told = [name for name in names if row[name] == "1"]
        if len(told) != 1:
            raise UnusableEntry(f"{counted(len(told), 'class is', 'classes are')} given for it; one is wanted")
        return told[0]

    return _classes(rows, label_of, file, path, finder)
