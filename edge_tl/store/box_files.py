"""Lists of pictures with boxes, in and out: CSV, and COCO's JSON.

CSV       a line a picture: file, label, left, top, right, bottom in pixels (of a picture of `width` × `height`, where
          these columns are there); empty sides where there is nothing; `take` and `session` as words, if known
COCO      `store.coco`; of several boxes the largest counts
Files are named relative to the list.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from edge_tl.errors import ExampleError
from edge_tl.files import read_limited
from edge_tl.store.coco import read_coco
from edge_tl.store.listed import NOTHING, Listed, box_of, folder_of, inside, positive

COLUMNS = ("file", "width", "height", "label", "left", "top", "right", "bottom", "take", "session")
SIDES = ("left", "top", "right", "bottom")
ENDINGS = (".csv", ".json")
MOST_BYTES = 50_000_000
_DAMAGED = (ValueError, LookupError, TypeError, AttributeError, RecursionError, ArithmeticError, csv.Error)


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
        return read_coco(text, path) if path.suffix.lower() == ".json" else _csv(text, path)
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
            file = inside(row["file"])
            sides = [(row[side] or "").strip() for side in SIDES]
            pixels = box_of(sides) if any(sides) else None
            size = None
            if row.get("width") and row.get("height"):
                size = positive(row["width"]), positive(row["height"])
            label = (row["label"] or "").strip() or NOTHING
            take, session = row.get("take") or folder_of(file), row.get("session") or ""
            found.append(Listed(file, label, pixels, size, take, session))
        except (ValueError, TypeError) as error:
            left_out.append(f"{path}, line {number}: {' '.join(str(error).split())[:100]}")
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
