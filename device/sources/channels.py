"""Which channels of a microphone hold sound: many I2S microphones fill only the right one, mono plugs only the left."""

from __future__ import annotations

import numpy as np

AWAY_DB, BACK_DB = 20.0, 12.0
"""A channel that is so much quieter than the loudest holds no sound of its own, and one that comes so near does."""
HALF_S = 10.0
"""What was loud counts half after so long."""


class Channels:
    """Makes one channel of several, from blocks of one stream: the mean of those with sound."""

    def __init__(self, count: int) -> None:
        self._power = np.zeros(count)
        self._used = np.ones(count, bool)

    def mixed(self, block: np.ndarray, rate_hz: int) -> np.ndarray:
        """float32 (samples,) in [-1, 1] of a block int16 (samples, channels)."""
        if block.shape[1] > 1 and len(block):
            power = block.astype(np.float32).var(axis=0, dtype=np.float64)  # without what the card adds to all samples
            self._power = np.maximum(power, self._power * 0.5 ** (len(block) / rate_hz / HALF_S))
            least_db = np.where(self._used, AWAY_DB, BACK_DB)
            self._used = self._power >= self._power.max() * 10 ** (-least_db / 10)
            block = block[:, self._used]
        mixed: np.ndarray = block.mean(axis=1, dtype=np.float32) / np.float32(32768)
        return mixed
