"""How many frames a second a loop gets through."""

from __future__ import annotations

from collections import deque

FRAMES = 30


class Pace:
    """Counts frames; `fps` is their rate over the last thirty."""

    def __init__(self) -> None:
        self._times_s: deque[float] = deque(maxlen=FRAMES)

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
