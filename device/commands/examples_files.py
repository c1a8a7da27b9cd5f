"""The files of an import: which there are, what long recordings hold, and a look at both that keeps nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from device.cli.output import Progress, print_json, say
from device.commands.examples_layout import LaidOut
from device.teach.candidates import candidates_of, label_within
from edge_tl.errors import ExampleError, counted
from edge_tl.media.containers import is_film
from edge_tl.media.kinds import is_of
from edge_tl.store.folder_takes import in_takes
from edge_tl.store.folders import FolderPicture, import_folder
from edge_tl.store.layouts.foreign import is_archive
from edge_tl.words.cutting import LoudStretch


@dataclass(frozen=True, slots=True)
class ImportableFiles:
    """What of a folder can be imported."""

    found: list[FolderPicture]
    """In their order, in takes."""
    clips: frozenset[Path]
    """Those that become several pictures; each is a take of its own: its frames are of one moment."""
    left_out: int
    """So many were named and left out."""


def files_of(path: Path, laid_out: LaidOut | None, kind: str, in_sessions: bool, progress: Progress) -> ImportableFiles:
    """The files of a folder; what is left out is said as it is found.

    laid_out: what was read of it, where it is no folders of classes. kind: "picture" or "sound". in_sessions: the
    folders at the top are places or days.
    """
    bad = 0
    others: list[str] = []

    def left_out(text: object) -> None:
        nonlocal bad
        bad += 1
        progress.warn(text)

    def skipped(file: Path, reason: str) -> None:
        if is_archive(file):
            return  # named already
        if file.is_file() and not is_of(kind, file):
            others.append(file.name)  # a table or a note among the pictures is nothing that went wrong
        else:
            left_out(f"{file}: {reason}")

    if laid_out is None:
        found = list(import_folder(path, skipped, sessions=in_sessions, kind=kind))
    else:
        found = list(laid_out.contents.found)
        for file, reason in laid_out.skipped:
            skipped(file, reason)
        for line in laid_out.contents.left_out:
            left_out(line)
    if others:
        shown = ", ".join(others[:3]) + (" …" if len(others) > 3 else "")
        progress.warn(f"skipped {len(others)} of other kinds, which are no {kind}s: {shown}")
    clips: frozenset[Path] = frozenset()
    if kind == "picture":
        clips = frozenset(one.path for one in found if is_film(one.path))
        named = (replace(one, take_name=one.take_name or one.path.name) if one.path in clips else one for one in found)
        found = in_takes(list(named), progress.of)
    return ImportableFiles(found, clips, bad)


def spoken_lines(found: FolderPicture, spoken: Sequence[LoudStretch]) -> list[str]:
    """What was found in a long recording, a line each: when it begins, how long it is, and whether it is kept."""
    if not spoken:
        return []
    kept = sum(one.sound is not None for one in spoken)
    lines = [f"{found.path.name}: {kept} of {counted(len(spoken), 'sound is', 'sounds are')} kept as {found.label}"]
    for one in spoken:
        minutes, seconds = divmod(one.start_s, 60)
        why = f"left out: {one.reason}" if one.reason else "kept"
        lines.append(f"  {int(minutes):3}:{seconds:05.2f}  {one.length_s:5.2f} s  {why}")
    return lines


def lost_labels(found: FolderPicture, spoken: Sequence[LoudStretch]) -> int:
    """How many parts that somebody labelled are left out; what nobody labelled may be."""
    return sum(one.sound is None for one in spoken) if found.cuts else 0


def spoken_json(found: FolderPicture, spoken: Sequence[LoudStretch]) -> list[dict[str, Any]]:
    """The same, JSON-able."""
    return [
        {
            "file": str(found.path),
            "start_s": round(one.start_s, 2),
            "length_s": round(one.length_s, 2),
            "kept": one.sound is not None,
            "reason": one.reason,
        }
        for one in spoken
    ]


def preview(path: Path, laid_out: LaidOut | None, kind: str, in_sessions: bool, as_json: bool, degrees: int) -> int:
    """Say what an import would keep, and keep nothing; 1 where something would be left out."""
    classes: Counter[str] = Counter()
    words: list[dict[str, Any]] = []
    with Progress("looking") as progress:
        files = files_of(path, laid_out, kind, in_sessions, progress)
        bad = files.left_out
        for done, found in enumerate(files.found):
            progress.of(done, len(files.found))
            spoken: list[LoudStretch] = []
            label = label_within(found.label, kind)
            try:
                classes[label] += len(
                    candidates_of(found.path, label, kind, degrees, spoken=spoken.append, cuts=found.cuts)
                )
            except (ExampleError, OSError) as error:
                bad += 1
                progress.warn(error)
            bad += lost_labels(found, spoken)
            words += spoken_json(found, spoken)
            if not as_json:
                progress.say(*spoken_lines(found, spoken))
    if as_json:
        print_json({"preview": dict(classes), "bad": bad, "words": words})
    else:
        told = ", ".join(f"{label} {number}" for label, number in classes.items())
        more = f"; {bad} would be left out" if bad else ""
        said = laid_out.said if laid_out else ""
        say(f"would import {counted(classes.total(), kind)}: {told or 'none'}{more}{said}; nothing was kept")
    return 1 if bad else 0
