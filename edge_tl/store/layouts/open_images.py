"""Open Images' tables: codes in the place of names of classes, and rows that say what a picture does *not* show."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from edge_tl.errors import ExampleError
from edge_tl.files import read_limited
from edge_tl.store.listed import reason

NAMES = "*class-descriptions*.csv"
"""What the files beside the table are called that give each code its name."""
MAX_BYTES = 5_000_000
Rows = list[tuple[int, dict[str, str]]]


def by_name(rows: Rows, path: Path) -> Rows:
    """The rows with names in the place of codes such as `/m/01yrx`, without those of confidence 0.

    ExampleError where a class has a code and no name: nobody would know it again.
    """
    rows = [(number, row) for number, row in rows if row.get("confidence", "1") not in ("0", "0.0")]
    codes = {row.get("labelname", "") for _, row in rows if row.get("labelname", "").startswith("/")}
    names = _names(sorted(path.parent.glob(NAMES))) if codes else {}
    if missing := sorted(codes - set(names)):
        raise ExampleError(
            f"{path}: its classes have codes such as {missing[0][:20]!a}: put Open Images' "
            "class-descriptions-boxable.csv, which names them, beside it"
        )
    return [
        (number, row | {"labelname": names.get(row.get("labelname", ""), row.get("labelname", ""))})
        for number, row in rows
    ]


def _names(files: Sequence[Path]) -> dict[str, str]:
    """Code → name, of all these files; ExampleError where one cannot be read."""
    found: dict[str, str] = {}
    for file in files:
        try:
            lines = read_limited(file, MAX_BYTES).decode("utf-8-sig").splitlines()
            found.update((row[0], row[1]) for row in csv.reader(lines) if len(row) > 1)
        except (OSError, ValueError, csv.Error) as error:
            why = f"cannot be read ({reason(error)})"
            raise ExampleError(f"{file}: {why}; a line `/m/01yrx,Cat` a class is wanted") from None
    return found
