"""The thread behind a camera: newest frame, counted drops, and no hang that reaches the reader."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from source_contract import check_source

from device.sources.newest import NewestFrame
from edge_tl.errors import MissingDependency, SourceClosed, SourceError, SourceTimeout
from edge_tl.frames import Frame
from edge_tl.media.image import save_png
from edge_tl.sources.folder import FolderSource

PATIENCE_S = 20.0


class Driver:
    """A camera whose frames, errors and hangs the test hands in one by one."""

    name = "driver"
    simulated = False

    def __init__(self) -> None:
        self.given: queue.Queue[Frame | Exception] = queue.Queue()
        self.asked = threading.Semaphore(0)
        self.may_open = threading.Event()
        self.may_open.set()
        self.closed = threading.Event()
        self.fault: Exception | None = None
        self.threads: set[int] = set()

    def open(self) -> None:
        self.threads.add(threading.get_ident())
        self.may_open.wait()
        if self.fault:
            raise self.fault

    def read(self, timeout_s: float = 1.0) -> Frame:
        self.threads.add(threading.get_ident())
        self.asked.release()
        given = self.given.get()
        if isinstance(given, Exception):
            raise given
        return given

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.closed.set()

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait_asked(self, times: int) -> None:
        """Until the thread has come back for another frame so many times."""
        for _ in range(times):
            assert self.asked.acquire(timeout=PATIENCE_S)


def frame(index: int, dropped: int = 0) -> Frame:
    """A frame with a number."""
    return Frame(np.zeros((1, 1, 3), np.uint8), float(index), index=index, dropped=dropped)


@pytest.fixture
def driver() -> Iterator[Driver]:
    """A driver that no test leaves hanging."""
    made = Driver()
    yield made
    made.may_open.set()
    made.given.put(SourceTimeout("over"))
    made.closed.wait(PATIENCE_S)


def test_it_keeps_the_contract_of_a_source(tmp_path: Path) -> None:
    """Any source behind the thread still behaves like a source, and its index shows every drop."""
    for n in range(3):
        save_png(tmp_path / f"{n}.png", np.full((2, 2, 3), n, np.uint8))
    check_source(lambda: NewestFrame(FolderSource(tmp_path, loop=True)))


def test_the_newest_frame_wins_and_drops_are_counted(driver: Driver) -> None:
    """Of three frames that came meanwhile the last is delivered, with the two others and their own drops counted."""
    with NewestFrame(driver) as source:
        for given in (frame(0), frame(3, dropped=2), frame(4)):
            driver.given.put(given)
        driver.wait_asked(4)
        newest = source.read(PATIENCE_S)
        assert (newest.index, newest.dropped) == (4, 4)
        driver.given.put(frame(5))
        following = source.read(PATIENCE_S)
        assert (following.index, following.dropped) == (5, 0)
        driver.given.put(SourceTimeout("over"))


def test_the_driver_is_used_in_one_thread_only(driver: Driver) -> None:
    """Open, read and close of the driver all happen in the adapter's thread."""
    with NewestFrame(driver) as source:
        driver.given.put(frame(0))
        source.read(PATIENCE_S)
        driver.given.put(SourceTimeout("over"))
    assert driver.closed.wait(PATIENCE_S)
    assert len(driver.threads) == 1
    assert threading.get_ident() not in driver.threads


def test_no_frame_in_time_is_a_timeout_and_after_a_while_a_loss(driver: Driver) -> None:
    """A silent camera gives SourceTimeout, until it was silent for so long that it must be opened anew."""
    now = [0.0]
    with NewestFrame(driver, stall_s=5.0, clock=lambda: now[0]) as source:
        driver.wait_asked(1)
        now[0] = 4.9
        with pytest.raises(SourceTimeout):
            source.read(0.0)
        now[0] = 5.1
        with pytest.raises(SourceError, match="no frame for 5 s") as stalled:
            source.read(0.0)
        assert not isinstance(stalled.value, SourceTimeout)
        driver.given.put(frame(0))
        driver.wait_asked(1)
        assert source.read(0.0).index == 0
        driver.given.put(SourceTimeout("over"))


def test_an_error_in_the_thread_reaches_the_reader_after_the_last_frame(driver: Driver) -> None:
    """What the driver raises is raised by read, as one line, once the frame before it was delivered."""
    source = NewestFrame(driver)
    source.open()
    driver.given.put(frame(7))
    driver.given.put(RuntimeError("i2c fell over\nand more"))
    assert driver.closed.wait(PATIENCE_S)
    assert source.read(PATIENCE_S).index == 7
    for _ in range(2):
        with pytest.raises(SourceError, match=r"driver: the camera failed \(RuntimeError: i2c fell over\)$"):
            source.read(PATIENCE_S)
    source.close()


def test_an_end_of_the_source_is_passed_on(driver: Driver) -> None:
    """SourceClosed from the source is SourceClosed for the reader."""
    with NewestFrame(driver) as source:
        driver.given.put(SourceClosed("the film is over"))
        with pytest.raises(SourceClosed, match="the film is over"):
            source.read(PATIENCE_S)


@pytest.mark.parametrize("fault", [SourceError("no camera"), MissingDependency("install it"), RuntimeError("broken")])
def test_a_failed_open_is_raised_by_open(driver: Driver, fault: Exception) -> None:
    """The source's own errors come out of open as they are, a driver's as SourceError."""
    driver.fault = fault
    wanted = MissingDependency if isinstance(fault, MissingDependency) else SourceError
    source = NewestFrame(driver)
    with pytest.raises(wanted, match=str(fault)):
        source.open()
    assert driver.closed.is_set()
    with pytest.raises(SourceClosed):
        source.read(0.0)


def test_a_driver_that_hangs_in_open_is_given_up(driver: Driver) -> None:
    """Open returns with one line although the driver does not, and the camera is closed when the driver comes back."""
    driver.may_open.clear()
    source = NewestFrame(driver, open_s=0.0, close_s=0.0)
    with pytest.raises(SourceError, match="not open after 0 s"):
        source.open()
    driver.may_open.set()
    assert driver.closed.wait(PATIENCE_S)
    with pytest.raises(SourceClosed):
        source.read(0.0)


def test_a_driver_that_hangs_in_read_does_not_hold_up_close(driver: Driver) -> None:
    """Close returns although the thread hangs, and opening again says so instead of starting a second thread."""
    source = NewestFrame(driver, close_s=0.0)
    source.open()
    driver.wait_asked(1)
    source.close()
    assert not driver.closed.is_set()
    with pytest.raises(SourceError, match="still hangs"):
        source.open()
    driver.given.put(SourceTimeout("over"))
    assert driver.closed.wait(PATIENCE_S)
