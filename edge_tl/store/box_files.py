"""A list of pictures with boxes as CSV, which `layouts.tables` reads again.

A line a picture: file, label, left, top, right, bottom in pixels (of a picture of `width` × `height`, where these
columns are there); empty sides where there is nothing; `take` and `session` as words, if known. Files are named from
the list on.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from edge_tl.store.listed import ListedPicture

COLUMNS = ("file", "width", "height", "label", "left", "top", "right", "bottom", "take", "session")


def write_csv(listed: Iterable[ListedPicture]) -> str:
    """The list as CSV, which `read_list` reads again."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in listed:
        sides = [f"{side:.2f}" for side in one.pixels] if one.pixels is not None else [""] * 4
        size = [f"{side:g}" for side in one.size_px] if one.size_px is not None else [""] * 2
        writer.writerow([one.file, *size, one.label, *sides, one.take, one.session])
    return out.getvalue()
