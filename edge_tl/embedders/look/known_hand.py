"""A hand that need not be found: the simulated hand says where its joints are, for machines without its models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edge_tl.embedders.look.hand import Hand
from edge_tl.embedders.look.region import whole
from edge_tl.sources.moving_hand import MovingHand

TREMBLE = 0.02
"""How far each landmark is off, a standard deviation in palm lengths: less than what a tracker is off by."""


class KnownHand:
    """A Tracker of the simulated hand's joints in the frame that it gave last, which no picture is looked at for."""

    def __init__(self, source: MovingHand, seed: int = 0) -> None:
        """source: open, and read by whoever asks; seed: of how each landmark trembles."""
        self._source, self._rng = source, np.random.default_rng(seed)

    def find(self, picture: np.ndarray) -> Hand | None:
        """The hand in the picture that the source gave last; None before it gave one."""
        joints = self._source.joints
        if not np.isfinite(joints).all():
            return None
        palm_px = float(np.linalg.norm(joints[9] - joints[0]))
        points = np.zeros((len(joints), 3))
        points[:, :2] = joints + self._rng.normal(0, TREMBLE * palm_px, joints.shape)
        hand = Hand(points, presence=1.0, right=1.0, region=whole(picture))
        return replace(hand, region=hand.next_region)

    follow = glance = find

    def lose(self) -> None:
        """Nothing: it is told anew in every picture."""

    def count(self, picture: np.ndarray) -> int:
        """None is skipped."""
        return 0
