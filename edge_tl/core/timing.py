"""How long each stage takes, lately, and how many frames a second a loop gets through."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

PACE_FRAMES = 30
"""A rate is that of so many frames."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of one stage over the window."""

    p50_ms: float
    """The median."""
    p95_ms: float
    """The time that 95 of 100 stay within; between two measured ones it is interpolated, as NumPy does."""
    count: int
    """How many times are in the window."""


class Stopwatch:
    """Times named stages; keeps the last `window` times of each.

    `clock`: seconds, monotonic. `window`: how many times of a stage are kept, 1 and more.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter, window: int = 600) -> None:
        self._clock = clock
        self._window = window
        self._times_s: dict[str, deque[float]] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block under it; a block that raises is not counted."""
        start_s = self._clock()
        yield
        self.record(name, self._clock() - start_s)

    def record(self, name: str, elapsed_s: float) -> None:
        """Add a time that was measured elsewhere, in seconds."""
        self._times_s.setdefault(name, deque(maxlen=self._window)).append(elapsed_s)

    def timing(self, name: str) -> Timing | None:
        """The percentiles of one stage; None before its first time."""
        times_s = self._times_s.get(name)
        if not times_s:
            return None
        p50_ms, p95_ms = np.percentile(np.fromiter(times_s, float) * 1e3, (50, 95))
        return Timing(float(p50_ms), float(p95_ms), len(times_s))

    def summary(self) -> dict[str, Timing]:
        """The percentiles of every stage, in the order in which they first came."""
        return {name: timing for name in self._times_s if (timing := self.timing(name)) is not None}

    def reset(self) -> None:
        """Forget all times."""
        self._times_s.clear()


class Pace:
    """Counts frames; `fps` is their rate over the last thirty."""

    def __init__(self) -> None:
        self._times_s: deque[float] = deque(maxlen=PACE_FRAMES)

    def count(self, time_s: float) -> None:
        """One more frame, at this time of a monotonic clock."""
        self._times_s.append(time_s)

    @property
    def fps(self) -> float:
        """Frames a second; 0 before the second one."""
        times_s = self._times_s
        if len(times_s) < 2 or times_s[-1] <= times_s[0]:
            return 0.0
        return (len(times_s) - 1) / (times_s[-1] - times_s[0])
