"""Pictures for measuring and comparing: a folder of files, or the examples that a profile recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from edge_tl.errors import ConfigError
from edge_tl.image import decode, fit
from edge_tl.profile import Profile

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".pgm")
RESIZE = "crop"
"""What the base models were tested with: the centre square of a picture."""


def read_pictures(folder: Path, size_px: int, most: int) -> Iterator[np.ndarray]:
    """At most so many pictures uint8 (size_px, size_px, 3) RGB, spread evenly over all there are.

    `folder`: pictures in it and in the folders below it, in the order of their names; or a profile (a folder that
    holds `examples.sqlite`), whose examples are taken in the order of recording.
    ConfigError (one line, at once) where there are none, ExampleError or ProfileError for one that cannot be read.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; a folder of pictures or a profile is wanted")
    readers = _recorded(folder) if (folder / "examples.sqlite").is_file() else _files(folder)
    if not readers:
        raise ConfigError(f"{folder}: holds no pictures ({' '.join(SUFFIXES)}) and no examples; put some there")
    chosen = np.linspace(0, len(readers) - 1, min(most, len(readers))).round().astype(int)
    return (fit(decode(readers[at]()), (size_px, size_px), RESIZE) for at in chosen)


def _files(folder: Path) -> list[Callable[[], bytes | Path]]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    return [partial(Path, path) for path in paths]


def _recorded(folder: Path) -> list[Callable[[], bytes | Path]]:
    def read(number: int) -> bytes:
        with Profile(folder) as profile:
            return profile.store.picture(number)

    with Profile(folder) as profile:
        return [partial(read, example.id) for example in profile.store.list() if example.media_bytes_len]
