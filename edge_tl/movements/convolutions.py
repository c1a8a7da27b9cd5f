"""Random convolutions of a movement: what 300 small patterns find in its path and in the change of its shape.

After MiniRocket (Dempster, Schmidt, Webb 2021): weights of two values only, and how often a pattern is above a bias.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from edge_tl.movements.windows import TURNS

KERNELS = 300
LENGTH = 9
BIASES = 3
FEATURES = KERNELS * (BIASES + 2)
_PATH_SHARE = 3  # one kernel in three looks at the path
_CHANNELS = 6  # coordinates of the shape that another one adds up
_SEED = 20


@dataclass(frozen=True)
class Convolutions:
    """The kernels, which are the same everywhere, and what was learned of taught windows: biases and scales."""

    biases: np.ndarray
    """float32 (3, 300)."""
    scales: np.ndarray
    """float32 (300,): the standard deviation of what each kernel gave."""

    @classmethod
    def fit(cls, moments: np.ndarray) -> Self:
        """From taught windows' rows (N, 16, 72)."""
        given = _convolved(moments).reshape(-1, KERNELS)
        at = np.random.default_rng(_SEED + 1).uniform(0.1, 0.9, (BIASES, KERNELS))
        ordered = np.sort(given, axis=0)
        place = np.rint(at * (len(ordered) - 1)).astype(np.int64)
        biases = np.take_along_axis(ordered, place, axis=0)
        return cls(biases.astype(np.float32), np.maximum(given.std(axis=0), 1e-3).astype(np.float32))

    def __call__(self, moments: np.ndarray) -> np.ndarray:
        """Features float32 (N, 1500) of rows (N, 16, 72)."""
        given = _convolved(moments)
        above = [(given > bias).mean(axis=1, dtype=np.float32) for bias in self.biases]
        scales = 5 * self.scales
        return np.concatenate([*above, given.max(axis=1) / scales, given.min(axis=1) / scales], axis=1)


def _kernels() -> tuple[np.ndarray, np.ndarray]:
    """What each kernel adds up, float32 (30, 300), and its weights over time, float32 (9, 300)."""
    rng = np.random.default_rng(_SEED)
    mix = np.zeros((2 + TURNS, KERNELS), np.float32)
    weights = np.full((LENGTH, KERNELS), -1, np.float32)
    for kernel in range(KERNELS):
        weights[rng.choice(LENGTH, 3, replace=False), kernel] = 2
        if kernel % _PATH_SHARE == 0:
            angle_rad = rng.uniform(0, 2 * np.pi)
            mix[:2, kernel] = np.cos(angle_rad), np.sin(angle_rad)
        else:
            chosen = 2 + rng.choice(TURNS, _CHANNELS, replace=False)
            mix[chosen, kernel] = rng.choice((-1, 1), _CHANNELS)
    return mix, weights


_MADE: list[tuple[np.ndarray, np.ndarray]] = []


def _convolved(moments: np.ndarray) -> np.ndarray:
    """What the kernels give, float32 (N, 16, 300), of rows (N, 16, 72); beyond the window all is zero."""
    if not _MADE:
        _MADE.append(_kernels())
    mix, weights = _MADE[0]
    mixed = moments[:, :, : len(mix)] @ mix
    given = np.zeros_like(mixed)
    for number, weight in enumerate(weights):
        shift = number - LENGTH // 2
        if shift >= 0:
            given[:, : given.shape[1] - shift] += weight * mixed[:, shift:]
        else:
            given[:, -shift:] += weight * mixed[:, :shift]
    return given
