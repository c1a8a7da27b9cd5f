"""Digital silence, heard as a quiet room: files are padded with zeros, and no microphone ever gives them.

A row of zeros is unlike anything that was taught. Words of three speakers between seconds of zeros: 41 of 60 are told,
and 51 where a faint hiss stands in the zeros' place (NOTES.md, "Predict and listen").
"""

from __future__ import annotations

from functools import cache

import numpy as np

from edge_tl.media.frontend import check_sound

MIN_S = 0.005
"""Shorter rows of zeros come in quiet recordings of 16 bits, and stay."""
LEVEL = 1e-4
"""Of the hiss: −80 dB."""
_ROUND = 65_536


def hiss(length: int) -> np.ndarray:
    """A faint noise, always the same: float32 (length,)."""
    return np.random.default_rng(0).standard_normal(length, np.float32) * np.float32(LEVEL)


@cache
def _round() -> np.ndarray:
    """The hiss that goes round and round; made when it is first heard, for importing the library must stay light."""
    return hiss(_ROUND)


class SilenceFiller:
    """Puts a hiss where a stream is digitally silent, from the fifth millisecond on; all else passes as it is.

    Blocks together give bit for bit what the whole sound gives.
    """

    def __init__(self, rate_hz: int) -> None:
        self._least = max(1, round(MIN_S * rate_hz))
        self._zeros = self._at = 0

    def push(self, samples: np.ndarray) -> np.ndarray:
        """A block float32 (samples,) with the hiss in it, itself where none is needed; ShapeError for no sound."""
        check_sound(samples)
        zero = samples == 0
        place = np.arange(len(samples))
        row = place - np.maximum.accumulate(np.where(zero, -1 - self._zeros, place)) if zero.any() else None
        begun, self._at = self._at, self._at + len(samples)
        if row is None:
            self._zeros = 0 if len(samples) else self._zeros
            return samples
        self._zeros = min(int(row[-1]), self._least)
        silent = row >= self._least
        if not silent.any():
            return samples
        return np.where(silent, _round()[(begun + place) % _ROUND], samples)


def audible(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """A whole sound float32 (samples,) so."""
    return SilenceFiller(rate_hz).push(samples)
