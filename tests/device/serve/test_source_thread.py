"""What a device's thread hands to the loop: the newest picture, every block of sound, and whether it hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from device.serve.source_thread import FIRST_PAUSE_S, HANG_S, KEPT_SOUND, Feed
from device.sources.reconnect import ReconnectingSource
from edge_tl.errors import SourceClosed, SourceError, SourceTimeout
from edge_tl.frames import BaseSource, Frame
from edge_tl.testing import FakeClock

LONG_S = 30.0


class Scripted(BaseSource):
    """A source whose reads are what the test says, in the thread that reads it."""

    name, simulated = "scripted", False

    def __init__(self, reads: Callable[[], Frame]) -> None:
        self.reads = reads
        self.opened = self.closed = 0

    def open(self) -> None:
        self.opened += 1

    def read(self, timeout_s: float = 1.0) -> Frame:
        return self.reads()

    def close(self) -> None:
        self.closed += 1


def picture(value: int, time_s: float = 0.0) -> Frame:
    """A plain picture."""
    return Frame(np.full((24, 32, 3), value, np.uint8), time_s)


def feed_of(reads: Callable[[], Frame], clock: FakeClock, kind: str = "picture", **more: Any) -> tuple[Feed, Any]:
    """A feed of scripted reads and the event that it sets."""
    arrived = threading.Event()
    source = ReconnectingSource(lambda: Scripted(reads), clock=clock, patient=True, **more)
    return Feed(source, arrived.set, clock, kind), arrived


def test_of_pictures_the_newest_wins_and_the_lost_ones_are_counted() -> None:
    """Who reads late gets the last picture, and how many it replaced."""
    frames = iter([picture(1), picture(2), picture(3)])
    last = threading.Event()

    def read() -> Frame:
        try:
            return next(frames)
        except StopIteration:
            last.set()
            raise SourceTimeout("no more") from None

    feed, _ = feed_of(read, FakeClock())
    with feed:
        assert last.wait(LONG_S)
        frame = feed.read()
        assert (int(frame.data[0, 0, 0]), frame.dropped) == (3, 2)
        with pytest.raises(SourceTimeout):
            feed.read()


def test_of_sound_every_block_is_kept_up_to_a_limit() -> None:
    """Blocks wait for a loop that is training; beyond the limit the oldest are lost and counted."""
    number = 0
    full = threading.Event()

    def read() -> Frame:
        nonlocal number
        if number == KEPT_SOUND + 7:
            full.set()
            raise SourceTimeout("no more")
        number += 1
        return Frame(np.full(4, number / 1000, np.float32), float(number), number, rate_hz=100)

    feed, _ = feed_of(read, FakeClock(), "sound")
    with feed:
        assert full.wait(LONG_S)
        first = feed.read()
        assert (first.index, first.dropped) == (8, 7)
        assert [feed.read().index for _ in range(3)] == [9, 10, 11]
        assert feed.read().dropped == 0


def test_a_camera_that_is_away_is_sought_and_never_hangs() -> None:
    """State `waiting` with the reason, for as long as it takes: the watchdog has nothing to complain of."""
    clock, tries = FakeClock(), threading.Semaphore(0)

    def acquire() -> Scripted:
        tries.release()
        raise SourceError("no camera: unplugged")

    source = ReconnectingSource(acquire, clock=clock, sleep=lambda s: clock.advance(s), patient=True, name="camera")
    feed = Feed(source, lambda: None, clock, "picture")
    with feed:
        for _ in range(3):
            assert tries.acquire(timeout=LONG_S)
        clock.advance(100 * HANG_S)
        assert (feed.state, feed.hangs) == ("waiting", False)
        assert "unplugged" in feed.fault


def test_a_call_of_an_open_device_that_never_returns_hangs() -> None:
    """After five seconds without a sign of the driver the feed hangs, and closing it does not wait for ever."""
    clock, stuck, free = FakeClock(), threading.Event(), threading.Event()

    def read() -> Frame:
        stuck.set()
        free.wait(LONG_S)
        raise SourceTimeout("late")

    feed, _ = feed_of(read, clock)
    feed.open()
    assert stuck.wait(LONG_S)
    assert not feed.hangs
    clock.advance(HANG_S + 0.1)
    assert feed.hangs
    free.set()
    feed.close()


def test_a_driver_that_raises_what_nobody_expects_is_opened_anew() -> None:
    """Its exception is the fault, its state that of a camera that is sought; after ever longer pauses all is opened
    again, and with the first frame it is well."""
    pauses: list[float] = []
    broken, frames = iter(range(4)), iter([picture(7)])
    last = threading.Event()

    def read() -> Frame:
        for _ in broken:
            raise RuntimeError("segment 7 is upside down\nand more")
        for frame in frames:
            return frame
        last.set()
        raise SourceTimeout("no more")

    feed, arrived = feed_of(read, FakeClock())
    states: list[tuple[str, str]] = []

    def wait(pause_s: float) -> bool:
        if feed.fault and not last.is_set():
            pauses.append(pause_s)
            states.append((feed.state, feed.fault))
        return False

    feed._stopping.wait = wait  # type: ignore[method-assign,assignment]
    with feed:
        assert last.wait(LONG_S)
        assert arrived.is_set()
        assert pauses[:4] == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S, 8 * FIRST_PAUSE_S]
        assert {state for state, _ in states} == {"waiting"}
        assert all(fault.endswith("RuntimeError: segment 7 is upside down") for _, fault in states)
        assert int(feed.read().data[0, 0, 0]) == 7
        assert (feed.state, feed.fault) == ("open", "")


def test_a_recording_that_has_ended_is_no_fault() -> None:
    """Its end is its end: it is opened no more, and reading says so."""

    def read() -> Frame:
        raise SourceClosed("it has ended")

    feed, arrived = feed_of(read, FakeClock())
    feed.open()
    feed._thread.join(LONG_S)
    assert arrived.is_set()
    assert (feed.state, feed.fault) == ("ended", "")
    with pytest.raises(SourceClosed):
        feed.read()
