"""What the word peers share: sounds on disk, and what is told and falsely told at each threshold. NumPy alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

RATE_HZ = 16_000
REST_S = 2.0
"""After an alarm nothing is told for so long, as the peers' listeners do."""
STEPS = 200


def sound(path: str) -> np.ndarray:
    """float32 samples at 16 kHz."""
    return np.fromfile(path, np.float32)


def buffers(samples: np.ndarray, length_s: float, hop_s: float) -> list[np.ndarray]:
    """The last `length_s` of what was heard, at each hop."""
    length, hop = round(length_s * RATE_HZ), round(hop_s * RATE_HZ)
    whole = np.concatenate((np.zeros(length, np.float32), samples))
    return [whole[end - length : end] for end in range(length + hop, len(whole) + 1, hop)]


def alarms(scores: np.ndarray, threshold: float, hop_s: float) -> int:
    """How often a stream of scores is at the threshold or above it, with the rest after each."""
    rest, count, until = round(REST_S / hop_s), 0, -1
    for at in np.flatnonzero(scores >= threshold):
        if at > until:
            count, until = count + 1, int(at) + rest
    return count


def sweep(asked: Sequence[np.ndarray], silent: np.ndarray, hop_s: float) -> list[list[float]]:
    """[threshold, share told, alarms] from the highest threshold down."""
    peaks = np.array([one.max(initial=-np.inf) for one in asked])
    levels = np.unique(np.concatenate((peaks, np.quantile(silent, np.linspace(0.9, 1, STEPS)))))[::-1]
    return [[float(level), float(np.mean(peaks >= level)), alarms(silent, level, hop_s)] for level in levels]


def spent(run: Callable[[], object], clock: Callable[[], float]) -> float:
    """Seconds of a clock."""
    start_s = clock()
    run()
    return clock() - start_s
