"""Draws what is around the simulated player: a cluttered wall, the light, a camera's grain; and where the player is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

WIDTH_PX, HEIGHT_PX = 320, 240
MARGIN_PX = 12
"""The wall is drawn larger than the picture, so that the camera can sway."""

Colour = tuple[int, int, int]

# Rough tones of skin from dark to light, sRGB.
SKIN = np.array([(92, 61, 46), (141, 96, 70), (186, 136, 104), (214, 168, 138), (232, 194, 170)], float)


@dataclass(frozen=True)
class Place:
    """Where the player is before the camera, against the place of the first day."""

    right_px: float = 0.0
    down_px: float = 0.0
    scale: float = 1.0
    """Above 1 is nearer."""
    tilt_deg: float = 0.0
    """Positive to the picture's left."""

    @classmethod
    def drawn_from(cls, rng: np.random.Generator, tilt_deg: tuple[float, float]) -> Place:
        """Clearly another place, nearer or farther; tilted by at least and at most so much, to either side."""
        side, lean, near = rng.choice((-1.0, 1.0), 3)
        return cls(
            right_px=float(side * rng.uniform(32, 58)),
            down_px=float(rng.uniform(-6, 18)),
            scale=float(rng.uniform(1.08, 1.18) if near > 0 else rng.uniform(0.74, 0.88)),
            tilt_deg=float(lean * rng.uniform(*tilt_deg)),
        )


def turned(attitude_deg: np.ndarray) -> np.ndarray:
    """(3, 3): turns by yaw (positive to the picture's right), pitch (positive up), roll (positive to its left)."""
    yaw, pitch, roll = np.radians(attitude_deg)
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (math.cos, math.sin))
    # x to the right, y up, z to the camera; pitch first (a nod), then yaw (a turn), then roll (a tilt).
    nod = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return tilt @ turn @ nod


def skin(tone: float) -> np.ndarray:
    """A colour (3,) between the tones of `SKIN`, 0 the darkest."""
    tone = min(max(tone, 0.0), len(SKIN) - 1.001)
    return SKIN[int(tone)] + (SKIN[int(tone) + 1] - SKIN[int(tone)]) * (tone % 1.0)


def wall(rng: np.random.Generator) -> Image.Image:
    """A wall with things on it, out of focus."""
    from PIL import Image, ImageDraw, ImageFilter

    width, height = WIDTH_PX + 2 * MARGIN_PX, HEIGHT_PX + 2 * MARGIN_PX
    base = rng.uniform(70, 210) + rng.normal(0, 14, 3)
    drawn = Image.new("RGB", (width, height), rgb(base))
    pen = ImageDraw.Draw(drawn)
    for _ in range(int(rng.integers(4, 11))):
        x, y = rng.uniform(-20, width), rng.uniform(-20, height)
        w, h = rng.uniform(15, 110), rng.uniform(15, 110)
        colour = rgb(base + rng.normal(0, 32, 3))
        if rng.random() < 0.7:
            pen.rectangle((x, y, x + w, y + h), fill=colour)
            pen.rectangle(
                (x + w * 0.15, y + h * 0.15, x + w * 0.85, y + h * 0.85), fill=rgb(base + rng.normal(0, 24, 3))
            )
        else:
            pen.ellipse((x, y, x + w, y + h), fill=colour)
    return drawn.filter(ImageFilter.GaussianBlur(float(rng.uniform(1.0, 3.5))))


def light(rng: np.random.Generator) -> np.ndarray:
    """A lamp or window on one side, a brightness, and a colour of the light: what a picture is multiplied by."""
    y, x = np.mgrid[-1 : 1 : HEIGHT_PX * 1j, -1 : 1 : WIDTH_PX * 1j]
    angle, strength = rng.uniform(0, 2 * math.pi), rng.uniform(0.05, 0.28)
    slope = 1.0 + strength * (x * math.cos(angle) + y * math.sin(angle))
    tint = rng.uniform(0.82, 1.12) * (1.0 + rng.normal(0, 0.03, 3))
    return (slope[:, :, None] * tint).astype(np.float32)


def noise(rng: np.random.Generator) -> np.ndarray:
    """A sensor's noise in grey levels, int16, larger than a picture; each frame takes another part of it."""
    shape = (HEIGHT_PX + 64, WIDTH_PX + 64, 3)
    return np.rint(rng.standard_normal(shape, dtype=np.float32) * rng.uniform(2.0, 6.0)).astype(np.int16)


def behind(drawn: Image.Image, at_s: float, waves: np.ndarray) -> Image.Image:
    """The part of a wall that a slowly moving camera sees."""
    x0 = MARGIN_PX + round(2.5 * math.sin(0.31 * at_s + waves[5]))
    return drawn.crop((x0, MARGIN_PX, x0 + WIDTH_PX, MARGIN_PX + HEIGHT_PX))


def photograph(picture: Image.Image, lit: np.ndarray, grain: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a camera makes of a drawing, uint8 (240, 320, 3): a lens less sharp than a polygon, `light`, `noise`."""
    from PIL import ImageFilter

    pixels = np.asarray(picture.filter(ImageFilter.BoxBlur(0.6)), dtype=np.float32) * lit
    row, column = rng.integers(0, 64, 2)
    pixels += grain[row : row + HEIGHT_PX, column : column + WIDTH_PX]
    return np.clip(pixels, 0.0, 255.0, out=pixels).astype(np.uint8)


def rgb(colour: np.ndarray) -> Colour:
    """A colour as Pillow takes it."""
    red, green, blue = (int(min(max(c, 0), 255)) for c in colour)
    return red, green, blue
