"""Draws the simulated player's head: a few ellipsoids and lines in perspective, lit, before a cluttered wall."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_tl.sources.drawn_room import WIDTH_PX, Place, behind, light, noise, photograph, rgb, skin, turned, wall

if TYPE_CHECKING:
    from PIL import Image

RADII = np.array([0.76, 0.98, 0.88])
"""Half width, half height and half depth of the skull, in units of about 11 cm."""
DISTANCE = 6.0
"""From the camera to the head in the same units: near enough that perspective shows."""

# Rough tones of hair, sRGB.
HAIR = np.array([(28, 22, 20), (58, 40, 28), (104, 70, 40), (168, 130, 80), (120, 120, 122)], float)

FIRST_PLACE = Place()


@dataclass(frozen=True)
class Appearance:
    """One session's person, clothes, place and light."""

    skin: np.ndarray
    hair: np.ndarray
    shirt: np.ndarray
    iris: np.ndarray
    hairline: float
    """Latitude in degrees at which the hair begins above the forehead."""
    long_hair: bool
    glasses: bool
    beard: bool
    scale_px: float
    centre_px: tuple[float, float]
    wall: Image.Image
    light: np.ndarray
    """What the light multiplies the picture by, float32 (240, 320, 3)."""
    noise: np.ndarray
    """Sensor noise in grey levels, int16, larger than the picture; each frame takes another part of it."""
    tilt_deg: float
    """How far the head leans all the time, positive to the picture's left."""

    @classmethod
    def drawn_from(
        cls, person: np.random.Generator, session: np.random.Generator, place: Place = FIRST_PLACE
    ) -> Appearance:
        """A look: the person's traits from one generator, what a session changes of them from the other."""
        tone = float(person.uniform(0.5, 3.5) + session.normal(0.0, 0.2))
        hair = HAIR[person.integers(len(HAIR))] * session.uniform(0.85, 1.15)
        behind_it = wall(session)
        return cls(
            skin=skin(tone),
            hair=hair,
            shirt=session.uniform(20, 225, 3),
            iris=person.uniform((40, 40, 30), (110, 110, 130)),
            hairline=float(person.uniform(28, 46)),
            long_hair=bool(person.random() < 0.5),
            glasses=bool(session.random() < 0.15),
            beard=bool(person.random() < 0.3),
            scale_px=float(session.uniform(57, 72)) * place.scale,
            centre_px=(
                float(WIDTH_PX / 2 + session.normal(0, 11)) + place.right_px,
                float(104 + session.normal(0, 6)) + place.down_px,
            ),
            wall=behind_it,
            light=light(session),
            noise=noise(session),
            tilt_deg=place.tilt_deg,
        )


class _View:
    """Places points of the head, given by longitude and latitude on the skull, in the picture."""

    def __init__(self, attitude_deg: np.ndarray, centre_px: tuple[float, float], scale_px: float) -> None:
        self.rotation = turned(attitude_deg)
        self.centre_px, self.scale_px = centre_px, scale_px
        # The neck, not the middle of the head, is what stays in place.
        self.pivot = np.array([0.0, -0.9, -0.25])

    def project(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) head coordinates → (N, 3): x and y in pixels, and the depth, positive towards the camera."""
        turned = (points - self.pivot) @ self.rotation.T + self.pivot
        near = self.scale_px * DISTANCE / (DISTANCE - turned[:, 2])
        x_px = self.centre_px[0] + turned[:, 0] * near
        y_px = self.centre_px[1] - turned[:, 1] * near
        return np.column_stack([x_px, y_px, turned[:, 2]])

    def faces_us(self, points: np.ndarray) -> np.ndarray:
        """How squarely the skull at these points faces the camera: the cosine, (N,)."""
        normals = points / RADII**2
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        return (normals @ self.rotation.T)[:, 2]


def on_skull(longitude_deg: Any, latitude_deg: Any, out: float = 1.0) -> np.ndarray:
    """(N, 3) points at `out` times the skull's radii: longitude 0 is the nose, positive to the picture's right."""
    lon, lat = np.broadcast_arrays(np.radians(longitude_deg), np.radians(latitude_deg))
    lon, lat = lon.ravel(), lat.ravel()
    unit = np.column_stack([np.sin(lon) * np.cos(lat), np.sin(lat), np.cos(lon) * np.cos(lat)])
    points = unit * RADII * out
    # The lower half is a jaw: longer and narrower than an egg's.
    below = np.clip(-unit[:, 1], 0.0, 1.0)
    points[:, 0] *= 1.0 - 0.22 * below
    points[:, 1] -= 0.22 * below
    return points


# The skull is a mesh of small lit patches, row by row from the neck up.
ROWS, COLUMNS = 18, 30
_LAT, _LON = np.mgrid[-90 : 90 : (ROWS + 1) * 1j, -180 : 180 : (COLUMNS + 1) * 1j]
MESH = on_skull(_LON, _LAT)
PATCH_LON = (_LON[:-1, :-1] + 180.0 / COLUMNS).ravel()
PATCH_LAT = (_LAT[:-1, :-1] + 90.0 / ROWS).ravel()
PATCH = on_skull(PATCH_LON, PATCH_LAT)
_first = (np.arange(ROWS)[:, None] * (COLUMNS + 1) + np.arange(COLUMNS)).ravel()
CORNERS = np.column_stack([_first, _first + 1, _first + COLUMNS + 2, _first + COLUMNS + 1])
_ROUND = np.linspace(0, 2 * math.pi, 10, endpoint=False)


def _patch_colours(look: Appearance) -> np.ndarray:
    """(patches, 3): hair above the hairline and round the back, beard at the jaw, skin elsewhere."""
    side = np.abs(PATCH_LON)
    hair_from = np.where(
        side < 62, look.hairline - 0.0035 * side**2, np.where(side < 84, -8.0, np.where(side < 125, -28.0, -58.0))
    )
    colours = np.where((hair_from < PATCH_LAT)[:, None], look.hair, look.skin)
    if look.beard:
        jaw = (PATCH_LAT < -34) & (side < 100) & ~((side < 18) & (PATCH_LAT > -50))
        colours = np.where(jaw[:, None], look.hair * 0.6 + look.skin * 0.4, colours)
    return colours


def draw(
    look: Appearance, attitude_deg: np.ndarray, waves: np.ndarray, at_s: float, rng: np.random.Generator
) -> np.ndarray:
    """One picture, uint8 (240, 320, 3) RGB.

    attitude_deg: yaw (positive to the picture's right), pitch (positive up), roll (positive to the left shoulder).
    waves: 8 phases of the slow movements; at_s: the time they are at. rng: which part of the noise comes.
    """
    from PIL import ImageDraw

    dx, dy = 4.0 * math.sin(0.7 * at_s + waves[3]), 3.0 * math.sin(0.53 * at_s + waves[4])
    picture = behind(look.wall, at_s, waves)
    attitude_deg = attitude_deg + np.array((0.0, 0.0, look.tilt_deg))
    centre_px = (look.centre_px[0] + dx, look.centre_px[1] + dy)
    scale_px = look.scale_px * (1.0 + 0.03 * math.sin(0.4 * at_s + waves[6]))
    pen = ImageDraw.Draw(picture)
    view = _View(attitude_deg, centre_px, scale_px)
    _body(pen, look, centre_px, scale_px, attitude_deg)
    _head(pen, look, view)
    blink = math.sin(2.1 * at_s + waves[7]) > 0.985
    _face(pen, look, view, attitude_deg, blink)
    return photograph(picture, look.light, look.noise, rng)


def _body(
    pen: Any, look: Appearance, centre_px: tuple[float, float], scale_px: float, attitude_deg: np.ndarray
) -> None:
    """Shoulders and neck, which turn a little with the head, and long hair hanging behind them."""
    x, y = centre_px
    shift = attitude_deg[0] / 90.0 * 0.25 * scale_px
    if look.long_hair:
        pen.ellipse(
            (x - 0.95 * scale_px - shift, y - 0.9 * scale_px, x + 0.95 * scale_px - shift, y + 1.75 * scale_px),
            fill=rgb(look.hair * 0.7),
        )
    neck = look.skin * 0.72
    pen.polygon(
        [
            (x - 0.42 * scale_px, y + 0.5 * scale_px),
            (x + 0.42 * scale_px, y + 0.5 * scale_px),
            (x + 0.5 * scale_px, y + 1.7 * scale_px),
            (x - 0.5 * scale_px, y + 1.7 * scale_px),
        ],
        fill=rgb(neck),
    )
    top = y + 1.42 * scale_px
    pen.ellipse((x - 1.75 * scale_px + shift, top, x + 1.75 * scale_px + shift, top + 3 * scale_px), rgb(look.shirt))
    pen.ellipse((x - 0.45 * scale_px, top - 0.2 * scale_px, x + 0.45 * scale_px, top + 0.3 * scale_px), rgb(neck))


def _head(pen: Any, look: Appearance, view: _View) -> None:
    """The skull's patches that face the camera, and the ears beside them."""
    facing = view.faces_us(PATCH)
    shown = facing > 0.0
    xy = view.project(MESH)[:, :2]
    lit = 0.66 + 0.34 * np.clip(facing, 0.0, 1.0) ** 0.7
    colours = np.clip(_patch_colours(look) * lit[:, None], 0, 255).astype(int)[shown].tolist()
    outlines = xy[CORNERS[shown]].reshape(-1, 8).tolist()
    for side in (-1, 1):
        _ear(pen, look, view, side, near=False)
    for outline, colour in zip(outlines, colours, strict=True):
        pen.polygon(outline, fill=tuple(colour), outline=tuple(colour))
    for side in (-1, 1):
        _ear(pen, look, view, side, near=True)


def _ear(pen: Any, look: Appearance, view: _View, side: int, near: bool) -> None:
    middle = on_skull(92.0 * side, -4.0)
    if (view.faces_us(middle)[0] > 0.0) != near:
        return
    if look.long_hair and near:
        return
    rim = middle + np.column_stack([np.full(10, 0.10 * side), 0.24 * np.sin(_ROUND), 0.13 * np.cos(_ROUND) - 0.05])
    rim[:, 0] += 0.08 * side * (np.cos(_ROUND) < 0)
    _fill(pen, view, rim, look.skin * 0.82)
    _fill(pen, view, middle + (rim - middle) * [1, 0.55, 0.55], look.skin * 0.66)


def _face(pen: Any, look: Appearance, view: _View, attitude_deg: np.ndarray, blink: bool) -> None:
    """Eyes that look where the head turns, brows, nose, mouth and glasses, each where it can be seen."""
    gaze_lon, gaze_lat = attitude_deg[0] * 0.09, attitude_deg[1] * 0.05
    for side in (-1, 1):
        lon, lat = 23.0 * side, 7.0
        if view.faces_us(on_skull(lon, lat))[0] < 0.12:
            continue
        eye = on_skull(lon + 9.0 * np.cos(_ROUND), lat + (1.2 if blink else 4.6) * np.sin(_ROUND), 1.01)
        _fill(pen, view, on_skull(lon + 11.5 * np.cos(_ROUND), lat + 7.0 * np.sin(_ROUND)), look.skin * 0.78)
        if blink:
            _fill(pen, view, eye, look.skin * 0.5)
        else:
            _fill(pen, view, eye, np.array([232.0, 230.0, 226.0]))
            iris = on_skull(lon + gaze_lon + 4.3 * np.cos(_ROUND), lat + gaze_lat + 4.0 * np.sin(_ROUND), 1.02)
            _fill(pen, view, iris, look.iris)
            pupil = on_skull(lon + gaze_lon + 2.0 * np.cos(_ROUND), lat + gaze_lat + 2.0 * np.sin(_ROUND), 1.02)
            _fill(pen, view, pupil, np.array([12.0, 12.0, 14.0]))
        brow = np.array([11.0, 22.0, 35.0]) * side
        _stroke(pen, view, on_skull(brow, np.array([17.0, 20.0, 16.0]), 1.02), look.hair * 0.8, 0.055)
        if look.glasses:
            rim = on_skull(lon + 13.0 * np.cos(_ROUND), lat - 1.0 + 9.5 * np.sin(_ROUND), 1.06)
            _stroke(pen, view, np.vstack([rim, rim[:1]]), np.array([30.0, 30.0, 34.0]), 0.04)
    if look.glasses:
        _stroke(pen, view, on_skull(np.array([-10.0, 10.0]), 8.0, 1.08), np.array([30.0, 30.0, 34.0]), 0.04)
    mouth = on_skull(17.0 * np.cos(_ROUND), -44.0 + 4.2 * np.sin(_ROUND), 1.01)
    if view.faces_us(on_skull(0.0, -44.0))[0] > 0.05:
        _fill(pen, view, mouth, look.skin * [0.82, 0.55, 0.55])
        _stroke(pen, view, on_skull(np.array([-15.0, 0.0, 15.0]), -44.0, 1.02), look.skin * [0.5, 0.32, 0.32], 0.03)
    bridge, tip = on_skull(0.0, 14.0, 1.02), on_skull(0.0, -16.0, 1.30)
    for side in (-1, 1):
        wing = on_skull(10.0 * side, -22.0, 1.04)
        # The flank that faces the camera more is the lighter one.
        light = 0.94 if attitude_deg[0] * side < 0 else 0.7
        _fill(pen, view, np.vstack([bridge, tip, wing]), look.skin * light)
    under = np.vstack([tip, on_skull(-10.0, -22.0, 1.04), on_skull(0.0, -25.0, 1.04), on_skull(10.0, -22.0, 1.04)])
    _fill(pen, view, under, look.skin * 0.6)
    _stroke(pen, view, np.vstack([bridge, tip]), np.minimum(look.skin * 1.12, 255), 0.06)


def _fill(pen: Any, view: _View, points: np.ndarray, colour: np.ndarray) -> None:
    pen.polygon(view.project(points)[:, :2].ravel().tolist(), fill=rgb(colour))


def _stroke(pen: Any, view: _View, points: np.ndarray, colour: np.ndarray, width: float) -> None:
    """A line, `width` in units of the head."""
    pen.line(view.project(points)[:, :2].ravel().tolist(), fill=rgb(colour), width=max(round(width * view.scale_px), 1))
