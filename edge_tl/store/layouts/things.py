"""Boxes gathered picture by picture: the largest counts, and one that cannot be used makes its picture unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from edge_tl.core.examples import Box
from edge_tl.errors import counted
from edge_tl.store.listed import NOTHING, ListedPicture


class Things:
    """What is known of the pictures so far."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._boxes: dict[PurePosixPath, list[tuple[float, str, Box]]] = {}
        self._unknown: dict[PurePosixPath, str] = {}
        self._sizes: dict[PurePosixPath, tuple[float, float]] = {}

    def add(self, file: PurePosixPath, label: str, box: Box) -> None:
        """A thing in a picture; the box in pixels, or in shares of the picture."""
        area = (box[2] - box[0]) * (box[3] - box[1])
        self._boxes.setdefault(file, []).append((area, label, box))

    def unknown(self, file: PurePosixPath, reason: object) -> None:
        """Something of a picture cannot be used, so that nobody knows what it shows; the first reason is said."""
        self._unknown.setdefault(file, " ".join(str(reason).split())[:100])

    def size(self, file: PurePosixPath, width: float, height: float) -> None:
        """The size of the picture that its boxes are pixels of."""
        self._sizes[file] = width, height

    def listed(
        self, files: Iterable[PurePosixPath], session: Callable[[PurePosixPath], str]
    ) -> tuple[list[ListedPicture], list[str]]:
        """Each of these pictures as one of a list, without a take, and a line for each thing that was left out."""
        found, left_out = [], []
        for file in files:
            if file in self._unknown:
                left_out.append(f"{file}: left out ({self._unknown[file]})")
                continue
            here = sorted(self._boxes.get(file, []), key=lambda thing: -thing[0])
            if len(here) > 1:
                smaller = counted(len(here) - 1, "smaller box is", "smaller boxes are")
                left_out.append(f"{file}: {smaller} left out: only one object per picture is used")
            label, box = (here[0][1], here[0][2]) if here else (NOTHING, None)
            found.append(ListedPicture(file, label, box, self._sizes.get(file), "", session(file)))
        return found, left_out
