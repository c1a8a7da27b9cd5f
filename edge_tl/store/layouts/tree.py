"""What lies in a folder, looked at once, and what a layout makes of it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from edge_tl.files import is_clutter
from edge_tl.media.kinds import MEDIA, PICTURES, ending
from edge_tl.store.folders import FolderPicture, Skipped
from edge_tl.store.listed import ListedPicture

SPLIT = re.compile(
    r"(?:^|[_ -])(train|training|val|valid|validation|dev|test|testing|eval)(?:\d{2,4}|[_ -]set)?$", re.I
)
"""A folder's name that says for what its files are meant: `train`, `seg_train`, `training_set`, `train2017`."""


@dataclass(frozen=True, slots=True)
class LayoutContents:
    """What a layout says of the files: classes of whole pictures and sounds, or things in pictures."""

    found: Sequence[FolderPicture] = ()
    listed: Sequence[ListedPicture] | None = None
    """Pictures with boxes, named below the folder; None where whole pictures or sounds are classes."""
    left_out: Sequence[str] = ()
    """A line for each thing that cannot be used."""
    notes: Sequence[str] = ()
    """What else was understood that a person should know."""


@dataclass(frozen=True)
class Tree:
    """All files below a folder, clutter and hidden ones left out; links to folders are not followed."""

    root: Path
    files: tuple[PurePosixPath, ...] = field(repr=False)
    """Relative to the root, in the order of names."""

    @classmethod
    def of(cls, root: Path) -> Tree:
        """Look at a folder; what cannot be read is skipped here, and named by whoever reads it."""
        files = []
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(name for name in folders if not is_clutter(name))
            below = PurePosixPath(os.path.relpath(folder, root))
            files += [below / name for name in sorted(names) if not is_clutter(name)]
        return cls(root, tuple(files))

    @cached_property
    def media(self) -> tuple[PurePosixPath, ...]:
        """The pictures, sounds and clips."""
        return tuple(file for file in self.files if ending(file) in MEDIA)

    @cached_property
    def pictures(self) -> tuple[PurePosixPath, ...]:
        """The pictures."""
        return tuple(file for file in self.files if ending(file) in PICTURES)

    @cached_property
    def tops(self) -> tuple[str, ...]:
        """The folders at the top that hold pictures or sounds, however deep; "" for the root itself."""
        return tuple(dict.fromkeys(file.parts[0] if len(file.parts) > 1 else "" for file in self.media))

    def within(self, folder: str) -> Tree:
        """The same of a folder at the top."""
        inside = (file.relative_to(folder) for file in self.files if file.parts[0] == folder and len(file.parts) > 1)
        return Tree(self.root / folder, tuple(inside))

    def unwrapped(self) -> Tree:
        """Below all folders that hold nothing but one folder with everything in it."""
        tree = self
        while len(tree.tops) == 1 and tree.tops[0]:
            tree = tree.within(tree.tops[0])
        return tree


def split_of(file: PurePosixPath) -> str:
    """The split that a file's folders name, the first of several; empty for none."""
    return next((part for part in file.parts[:-1] if SPLIT.search(part)), "")


Reader = Callable[[Tree, str, bool, Skipped], LayoutContents]
"""(tree, "picture" or "sound", whether each split is a session, called for each file that is left out) → what it holds.
ExampleError where it cannot be read at all."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One way to lay out pictures."""

    name: str
    """As `--layout` takes it."""
    what: str
    """What it is called where it is said."""
    seen_by: str
    """How it is recognized, for the documents."""
    fits: Callable[[Tree], bool]
    """Whether a folder looks like it."""
    read: Reader
    marked: bool = True
    """Whether it is known by files that only this layout has, and not by folders' names alone."""
