"""Zeros of a microphone: one that always hisses is muted then, one with a gate hears nobody speak."""

from __future__ import annotations

import numpy as np

MUTED_S = 1.0
"""Zeros of so long are no accident."""
GATED_S = 0.1
"""A row of zeros so long between two sounds: a gate, of the card or of a noise suppression, closed and opened."""
HISSES_S = 30.0
"""Who gave sound for so long without such a row has no gate."""
LINE = "the microphone gives nothing but zeros: is it muted or unplugged?"


class Zeros:
    """Takes in what a microphone gives since it was opened; `fault` is a line while it seems to be muted, else ""."""

    def __init__(self) -> None:
        self._zero_s = self._sound_s = 0.0
        self._heard = self._gated = False

    def push(self, samples: np.ndarray, rate_hz: int) -> None:
        """A block of sound (samples,)."""
        long_s = len(samples) / rate_hz
        if not samples.any():
            self._zero_s += long_s
            return
        if self._zero_s >= GATED_S:
            self._gated |= self._heard
            self._sound_s = 0.0
        self._heard, self._zero_s = True, 0.0
        self._sound_s += long_s

    @property
    def fault(self) -> str:
        """What is wrong, in a line."""
        quiet = self._heard and (self._gated or self._sound_s < HISSES_S)
        return "" if quiet or self._zero_s < MUTED_S else LINE
