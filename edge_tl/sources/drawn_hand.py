"""Draws the simulated player's hand: tapered capsules over a skeleton of 21 joints, lit as one surface.

The surface is a height above the wall: of all capsules the one nearest to the camera is seen, and light falls on its
slope. So fingers that lie on the palm get an edge and a shadow, which is what a hand finder goes by.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_tl.sources.drawn_room import HEIGHT_PX, WIDTH_PX, Place, behind, light, noise, photograph, skin, turned, wall

if TYPE_CHECKING:
    from PIL import Image

# What a sign is: how far thumb, index, middle, ring and little finger are bent (0 straight, 1 on the palm), and how far
# they are spread (0 side by side, 1 wide).
SIGNS: dict[str, tuple[float, float, float, float, float, float]] = {
    "up": (1.0, 0.0, 1.0, 1.0, 1.0, 0.3),
    "down": (1.0, 1.0, 1.0, 1.0, 1.0, 0.1),
    "left": (1.0, 0.0, 0.0, 1.0, 1.0, 0.9),
    "right": (0.0, 1.0, 1.0, 1.0, 0.0, 0.5),
    "neutral": (0.0, 0.0, 0.0, 0.0, 0.0, 0.7),
}
"""Up is one finger, down a fist, left two fingers, right thumb and little finger, neutral the open hand: signs that
stay what they are when the hand is turned."""

# Lengths are in palms, from the wrist to the middle finger's base (about 9 cm): x to the thumb, y to the fingers, z out
# of the palm. Fingers from the index on; bones from the palm outwards; each joint's radius, and the tip's.
BASES = np.array([(0.27, 0.97, 0.0), (0.03, 1.0, 0.03), (-0.20, 0.94, 0.02), (-0.41, 0.82, -0.02)])
BONES = np.array([(0.47, 0.28, 0.22), (0.52, 0.32, 0.23), (0.48, 0.30, 0.23), (0.37, 0.22, 0.20)])
FINGER_R = np.array(
    [(0.120, 0.105, 0.092, 0.075), (0.122, 0.107, 0.094, 0.076), (0.114, 0.1, 0.088, 0.072), (0.1, 0.086, 0.076, 0.062)]
)
PALM_R = np.array([(0.20, 0.15), (0.21, 0.15), (0.20, 0.14), (0.19, 0.125)])
SPREAD_DEG = np.array([-13.0, -1.0, 10.0, 22.0])
STRAIGHT_DEG, CURLED_DEG = np.array([4.0, 6.0, 4.0]), np.array([78.0, 105.0, 55.0])
THUMB_BASE = np.array([0.20, 0.18, 0.08])
THUMB_BONES = np.array([0.44, 0.34, 0.27])
THUMB_R = np.array([0.17, 0.135, 0.115, 0.09])
THUMB_OUT = np.array([(0.72, 0.66, 0.20), (0.62, 0.78, 0.05), (0.50, 0.86, 0.0)])
THUMB_IN = np.array([(0.42, 0.74, 0.52), (-0.38, 0.72, 0.58), (-0.86, 0.48, 0.10)])

SHADOW = np.array((0.10, -0.05, -0.08), np.float32)
"""What a full shadow adds to red, green and blue of skin, as a share."""
FAR_PX = np.float32(-1e4)
"""The height of what is not there."""

Capsule = tuple[np.ndarray, np.ndarray, float, float, float]
"""Two ends, the radius at each, and how thick it is against its width."""


@dataclass(frozen=True)
class HandLook:
    """One session's person, sleeve, place and light."""

    skin: np.ndarray
    sleeve: np.ndarray
    sleeve_end: float
    """How far below the wrist it ends, in palms."""
    right: bool
    """Whether it is the right hand."""
    palm_px: float
    wrist_px: tuple[float, float]
    tilt_deg: float
    """How far the hand leans all the time, positive to the picture's left."""
    sun: np.ndarray
    """Unit vector to the light: x to the right, y down, z to the camera."""
    wall: Image.Image
    light: np.ndarray
    """What the light multiplies the picture by, float32 (240, 320, 3)."""
    noise: np.ndarray
    """Sensor noise in grey levels, int16, larger than the picture; each frame takes another part of it."""

    @classmethod
    def drawn_from(cls, person: np.random.Generator, session: np.random.Generator, place: Place) -> HandLook:
        """A look: the person's traits from one generator, what a session changes of them from the other."""
        sun = np.array([session.normal(0, 0.5), -0.6, 0.9])
        return cls(
            skin=np.float32(1.25) * skin(float(person.uniform(0.5, 3.5) + session.normal(0.0, 0.2))).astype(np.float32),
            sleeve=session.uniform(20, 225, 3).astype(np.float32),
            sleeve_end=float(session.uniform(0.8, 1.3)),
            right=bool(person.random() < 0.7),
            palm_px=float(person.uniform(56, 62) * session.uniform(0.95, 1.05)) * place.scale,
            wrist_px=(
                float(WIDTH_PX / 2 + session.normal(0, 9)) + place.right_px,
                float(160 + session.normal(0, 6)) + place.down_px,
            ),
            tilt_deg=place.tilt_deg,
            sun=sun / np.linalg.norm(sun),
            wall=wall(session),
            light=light(session),
            noise=noise(session),
        )


def skeleton(sign: np.ndarray) -> np.ndarray:
    """(21, 3) joints in MediaPipe's order, in palms, of a right hand that points up and shows its palm.

    sign: as in `SIGNS`, (6,). x is to the picture's right, y up, z to the camera.
    """
    joints = np.zeros((21, 3))
    ways = THUMB_OUT + (THUMB_IN - THUMB_OUT) * sign[0]
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    joints[1] = THUMB_BASE
    joints[2:5] = THUMB_BASE + np.cumsum(ways * THUMB_BONES[:, None], axis=0)
    for finger in range(4):
        curl = sign[1 + finger]
        bends = np.cumsum(np.radians(CURLED_DEG * curl + STRAIGHT_DEG * (1 - curl)))
        # Bent fingers lie side by side, whatever the others do.
        aside = math.radians(SPREAD_DEG[finger] * (0.25 + 0.75 * sign[5] * (1 - curl)))
        along = np.array((-math.sin(aside), math.cos(aside), 0.0))
        steps = np.cos(bends)[:, None] * along + np.sin(bends)[:, None] * np.array((0.0, 0.0, 1.0))
        first = 5 + 4 * finger
        joints[first] = BASES[finger]
        joints[first + 1 : first + 4] = BASES[finger] + np.cumsum(steps * BONES[finger][:, None], axis=0)
    return joints


def draw(look: HandLook, attitude: np.ndarray, waves: np.ndarray, at_s: float, rng: np.random.Generator) -> np.ndarray:
    """One picture, uint8 (240, 320, 3) RGB.

    attitude: (9,) degrees of yaw (positive to the picture's right), pitch (positive up) and roll (positive to the
    left), then the sign as in `SIGNS`. waves: 8 phases of the slow movements; at_s: the time they are at. rng: which
    part of the noise comes.
    """
    from PIL import Image

    placed = _placing(look, attitude, waves, at_s)
    joints = skeleton(attitude[3:])
    height, cover = np.full((HEIGHT_PX, WIDTH_PX), FAR_PX, np.float32), np.zeros((HEIGHT_PX, WIDTH_PX), np.float32)
    for capsule in _arm_and_palm(joints):
        _raise(height, cover, placed(capsule), soft_px=0.04 * look.palm_px)
    for capsule in _fingers(joints):
        _raise(height, cover, placed(capsule))
    bare = height.copy()
    _raise(height, cover, placed((np.array((0, -5.0, -0.1)), np.array((0, -look.sleeve_end, -0.05)), 0.62, 0.42, 0.8)))
    picture = np.array(behind(look.wall, at_s, waves))
    rows, columns = np.flatnonzero(cover.any(axis=1)), np.flatnonzero(cover.any(axis=0))
    if len(rows):
        # Only the part of the picture where something is.
        part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        shade = _shade(height[part], look)[:, :, None]
        # Light that comes back from skin is redder in its shadows.
        flesh = look.skin * (1 + SHADOW * np.clip(1 - shade, 0, 1))
        colours = np.where((height > bare)[part][:, :, None], look.sleeve, flesh) * shade
        seen = picture[part].astype(np.float32)
        seen += (np.clip(colours, 0, 255) - seen) * cover[part][:, :, None]
        picture[part] = seen.astype(np.uint8)
    return photograph(Image.fromarray(picture), look.light, look.noise, rng)


def joints_px(look: HandLook, attitude: np.ndarray, waves: np.ndarray, at_s: float) -> np.ndarray:
    """Where `draw` puts the joints, float64 (21, 2): x and y in pixels."""
    placed = _placing(look, attitude, waves, at_s)
    return np.array([placed((joint, joint, 0.0, 0.0, 1.0))[0][:2] for joint in skeleton(attitude[3:])])


def _placing(look: HandLook, attitude: np.ndarray, waves: np.ndarray, at_s: float) -> Callable[[Capsule], Capsule]:
    """Puts a capsule of the hand into the picture: pixels to the right, down, and towards the camera."""
    wrist_px = np.array(
        (
            look.wrist_px[0] + 4.0 * math.sin(0.7 * at_s + waves[3]),
            look.wrist_px[1] + 3.0 * math.sin(0.53 * at_s + waves[4]),
            0.0,
        )
    )
    palm_px = look.palm_px * (1.0 + 0.03 * math.sin(0.4 * at_s + waves[6]))
    to_px = turned(attitude[:3] + np.array((0.0, 0.0, look.tilt_deg))) * (palm_px * np.array([[1.0], [-1.0], [1.0]]))
    if not look.right:
        to_px = to_px * (-1.0, 1.0, 1.0)

    def placed(capsule: Capsule) -> Capsule:
        start, end, start_r, end_r, thick = capsule
        return wrist_px + to_px @ start, wrist_px + to_px @ end, start_r * palm_px, end_r * palm_px, thick

    return placed


def _arm_and_palm(joints: np.ndarray) -> Iterator[Capsule]:
    yield np.array((-0.02, -2.6, -0.05)), np.array((-0.02, 0.0, -0.03)), 0.33, 0.255, 0.75
    for finger in range(4):
        base = np.array((0.08 - 0.06 * finger, 0.10, 0.0))
        yield base, joints[5 + 4 * finger] + (0.0, -0.06, -0.05), PALM_R[finger, 0], PALM_R[finger, 1], 0.85
    yield np.array((0.10, 0.16, 0.02)), joints[2], 0.23, 0.15, 0.85


def _fingers(joints: np.ndarray) -> Iterator[Capsule]:
    for finger, radii in enumerate((THUMB_R, *FINGER_R)):
        for bone in range(3):
            first = 1 + 4 * finger + bone
            yield joints[first], joints[first + 1], radii[bone], radii[bone + 1], 1.0


def _raise(height: np.ndarray, cover: np.ndarray, capsule: Capsule, soft_px: float = 0.0) -> None:
    """Put a capsule into a surface: its height where it is the nearest, and how much of each pixel it covers.

    soft_px: over how much height it flows into what is there; 0 is not at all.
    """
    start, end, start_r, end_r, thick = capsule
    # Python's numbers, not NumPy's: these would make all float64.
    start_r, end_r = float(start_r), float(end_r)
    low = np.minimum(start[:2], end[:2]) - max(start_r, end_r) - 1
    high = np.maximum(start[:2], end[:2]) + max(start_r, end_r) + 2
    left, top = np.clip(low, 0, (WIDTH_PX, HEIGHT_PX)).astype(int)
    right, bottom = np.clip(high, 0, (WIDTH_PX, HEIGHT_PX)).astype(int)
    if left >= right or top >= bottom:
        return
    x = np.arange(left, right, dtype=np.float32) + 0.5 - np.float32(start[0])
    y = (np.arange(top, bottom, dtype=np.float32) + 0.5 - np.float32(start[1]))[:, None]
    dx, dy, dz = (float(way) for way in end - start)
    t = np.clip((x * dx + y * dy) / max(dx * dx + dy * dy, 1e-3), 0.0, 1.0)
    radius = start_r + t * (end_r - start_r)
    apart2 = (x - t * dx) ** 2 + (y - t * dy) ** 2
    mine = float(start[2]) + t * dz + thick * np.sqrt(np.maximum(radius * radius - apart2, 0.0))
    covered = np.clip(radius - np.sqrt(apart2) + 0.5, 0.0, 1.0)
    here = height[top:bottom, left:right]
    if soft_px:
        # A smooth maximum of the two heights.
        flow = np.maximum(here, mine) + soft_px * np.log1p(np.exp(-np.abs(here - mine) / soft_px))
        mine = np.where(here > FAR_PX, flow, mine)
    np.copyto(here, mine, where=(mine > here) & (covered > 0.02))
    np.maximum(cover[top:bottom, left:right], covered, out=cover[top:bottom, left:right])


def _shade(height: np.ndarray, look: HandLook) -> np.ndarray:
    """How light each pixel of a surface is, float32: by its slope to the sun, and darker where it is hollow."""
    from PIL import Image, ImageFilter

    there = height > FAR_PX
    floor = float(height[there].min())
    up = np.where(there, height - floor, 0.0)
    down, across = (np.clip(slope, -2.5, 2.5) for slope in np.gradient(up))
    right, low, near = look.sun.tolist()
    lit = np.clip((near - across * right - down * low) / np.sqrt(1 + across**2 + down**2), 0, None)
    span = np.float32(2.0 * look.palm_px / 255)
    small = Image.fromarray(np.clip(up / span, 0, 255).astype(np.uint8))
    around = np.asarray(small.filter(ImageFilter.BoxBlur(0.09 * look.palm_px)), dtype=np.float32) * span
    hollow = np.clip((around - up) / (0.35 * look.palm_px), 0.0, 1.0)
    return (0.42 + 0.62 * lit) * (1.0 - 0.55 * hollow)
