"""The ways to look, each behind the Embedder protocol: hand, upright hand crop, face, box.

`embed` finds anew in every picture, so that the same picture gives the same embedding; with `following` set, as for a
camera that runs, a hand is looked for where it was first: one network instead of three. Nothing found: see `look`.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Self

import numpy as np

from edge_tl.core.features import FeatureMap, unit_rows
from edge_tl.embedders.look.face import LOOKS, LOOSE, VALUES, FaceTracker, around_box, pose
from edge_tl.embedders.look.hand import BEND, INDEX, MIDDLE, PALM_SCORE, RING, SEARCH, WRIST, Hand, HandTracker
from edge_tl.embedders.look.made_hands import other_hands
from edge_tl.embedders.look.models import FACE, LANDMARKS, PALM, load_part
from edge_tl.embedders.look.palm_and_face import Detection, Detector
from edge_tl.embedders.look.region import SAMPLING, Region, upright
from edge_tl.embedders.tflite import Embedder
from edge_tl.errors import ConfigError
from edge_tl.media.image import check_picture

CROP_SCALE = 1.2
"""How much larger a crop is than the longer side of a hand's upright box, or of a face's: the more of the room is in
it, the worse. Hands taught on three sessions, at 1.1, 1.2, 1.35 and 1.6: 78.0, 80.5, 79.1 and 63.7 %; unseen people's
faces, at 1.2, 1.6 and 2.2: 99.0, 98.4 and 94.8 %."""
CROP_PX = 224
"""The side of these crops, before the image embedder fits it to its own size."""
HAND_VALUES = 2 * 20 + 4 * 5
PLAIN = FeatureMap(root=False)
"""What a head sees of coordinates: unit length, no root, which would make small ones loud."""


def load_tracker(folder: Path, threads: int | None = None) -> HandTracker:
    """The hand tracker of the models installed in a folder; ModelError where they are not."""
    palms = Detector(load_part(folder, PALM, threads), PALM.scaling, PALM_SCORE)
    return HandTracker(palms, load_part(folder, LANDMARKS, threads))


def load_face_tracker(folder: Path, threads: int | None = None) -> FaceTracker:
    """The face tracker of the model installed in a folder; ModelError where it is not."""
    return FaceTracker(Detector(load_part(folder, FACE, threads), FACE.scaling, LOOSE))


def shape_of(hand: Hand) -> np.ndarray:
    """float32 (60,): a hand's landmarks as a right hand that points up, and how its fingers are bent.

    Twenty points from the wrist in lengths of the palm, then for each finger the cosines between bones that follow
    each other and between the first and the last.
    """
    points = hand.points - hand.points[WRIST]
    if hand.right < 0.5:
        points = points * (-1.0, 1.0, 1.0)
    angle_rad = upright(points[WRIST], (points[INDEX] + points[RING]) / 4 + points[MIDDLE] / 2)
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    flat = points[:, :2] @ np.array(((c, -s), (s, c))) / max(float(np.hypot(*points[MIDDLE, :2])), 1e-3)
    fingers = points[1:].reshape(5, 4, 3)
    bones = np.diff(np.concatenate([np.zeros((5, 1, 3)), fingers], axis=1), axis=1)
    bones /= np.maximum(np.linalg.norm(bones, axis=2, keepdims=True), 1e-9)
    bends = np.concatenate([(bones[:, :-1] * bones[:, 1:]).sum(axis=2), (bones[:, :1] * bones[:, -1:]).sum(axis=2)], 1)
    return np.concatenate([flat[1:].ravel(), BEND * bends.ravel()]).astype(np.float32)


def crop_region(hand: Hand) -> Region:
    """The square around a hand's landmarks in which it points up and is a right hand."""
    points = hand.points[:, :2]
    angle_rad = upright(points[WRIST], (points[INDEX] + points[RING]) / 4 + points[MIDDLE] / 2)
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    turned = points @ np.array(((c, -s), (s, c)))
    low, high = turned.min(axis=0), turned.max(axis=0)
    x, y = (low + high) / 2
    side_px = CROP_SCALE * max(float((high - low).max()), 1.0)
    return Region(float(c * x - s * y), float(s * x + c * y), side_px, angle_rad, mirrored=hand.right < 0.5)


class Whole:
    """The `fit` of embedders that search the whole picture."""

    kind = "picture"

    def fit(self, data: np.ndarray) -> np.ndarray:
        """The picture itself: something small in it may be what is looked for. ShapeError where it is no picture."""
        check_picture(data)
        return data


class HandEmbedder(Whole):
    """A hand's shape: 60 values, whatever is behind it. Made by `load`; not for two threads at once."""

    name = "hand"
    way, sought = "hand", "hand"
    features = PLAIN
    strangers = staticmethod(other_hands)
    """What else a hand may show, for "none of these"."""

    def __init__(self, tracker: HandTracker) -> None:
        self.tracker = tracker
        self.following = False
        """Whether pictures follow each other: a hand is looked for where it was in the picture before."""
        self.seen: Hand | None = None
        """What the last `embed` found, for drawing."""
        self.fingerprint = fingerprint(self.name, PALM.sha256, LANDMARKS.sha256, *SEARCH, BEND)
        self.embedding_shape: tuple[int, ...] = (HAND_VALUES,)
        self.embedding_dim = HAND_VALUES

    @classmethod
    def load(cls, folder: Path, threads: int | None = None) -> Self:
        """With the models that `install_models` put into a folder."""
        return cls(load_tracker(folder, threads))

    def embed(self, data: np.ndarray) -> np.ndarray:
        """A picture uint8 (height_px, width_px, 3) RGB → float32 (60,); zeros where no hand is."""
        self.seen = self.tracker.follow(data) if self.following else self.tracker.find(data)
        return np.zeros(HAND_VALUES, np.float32) if self.seen is None else shape_of(self.seen)


class HandCropEmbedder(Whole):
    """The hand, upright and as a right hand, as an image embedder sees it; not for two threads at once."""

    way, sought = "hand-crop", "hand"

    def __init__(self, tracker: HandTracker, inner: Embedder) -> None:
        self.tracker, self.inner = tracker, inner
        self.following = False
        self.seen: Hand | None = None
        self.name = f"hand-crop {inner.name}"
        parameters = (PALM.sha256, LANDMARKS.sha256, inner.fingerprint, *SEARCH, CROP_SCALE, CROP_PX)
        self.fingerprint = fingerprint("hand-crop", *parameters)
        self.embedding_shape, self.embedding_dim = inner.embedding_shape, inner.embedding_dim

    def embed(self, data: np.ndarray) -> np.ndarray:
        """A picture uint8 (height_px, width_px, 3) RGB → float32 (embedding_dim,); zeros where no hand is."""
        self.seen = self.tracker.follow(data) if self.following else self.tracker.find(data)
        if self.seen is None:
            return np.zeros(self.embedding_dim, np.float32)
        return self.inner.embed(crop_region(self.seen).crop(data, CROP_PX))


class FaceEmbedder(Whole):
    """Where a face looks: 90 values. Made by `load`; not for two threads at once."""

    name = "face"
    way, sought = "face", "face"
    features = PLAIN

    def __init__(self, tracker: FaceTracker) -> None:
        self.tracker = tracker
        self.following = False
        self.seen: Detection | None = None
        self.fingerprint = fingerprint(self.name, FACE.sha256, *LOOKS)
        self.embedding_shape: tuple[int, ...] = (VALUES,)
        self.embedding_dim = VALUES

    @classmethod
    def load(cls, folder: Path, threads: int | None = None) -> Self:
        """With the model that `install_models` put into a folder."""
        return cls(load_face_tracker(folder, threads))

    def embed(self, data: np.ndarray) -> np.ndarray:
        """A picture uint8 (height_px, width_px, 3) RGB → float32 (90,); zeros where no face is."""
        self.seen = self.tracker.follow(data) if self.following else self.tracker.find(data)
        return np.zeros(VALUES, np.float32) if self.seen is None else pose(self.seen)


class FaceCropEmbedder(Whole):
    """Where a face looks, and the face itself as an image embedder sees it: each of unit length, one after the other.

    So their kernels have the same trace, and the head weighs what either says. Not for two threads at once.
    """

    way, sought = "face-crop", "face"
    features = PLAIN

    def __init__(self, tracker: FaceTracker, inner: Embedder) -> None:
        self.tracker, self.inner = tracker, inner
        self.following = False
        self.seen: Detection | None = None
        self.name = f"face-crop {inner.name}"
        self._map = FeatureMap()
        parameters = (FACE.sha256, *LOOKS, inner.fingerprint, CROP_SCALE, CROP_PX, self._map.saved())
        self.fingerprint = fingerprint("face-crop", *parameters)
        self.embedding_dim = VALUES + self._map.dim(inner.embedding_shape)
        self.embedding_shape: tuple[int, ...] = (self.embedding_dim,)

    def embed(self, data: np.ndarray) -> np.ndarray:
        """A picture uint8 (height_px, width_px, 3) RGB → float32 (embedding_dim,); zeros where no face is."""
        self.seen = self.tracker.follow(data) if self.following else self.tracker.find(data)
        if self.seen is None:
            return np.zeros(self.embedding_dim, np.float32)
        crop = self.inner.embed(around_box(self.seen, CROP_SCALE).crop(data, CROP_PX))
        looks = unit_rows(pose(self.seen)[np.newaxis])[0]
        return np.concatenate([looks, self._map(crop, self.inner.embedding_shape)])


class BoxEmbedder(Whole):
    """A rectangle of every picture, as an image embedder sees it: drawn once, for a camera that does not move."""

    way = "box"

    def __init__(self, inner: Embedder, box: tuple[float, float, float, float]) -> None:
        """`box`: left, top, right, bottom as shares of the width and height, 0 to 1; ConfigError for an empty one."""
        check_box(box)
        self.inner, self.box = inner, box
        self.name = f"box {inner.name}"
        self.fingerprint = fingerprint("box", inner.fingerprint, *box)
        self.embedding_shape, self.embedding_dim = inner.embedding_shape, inner.embedding_dim

    def embed(self, data: np.ndarray) -> np.ndarray:
        """A picture uint8 (height_px, width_px, 3) RGB → float32 (embedding_dim,)."""
        check_picture(data)
        rows, columns = data.shape[:2]
        left, top, right, bottom = self.box
        first, above = min(int(left * columns), columns - 1), min(int(top * rows), rows - 1)
        last, below = max(first + 1, round(right * columns)), max(above + 1, round(bottom * rows))
        return self.inner.embed(data[above:below, first:last])


def check_box(box: tuple[float, float, float, float]) -> None:
    """ConfigError unless left < right and top < bottom, all from 0 to 1."""
    left, top, right, bottom = box
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ConfigError(f"box is {box}; left < right and top < bottom, all from 0 to 1, are wanted")


def fingerprint(*what: Any) -> str:
    """64 hex digits that change with any of these: model files' hashes and parameters."""
    return hashlib.sha256(json.dumps((SAMPLING, *what)).encode()).hexdigest()
