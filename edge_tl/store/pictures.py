"""Pictures for measuring and comparing: a folder of files, or the examples that a profile recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from edge_tl.errors import ConfigError
from edge_tl.files import is_clutter
from edge_tl.media.image import decode, fit
from edge_tl.media.kinds import PICTURES, ending
from edge_tl.store.profile import Profile
from edge_tl.tflite.manifest import Scaling

RESIZE = "crop"
"""What the base models were tested with: the centre square of a picture."""


def read_pictures(
    folder: Path, size_px: int | tuple[int, int], most: int, resize: str = RESIZE
) -> Iterator[np.ndarray]:
    """At most so many pictures uint8 (height_px, width_px, 3) RGB, spread evenly over all there are.

    `size_px`: height and width, or one number for both. `resize`: how they are brought to it, as `fit` takes it.
    `folder`: pictures in it and in the folders below it, in the order of their names; or a profile (a folder that
    holds `examples.sqlite`), whose examples are taken in the order of recording.
    ConfigError (one line, at once) where there are none, ExampleError or ProfileError for one that cannot be read.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; a folder of pictures or a profile is wanted")
    readers = _recorded(folder) if (folder / "examples.sqlite").is_file() else _files(folder)
    if not readers:
        raise ConfigError(f"{folder}: holds no pictures ({' '.join(sorted(PICTURES))}) and no examples; put some there")
    chosen = np.linspace(0, len(readers) - 1, min(most, len(readers))).round().astype(int)
    size = (size_px, size_px) if isinstance(size_px, int) else size_px
    return (fit(decode(readers[at]()), size, resize) for at in chosen)


def model_input(picture: np.ndarray, scaling: Scaling, colour_order: str) -> np.ndarray:
    """A picture uint8 (height_px, width_px, 3) RGB as a float model takes it: float32 (1, height_px, width_px, 3)."""
    if colour_order == "bgr":
        picture = picture[..., ::-1]
    made: np.ndarray = picture * np.array(scaling.scale, np.float32) + np.array(scaling.offset, np.float32)
    return made[np.newaxis]


def _files(folder: Path) -> list[Callable[[], bytes | Path]]:
    paths = sorted(
        path
        for path in folder.rglob("*")
        if ending(path) in PICTURES and path.is_file() and not any(map(is_clutter, path.relative_to(folder).parts))
    )
    return [partial(Path, path) for path in paths]


def _recorded(folder: Path) -> list[Callable[[], bytes | Path]]:
    def read(number: int) -> bytes:
        with Profile(folder) as profile:
            return profile.store.picture(number)

    with Profile(folder) as profile:
        return [partial(read, example.id) for example in profile.store.list() if example.media_bytes_len]
