"""Audacity's labels: a text file with the name of a recording, `start TAB end TAB name` a line, times in seconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from edge_tl.errors import ExampleError
from edge_tl.files import read_limited
from edge_tl.labels import check_label
from edge_tl.media.kinds import SOUNDS, is_sound
from edge_tl.store.folders import FolderPicture, LabelledStretch, Skipped
from edge_tl.store.layouts.tree import LayoutContents, Tree
from edge_tl.store.listed import UnusableEntry, as_number, reason

MAX_BYTES = 5_000_000
Lines = list[tuple[float, float, str]]


def recording_of(path: Path) -> Path | None:
    """The recording whose labels a file holds; None where it is no such file. ExampleError where none is there."""
    if path.suffix.lower() != ".txt" or not _tells_labels(path):
        return None
    beside = sorted(one for one in path.parent.glob(f"{path.stem}.*") if one.suffix.lower() in SOUNDS)
    if len(beside) != 1:
        found = "none" if not beside else " and ".join(one.name for one in beside[:2])
        raise ExampleError(
            f"{path}: holds Audacity's labels; the recording is wanted beside them under that name, as "
            f"{path.stem}.wav, and {found} is there"
        )
    return beside[0]


def cuts_of(recording: Path) -> LayoutContents | None:
    """What the labels beside a recording tell; None where there are none."""
    file = recording.with_suffix(".txt")
    if not _tells_labels(file):
        return None
    return _read(recording, file)


def fits(tree: Tree) -> bool:
    """A text file of that form with the name of a recording."""
    return any(_tells_labels(tree.root / file) for _, file in _pairs(tree))


def read(tree: Tree, kind: str, split: bool, skip: Skipped) -> LayoutContents:
    """The labelled parts of all recordings; a recording without labels is left out."""
    found: list[FolderPicture] = []
    left_out: list[str] = []
    pairs = dict(_pairs(tree))
    for recording in (file for file in tree.media if is_sound(tree.root / file)):
        if recording not in pairs:
            left_out.append(f"{recording}: left out (no labels are there for it, as {recording.stem}.txt)")
            continue
        told = _read(tree.root / recording, tree.root / pairs[recording])
        found += told.found
        left_out += told.left_out
    return LayoutContents(found, None, left_out)


def _read(recording: Path, file: Path) -> LayoutContents:
    """Each label's parts of a recording, none of which reaches into another."""
    left_out: list[str] = []
    lines = _lines(file, left_out)
    edges = [(start, end) for start, end, _ in lines]
    cuts: dict[str, list[LabelledStretch]] = {}
    for start, end, label in lines:
        last = max((one for _, one in edges if one <= start), default=0.0)
        following = min((one for one, _ in edges if one >= end), default=float("inf"))
        stretch = LabelledStretch(start, end, (last + start) / 2 if last else 0.0, (end + following) / 2)
        cuts.setdefault(label, []).append(stretch)
    found = [FolderPicture(label, "", recording, cuts=tuple(parts)) for label, parts in cuts.items()]
    return LayoutContents(found, None, left_out, ())


def _lines(file: Path, left_out: list[str]) -> Lines:
    """The labels of a file in the order of time; what cannot be used is added to `left_out`."""
    lines: Lines = []
    for number, line in enumerate(_text(file).splitlines(), 1):
        if not line.strip() or line.startswith("\\"):  # the second line of a label that has frequencies
            continue
        try:
            start, end, label = _label_in(line)
            if start == end:
                raise UnusableEntry("it marks a moment and no part: drag over the word before you label it")
            if not 0 <= start < end:
                raise UnusableEntry(f"{start:g} to {end:g} s is no part of a recording")
            lines.append((start, end, check_label(label)))
        except ValueError as error:
            left_out.append(f"{file}, line {number}: {reason(error)}")
    return sorted(lines)


def _label_in(line: str) -> tuple[float, float, str]:
    """Start, end and name of a line."""
    times = line.split("\t")
    if len(times) < 2:
        raise UnusableEntry("a start, an end and a name are wanted, with tabs between them")
    start, end = (as_number(one.strip().replace(",", ".")) for one in times[:2])
    return start, end, "\t".join(times[2:]).strip()


def _tells_labels(file: Path) -> bool:
    """Whether the first line of a file is that of a label."""
    with suppress(OSError, ValueError):
        first = next((line for line in _text(file).splitlines() if line.strip()), "")
        _label_in(first)
        return True
    return False


def _text(file: Path) -> str:
    return read_limited(file, MAX_BYTES).decode("utf-8-sig")


def _pairs(tree: Tree) -> Iterator[tuple[PurePosixPath, PurePosixPath]]:
    """Each recording that has a text file of its name beside it, with that file."""
    files = set(tree.files)
    for recording in tree.media:
        beside = recording.with_suffix(".txt")
        if beside in files and recording.suffix.lower() in SOUNDS:
            yield recording, beside
