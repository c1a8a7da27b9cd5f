"""Signs of life of work that says nothing for a while: a matrix of ten thousand examples is solved in one call."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

BEAT_S = 1.0
SILENT_S = 300.0
"""So long may work be silent, then it hangs: four seconds on a PC are less than a minute on the slowest Pi."""


class LongWork:
    """Gives signs of life beside a thread that is at something long, until that has been silent for SILENT_S.

    feed: gives one, from any thread. last_s: when the work itself gave one. clock: in seconds, monotonic.
    """

    def __init__(
        self,
        feed: Callable[[], object],
        last_s: Callable[[], float],
        clock: Callable[[], float],
        beat_s: float = BEAT_S,
    ) -> None:
        self._feed, self._last_s, self._clock, self._beat_s = feed, last_s, clock, beat_s

    @contextlib.contextmanager
    def going_on(self) -> Iterator[threading.Thread]:
        """While it lasts, signs are given; the thread that gives them."""
        ended = threading.Event()
        thread = threading.Thread(
            target=self._until, args=(ended, self._clock()), name="edge-tl long work", daemon=True
        )
        thread.start()
        try:
            yield thread
        finally:
            ended.set()
            thread.join()

    def _until(self, ended: threading.Event, begun_s: float) -> None:
        while not ended.wait(self._beat_s) and self._clock() - max(begun_s, self._last_s()) <= SILENT_S:
            self._feed()
