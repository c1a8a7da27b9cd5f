"""Two hands at once: each found and followed, their shapes side by side."""

from __future__ import annotations

import numpy as np

from edge_tl.embedders.embedder import Finder, Tracker
from edge_tl.embedders.look.any_side import HAND_VALUES, AnySide
from edge_tl.embedders.look.embedders import SMOOTH, fingerprint, shape_of
from edge_tl.embedders.look.hand import BEND, SEARCH, TURNS_RAD, Hand, HandTracker
from edge_tl.embedders.look.made_hands import PAIRS
from edge_tl.embedders.look.models import LANDMARKS, PALM
from edge_tl.embedders.look.region import Region
from edge_tl.media.image import check_picture

MAX_HANDS = 2
SAME = 0.25
"""Two finds whose landmarks lie closer than this share of a region's side, on average, are one hand."""
AGAIN = 10
"""While only one hand is there, the other one is looked for in every so many pictures: finding costs three times
as much as following."""


class BothTracker:
    """Finds and follows up to two hands; holds the regions of the last picture, and is not for two threads."""

    def __init__(self, one: HandTracker) -> None:
        self._one = one
        self._regions: list[Region] = []
        self._last: tuple[Hand, ...] | None = None
        self._since = 0
        self._searched = 0

    def find(self, picture: np.ndarray) -> tuple[Hand, ...] | None:
        """The two largest hands in a picture uint8 (height_px, width_px, 3) RGB, or one; whatever came before."""
        check_picture(picture)
        searches = (self._search(picture, turn_rad) for turn_rad in TURNS_RAD)
        return next((tuple(hands) for hands in searches if hands), None)

    def follow(self, picture: np.ndarray) -> tuple[Hand, ...] | None:
        """The hands in the next picture of a stream: where they were, and sometimes wherever else one may be."""
        check_picture(picture)
        hands: list[Hand] = []
        for region in self._regions:
            hand = self._one.look(picture, region)
            if hand is not None and not any(same(hand, other) for other in hands):
                hands.append(hand)
        self._since += 1
        if not hands or (len(hands) < MAX_HANDS and self._since >= AGAIN):
            found = self._search(picture, TURNS_RAD[self._searched % len(TURNS_RAD)])
            hands += [hand for hand in found if not any(same(hand, other) for other in hands)]
            self._since, self._searched = 0, 0 if hands else self._searched + 1
        hands = hands[:MAX_HANDS]
        self._regions = [hand.next_region for hand in hands]
        self._last = tuple(hands) or None
        return self._last

    def glance(self, picture: np.ndarray) -> tuple[Hand, ...] | None:
        """The hands as they were seen last."""
        check_picture(picture)
        return self._last

    def count(self, picture: np.ndarray) -> int:
        """0: with both hands meant, none is skipped."""
        return 0

    def lose(self) -> None:
        """Forget where the hands were: the next picture is of another stream."""
        self._regions, self._last, self._since, self._searched = [], None, 0, 0

    def _search(self, picture: np.ndarray, turn_rad: float) -> list[Hand]:
        hands: list[Hand] = []
        for region in self._one.palms(picture, turn_rad):
            hand = self._one.look(picture, region)
            hand = hand and (self._one.look(picture, hand.next_region) or hand)
            if hand is not None and not any(same(hand, other) for other in hands):
                hands.append(hand)
                if len(hands) == MAX_HANDS:
                    break
        return hands


class BothHandsEmbedder(Finder[tuple[Hand, ...]]):
    """Two hands' shapes side by side: 120 values, first of the left hand, then of the right one.

    Which is which is told by how the hands look and not by where they are: a hand that is alone, or far to one side,
    keeps its place, and so the classes mean the same wherever somebody sits. Of two that look alike the likelier right
    hand is the right one. Of two hands the one that is not there is zeros.
    """

    name = "hand, both hands"
    way, looks_for = "hand", "hand"
    features = AnySide(hands=2)
    ridge_prior = SMOOTH
    strangers = PAIRS

    def __init__(self, tracker: Tracker[tuple[Hand, ...]]) -> None:
        super().__init__(tracker)
        parameters = (PALM.sha256, LANDMARKS.sha256, *SEARCH, BEND, SAME)
        self.fingerprint = fingerprint("both hands", *parameters)
        self.embedding_shape: tuple[int, ...] = (2 * HAND_VALUES,)
        self.embedding_dim = 2 * HAND_VALUES

    def _embedding(self, picture: np.ndarray, seen: tuple[Hand, ...]) -> np.ndarray:
        embedding = np.zeros(2 * HAND_VALUES, np.float32)
        hands = sorted(seen, key=lambda hand: hand.right)
        for place, hand in enumerate(hands):
            place = place if len(hands) == MAX_HANDS else int(hand.right >= 0.5)
            embedding[place * HAND_VALUES : (place + 1) * HAND_VALUES] = shape_of(hand)
        return embedding


def same(one: Hand, other: Hand) -> bool:
    """Whether two finds are one hand."""
    apart_px = np.linalg.norm(one.points[:, :2] - other.points[:, :2], axis=1).mean()
    return bool(apart_px < SAME * min(one.region.side_px, other.region.side_px))
