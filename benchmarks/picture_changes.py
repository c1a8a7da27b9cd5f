"""What happens to pictures between one day and another, one thing at a time: defined, seeded, in known units.

Every change takes a picture uint8 (height_px, width_px, 3), a level, a random generator and the point (x, y), in
pixels, about which it turns and scales; it returns a picture of the same size. Beyond the border the outermost pixels
are repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge_tl.media.image import warp

WIDTH_PX = 320
"""How wide a picture is thought to be where a level is in pixels: in another one they grow with its width."""


@dataclass(frozen=True)
class Change:
    """One kind of change at several levels."""

    name: str
    unit: str
    levels: tuple[float, ...]
    apply: Callable[[np.ndarray, float, np.random.Generator, np.ndarray], np.ndarray]


def brightness(picture: np.ndarray, level: float, random: np.random.Generator, middle: np.ndarray) -> np.ndarray:
    """Each value times the level, at most 255."""
    return rounded(picture * np.float32(level))


def contrast(picture: np.ndarray, level: float, random: np.random.Generator, middle: np.ndarray) -> np.ndarray:
    """Each value's distance from the mean of all values times the level."""
    mean = np.float32(picture.mean())
    return rounded(mean + (picture - mean) * np.float32(level))


def shift(picture: np.ndarray, level: float, random: np.random.Generator, middle: np.ndarray) -> np.ndarray:
    """To the side that is further from the point, by the level in widths of the picture."""
    way = 1 if middle[0] < picture.shape[1] / 2 else -1
    return moved(picture, np.eye(2), middle, np.array((way * level * picture.shape[1], 0.0)))


def scale(picture: np.ndarray, level: float, random: np.random.Generator, middle: np.ndarray) -> np.ndarray:
    """Everything the level times as large, about the point."""
    return moved(picture, np.eye(2) * level, middle, np.zeros(2))


def rotation(picture: np.ndarray, level: float, random: np.random.Generator, middle: np.ndarray) -> np.ndarray:
    """Turned by the level in degrees about the point, this way or that."""
    angle_rad = np.deg2rad(level) * random.choice((-1, 1))
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return moved(picture, np.array(((c, -s), (s, c))), middle, np.zeros(2))


def mirror(picture: np.ndarray, level: float, random: np.random.Generator, middle: np.ndarray) -> np.ndarray:
    """Left and right exchanged; there is one level."""
    return np.ascontiguousarray(picture[:, ::-1])


def blur(picture: np.ndarray, level: float, random: np.random.Generator, middle: np.ndarray) -> np.ndarray:
    """A Gaussian whose σ is the level in pixels of a picture WIDTH_PX wide."""
    sigma_px = level * picture.shape[1] / WIDTH_PX
    reach = int(np.ceil(3 * sigma_px))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_px) ** 2).astype(np.float32)
    weights /= weights.sum()
    soft = picture.astype(np.float32)
    for axis in (0, 1):
        padded = np.pad(soft, [(reach, reach) if i == axis else (0, 0) for i in range(3)], mode="edge")
        parts = (padded.take(range(i, i + soft.shape[axis]), axis) * weight for i, weight in enumerate(weights))
        soft = np.add.reduce(list(parts))
    return rounded(soft)


def noise(picture: np.ndarray, level: float, random: np.random.Generator, middle: np.ndarray) -> np.ndarray:
    """Gaussian noise on each value, its standard deviation the level, of 255."""
    return rounded(picture + random.normal(0, level, picture.shape).astype(np.float32))


def moved(picture: np.ndarray, linear: np.ndarray, middle: np.ndarray, by: np.ndarray) -> np.ndarray:
    """The picture after p → middle + linear · (p − middle) + by."""
    rows, columns = picture.shape[:2]
    padded = np.pad(picture, ((rows, rows), (columns, columns), (0, 0)), mode="edge")
    back = np.linalg.inv(linear)
    origin = middle - back @ (middle + by) + np.array((columns, rows))
    return warp(padded, np.concatenate([back, origin[:, None]], axis=1), (rows, columns))


def rounded(values: np.ndarray) -> np.ndarray:
    """uint8, clipped."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


CHANGES = (
    Change("brightness", "times", (0.25, 0.5, 0.75, 1.5, 2.0), brightness),
    Change("contrast", "times", (0.25, 0.5, 0.75, 1.5, 2.0), contrast),
    Change("shift", "widths", (0.05, 0.1, 0.15, 0.2, 0.3), shift),
    Change("scale", "times", (0.5, 0.7, 0.85, 1.25, 1.6), scale),
    Change("rotation", "degrees", (15.0, 30.0, 60.0, 90.0, 180.0), rotation),
    Change("mirror", "left–right", (1.0,), mirror),
    Change("blur", "px σ of 320", (1.0, 2.0, 3.0, 5.0, 8.0), blur),
    Change("noise", "σ of 255", (5.0, 10.0, 20.0, 40.0, 80.0), noise),
)
