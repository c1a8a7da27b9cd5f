"""One hand, found and followed from picture to picture: 21 landmarks, whether it is there, which hand it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from edge_tl.embedders.look.palm_and_face import SURE, Detection, Detector
from edge_tl.embedders.look.region import Region, around, upright, whole
from edge_tl.errors import ModelError
from edge_tl.media.image import check_picture
from edge_tl.tflite.interpreter import Interpreter

BEND = 0.4
"""What a cosine between two bones weighs beside a coordinate in palm lengths."""

PALM_SCORE = 0.1
"""What a palm must reach; low, because the landmark model's presence decides: 1 of 100 hands more are found."""
PRESENCE = 0.5
"""Below this there is no hand in the region, 0 to 1."""
PALM_SCALE, PALM_SHIFT = 2.6, -0.5
HAND_SCALE, HAND_SHIFT = 2.0, -0.1
"""How much larger than the palm's box, or than the stable landmarks' extent, the region is, and how far it moves up."""
WRIST, INDEX, MIDDLE, RING, LITTLE = 0, 5, 9, 13, 17
"""The wrist, and the first joints of four fingers: all but the last say which way a hand points."""
STABLE = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
"""Landmarks that bent fingers hardly move: the palm, and the lower half of each finger."""
TRIES = 3
"""How many palms, the largest first, are looked at before there is no hand."""
TURNS_RAD = (0.0, 0.44, -0.44)
"""How far the picture is turned in which palms are looked for, in this order: 25° to either side find hands that lie
as the detector did not learn them, in sign_digits 98 of 100 instead of 95."""
SEARCH = (PALM_SCORE, PRESENCE, TURNS_RAD)
"""Which hands are found depends on these: they are in the embedders' fingerprints."""


@dataclass(frozen=True, slots=True)
class Hand:
    """A hand in a picture."""

    points: np.ndarray
    """float64 (21, 3): x and y in the picture's pixels, and depth in the same unit, towards the camera negative.
    The order is MediaPipe's: the wrist, then four points of each finger from the thumb on, from its root to its tip."""
    presence: float
    """How sure the model is that a hand is there, 0.5 to 1."""
    right: float
    """How sure it is that the hand looks like a right hand to a camera that does not mirror, 0 to 1."""
    region: Region
    """The part of the picture that the model saw."""

    @property
    def next_region(self) -> Region:
        """Where this hand is looked for in the next picture."""
        points = self.points[:, :2]
        # A quarter index, a quarter ring, half middle finger: MediaPipe's HandLandmarksToRectCalculator.
        head = (points[INDEX] + points[RING]) / 4 + points[MIDDLE] / 2
        return around(points[list(STABLE)], upright(points[WRIST], head), HAND_SCALE, HAND_SHIFT)


def palm_region(palm: Detection) -> Region:
    """Where the hand of a palm is: key point 0 is the wrist, 2 the first joint of the middle finger."""
    angle_rad = upright(palm.points[0], palm.points[2])
    left, top, right, bottom = palm.box
    side_px = palm.side_px
    # The box is moved along the hand, not turned: it is the palm's, which is about as wide as it is long.
    shift_px = PALM_SHIFT * (bottom - top)
    return Region(
        float((left + right) / 2 - np.sin(angle_rad) * shift_px),
        float((top + bottom) / 2 + np.cos(angle_rad) * shift_px),
        PALM_SCALE * side_px,
        angle_rad,
    )


class HandTracker:
    """Finds the largest hand, and follows it; holds the region of the last picture, and is not for two threads."""

    def __init__(self, palms: Detector, landmarks: Interpreter) -> None:
        """Take the palm detector and MediaPipe's hand landmark model; ModelError for another model."""
        shapes = [info.shape for info in landmarks.outputs]
        if landmarks.inputs[0].shape != (1, 224, 224, 3) or shapes[:3] != [(1, 63), (1, 1), (1, 1)]:
            raise ModelError(f"a hand landmark model with outputs {shapes}; (1, 63), (1, 1), (1, 1) first are wanted")
        self._palms = palms
        self._landmarks = landmarks
        self._size_px = landmarks.inputs[0].shape[1]
        self._region: Region | None = None
        self._last: Hand | None = None
        self._searched = 0

    def find(self, picture: np.ndarray) -> Hand | None:
        """The largest hand in a picture uint8 (height_px, width_px, 3) RGB, or None; whatever came before."""
        check_picture(picture)
        searches = (self._search(picture, turn_rad) for turn_rad in TURNS_RAD)
        return next((hand for hand in searches if hand is not None), None)

    def palms(self, picture: np.ndarray, turn_rad: float = 0.0) -> list[Region]:
        """Where hands may be in a picture turned so far, the largest palm first, at most `TRIES`."""
        turned = replace(whole(picture), angle_rad=turn_rad)
        return [palm_region(palm) for palm in self._palms(picture, turned)[:TRIES]]

    def follow(self, picture: np.ndarray) -> Hand | None:
        """The hand in the next picture of a stream: where it was, or else wherever one is; None for no hand.

        While there is none, each picture is searched in one of the `TURNS_RAD`: a search is as long as it was.
        """
        check_picture(picture)
        hand = None if self._region is None else self.look(picture, self._region)
        if hand is None:
            hand = self._search(picture, TURNS_RAD[self._searched % len(TURNS_RAD)])
            self._searched += 1
        if hand is None:
            self._region = None
        else:
            self._region, self._searched = hand.next_region, 0
        self._last = hand
        return hand

    def glance(self, picture: np.ndarray) -> Hand | None:
        """The hand as it was seen last: the landmarks are one network, of which no part says less for less."""
        check_picture(picture)
        return self._last

    def count(self, picture: np.ndarray) -> int:
        """How many palms are sure at first sight in a picture, whichever hand is followed."""
        return sum(palm.score >= SURE for palm in self._palms(picture))

    def lose(self) -> None:
        """Forget where the hand was: the next picture is of another stream."""
        self._region, self._last, self._searched = None, None, 0

    def _search(self, picture: np.ndarray, turn_rad: float) -> Hand | None:
        for region in self.palms(picture, turn_rad):
            hand = self.look(picture, region)
            if hand is not None:
                # Once more where the landmarks say: what following the hand would see, and 1 to 3 points better.
                return self.look(picture, hand.next_region) or hand
        return None

    def look(self, picture: np.ndarray, region: Region) -> Hand | None:
        """The hand in a region of a picture; None where the model sees none there."""
        size_px = self._size_px
        crop = region.model_input(picture, size_px, repeat=True)
        np.multiply(crop, np.float32(1 / 255), out=self._landmarks.input_view()[0], casting="unsafe")
        points, presence, right = self._landmarks.invoke()[:3]
        if not presence[0, 0] >= PRESENCE:
            return None
        placed = region.to_picture(points.reshape(21, 3).astype(np.float64), size_px)
        return Hand(placed, float(presence[0, 0]), float(right[0, 0]), region)
