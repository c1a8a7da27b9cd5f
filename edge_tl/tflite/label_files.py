"""Files of labels: a text beside a model, or in the archive at its end."""

from __future__ import annotations

import re
from pathlib import Path

from edge_tl.core.archive import Archive, DamagedArchive
from edge_tl.errors import ModelError, counted
from edge_tl.files import read_limited

MAX_LABELS_BYTES = 1_000_000
UNKNOWN = "???"
"""How label files call a number that nothing has."""


def bundled_labels(data: bytes, name: str, wanted: str = "", count: int | None = None) -> tuple[str, ...]:
    """The labels in the archive at the end of a model file; none where there is no such thing.

    wanted: the name of their file, where the model says it. count: as of `parse_labels`.
    """
    try:
        with Archive(data) as archive:
            texts = [one for one in archive.names if one.lower().endswith(".txt")]
            texts.sort(key=lambda one: (one != wanted, "label" not in one.lower()))
            if not texts:
                return ()
            if (size := archive.size_bytes(texts[0])) > MAX_LABELS_BYTES:
                raise ModelError(
                    f"{name}: its labels unfold to {counted(size, 'byte')}; give the labels as a file of their own"
                )
            return parse_labels(archive.read(texts[0], MAX_LABELS_BYTES), f"{name}: {texts[0]}", count)
    except DamagedArchive:
        return ()


def read_labels(path: Path, count: int | None = None) -> tuple[str, ...]:
    """The labels in a text file, as `parse_labels`; ModelError (one line) where it is none."""
    try:
        return parse_labels(read_limited(path, MAX_LABELS_BYTES), str(path), count)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); a text file of labels is wanted") from error


def parse_labels(data: bytes, name: str, count: int | None = None) -> tuple[str, ...]:
    """The labels of a text: one a line, or a number and a label on each; numbers that are left out are "???".

    count: how many are wanted, where that is known: whether "2 fingers" is a label or one with its number.
    """
    try:
        lines = [line.strip() for line in data.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise ModelError(f"{name}: is no text; a label a line is wanted") from None
    lines = [line for line in lines if line]
    if not lines or any(not line.isprintable() or len(line) > 200 for line in lines):
        raise ModelError(f"{name}: is no list of labels; a label a line is wanted")
    numbered = [re.fullmatch(r"(\d{1,5})[\s:,]+(\S.*)", line, re.ASCII) for line in lines]
    by_number = {int(match[1]): match[2] for match in numbered if match}
    if len(by_number) < len(lines):
        return tuple(lines)
    if len(lines) == count and max(by_number) != count - 1:
        return tuple(lines)
    return tuple(by_number.get(number, UNKNOWN) for number in range(max(by_number) + 1))
