"""Which way to look: found out from the first frames, so that nobody has to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from edge_tl.embedders.look.embedders import FaceEmbedder, HandEmbedder
from edge_tl.errors import ModelError

Finder = Callable[[np.ndarray], bool]
FRAMES = 15
"""How many frames are looked at."""
EVERY = 4
"""One in so many: to look for a hand takes as long as several frames, and the preview must not stutter."""
MOST = 0.6
"""The share of them in which there must be a hand or a face."""


def finders(models: Path, threads: int | None) -> dict[str, Finder]:
    """Way to look → whether it finds anything in a picture, of the ways whose models are installed in a folder."""
    found: dict[str, Finder] = {}
    for load in (HandEmbedder.load, FaceEmbedder.load):
        try:
            embedder = load(models, threads)
        except ModelError:
            continue
        embedder.following = True
        found[embedder.way] = lambda picture, embedder=embedder: bool(embedder.embed(picture).any())  # type: ignore[misc]
    return found


class Recommending:
    """Called with each frame; returns None until it has seen enough, then what it recommends, "" for nothing.

    Of several ways that find something the first: whoever shows a hand shows a face as well, all the time.
    """

    def __init__(self, ways: Mapping[str, Finder]) -> None:
        self._ways = ways
        self._counts = dict.fromkeys(ways, 0)
        self._frames = 0

    def __call__(self, picture: np.ndarray) -> str | None:
        """Look at a picture uint8 (height_px, width_px, 3), if it is its turn."""
        if not self._ways:
            return "`edge-tl model get hands`, then `teach --look hand`: what you teach with hands works tomorrow too"
        self._frames += 1
        if self._frames % EVERY:
            return None
        for way, finds in self._ways.items():
            self._counts[way] += finds(picture)
        if self._frames < EVERY * FRAMES:
            return None
        for way, count in self._counts.items():
            if count >= MOST * FRAMES:
                return f"a {way} is in {count} of {FRAMES} frames: taught by `teach --look {way}` it works tomorrow too"
        return ""
