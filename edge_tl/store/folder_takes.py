"""The takes of pictures of which no folder or list names one, told by the pictures and their files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge_tl.core.near_copies import SIDE
from edge_tl.core.takes import in_order, tell_takes
from edge_tl.errors import ExampleError
from edge_tl.media.image import grey_square, taken_s
from edge_tl.store.folders import FolderPicture
from edge_tl.store.listed import ListedPicture


def in_takes(found: Sequence[FolderPicture], beat: Callable[[int, int], object] | None = None) -> list[FolderPicture]:
    """The same pictures, those whose take no folder names in the order in which they were taken, and in takes.

    beat(done, total) is called after each that was looked at. One that cannot be read is left to whoever imports it.
    """
    together: dict[tuple[int, str], list[FolderPicture]] = {}
    for one in found:
        if not one.take_name:
            together.setdefault((one.session, one.label), []).append(one)
    total, done = sum(map(len, together.values())), 0
    told: dict[tuple[int, str], list[FolderPicture]] = {}
    for key, pictures in together.items():
        small = np.zeros((len(pictures), SIDE * SIDE), np.uint8)
        times: list[float | None] = []
        written = np.zeros(len(pictures))
        for at, one in enumerate(pictures):
            time = None
            with suppress(OSError, ExampleError):
                written[at] = one.path.stat().st_mtime
                data = one.path.read_bytes()
                time = taken_s(data)
                small[at] = grey_square(data, SIDE).reshape(-1)
            times.append(time)
            done += 1
            if beat:
                beat(done, total)
        order = in_order([one.path.name for one in pictures], times)
        names, ordered = [pictures[at].path.name for at in order], [times[at] for at in order]
        takes = tell_takes(names, ordered, written[order], small[order]).tolist()
        told[key] = [replace(pictures[at], take=take) for at, take in zip(order, takes, strict=True)]
    first = {(one.session, one.label): one for one in reversed(found) if not one.take_name}
    out: list[FolderPicture] = []
    for one in found:
        if one.take_name:
            out.append(one)
        elif first[one.session, one.label] is one:
            out += told[one.session, one.label]
    return out


def listed_in_takes(
    root: Path, listed: Sequence[ListedPicture], beat: Callable[[int, int], object] | None = None
) -> list[tuple[ListedPicture, int]]:
    """The same of pictures of a list, in their order: each with the number of its take, 0 where the list names it."""
    sessions = {name: at for at, name in enumerate(dict.fromkeys(one.session for one in listed))}
    found = [FolderPicture(one.label, one.take, root / one.file, sessions[one.session]) for one in listed]
    takes = {(one.session, one.label, one.take_name, one.path): one.take for one in in_takes(found, beat)}
    keys = ((one.session, one.label, one.take_name, one.path) for one in found)
    return [(one, takes[key]) for one, key in zip(listed, keys, strict=True)]
