"""The ways to look, each behind the Embedder protocol: hand, upright hand crop, both beside each other, face, box.

`embed` finds anew in every picture, so that the same picture gives the same embedding; with `following` set, as for a
camera that runs, a hand is looked for where it was first: one network instead of three.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from edge_tl.core.features import FeatureMap, unit_rows
from edge_tl.embedders.embedder import Finder, Tracker, WholePictureEmbedder
from edge_tl.embedders.look.any_side import HAND_VALUES, TURN_VALUES, AnySide, side_seen
from edge_tl.embedders.look.choices import check_box
from edge_tl.embedders.look.face import LOOKS, LOOSE, VALUES, FaceTracker, around_box, pose
from edge_tl.embedders.look.hand import BEND, INDEX, MIDDLE, PALM_SCORE, RING, SEARCH, WRIST, Hand, HandTracker
from edge_tl.embedders.look.made_hands import HANDS
from edge_tl.embedders.look.made_heads import HEADS
from edge_tl.embedders.look.models import FACE, LANDMARKS, PALM, load_part
from edge_tl.embedders.look.palm_and_face import Detection, Detector
from edge_tl.embedders.look.region import SAMPLING, Region, upright
from edge_tl.media.image import check_picture

CROP_SCALE = 1.2
"""How much larger a crop is than the longer side of a hand's upright box, or of a face's: the more of the room is in
it, the worse. Hands taught on three sessions, at 1.1, 1.2, 1.35 and 1.6: 78.0, 80.5, 79.1 and 63.7 %; unseen people's
faces, at 1.2, 1.6 and 2.2: 99.0, 98.4 and 94.8 %."""
CROP_PX = 224
"""The side of these crops, before the image embedder fits it to its own size."""
GLANCED_FACES = 3
"""Of a face each third picture is looked at in full at the least: a glance sees where it looks, and that costs less
than a point. A glance at a hand sees nothing new, so there it is each second one (NOTES.md)."""
PLAIN = FeatureMap(root=False)
"""What a head sees of coordinates: unit length, no root, which would make small ones loud."""
SMOOTH = 1.0
"""The `ridge_prior` of coordinates: a few large directions tell classes apart, and the others are noise. With one
example a class .958 right at 1, .892 at 0.03, where whole pictures want it (digits, half of the people; NOTES.md)."""


def load_tracker(folder: Path, threads: int | None = None) -> HandTracker:
    """The hand tracker of the models installed in a folder; ModelError where they are not."""
    palms = Detector(load_part(folder, PALM, threads), PALM.scaling, PALM_SCORE)
    return HandTracker(palms, load_part(folder, LANDMARKS, threads))


def load_face_tracker(folder: Path, threads: int | None = None) -> FaceTracker:
    """The face tracker of the model installed in a folder; ModelError where it is not."""
    return FaceTracker(Detector(load_part(folder, FACE, threads), FACE.scaling, LOOSE))


def shape_of(hand: Hand) -> np.ndarray:
    """float32 (60,): a hand's landmarks as a right hand that points up, and how its fingers are bent."""
    return shape_of_points(hand.points if hand.right >= 0.5 else hand.points * (-1.0, 1.0, 1.0))


def shape_of_points(landmarks: np.ndarray) -> np.ndarray:
    """float32 (60,): of a right hand's landmarks (21, 3), upright.

    Twenty points from the wrist in lengths of the palm, then for each finger the cosines between bones that follow
    each other and between the first and the last.
    """
    points = landmarks - landmarks[WRIST]
    angle_rad = upright(points[WRIST], (points[INDEX] + points[RING]) / 4 + points[MIDDLE] / 2)
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    flat = points[:, :2] @ np.array(((c, -s), (s, c))) / max(float(np.hypot(*points[MIDDLE, :2])), 1e-3)
    fingers = points[1:].reshape(5, 4, 3)
    bones = np.diff(np.concatenate([np.zeros((5, 1, 3)), fingers], axis=1), axis=1)
    bones /= np.maximum(np.linalg.norm(bones, axis=2, keepdims=True), 1e-9)
    bends = np.concatenate([(bones[:, :-1] * bones[:, 1:]).sum(axis=2), (bones[:, :1] * bones[:, -1:]).sum(axis=2)], 1)
    return np.concatenate([flat[1:].ravel(), BEND * bends.ravel()]).astype(np.float32)


def angle_of(hand: Hand) -> float:
    """How far a hand that points up is turned clockwise to point as this one does, in radians, -π to π."""
    points = hand.points[:, :2]
    return upright(points[WRIST], (points[INDEX] + points[RING]) / 4 + points[MIDDLE] / 2)


def crop_region(hand: Hand) -> Region:
    """The square around a hand's landmarks in which it points up and is a right hand."""
    points, angle_rad = hand.points[:, :2], angle_of(hand)
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    turned = points @ np.array(((c, -s), (s, c)))
    low, high = turned.min(axis=0), turned.max(axis=0)
    x, y = (low + high) / 2
    side_px = CROP_SCALE * max(float((high - low).max()), 1.0)
    return Region(float(c * x - s * y), float(s * x + c * y), side_px, angle_rad, mirrored=hand.right < 0.5)


class HandEmbedder(Finder[Hand]):
    """A hand's shape: 60 values, whatever is behind it. Made by `load`."""

    name = "hand"
    way, looks_for = "hand", "hand"
    features = AnySide()
    ridge_prior = SMOOTH
    strangers = HANDS

    def __init__(self, tracker: Tracker[Hand]) -> None:
        super().__init__(tracker)
        self.fingerprint = fingerprint(self.name, PALM.sha256, LANDMARKS.sha256, *SEARCH, BEND)
        self.embedding_shape: tuple[int, ...] = (HAND_VALUES,)
        self.embedding_dim = HAND_VALUES

    @classmethod
    def load(cls, folder: Path, threads: int | None = None) -> Self:
        """With the models that `install_models` put into a folder."""
        return cls(load_tracker(folder, threads))

    def _embedding(self, picture: np.ndarray, seen: Hand) -> np.ndarray:
        return shape_of(seen)


class HandCropEmbedder(Finder[Hand]):
    """The hand, upright and as a right hand, as an image embedder sees it."""

    way, looks_for = "hand-crop", "hand"

    def __init__(self, tracker: Tracker[Hand], inner: WholePictureEmbedder) -> None:
        super().__init__(tracker)
        self.inner = inner
        self.name = f"hand-crop {inner.name}"
        parameters = (PALM.sha256, LANDMARKS.sha256, inner.fingerprint, *SEARCH, CROP_SCALE, CROP_PX)
        self.fingerprint = fingerprint("hand-crop", *parameters)
        self.embedding_shape, self.embedding_dim = inner.embedding_shape, inner.embedding_dim

    def _embedding(self, picture: np.ndarray, seen: Hand) -> np.ndarray:
        return self.inner.embed(crop_region(seen).crop(picture, CROP_PX))


class HandAndCropEmbedder(Finder[Hand]):
    """A hand's shape, how it points, and the hand itself as an image embedder sees it: upright, and as a right palm.

    What the head weighs is in `AnySide`; the crop is of unit length.
    """

    way, looks_for = "hand-and-crop", "hand"
    features = AnySide(crop=True)
    ridge_prior = SMOOTH
    strangers = HANDS

    def __init__(self, tracker: Tracker[Hand], inner: WholePictureEmbedder) -> None:
        super().__init__(tracker)
        self.inner = inner
        self.name = f"hand-and-crop {inner.name}"
        self._map = FeatureMap()
        seen = (PALM.sha256, LANDMARKS.sha256, *SEARCH, BEND)
        self.fingerprint = fingerprint(
            "hand-and-crop", *seen, inner.fingerprint, CROP_SCALE, CROP_PX, self._map.saved()
        )
        self.embedding_dim = HAND_VALUES + TURN_VALUES + self._map.dim(inner.embedding_shape)
        self.embedding_shape: tuple[int, ...] = (self.embedding_dim,)

    def _embedding(self, picture: np.ndarray, seen: Hand) -> np.ndarray:
        shape, angle_rad = shape_of(seen), angle_of(seen)
        region = crop_region(seen)
        if side_seen(shape) < 0:
            region = replace(region, mirrored=not region.mirrored)
        crop = self._map(self.inner.embed(region.crop(picture, CROP_PX)), self.inner.embedding_shape)
        return np.concatenate([shape, np.array((np.sin(angle_rad), np.cos(angle_rad)), np.float32), crop])


class FaceEmbedder(Finder[Detection]):
    """Where a face looks: 90 values. Made by `load`."""

    name = "face"
    way, looks_for = "face", "face"
    max_every = GLANCED_FACES
    features = PLAIN
    ridge_prior = SMOOTH
    strangers = HEADS

    def __init__(self, tracker: Tracker[Detection]) -> None:
        super().__init__(tracker)
        self.fingerprint = fingerprint(self.name, FACE.sha256, *LOOKS)
        self.embedding_shape: tuple[int, ...] = (VALUES,)
        self.embedding_dim = VALUES

    @classmethod
    def load(cls, folder: Path, threads: int | None = None) -> Self:
        """With the model that `install_models` put into a folder."""
        return cls(load_face_tracker(folder, threads))

    def _embedding(self, picture: np.ndarray, seen: Detection) -> np.ndarray:
        return pose(seen)


class FaceCropEmbedder(Finder[Detection]):
    """Where a face looks, and the face itself as an image embedder sees it: each of unit length, one after the other.

    So their kernels have the same trace, and the head weighs what either says.
    """

    way, looks_for = "face-crop", "face"
    max_every = GLANCED_FACES
    features = PLAIN
    ridge_prior = SMOOTH
    strangers = HEADS

    def __init__(self, tracker: Tracker[Detection], inner: WholePictureEmbedder) -> None:
        super().__init__(tracker)
        self.inner = inner
        self.name = f"face-crop {inner.name}"
        self._map = FeatureMap()
        parameters = (FACE.sha256, *LOOKS, inner.fingerprint, CROP_SCALE, CROP_PX, self._map.saved())
        self.fingerprint = fingerprint("face-crop", *parameters)
        self.embedding_dim = VALUES + self._map.dim(inner.embedding_shape)
        self.embedding_shape: tuple[int, ...] = (self.embedding_dim,)

    def _embedding(self, picture: np.ndarray, seen: Detection) -> np.ndarray:
        crop = self.inner.embed(around_box(seen, CROP_SCALE).crop(picture, CROP_PX))
        looks = unit_rows(pose(seen)[np.newaxis])[0]
        return np.concatenate([looks, self._map(crop, self.inner.embedding_shape)])

    def _between(self, picture: np.ndarray, seen: Detection, last: np.ndarray) -> np.ndarray:
        return np.concatenate([unit_rows(pose(seen)[np.newaxis])[0], last[VALUES:]])


class BoxEmbedder:
    """A rectangle of every picture, as an image embedder sees it: drawn once, for a camera that does not move."""

    kind = "picture"
    way = "box"

    def __init__(self, inner: WholePictureEmbedder, box: tuple[float, float, float, float]) -> None:
        """`box`: left, top, right, bottom as shares of the width and height, 0 to 1; ConfigError for an empty one."""
        check_box(box)
        self.inner, self.box = inner, box
        self.name = f"box {inner.name}"
        self.fingerprint = fingerprint("box", inner.fingerprint, *box)
        self.embedding_shape, self.embedding_dim = inner.embedding_shape, inner.embedding_dim

    def fit(self, data: np.ndarray) -> np.ndarray:
        """The picture itself; ShapeError where it is none."""
        check_picture(data)
        return data

    def embed(self, data: np.ndarray) -> np.ndarray:
        """A picture uint8 (height_px, width_px, 3) RGB → float32 (embedding_dim,)."""
        check_picture(data)
        rows, columns = data.shape[:2]
        left, top, right, bottom = self.box
        first, above = min(int(left * columns), columns - 1), min(int(top * rows), rows - 1)
        last, below = max(first + 1, round(right * columns)), max(above + 1, round(bottom * rows))
        return self.inner.embed(data[above:below, first:last])


def fingerprint(*what: Any) -> str:
    """64 hex digits that change with any of these: model files' hashes and parameters."""
    return hashlib.sha256(json.dumps((SAMPLING, *what)).encode()).hexdigest()
