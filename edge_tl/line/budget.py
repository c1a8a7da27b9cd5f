"""So many answers a second on a slow machine: which pictures are looked at in full, and which are glanced at."""

from __future__ import annotations

from collections import deque

import numpy as np

from edge_tl.errors import ConfigError

KEPT = 15
"""So many times of each kind are remembered: a machine that grows hot and slow is noticed within a few seconds."""


class Budget:
    """Looks in full as often as so many pictures a second allow, by the times that the last ones took."""

    def __init__(self, fps: float) -> None:
        """fps: answers a second that are wanted; ConfigError unless it is above 0."""
        if not fps > 0:
            raise ConfigError(f"fps is {fps:g}; a number above 0 is wanted")
        self.fps = fps
        self._full_s: deque[float] = deque(maxlen=KEPT)
        self._glance_s: deque[float] = deque(maxlen=KEPT)
        self._since = 0

    def every(self, most: int) -> int:
        """Each so-manyth picture is looked at in full, 1 to `most`: the least that keeps the budget, or the most."""
        if not self._full_s:
            return 1
        full_s = float(np.median(self._full_s))
        glance_s = float(np.median(self._glance_s)) if self._glance_s else 0.0
        fits = (n for n in range(1, most) if (full_s + (n - 1) * glance_s) / n <= 1 / self.fps)
        return next(fits, most)

    def glances(self, most: int) -> bool:
        """Whether the next picture is to be glanced at, by whoever looks at each `most`-th one in full at the least."""
        return 0 < self._since < self.every(most)

    def took(self, elapsed_s: float, *, glanced: bool) -> None:
        """The next picture was looked at, or glanced at, in so many seconds."""
        (self._glance_s if glanced else self._full_s).append(elapsed_s)
        self._since = self._since + 1 if glanced else 1

    def reset(self) -> None:
        """The next picture is of another stream, and is looked at in full."""
        self._since = 0
