"""A lost camera or microphone comes back by itself: opened again and again, less and less often."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable

from edge_tl.errors import MissingDependency, SourceClosed, SourceError, SourceTimeout
from edge_tl.frames import BaseSource, Frame

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 10.0


class ReconnectingSource(BaseSource):
    """A source that is opened anew when it fails; meanwhile `read` raises SourceTimeout, so that its loop goes on.

    acquire: makes and opens a source, raising SourceError where it cannot; called by `open`, whose first failure is
    the caller's to handle, and again after each loss: at once after FIRST_WAIT_S, then after twice as long each time,
    up to LONGEST_WAIT_S. The waiting starts over with the first frame that arrives. SourceClosed (a recording's end)
    is no loss and is passed on. `index` goes on counting over a loss.

    `state` is "open", "waiting" or "closed"; `fault` is the one line that told of the last loss, or what
    the source says of itself, or "". patient: a source that is not there at `open` is sought like a lost one.
    """

    state = "closed"
    fault = ""

    def __init__(
        self,
        acquire: Callable[[], BaseSource],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        *,
        patient: bool = False,
        name: str = "camera",
    ) -> None:
        self.name = name
        self.simulated = False
        self._acquire, self._clock, self._sleep, self._patient = acquire, clock, sleep, patient
        self._left: list[BaseSource] = []
        self._source: BaseSource | None = None
        self._wait_s = FIRST_WAIT_S
        self._retry_s = 0.0
        self._first_index = 0
        self._next_index = 0

    def open(self) -> None:
        """Acquire the source; raise what that raises, or seek it where it is `patient`."""
        self._first_index = self._next_index = 0
        self._wait_s = FIRST_WAIT_S
        try:
            self._use(self._acquire())
        except (SourceError, MissingDependency) as error:
            if not self._patient:
                raise
            self._lost(error)

    @property
    def duration_s(self) -> float:
        """How long a recording is; infinite for what does not end, and while the source is lost."""
        return math.inf if self._source is None else self._source.duration_s

    def tell(self, order: Callable[[BaseSource], None]) -> None:
        """Have something done with the source that is read now; nothing while it is lost."""
        if self._source is not None:
            self._source.tell(order)

    @property
    def hangs(self) -> bool:
        """Whether a driver's call on a source that was open has not come back: opening it again cannot help."""
        self._left = [source for source in self._left if source.hangs]
        return bool(self._left)

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The next frame; SourceTimeout while the source is lost, after at most `timeout_s` and one try to open it."""
        if self.state == "closed":
            raise SourceClosed(f"{self.name}: not open; call open() first")
        if self._source is None:
            self._try_again(timeout_s)
        assert self._source is not None
        try:
            frame = self._source.read(timeout_s)
        except (SourceTimeout, SourceClosed):
            raise
        except SourceError as error:
            self._source.close()
            self._left.append(self._source)
            raise self._lost(error) from error
        self._wait_s = FIRST_WAIT_S
        self.fault = self._source.fault  # a microphone that is open and gives nothing but zeros
        frame = dataclasses.replace(frame, index=self._first_index + frame.index)
        self._next_index = frame.index + 1
        return frame

    def close(self) -> None:
        """Close the source and stop trying."""
        self.state = "closed"
        if self._source is not None:
            self._source.close()
            self._source = None

    def _use(self, source: BaseSource) -> None:
        self._source, self.name, self.simulated, self.state = source, source.name, source.simulated, "open"

    def _try_again(self, timeout_s: float) -> None:
        left_s = self._retry_s - self._clock()
        if left_s > 0.0:
            self._sleep(min(left_s, max(timeout_s, 0.0)))
            if left_s > timeout_s:
                raise SourceTimeout(f"{self.name}: lost; trying again in {left_s - timeout_s:.1f} s ({self.fault})")
        try:
            self._use(self._acquire())
        except (SourceError, MissingDependency) as error:
            raise self._lost(error) from error
        self._first_index = self._next_index

    def _lost(self, error: Exception) -> SourceTimeout:
        """Note the loss and when to try again; the error for this read."""
        self._source, self.state, self.fault = None, "waiting", str(error)
        self._retry_s = self._clock() + self._wait_s
        message = f"{self.name}: lost; trying again in {self._wait_s:g} s ({self.fault})"
        self._wait_s = min(2.0 * self._wait_s, LONGEST_WAIT_S)
        return SourceTimeout(message)
