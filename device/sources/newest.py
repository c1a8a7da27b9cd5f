"""One thread that only copies and hands over: a slot of one frame, where the newest wins and drops are counted."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable

from edge_tl.errors import EdgeTLError, SourceClosed, SourceError, SourceTimeout
from edge_tl.frames import BaseSource, Frame, Source

POLL_S = 0.5
"""How long the thread waits for one frame before it looks whether it should end."""


class NewestFrame(BaseSource):
    """A camera read in a thread of its own, so that its reader never waits for an old frame, nor for a hung driver.

    source: the camera; opened, read and closed in the thread alone. stall_s: with no frame for so long, `read` raises
    SourceError instead of SourceTimeout, so that the camera is opened anew (a V4L2 or CSI camera whose cable came
    loose blocks its driver's read for ever). open_s, close_s: the longest that `open` and `close` wait for the thread.
    A thread that hangs is left behind, and closes the camera itself should it ever come back.
    """

    def __init__(
        self,
        source: Source,
        stall_s: float = 5.0,
        open_s: float = 5.0,
        close_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = source.name
        self.simulated = source.simulated
        self._source = source
        self._stall_s, self._open_s, self._close_s, self._clock = stall_s, open_s, close_s, clock
        self._changed = threading.Condition()
        # All below is read and written with the condition held.
        self._slot: Frame | None = None
        self._fault: Exception | None = None
        self._opened = False
        self._closing = True
        self._heard_s = 0.0
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Open the camera in its thread; raise what its `open` raises, or SourceError where that takes too long."""
        if self._thread is not None and self._thread.is_alive():
            raise SourceError(f"{self.name}: the driver still hangs from the last time; unplug the camera or restart")
        self._slot = self._fault = None
        self._opened = self._closing = False
        self._thread = threading.Thread(target=self._work, name=f"edge-tl {self.name}", daemon=True)
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._opened or self._fault is not None, self._open_s)
            opened, fault = self._opened, self._fault
        if opened:
            return
        self.close()
        if fault is not None:
            raise self._as_source_error(fault)
        raise SourceError(f"{self.name}: not open after {self._open_s:g} s; check its cable, and who else uses it")

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The newest frame not yet delivered; `dropped` counts those it replaced."""
        with self._changed:
            self._changed.wait_for(lambda: self._slot or self._fault or self._closing, timeout_s)
            if self._closing:
                raise SourceClosed(f"{self.name}: not open; call open() first")
            frame, self._slot = self._slot, None
            fault, silent_s = self._fault, self._clock() - self._heard_s
        if frame is not None:
            return frame
        if fault is not None:
            raise self._as_source_error(fault)
        if silent_s > self._stall_s:
            raise SourceError(f"{self.name}: no frame for {silent_s:.0f} s; check its cable")
        raise SourceTimeout(f"{self.name}: no frame within {timeout_s:g} s; read again")

    def close(self) -> None:
        """Ask the thread to close the camera and wait for it, but never longer than `close_s`."""
        with self._changed:
            self._closing = True
            self._slot = None
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(self._close_s)

    @property
    def hangs(self) -> bool:
        """Whether it was closed and its thread has not come back from the driver."""
        return self._closing and self._thread is not None and self._thread.is_alive()

    def _as_source_error(self, fault: Exception) -> Exception:
        """The camera's own error where it is one of ours, else one line about what its driver raised."""
        if isinstance(fault, EdgeTLError):
            return fault
        reason = (str(fault).splitlines() or [""])[0]
        error = SourceError(f"{self.name}: the camera failed ({type(fault).__name__}: {reason})")
        error.__cause__ = fault
        return error

    def _work(self) -> None:
        try:
            self._source.open()
            with self._changed:
                self._opened = True
                self._heard_s = self._clock()
                self._changed.notify_all()
            while not self._closing:
                try:
                    self._hand_over(self._source.read(POLL_S))
                except SourceTimeout:
                    continue
        # Whatever a driver raises must reach the reader, or a dead thread would look like a dark camera.
        except Exception as error:
            with self._changed:
                self._fault = error
                self._changed.notify_all()
        finally:
            self._source.close()

    def _hand_over(self, frame: Frame) -> None:
        with self._changed:
            if self._slot is not None:
                frame = dataclasses.replace(frame, dropped=frame.dropped + self._slot.dropped + 1)
            self._slot = frame
            self._heard_s = self._clock()
            self._changed.notify_all()
