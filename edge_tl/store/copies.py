"""Copies of what is there already: the same bytes, told before they become examples a second time."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_tl.core.examples import Box
from edge_tl.errors import ExampleError, ProfileError
from edge_tl.store.examples import ExampleStore
from edge_tl.store.media import StoredMedia

SAME_BOX = 1e-3
"""Sides, as shares of a picture, that lie closer are the same: lists tell pixels with two decimals."""


@dataclass(frozen=True, slots=True)
class Same:
    """An example that kept the very same file."""

    id: int
    label: str
    box: Box | None


class StoredCopies:
    """Which example of a store kept the same file, what was added since included.

    Check sums and sizes, which the store knows without reading a file, find the candidates; their bytes decide.
    """

    def __init__(self, store: ExampleStore) -> None:
        """Know what is on disk."""
        self._store = store
        self._on_disk: dict[tuple[int, int], list[int]] = {}
        self._about = {one.id: Same(one.id, one.label, one.box) for one in store.list()}
        for example, crc, size in store.check_sums():
            self._on_disk.setdefault((crc, size), []).append(example)
        self._known: dict[bytes, list[Same]] = {}

    def find(self, kept: StoredMedia, box: Box | None = None) -> Same | None:
        """The example with these bytes and this box (None where the whole picture counts); None for none."""
        for example in self._on_disk.pop((kept.check_sum, len(kept.data)), ()):
            try:
                _, data = self._store.media(example)
            except ProfileError:  # damaged, so that its bytes are others
                continue
            self._known.setdefault(hashlib.sha256(data).digest(), []).append(self._about[example])
        known = self._known.get(hashlib.sha256(kept.data).digest(), [])
        return next((one for one in known if _same_box(one.box, box)), None)

    def check(self, what: object, label: str, kept: StoredMedia, box: Box | None = None) -> None:
        """ExampleError, which names the file and the example, where the same is there under another label."""
        same = self.find(kept, box)
        if same is not None and same.label != label:
            raise ExampleError(
                f"{what}: is the same as example {same.id}, which was taught as {same.label!r}, and is {label!r} here: "
                f"left out; if {label!r} is right, `edge-tl examples remove --id {same.id}` and import it again"
            )

    def add(self, example: int, label: str, kept: StoredMedia, box: Box | None = None) -> None:
        """An example that was added with these bytes."""
        self._known.setdefault(hashlib.sha256(kept.data).digest(), []).append(Same(example, label, box))


def _same_box(one: Box | None, other: Box | None) -> bool:
    if one is None or other is None:
        return one is other
    return all(abs(a - b) <= SAME_BOX for a, b in zip(one, other, strict=True))


def copies_text(copies: int, bad: int = 0) -> str:
    """How many files were skipped as copies, and how many left out, to end a line with; empty where none was."""
    one = "is a copy of another and was" if copies == 1 else "are copies of others and were"
    return (f"; {copies} {one} skipped" if copies else "") + (f"; {bad} left out" if bad else "")


def contradictions(files: Iterable[tuple[Path, str, Hashable]]) -> dict[int, str]:
    """Position → why it is left out, of files (path, label, what else must be the same) with the same bytes under two
    labels: which is right nobody can tell, so that neither is taken. Files that cannot be read are left to the caller.
    """
    items = list(files)
    sizes: dict[tuple[int, Hashable], list[int]] = {}
    for at, (path, _, more) in enumerate(items):
        try:
            sizes.setdefault((path.stat().st_size, more), []).append(at)
        except OSError:
            continue
    said: dict[int, str] = {}
    for alike in sizes.values():
        if len({items[at][1] for at in alike}) < 2:
            continue
        same: dict[bytes, list[int]] = {}
        for at in alike:
            try:
                with items[at][0].open("rb") as file:
                    same.setdefault(hashlib.file_digest(file, "sha256").digest(), []).append(at)
            except OSError:
                continue
        for group in same.values():
            if len({items[at][1] for at in group}) > 1:
                said |= {at: _neither(items, at, group) for at in group}
    return said


def _neither(items: Sequence[tuple[Path, str, Hashable]], at: int, group: Sequence[int]) -> str:
    """Why one of a group is left out: the first that tells otherwise is named."""
    path, label, _ = items[at]
    other, told, _ = next(items[other] for other in group if items[other][1] != label)
    return (
        f"{path}: is the same as {other}, one {label!r}, the other {told!r}: neither was imported; remove the wrong one"
    )
