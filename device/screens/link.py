"""How fast the line to a terminal is, and so how much of a picture it is sent: pure arithmetic over a clock.

Between a program and a terminal lie buffers of a megabyte (SSH's window, TCP's, the pseudo-terminal's): what is written
as long as it is taken is seen a minute later. So each screen ends with a question that terminals answer when they have
come to it, and the next one waits for the answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from edge_tl.errors import counted

MAX_A_SECOND = 40_000.0
"""Bytes a second that a screen sends at most, however fast the line is."""
SCREEN_S = 1 / 15
"""The shortest time between two screens: over SSH more is only traffic."""
SHARE_S = 0.08
"""A screen's share of a picture is what the line carries in so long, so that keys and texts never wait longer."""
MIN_BYTES = 200
FLIGHT = 4
"""So many screens may be under way where the line is long and not slow."""
SILENT_S = 0.7
"""A terminal that has not answered in so long is taken for one that never does: then only what it takes is known."""
LOST_S = 5.0
"""An answer that is so late is lost."""
FIRST_GUESS = 10_000.0
SLOWEST, FASTEST = 200.0, 2 * MAX_A_SECOND


class Link:
    """The line to a terminal; clock: seconds, monotonic. `poll` is called whenever somebody looks for answers."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        # (when asked, bytes under way then); of a terminal that never answers only the last are kept.
        self._flight: deque[tuple[float, int]] = deque(maxlen=64)
        self._answers = self._silent = False
        self._round_s = float("inf")
        self._next_s = self._polled_s = self._before_s = self._heard_s = clock()
        self._stuck_s: float | None = None
        self._moved = 0
        self.rate = FIRST_GUESS
        """Bytes a second that the line carries, as far as is known."""

    @property
    def asked(self) -> bool:
        """Whether an answer of the terminal may still come."""
        return bool(self._flight) and not self._silent

    @property
    def patience_s(self) -> float:
        """How long the answers that may still come are waited for at the end."""
        return LOST_S / 2 if self._answers else SILENT_S

    @property
    def slow(self) -> bool:
        """Whether it is the line that keeps screens from coming faster."""
        return self.rate < MAX_A_SECOND / 2

    @property
    def most(self) -> int:
        """The bytes that a screen may have; its texts are sent whole all the same."""
        return max(MIN_BYTES, round(SHARE_S * min(self.rate, MAX_A_SECOND)))

    @property
    def ready(self) -> bool:
        """Whether the next screen may be sent."""
        now_s = self._clock()
        if self._stuck_s is not None or now_s < self._next_s:
            return False
        if not self._flight or self._silent:
            return True
        age_s = now_s - self._flight[0][0]
        if not self._answers:
            return len(self._flight) < 2 or age_s > SILENT_S  # the first screen follows the first question
        if now_s - max(self._flight[0][0], self._heard_s) > LOST_S + self._round_s:
            self._flight.clear()
            return True
        return not self.slow and len(self._flight) < FLIGHT and age_s < 1.5 * self._round_s + SCREEN_S / 2

    def poll(self) -> None:
        """Somebody looks now whether there are answers: they came between the last time and this one."""
        self._before_s, self._polled_s = self._polled_s, self._clock()

    def sent(self, size: int, *, asked: bool) -> None:
        """A screen of so many bytes was handed over; asked: a question ends it."""
        now_s = self._clock()
        self._next_s = now_s + max(SCREEN_S, size / min(self.rate, MAX_A_SECOND))
        if not self._answers and self._flight and now_s - self._flight[0][0] > SILENT_S:
            self._silent = True
        if asked:
            under_way = self._flight[-1][1] if self._flight else 0
            self._flight.append((now_s, under_way + size))

    def answered(self, times: int) -> None:
        """So many answers have come since the last `poll`."""
        for _ in range(min(times, len(self._flight))):
            asked_s, size = self._flight.popleft()
            # It came before now; how long before, nobody knows: only what is certain counts against the line.
            delay_s, certain_s = self._polled_s - asked_s, self._before_s - asked_s
            self._round_s = min(delay_s, self._round_s + 0.01 * max(0.0, delay_s - self._round_s))
            waited_s = certain_s - self._round_s
            if waited_s < 0.02:
                self._learn(1.25 * self.rate, 1.0)
            elif size >= MIN_BYTES:
                self._learn(size / waited_s, 0.5)
            self._flight = deque((when_s, max(0, more - size)) for when_s, more in self._flight)
        if times:
            self._answers, self._silent, self._heard_s = True, False, self._clock()

    def moved(self, size: int, left: int) -> None:
        """The terminal has taken so many bytes, and so many could not be handed over yet."""
        now_s = self._clock()
        if self._stuck_s is None:
            if left:
                self._stuck_s, self._moved = now_s, 0
            elif not self._answers:
                self._learn(1.02 * self.rate, 1.0)
            return
        self._moved += size
        if not left:
            if now_s - self._stuck_s >= 0.05:
                # A little less than what it takes, so that what lies between grows shorter.
                self._learn(0.8 * self._moved / (now_s - self._stuck_s), 0.5)
            self._stuck_s = None

    def _learn(self, rate: float, weight: float) -> None:
        self.rate = min(max((1 - weight) * self.rate + weight * rate, SLOWEST), FASTEST)


LEVELS = 3
"""A picture is drawn whole, at half its width and height, or at a third."""
TOO_LONG_S, SHORT_S = 0.5, 0.12
"""A picture that needs longer is drawn smaller, one that needs less larger."""
DWELL_S = 2.0
SLOW_S = 0.3
"""From here on it is said that the terminal is slow."""


class Pictures:
    """How large a picture is drawn, and how long the line needs for one."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._begun_s: float | None = None
        self._waits_s = 0.0
        self._changed_s = float("-inf")
        self.level = 0
        """0: as large as its area; each more is a step smaller."""
        self.each_s = 0.0
        """Seconds that the line needs for a picture; 0 where it has never had to be waited for."""

    def begin(self) -> None:
        """A new picture is drawn."""
        self._begun_s, self._waits_s = self._clock(), 0.0

    def wait(self) -> None:
        """The line has not carried all of it yet."""
        if self._begun_s is not None:
            self._waits_s = self._clock() - self._begun_s

    def end(self, *, slow: bool) -> None:
        """All of it is there; slow: the line is, and not only what a screen may send at most."""
        if self._begun_s is None:
            return
        self._begun_s = None
        self.each_s = 0.7 * self.each_s + 0.3 * self._waits_s
        now_s = self._clock()
        if now_s - self._changed_s < DWELL_S:
            return
        step = (slow and self.each_s > TOO_LONG_S) - (self.each_s < SHORT_S)
        level = min(max(self.level + step, 0), LEVELS - 1)
        if level != self.level:
            self.level, self._changed_s = level, now_s

    def words(self, *, slow: bool) -> str:
        """`slow terminal: picture at 2 a second`, or nothing where it is not slow."""
        if not slow or self.each_s < SLOW_S:
            return ""
        if self.each_s <= 1:
            return f"slow terminal: picture at {round(1 / self.each_s)} a second"
        return (
            f"slow terminal: a picture every {counted(round(self.each_s), 'second')}"
            if self.each_s >= 1.5
            else ("slow terminal: picture at 1 a second")
        )
