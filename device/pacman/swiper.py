"""Who sits before the simulated hand: looks where the pilot wants to go, and swipes there."""

from __future__ import annotations

from collections.abc import Mapping

from device.pacman.game import State
from device.pacman.pilot import Pilot
from edge_tl.sources.moving_hand import MovingHand


class Swiper:
    """Called before each frame: a turn that the pilot wants is performed, one movement at a time.

    steering: label → direction, of which those that the hand can perform count.
    """

    def __init__(self, pilot: Pilot, hand: MovingHand, steering: Mapping[str, str]) -> None:
        self.pilot, self.hand = pilot, hand
        self._label_of = {direction: label for label, direction in steering.items() if label in hand.labels}

    def __call__(self) -> None:
        """Begin a movement, where one is wanted and the one before is over."""
        game = self.pilot.game
        if self.hand.busy or game.state is not State.PLAYING or game.paused is not None:
            return
        wanted = self.pilot.wanted()
        label = self._label_of.get(wanted)
        if label is None or (wanted == game.player.direction and game.moving):
            return
        self.hand.perform(label)
