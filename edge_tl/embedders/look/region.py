"""A turned square of a picture: where the hand or the face is, and which way is up in it."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, hypot, pi, sin

import numpy as np

from edge_tl.media.image import warp

SAMPLING = 3
"""Raised whenever the same pictures reach the networks otherwise: it is in the embedders' fingerprints."""
MAX_REPEATED_PX = 4_000_000
"""A crop that would need a larger part of the picture is black beyond the border: a hand of twice VGA's height."""


@dataclass(frozen=True, slots=True)
class Region:
    """A square of a picture, turned and perhaps mirrored; it may reach beyond the border.

    A picture's coordinates are pixels, x to the right and y down, a pixel's centre at its half: the first pixel
    covers 0 to 1.
    """

    x_px: float
    """Its centre."""
    y_px: float
    side_px: float
    """The length of a side, above 0."""
    angle_rad: float = 0.0
    """How far its upper side is turned clockwise from the picture's."""
    mirrored: bool = False
    """Whether left and right are exchanged in the crop."""

    def affine(self, size_px: int) -> np.ndarray:
        """float64 (2, 3): from (x, y, 1) in a crop of `size_px` a side to the picture's pixels."""
        scale = self.side_px / size_px
        across = -scale if self.mirrored else scale
        c, s = cos(self.angle_rad), sin(self.angle_rad)
        linear = np.array(((c * across, -s * scale), (s * across, c * scale)))
        middle = np.array((self.x_px, self.y_px)) - linear @ np.full(2, size_px / 2)
        return np.concatenate([linear, middle[:, None]], axis=1)

    def crop(self, picture: np.ndarray, size_px: int) -> np.ndarray:
        """This part of a picture uint8 (height_px, width_px, 3), upright: uint8 (size_px, size_px, 3).

        Bilinear; black beyond the border.
        """
        return warp(picture, self.affine(size_px), (size_px, size_px))

    def model_input(self, picture: np.ndarray, size_px: int, *, repeat: bool = False) -> np.ndarray:
        """The same crop as MediaPipe's networks were given it: half a pixel beside `crop`, as their landmarks are.

        MediaPipe's OpenCV counts a pixel from its corner, in the crop and in the picture. Bilinear, without
        antialiasing. `repeat`: beyond the border the border's colours are repeated, as its landmark model saw it;
        otherwise it is black there, as its detectors saw it.
        """
        affine = self.affine(size_px)
        affine[:, 2] += 0.5 - affine[:, :2].sum(axis=1) / 2
        if repeat:
            picture, affine = _repeated(picture, affine, size_px)
        return warp(picture, affine, (size_px, size_px))

    def to_picture(self, points: np.ndarray, size_px: int) -> np.ndarray:
        """Points (N, 2) or (N, 3) of a crop of `size_px` a side in the picture's pixels; z is only scaled."""
        affine = self.affine(size_px)
        found = points[:, :2] @ affine[:, :2].T + affine[:, 2]
        if points.shape[1] == 2:
            return found
        return np.concatenate([found, points[:, 2:] * (self.side_px / size_px)], axis=1)

    def to_crop(self, points: np.ndarray, size_px: int) -> np.ndarray:
        """Points (N, 2) of the picture in a crop of `size_px` a side: the inverse of `to_picture`."""
        affine = self.affine(size_px)
        return np.linalg.solve(affine[:, :2], (points - affine[:, 2]).T).T

    def corners(self) -> np.ndarray:
        """float64 (4, 2): upper left, upper right, lower right, lower left of the upright crop, for drawing."""
        return self.to_picture(np.array(((0, 0), (1, 0), (1, 1), (0, 1)), float), 1)


def whole(picture: np.ndarray) -> Region:
    """The smallest square region that holds a picture (height_px, width_px, 3), both centred."""
    rows, columns = picture.shape[:2]
    return Region(columns / 2, rows / 2, float(max(rows, columns)))


def upright(tail: np.ndarray, head: np.ndarray) -> float:
    """The angle_rad of a region in which the way from one point (x, y) to another goes straight up; -π to π."""
    x, y = float(head[0] - tail[0]), float(head[1] - tail[1])
    if hypot(x, y) == 0:
        return 0.0
    return float((np.arctan2(y, x) + pi / 2 + pi) % (2 * pi) - pi)


def around(points: np.ndarray, angle_rad: float, scale: float, shift: float) -> Region:
    """The region around points (N, 2): the box of them turned by `angle_rad`, made square by its longer side.

    `scale`: how much larger than that side. `shift`: how far its centre moves along its own vertical, in heights of
    the box (negative is up). After MediaPipe's RectTransformationCalculator (Apache-2.0).
    """
    c, s = cos(angle_rad), sin(angle_rad)
    turned = points[:, :2] @ np.array(((c, -s), (s, c)))
    low, high = turned.min(axis=0), turned.max(axis=0)
    width, height = high - low
    x, y = (low + high) / 2
    y += shift * height
    return Region(float(c * x - s * y), float(s * x + c * y), float(scale * max(width, height, 1e-3)), angle_rad)


def _repeated(picture: np.ndarray, affine: np.ndarray, size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """The part of a picture that a crop sees, the border's colours repeated beyond it, and the affine into it.

    The picture itself where the crop stays inside, or reaches so far that most of it would be repetition.
    """
    corners = affine @ np.array(((0, size_px, 0, size_px), (0, 0, size_px, size_px), (1, 1, 1, 1)))
    low, high = np.floor(corners.min(axis=1)).astype(int) - 1, np.ceil(corners.max(axis=1)).astype(int) + 1
    rows, columns = picture.shape[:2]
    inside = low.min() >= 0 and high[0] <= columns and high[1] <= rows
    if inside or np.prod(high - low) > MAX_REPEATED_PX:
        return picture, affine
    x = np.clip(np.arange(low[0], high[0]), 0, columns - 1)
    y = np.clip(np.arange(low[1], high[1]), 0, rows - 1)
    moved = affine.copy()
    moved[:, 2] -= low
    return np.take(np.take(picture, y, axis=0), x, axis=1), moved
