"""Hugging Face's `metadata.jsonl`: a line of JSON a picture or sound, with its class, or with its objects' boxes."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

from edge_tl.labels import check_label
from edge_tl.store.layouts.finder import FileFinder
from edge_tl.store.layouts.tables import FILE, read_rows
from edge_tl.store.layouts.things import Things
from edge_tl.store.layouts.tree import LayoutContents
from edge_tl.store.listed import UnusableEntry, as_number, box_of, reason

OBJECTS = "objects"
LABELS = ("categories", "category", "labels", "label")
_UNUSABLE = (ValueError, TypeError, KeyError, AttributeError)


def read_lines(text: str, path: Path, finder: FileFinder) -> LayoutContents:
    """What the lines tell; boxes are x, y, width and height in pixels, as COCO has them.

    ValueError where a line is no JSON, ExampleError where no column names files or classes.
    """
    rows = [(number, json.loads(line)) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not all(isinstance(row, dict) for _, row in rows):
        raise UnusableEntry("a line is no object")
    if any(OBJECTS in row for _, row in rows):
        return _boxes(rows, path, finder)
    plain = [(number, {str(name).lower(): _text(value) for name, value in row.items()}) for number, row in rows]
    names = list(dict.fromkeys(name for _, row in plain for name in row))
    return read_rows(names, plain, path, finder)


def _text(value: Any) -> str:
    """A value as a table would hold it."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _boxes(rows: list[tuple[int, dict[str, Any]]], path: Path, finder: FileFinder) -> LayoutContents:
    things, files, lost = Things(), dict[PurePosixPath, None](), []
    for number, row in rows:
        try:
            file = finder.find(next((row[name] for name in FILE if name in row), None))
        except ValueError as error:
            lost.append(f"{path}, line {number}: {reason(error)}")
            continue
        files[file] = None
        try:
            told = row[OBJECTS]
            labels = next(told[name] for name in LABELS if name in told) if told["bbox"] else ()
            for (x, y, width, height), label in zip(told["bbox"], labels, strict=True):
                things.add(
                    file,
                    check_label(_text(label)),
                    box_of((x, y, as_number(x) + as_number(width), as_number(y) + as_number(height))),
                )
        except (*_UNUSABLE, StopIteration) as error:
            said = "its objects have no category" if isinstance(error, StopIteration) else reason(error)
            things.unknown(file, f"line {number}: {said}")
    listed, left_out = things.listed(files, lambda file: "")
    return LayoutContents(listed=listed, left_out=lost + left_out)
