"""One face, found and followed from picture to picture: where its key points are within its box, whoever it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from edge_tl.core.boxes import overlaps
from edge_tl.embedders.look.palm_and_face import OVERLAP, Detection, Detector
from edge_tl.embedders.look.region import Region
from edge_tl.media.image import check_picture

LOOSE = 0.1
"""What a first find must reach; low, because the looks around it decide."""
SURE_FACE = 0.6
"""A first find of this score is a face's: nobody looks through the windows then."""
FACE_SCORE = 0.45
"""What the looks around a find must reach on average. One look is not to be believed: at 0.5 it misses one face in
eleven of cmu_faces, most of them looking up, and at 0.1 it finds one in 95 of 100 pictures of hands (sign_digits). So
2 of 100 faces are missed, and one is found in 8 of 100 pictures of hands, 3 of digits, 2 of noise."""
WINDOWS = (0.75, 0.55)
"""The sides of the windows in which a face is looked for, against the picture's longer one, three by three of each."""
AT_ONCE = 4
"""How many windows are looked through in each picture of a stream in which no face is: half the time of all."""
AROUND = (2.0, 2.5, 3.2)
"""The sides of the looks around a face, against its box. Their mean says where somebody looks: alone each of them is
right in 96.6 to 97.1 of 100 pictures of people whom nobody taught, the three together in 98.2 (NOTES.md)."""
POINTS = 6
"""Right eye, left eye, tip of the nose, middle of the mouth, right and left ear."""
VALUES = 2 * POINTS + POINTS * (2 * POINTS + 1)
"""What `pose` gives: the coordinates, and all their products."""
STRETCH = 4.0
"""Coordinates in a box are about a quarter: times this, they and their products weigh alike."""
GLANCE = 1
"""Which of the looks around a face is taken alone between pictures that are looked at in full: the middle one."""
LOOKS = (LOOSE, SURE_FACE, FACE_SCORE, WINDOWS, AROUND, STRETCH)
"""All that the answer depends on, for fingerprints."""


class FaceTracker:
    """Finds one face, and follows it; holds where it was in the last picture, and is not for two threads."""

    def __init__(self, faces: Detector) -> None:
        """`faces`: the face detector with a least score of LOOSE."""
        self._faces = faces
        self._last: Detection | None = None
        self._beside: Beside | None = None
        self._turn = 0

    def find(self, picture: np.ndarray) -> Detection | None:
        """The face in a picture uint8 (height_px, width_px, 3) RGB, or None; whatever came before.

        The largest of those that are sure at first sight; or else the surest that shows in a window, where it is larger
        to the detector.
        """
        check_picture(picture)
        return self._search(picture, windows(picture))

    def follow(self, picture: np.ndarray) -> Detection | None:
        """The face in the next picture of a stream: where it was, or else wherever one is; None for no face.

        While there is none, the windows are looked through in turn.
        """
        check_picture(picture)
        self._last = self._last and self.look(picture, self._last)
        if self._last is None:
            every = windows(picture)
            first, self._turn = self._turn, self._turn + AT_ONCE
            self._last = self._search(picture, [every[turn % len(every)] for turn in range(first, self._turn)])
        return self._last

    def glance(self, picture: np.ndarray) -> Detection | None:
        """The face by one look instead of three, moved by what that look was off by when all three were taken last.

        It may be less sure than the mean of three must be, which soon decides again. Where it sees no face, all three
        are taken; where there was none, none is searched for.
        """
        check_picture(picture)
        if self._last is None:
            return None
        seen = None if self._beside is None else self._look_once(picture, self._last, AROUND[GLANCE])
        if self._beside is None or seen is None:
            return self.follow(picture)
        self._last = self._beside.moved(seen)
        return self._last

    def lose(self) -> None:
        """Forget where the face was: the next picture is of another stream."""
        self._last = None

    def count(self, picture: np.ndarray) -> int:
        """How many faces are sure at first sight in a picture, whichever of them is followed."""
        return sum(face.score >= SURE_FACE for face in self._faces(picture))

    def _search(self, picture: np.ndarray, through: list[Region]) -> Detection | None:
        found = self._faces(picture)
        first = next((face for face in found if face.score >= SURE_FACE), None)
        if first is None:
            for window in through:
                found += self._faces(picture, window)
            first = surest(found)
        return first and self.look(picture, first)

    def look(self, picture: np.ndarray, near: Detection) -> Detection | None:
        """The face where one was found or was before: the mean of the looks around it; None where they see none."""
        looks = [self._look_once(picture, near, side) for side in AROUND]
        score = float(np.mean([0.0 if one is None else one.score for one in looks]))
        self._beside = None
        if not score >= FACE_SCORE:
            return None
        there = [one for one in looks if one is not None]
        weights = [one.score for one in there]
        corners, points = [one.box for one in there], [one.points for one in there]
        mean = Detection(
            score, np.average(corners, axis=0, weights=weights), np.average(points, axis=0, weights=weights)
        )
        alone = looks[GLANCE]
        self._beside = None if alone is None else Beside.of(alone, mean)
        return mean

    def _look_once(self, picture: np.ndarray, near: Detection, side: float) -> Detection | None:
        """The surest face in one look around a find that is the same face."""
        return surest(same(self._faces(picture, around_box(near, side)), near))


@dataclass(frozen=True)
class Beside:
    """How far one look lay beside the mean of all, in lengths of that look's box."""

    box: np.ndarray
    """float64 (4,)."""
    points: np.ndarray
    """float64 (6, 2)."""

    @classmethod
    def of(cls, alone: Detection, mean: Detection) -> Self:
        """What `alone` was off by."""
        side_px = max(alone.side_px, 1.0)
        return cls((mean.box - alone.box) / side_px, (mean.points - alone.points) / side_px)

    def moved(self, seen: Detection) -> Detection:
        """A later look, moved by it."""
        return replace(seen, box=seen.box + seen.side_px * self.box, points=seen.points + seen.side_px * self.points)


def around_box(face: Detection, scale: float) -> Region:
    """The square about a face's box, so much larger than its longer side."""
    x, y = (face.box[:2] + face.box[2:]) / 2
    return Region(float(x), float(y), scale * max(face.side_px, 1.0))


def windows(picture: np.ndarray) -> list[Region]:
    """The windows of a picture (height_px, width_px, 3): each size at both borders and in the middle."""
    rows, columns = picture.shape[:2]
    chosen = []
    for share in WINDOWS:
        side = share * max(rows, columns)
        chosen += [Region(x, y, side) for y in along(rows, side) for x in along(columns, side)]
    return chosen


def along(size: float, side: float) -> list[float]:
    """The middles of windows at both ends and in the middle of a size; one that is as large is there once."""
    return [size / 2] if side >= size else [side / 2, size / 2, size - side / 2]


def same(found: list[Detection], one: Detection) -> list[Detection]:
    """Those finds that are the same face as one."""
    if not found:
        return []
    it_is = overlaps(one.box[np.newaxis], np.stack([face.box for face in found]))[0] > OVERLAP
    return [face for face, yes in zip(found, it_is, strict=True) if yes]


def surest(found: list[Detection]) -> Detection | None:
    """The find with the highest score, or None."""
    return max(found, key=lambda face: face.score, default=None)


def pose(face: Detection) -> np.ndarray:
    """float32 (90,): a face's key points from its box's centre, in quarters of its sides, and their products.

    The products let a linear head see what no single point says: how far the nose is between the ears.
    """
    low, high = face.box[:2], face.box[2:]
    points = (STRETCH * (face.points - (low + high) / 2) / np.maximum(high - low, 1e-3)).ravel()
    rows, columns = np.triu_indices(2 * POINTS)
    return np.concatenate([points, points[rows] * points[columns]]).astype(np.float32)
