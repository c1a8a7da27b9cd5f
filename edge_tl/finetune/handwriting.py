"""Handwritten digits: the published file of them (MNIST), and how one writer's hand differs from everybody's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from edge_tl.core.archive import DamagedArchive, read_arrays
from edge_tl.errors import ExampleError

PARTS = ("train", "test")
MAX_BYTES = 200_000_000
"""Unfolded; MNIST's training pictures are 47 MB."""
SLANT, TURN_DEGREES, STROKE = (0.35, 0.6), (15.0, 30.0), (0.4, 0.8)
"""How far a drawn writer is from the mean at least and at most; the signs are drawn too."""


def read_mnist(path: Path, part: str) -> tuple[np.ndarray, list[str]]:
    """Pictures uint8 (N, 28, 28), light on dark, and their digits as text; part: "train" or "test".

    path: an .npz with x_train, y_train, x_test and y_test, as Keras publishes it; ExampleError for anything else.
    """
    wanted = "MNIST as Keras publishes it is wanted"
    try:
        x, y = read_arrays(path, MAX_BYTES, (f"x_{part}", f"y_{part}")).values()
    except OSError as error:
        raise ExampleError(f"{path}: cannot be read ({error.strerror}); {wanted}") from error
    except DamagedArchive as error:
        raise ExampleError(f"{path}: has no x_{part} and y_{part} ({error}); {wanted}") from None
    if x.dtype != np.uint8 or x.ndim != 3 or y.shape != (len(x),) or y.dtype.kind not in "ui" or not len(x):
        raise ExampleError(f"{path}: x_{part} {x.dtype} {x.shape}, y_{part} {y.shape}; uint8 (N, 28, 28), (N,) wanted")
    return x, [str(digit) for digit in y.tolist()]


@dataclass(frozen=True)
class Writer:
    """One person's hand: how slanted, how turned, how thick all that they write is."""

    slant: float
    """Columns to the right for each row upwards."""
    turn_degrees: float
    """Clockwise."""
    stroke: float
    """From -1, as thin as one pixel less on each side makes it, to 1, one pixel more."""

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """Somebody whose hand is clearly not everybody's."""
        values = [rng.uniform(*span) * rng.choice((-1, 1)) for span in (SLANT, TURN_DEGREES, STROKE)]
        return cls(*map(float, values))

    def write(self, pictures: np.ndarray) -> np.ndarray:
        """What others wrote, uint8 (N, h, w) light on dark, as this hand would write it; the same shape."""
        height, width = pictures.shape[1:]
        angle = np.deg2rad(self.turn_degrees)
        turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        # From (row, column) of the result, about the middle, to where the ink comes from.
        back = np.array([[1.0, 0.0], [self.slant, 1.0]]) @ turned
        middle = np.array([(height - 1) / 2, (width - 1) / 2])
        grid = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), axis=-1) - middle
        at = grid @ back.T + middle
        low = np.floor(at).astype(int)
        share = (at - low).astype(np.float32)
        padded = np.pad(self._thick(pictures), ((0, 0), (1, 1), (1, 1)))
        written = np.zeros(pictures.shape, np.float32)
        for down in (0, 1):
            for right in (0, 1):
                rows = np.clip(low[..., 0] + down + 1, 0, height + 1)
                columns = np.clip(low[..., 1] + right + 1, 0, width + 1)
                weight = np.abs(1 - down - share[..., 0]) * np.abs(1 - right - share[..., 1])
                written += padded[:, rows, columns] * weight
        return np.rint(written).astype(np.uint8)

    def _thick(self, pictures: np.ndarray) -> np.ndarray:
        """Float32, between the pictures and the largest (or smallest) of each pixel and its neighbours."""
        x = pictures.astype(np.float32)
        edges = np.pad(x, ((0, 0), (1, 1), (1, 1)))
        height, width = x.shape[1:]
        best = np.maximum if self.stroke > 0 else np.minimum
        most = x
        for down, right in ((0, 1), (2, 1), (1, 0), (1, 2)):
            most = best(most, edges[:, down : down + height, right : right + width])
        return x + abs(self.stroke) * (most - x)
