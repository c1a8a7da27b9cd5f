"""A round of Pac-Man: frames and keys steer, ticks step the game. No screen in here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from device.pacman.game import TICKS_PER_SECOND, Game, State
from device.teach.silence import SILENCES
from device.teach.steering import steering as steering_of
from edge_tl.line import Line, Sight, SoundLine

TICK_S = 1.0 / TICKS_PER_SECOND
MAX_BLOCKS = 8
"""Of sound, taken a step: a microphone gives 40 ms each, so that this catches up after a pause."""
PACES = {"movement": 0.5}
"""How fast the game goes, by the kind of the line: a swipe takes half a second, and is told half a second later."""
CATCH_UP_TICKS = 4
"""After a pause of the whole process the game goes on from where it was, instead of racing through what it missed."""


class Round:
    """Reads at most one frame a `step`, then gives the game the ticks that have come due.

    line: None where only keys steer. steering: label → direction. clock, sleep: seconds. voice: a second line, which
    hears words while a camera plays.
    """

    def __init__(
        self,
        game: Game,
        line: Line | None,
        steering: Mapping[str, str],
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        voice: SoundLine | None = None,
    ) -> None:
        self.game, self.line, self.steering, self.voice = game, line, steering, voice
        self._spoken = steering_of(voice.recognizer.classes) if voice is not None else {}
        self.clock, self.sleep = clock, sleep
        self.silence = SILENCES[line.kind](line, clock, "steers") if line is not None else None
        """Why nothing has steered for a while; None where only keys do."""
        self.sight: Sight | None = None
        self.latencies_ms: deque[float] = deque(maxlen=10_000)
        """From the capture of a frame to the direction it gives the game, in ms."""
        self.wanted: str | None = None
        self.pace = PACES.get(line.kind, 1.0) if line is not None else 1.0
        """How fast the game goes, 1 as fast as with signs."""
        self._tick_s = TICK_S / self.pace
        self._next_s = clock()

    def step(self, key: str | None = None) -> Sight | None:
        """One frame and the ticks due; `key` is a direction from the keyboard. Returns what the camera saw, if new."""
        seen = self._look(max(0.001, self._next_s - self.clock()))
        self._hear()
        if key is not None:
            self.wanted = key
        if self.line is not None:
            self.game.hold(self.line.state != "open")
        if self.silence is not None:
            if self.wanted is not None or self.game.state is not State.PLAYING or self.game.paused is not None:
                self.silence.broken()
            elif seen is not None:
                self.silence.saw(seen)
        due = int((self.clock() - self._next_s) / self._tick_s) + 1
        if due > CATCH_UP_TICKS:
            self._next_s = self.clock()
            due = 1
        for _ in range(due):
            self.game.step(self.wanted)
            self.wanted = None
            self._next_s += self._tick_s
        return seen

    def _hear(self) -> None:
        """Take all that waits at the microphone beside the camera: a word steers as a key does."""
        for _ in range(MAX_BLOCKS if self.voice is not None else 0):
            assert self.voice is not None
            sight = self.voice.read(0.0)
            if sight is None:
                return
            if sight.steady is not None:
                self.wanted = self._spoken.get(sight.steady.label or "", self.wanted)

    def _look(self, timeout_s: float) -> Sight | None:
        if self.line is None:
            self.sleep(timeout_s)
            return None
        sight = self.line.read(timeout_s)
        if sight is None:
            return None
        self.sight = sight
        if sight.steady is not None and sight.steady.steers:
            direction = self.steering.get(sight.steady.label or "")
            if direction is not None:
                self.wanted = direction
                # Of a movement from its end on: that is when a person waits for it.
                since_s = sight.frame.time_s if sight.moved is None else sight.moved.end_s
                self.latencies_ms.append(1000 * (self.clock() - since_s))
        return sight
