"""A thread that reads a camera or microphone, so that nothing the hardware does ever stops the service's loop."""

from __future__ import annotations

import dataclasses
import threading
from collections import deque
from collections.abc import Callable

from device.sources.reconnect import ReconnectingSource
from edge_tl.errors import SourceClosed, SourceTimeout
from edge_tl.frames import BaseSource, Frame

POLL_S = 0.25
KEPT_SOUND = 500
"""Blocks of sound that wait at most: 20 s of 40 ms, longer than any training of the embedded defaults lasts."""
HANG_S = 5.0
"""A call of an open device that has not come back for so long hangs (issue: no heartbeat for 5 s)."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 300.0
"""After a driver raised what nobody expects, until all is opened anew; twice as long each time without a frame."""


class Feed(BaseSource):
    """Hands over the frames of a Reconnecting source that is opened, read and closed in a thread of its own.

    Of pictures the newest wins, of sounds all are kept, up to KEPT_SOUND; what is lost is counted in `dropped`.
    arrived: called, in that thread, when there is something to read. clock: seconds, monotonic.
    """

    def __init__(
        self, source: ReconnectingSource, arrived: Callable[[], None], clock: Callable[[], float], kind: str
    ) -> None:
        self.source, self.kind = source, kind
        self.name, self.simulated = source.name, source.simulated
        self._arrived, self._clock = arrived, clock
        self._frames: deque[Frame] = deque()
        self._lost = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._asked: list[Callable[[BaseSource], None]] = []
        self._beat_s = clock()
        self._ended = self._fallen = False
        self._pause_s = FIRST_PAUSE_S
        self._thread = threading.Thread(target=self._work, name="edge-tl feed", daemon=True)

    @property
    def state(self) -> str:
        """`open`, `waiting` while the device is sought, `ended` after a recording's end, or `closed`."""
        return "ended" if self._ended else "waiting" if self._fallen else self.source.state

    @property
    def fault(self) -> str:
        """What is wrong with the device, in a line; empty where nothing is."""
        return self.source.fault

    @property
    def hangs(self) -> bool:
        """Whether a driver's call does not come back: only a new process helps.

        While the device is sought nothing is expected of it, so that an unplugged one never hangs.
        """
        silent_s = self._clock() - self._beat_s
        return self.source.hangs or (self.state == "open" and self._thread.is_alive() and silent_s > HANG_S)

    def open(self) -> None:
        """Start the thread, which opens the device as soon as it is there."""
        self._beat_s = self._clock()
        self._thread.start()

    def read(self, timeout_s: float = 0.0) -> Frame:
        """The next frame; SourceTimeout at once where none is there: whoever waits, waits for `arrived`."""
        with self._lock:
            if self._frames:
                frame, lost = self._frames.popleft(), self._lost
                self._lost = 0
                return dataclasses.replace(frame, dropped=frame.dropped + lost) if lost else frame
        if self._ended:
            raise SourceClosed(f"{self.name} has ended")
        raise SourceTimeout(f"{self.name}: no frame yet")

    def tell(self, order: Callable[[BaseSource], None]) -> None:
        """Have something done with the source in its own thread, between two reads."""
        self._asked.append(order)

    def close(self) -> None:
        """End the thread, which closes the device; a hung one is left behind."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _work(self) -> None:
        while not (self._stopping.is_set() or self._ended):
            try:
                self._read_on()
            except SourceClosed:
                self._ended = True
            # Whatever a driver raises must be told, or a dead thread would look like a dark camera.
            except Exception as error:
                self.source.fault = f"{self.name}: {type(error).__name__}: {error}".splitlines()[0]
                self._fallen = True
            finally:
                self.source.close()
                self._arrived()
            if self._fallen:
                self._stopping.wait(self._pause_s)
                self._pause_s = min(2.0 * self._pause_s, LONGEST_PAUSE_S)

    def _read_on(self) -> None:
        """Open and hand over what comes; SourceClosed at the end, whatever a driver raises where it fails."""
        source = self.source
        source.open()
        while not self._stopping.is_set():
            self._beat_s = self._clock()
            self.name, self.simulated = source.name, source.simulated
            while self._asked and source.state == "open":
                source.tell(self._asked.pop(0))
                self._forget()
            try:
                frame = source.read(POLL_S)
            except SourceTimeout:
                # A lost device may be refused at once, over and over; never sooner than this.
                self._stopping.wait(0.02 if source.state == "open" else POLL_S)
                continue
            self._fallen, self._pause_s = False, FIRST_PAUSE_S
            self._hand_over(frame)

    def _forget(self) -> None:
        """A picture that waits was made before the source was told something, and is not what was asked for."""
        with self._lock:
            while self.kind == "picture" and self._frames:
                self._lost += self._frames.popleft().dropped + 1

    def _hand_over(self, frame: Frame) -> None:
        with self._lock:
            room = 1 if self.kind == "picture" else KEPT_SOUND
            while len(self._frames) >= room:
                self._lost += self._frames.popleft().dropped + 1
            self._frames.append(frame)
        self._arrived()
