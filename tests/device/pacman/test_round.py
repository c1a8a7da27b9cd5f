"""A round: frames and keys steer, ticks come by the clock, a lost camera holds the game."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from device.pacman.game import TICKS_PER_SECOND, Game, State
from device.pacman.maze import pick_maze
from device.pacman.round import Round
from edge_tl.controller import Controller, Steady
from edge_tl.core.answers import Observation
from edge_tl.frames import Frame
from edge_tl.line import Sight
from edge_tl.testing import FakeClock


class FakeLine:
    """A line whose next sight is set by the test."""

    kind = "picture"

    def __init__(self, clock: FakeClock) -> None:
        self.clock, self.state, self.label = clock, "open", None
        self.recognizer = SimpleNamespace(embedder=SimpleNamespace())
        self.controller = Controller(("fist", "palm"))

    def read(self, timeout_s: float) -> object:
        """A sight of the label, 30 a second."""
        self.clock.sleep(min(timeout_s, 1 / 30))
        if self.state != "open":
            return None
        frame = Frame(np.full((8, 8, 3), 120, np.uint8), self.clock() - 0.005)
        steady = Steady(self.label, 0.9 if self.label else 0.2, False, steers=self.label is not None)
        seen = Observation("fist", "fist", np.array([0.2, 0.2]), known=True)
        return Sight(frame, np.ones(4, np.float32), seen, ("fist", "palm"), steady)


def game() -> Game:
    """A game on the compact maze."""
    return Game(pick_maze(24, 80), seed=1)


def test_ticks_follow_the_clock_whatever_the_frame_rate() -> None:
    """Twenty ticks a second, with a camera and without."""
    for with_line in (True, False):
        clock = FakeClock()
        line = FakeLine(clock) if with_line else None
        round_ = Round(game(), line, {}, clock, clock.sleep)  # type: ignore[arg-type]
        while clock() < 3.0:
            round_.step()
        assert abs(round_.game.ticks - 3 * TICKS_PER_SECOND) <= 2


def test_a_steady_label_steers_and_its_latency_is_measured() -> None:
    """A label that is assigned to a direction turns the player that way as soon as the maze lets it."""
    clock = FakeClock()
    line = FakeLine(clock)
    round_ = Round(game(), line, {"fist": "right"}, clock, clock.sleep)  # type: ignore[arg-type]
    line.label = "fist"  # type: ignore[assignment]
    while round_.game.state is not State.PLAYING or round_.game.player.direction != "right":
        round_.step()
        assert clock() < 10
    assert abs(min(round_.latencies_ms) - 5) < 0.01


def test_keys_always_work() -> None:
    """A key steers without a camera."""
    clock = FakeClock()
    round_ = Round(game(), None, {}, clock, clock.sleep)
    while round_.game.state is not State.PLAYING or round_.game.player.direction != "right":
        round_.step("right")
        assert clock() < 10


def test_a_lost_camera_holds_the_game_and_it_goes_on_when_it_is_back() -> None:
    """While the camera is sought nothing moves; afterwards the game goes on."""
    clock = FakeClock()
    line = FakeLine(clock)
    round_ = Round(game(), line, {}, clock, clock.sleep)  # type: ignore[arg-type]
    while clock() < 3:
        round_.step()
    line.state = "waiting"
    round_.step()
    stood = round_.game.ticks
    while clock() < 6:
        round_.step()
    assert round_.game.paused == "camera lost"
    assert round_.game.ticks <= stood + 1
    line.state = "open"
    while clock() < 7:
        round_.step()
    assert round_.game.paused is None
    assert round_.game.ticks > stood + 10


def test_a_process_that_slept_does_not_race() -> None:
    """After ten seconds of sleep the game makes one tick, not two hundred."""
    clock = FakeClock()
    round_ = Round(game(), None, {}, clock, clock.sleep)
    round_.step()
    before = round_.game.ticks
    clock.sleep(10)
    round_.step()
    assert round_.game.ticks <= before + 5


def test_after_five_seconds_in_which_nothing_steered_it_is_said_why() -> None:
    """Not in a pause nor while keys steer; it is gone as soon as a sign or a key steers."""
    clock = FakeClock()
    line = FakeLine(clock)
    round_ = Round(game(), line, {"fist": "right"}, clock, clock.sleep)  # type: ignore[arg-type]
    assert round_.silence is not None
    while round_.game.state is not State.PLAYING:
        round_.step()
    begun_s = clock()
    while not round_.silence.why:
        round_.step()
        assert clock() < begun_s + 5.5
    assert clock() > begun_s + 4.5
    assert round_.silence.why == "not confident enough: fist 20%, steers from 60% on"
    line.label = "fist"  # type: ignore[assignment]
    round_.step()
    assert round_.silence.why == ""
    line.label = None
    for _ in range(6 * 40):
        round_.step("right")
    assert round_.silence.why == ""
    round_.game.pause()
    for _ in range(6 * 40):
        round_.step()
    assert round_.silence.why == ""
    assert Round(game(), None, {}, clock, clock.sleep).silence is None
