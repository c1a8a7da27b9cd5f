"""Where the pictures of a list lie now: it names them as they lay when it was made, on another machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

from edge_tl.store.layouts.tree import Tree
from edge_tl.store.listed import UnusableEntry, inside

_UPLOADED = re.compile(r"^[0-9a-f]{8}-")
"""What Label Studio puts before the name of a file that was uploaded."""


class FileFinder:
    """Finds files below a folder: as they are named, else in fewer folders, else by their last name alone."""

    def __init__(self, root: Path, near: PurePosixPath | None = None) -> None:
        """root: nothing outside it is ever found. near: the folder in it that names are relative to."""
        self.root = root
        self._near = near or PurePosixPath()
        self._given: dict[PurePosixPath, str] = {}

    @cached_property
    def _known(self) -> dict[str, set[PurePosixPath]]:
        """Last name, with and without its ending → files."""
        known: dict[str, set[PurePosixPath]] = {}
        for file in Tree.of(self.root).media:
            for name in {file.name, file.stem}:
                known.setdefault(name, set()).add(file)
        return known

    def find(self, name: object) -> PurePosixPath:
        """The file of a list's name, relative to the root; where it is nowhere, as the list names it.

        name: also of Windows, an address, `%20` for a space, or `/data/local-files/?d=…`. ValueError for one that leads
        elsewhere and is not here, and for one that several files have.
        """
        if not isinstance(name, str) or not name.strip():
            raise UnusableEntry(f"{str(name)[:40]!a} is no file's name")
        # As it stands first: a name may hold a percent sign itself.
        for text in dict.fromkeys((name.strip(), _plain(name.strip()))):
            direct = self._at(self._near, text)
            if direct is not None:
                return self._given_once(direct, name)
        for last in self._elsewhere(name.strip()):
            return self._given_once(last, name)
        return self._near / inside(name.strip())

    def _at(self, folder: PurePosixPath, text: str) -> PurePosixPath | None:
        """The file of that name in a folder; None where it is not there."""
        try:
            file = folder / inside(text)
        except ValueError:
            return None
        return file if os.path.isfile(self.root / file) else None  # not there is also what no file can be called

    def _elsewhere(self, name: str) -> Iterator[PurePosixPath]:
        """Where it may lie now: in fewer folders, and where it was named on another machine, anywhere."""
        parts = _plain(name).split("/")
        for at in range(1, len(parts)):
            for folder in (self._near, PurePosixPath()):
                file = self._at(folder, "/".join(parts[at:]))
                if file is not None:
                    yield file
        if _names_a_folder(name):
            return  # of another folder's file with that name nobody knows whether it is the same
        for last in dict.fromkeys((parts[-1], _UPLOADED.sub("", parts[-1]))):
            found = self._known.get(last, set())
            if len(found) > 1:
                shown = " and ".join(sorted(map(str, found))[:2])
                raise UnusableEntry(f"{last[:40]!a} may be {shown}: name it with its folder")
            yield from found

    def _given_once(self, file: PurePosixPath, name: str) -> PurePosixPath:
        """The file; ValueError where it was given for another name already, so that one of them is not there."""
        first = self._given.setdefault(file, name)
        if first != name:
            raise UnusableEntry(f"{name[:40]!a} is not there, unless it is {first[:40]!a}")
        return file


def _names_a_folder(name: str) -> bool:
    """Whether it is a plain name below the list, with a folder in it."""
    return "/" in name and "\\" not in name and ":" not in name and "?" not in name and not name.startswith(("/", "."))


def _plain(name: str) -> str:
    """A name without what addresses add to it."""
    parts = urlsplit(name) if "://" in name or "?" in name else None
    if parts is not None:
        name = parse_qs(parts.query).get("d", [parts.path])[0]
    return unquote(name).replace("\\", "/").lstrip("/")
