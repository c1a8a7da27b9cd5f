"""What a person should know of the picture now: nothing found, several found, or too dark, in a line."""

from __future__ import annotations

import numpy as np

from edge_tl.embedders.embedder import Embedder, Finder

DARK = 25.0
"""Mean brightness, of 255, below which it is said: the darkest picture of cmu_faces has 30, of hands_sessions 57."""
SAMPLE = 8
"""One pixel in so many across and down tells how bright a picture is."""
EVERY = 15
"""One picture in so many is searched for others: half a second, and a small part of what following costs."""
PLURAL = {"hand": "hands", "face": "faces"}


class PictureNotice:
    """Called with each picture after it was embedded; counts others that could be meant, now and then."""

    def __init__(self) -> None:
        self._pictures = self._others = 0

    def __call__(self, embedder: Embedder, picture: np.ndarray, *, nobody: str | None = None, then: str) -> str:
        """A line, empty where all is well.

        picture: uint8 (height_px, width_px, 3). nobody: the class that is the answer where nothing is found. then: what
        becomes of a picture in which nothing is found, where there is no such class.
        """
        finder = embedder if isinstance(embedder, Finder) else None
        dark = is_dark(picture)
        if finder is not None and finder.seen is None:
            self._others = 0
            where = "no {}, it is dark" if dark else "no {}"
            return f"{where.format(finder.looks_for)}: {f'that is {nobody}' if nobody is not None else then}"
        if dark:
            return "it is dark: more light helps"
        if finder is None:
            return ""
        self._pictures += 1
        if self._pictures % EVERY == 1:
            self._others = finder.tracker.count(picture)
        return f"{self._others} {PLURAL[finder.looks_for]}: the one with the frame is used" if self._others > 1 else ""


def is_dark(picture: np.ndarray) -> bool:
    """Whether there is too little light in a picture uint8 (height_px, width_px, 3) to see anything in it."""
    return bool(picture[::SAMPLE, ::SAMPLE].mean() < DARK)
