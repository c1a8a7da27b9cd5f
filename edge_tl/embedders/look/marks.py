"""What was looked at, as outlines and points for a screen to draw over the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_tl.embedders.embedder import Embedder, Finder
from edge_tl.embedders.look.embedders import BoxEmbedder
from edge_tl.embedders.look.hand import Hand
from edge_tl.embedders.look.palm_and_face import Detection


@dataclass(frozen=True)
class Mark:
    """One thing that was found."""

    outline: np.ndarray
    """float64 (4, 2): its corners in the picture's pixels, x and y, in turn."""
    points: np.ndarray
    """float64 (N, 2): its landmarks or key points in the picture's pixels; N may be 0."""


def marks(embedder: Embedder, shape: tuple[int, ...]) -> list[Mark]:
    """What an embedder looked at in its last picture, whose array has this shape (height_px, width_px, …)."""
    if isinstance(embedder, BoxEmbedder):
        left, top, right, bottom = np.array(embedder.box) * (shape[1], shape[0], shape[1], shape[0])
        return [Mark(corners(left, top, right, bottom), np.empty((0, 2)))]
    return _found(embedder)


def spot(embedder: Embedder, shape: tuple[int, ...]) -> np.ndarray:
    """Where in its last picture, of this shape (height_px, width_px, …), an embedder found what it looks for.

    float64 (2,): x and y of the middle as shares of the width and height; NaN where it found nothing or looks for none.
    """
    found = _found(embedder)
    if not found:
        return np.full(2, np.nan)
    middle = np.mean([mark.outline.mean(axis=0) for mark in found], axis=0)
    return np.asarray(middle / (shape[1], shape[0]))


def hand_mark(hand: Hand) -> Mark:
    """A hand that was found, and its landmarks."""
    return Mark(hand.region.corners(), hand.points[:, :2])


def corners(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """The corners float64 (4, 2) of a box, in turn."""
    return np.array(((left, top), (right, top), (right, bottom), (left, bottom)), float)


def _found(embedder: Embedder) -> list[Mark]:
    if not isinstance(embedder, Finder) or embedder.seen is None:
        return []
    return [_mark(one) for one in (embedder.seen if isinstance(embedder.seen, tuple) else (embedder.seen,))]


def _mark(seen: Hand | Detection) -> Mark:
    if isinstance(seen, Hand):
        return hand_mark(seen)
    left, top, right, bottom = seen.box
    return Mark(corners(left, top, right, bottom), seen.points)
