"""A sound as a picture: its spectrogram, for screens and reports."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from edge_tl.media.frontend import check_sound

HIGHEST_HZ = 5_000
"""The top of the picture: above it there is little of a voice."""
WINDOW_S = 0.032
LOUDEST_DB, RANGE_DB = -25.0, 60.0
"""Of a full-scale tone; what is softer than both together is black."""
_COLOURS = np.array(((8, 8, 24), (40, 40, 120), (150, 50, 130), (240, 130, 60), (255, 240, 160)), float)


def spectrum(samples: np.ndarray, rate_hz: int, height: int, width: int) -> np.ndarray:
    """The spectrogram of a sound float32 (samples,) as uint8 (height, width, 3), RGB: time to the right, pitch upwards.

    The same scale every time, so that a soft sound looks soft. ShapeError for no sound.
    """
    check_sound(samples)
    length = max(8, round(WINDOW_S * rate_hz))
    padded = np.concatenate((samples, np.zeros(max(0, length - len(samples)), np.float32)))
    starts = np.linspace(0, len(padded) - length, width).round().astype(int)
    pieces = padded[starts[:, None] + np.arange(length)] * np.hanning(length).astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(pieces, axis=1))) * (4 / length) ** 2
    top = max(2, min(power.shape[1], int(HIGHEST_HZ / rate_hz * length)))
    edges = np.arange(height + 1) * top // height
    # Where there are more rows than bins some rows repeat their neighbour's.
    rows = np.stack([power[:, low : max(low + 1, high)].max(axis=1) for low, high in pairwise(edges)])
    loud = np.clip((10 * np.log10(rows[::-1] + 1e-12) - LOUDEST_DB + RANGE_DB) / RANGE_DB, 0, 1)
    scale = np.linspace(0, 1, len(_COLOURS))
    return np.stack([np.interp(loud, scale, _COLOURS[:, c]) for c in range(3)], axis=-1).astype(np.uint8)
