"""A lost camera comes back by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from source_contract import check_source

from device.sources.reconnect import ReconnectingSource
from edge_tl.errors import SourceClosed, SourceError, SourceTimeout
from edge_tl.frames import BaseSource, Frame
from edge_tl.media.image import save_png
from edge_tl.sources.folder import FolderSource
from edge_tl.sources.simulated import SimulatedPlayer


class Clock:
    """A clock that only `sleep` moves on."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class Loose(BaseSource):
    """A camera with a loose cable: so many frames, then an error."""

    name = "loose camera"
    simulated = False

    def __init__(self, frames: int) -> None:
        self.left = self.frames = frames
        self.closed = False

    def open(self) -> None:
        self.left = self.frames

    def read(self, timeout_s: float = 1.0) -> Frame:
        if not self.left:
            raise SourceError("loose camera: it is gone")
        self.left -= 1
        return Frame(np.zeros((1, 1, 3), np.uint8), 0.0, index=self.frames - self.left - 1)

    def close(self) -> None:
        self.closed = True


def line_up(*makers: Callable[[], BaseSource]) -> Callable[[], BaseSource]:
    """Acquires what the makers give, one after the other."""
    waiting = iter(makers)
    return lambda: next(waiting)()


def absent() -> BaseSource:
    """No camera there."""
    raise SourceError("no camera")


def opened(source: BaseSource) -> BaseSource:
    """The source, open."""
    source.open()
    return source


def test_it_keeps_the_contract_of_a_source(tmp_path: Path) -> None:
    """Wrapped sources are still sources, with their names."""
    for n in range(3):
        save_png(tmp_path / f"{n}.png", np.zeros((2, 2, 3), np.uint8))
    check_source(lambda: ReconnectingSource(lambda: opened(FolderSource(tmp_path))))
    check_source(lambda: ReconnectingSource(lambda: opened(SimulatedPlayer())))
    with ReconnectingSource(lambda: opened(SimulatedPlayer())) as source:
        assert (source.name, source.simulated, source.state) == ("simulated player", True, "open")
    assert source.state == "closed"


def test_a_lost_camera_is_opened_anew() -> None:
    """A loss is a SourceTimeout and state `waiting`; after half a second the camera is opened again; index goes on."""
    clock = Clock()
    first, second = Loose(2), Loose(3)
    with ReconnectingSource(line_up(lambda: first, lambda: second), clock, clock.sleep) as source:
        assert [source.read().index for _ in range(2)] == [0, 1]
        with pytest.raises(SourceTimeout, match=r"lost; trying again in 0\.5 s \(loose camera: it is gone\)"):
            source.read()
        assert (source.state, source.fault, first.closed) == ("waiting", "loose camera: it is gone", True)
        with pytest.raises(SourceTimeout):
            source.read(timeout_s=0.2)
        assert clock.now_s == pytest.approx(0.2)
        assert [source.read().index for _ in range(3)] == [2, 3, 4]
        assert (source.state, source.fault) == ("open", "")
        assert clock.now_s == pytest.approx(0.5)
    assert second.closed


def test_the_waiting_doubles_up_to_ten_seconds_and_starts_over_with_a_frame() -> None:
    """Tries come after 0.5, 1, 2, 4, 8, 10, 10 … seconds; an opening without a frame does not start that over."""
    clock = Clock()
    tries_s: list[float] = []

    def note(make: Callable[[], BaseSource]) -> Callable[[], BaseSource]:
        def make_and_note() -> BaseSource:
            tries_s.append(clock.now_s)
            return make()

        return make_and_note

    script = [lambda: Loose(1), *[absent] * 3, lambda: Loose(0), *[absent] * 3, lambda: Loose(1), absent]
    with ReconnectingSource(line_up(*map(note, script)), clock, clock.sleep) as source:
        while len(tries_s) < len(script):
            try:
                source.read()
            except SourceTimeout:
                continue
    np.testing.assert_allclose(np.diff(tries_s), [0.5, 1, 2, 4, 8, 10, 10, 10, 0.5])


def test_a_waiting_read_never_takes_longer_than_its_timeout() -> None:
    """While the camera is lost a loop goes on ticking: each read comes back in its time."""
    clock = Clock()
    with ReconnectingSource(line_up(lambda: Loose(0), *[absent] * 50), clock, clock.sleep) as source:
        for _ in range(100):
            before_s = clock.now_s
            with pytest.raises(SourceTimeout):
                source.read(timeout_s=0.05)
            assert clock.now_s - before_s <= 0.05 + 1e-9
        assert clock.now_s == pytest.approx(0.05 * 99, abs=0.3)


def test_the_first_failure_is_the_callers() -> None:
    """Where there is no camera at the start, open says so instead of waiting for ever."""
    source = ReconnectingSource(absent)
    with pytest.raises(SourceError, match="no camera"):
        source.open()
    with pytest.raises(SourceClosed):
        source.read()


def test_timeouts_and_the_end_of_a_recording_are_no_losses(tmp_path: Path) -> None:
    """SourceTimeout and SourceClosed of the source are passed on and nothing is opened again."""
    clock = Clock()
    save_png(tmp_path / "a.png", np.zeros((2, 2, 3), np.uint8))
    folder = FolderSource(tmp_path, fps=1.0, clock=clock, sleep=clock.sleep)
    with ReconnectingSource(line_up(lambda: opened(folder)), clock, clock.sleep) as source:
        source.read()
        with pytest.raises(SourceTimeout):
            source.read(timeout_s=0.1)
        with pytest.raises(SourceClosed):
            source.read()
        assert source.state == "open"
