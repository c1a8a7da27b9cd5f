"""Movements found in a stream: where a hand slows down, the windows that end there are asked what they were."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from edge_tl.movements.track import BRIDGED_S
from edge_tl.movements.windows import MOMENTS, kept, resampled

LENGTHS_S = (0.4, 0.55, 0.75, 1.0, 1.4, 1.9, 2.6)
"""How long windows are, of which those are asked that are about as long as what was taught."""
EVERY_S = 0.1
"""From one time of asking to the next: every third frame at 30 a second."""
AHEAD_S, SPEED_S = 0.1, 0.25
"""A hand is slow by how far its landmarks come in so long a time, which ends so much after the window."""
SLOW = 0.5
"""… at the end at most this share of the window's mean."""
WAIT_S = 0.3
"""A better end, or a longer movement that this one is a part of, may come so much later."""
APART_S = 0.3
"""A window may begin so much before the end of the movement told before."""
DOUBTED = 0.4
"""What is not told and scores less is like no movement: nobody need know of it."""


@dataclass(frozen=True, slots=True)
class FoundMovement:
    """A movement that was found."""

    label: str
    confidence: float
    """The score of its class, cut at 0 and 1."""
    start_s: float
    end_s: float
    """When the window began and ended, on the clock of the frames."""


@dataclass(frozen=True, slots=True)
class DueWindows:
    """The windows of one time of asking, those that may be told."""

    values: np.ndarray
    """float32 (N, 673), as they are kept."""
    lengths_s: np.ndarray
    """(N,)."""
    slow: np.ndarray
    """bool (N,): whether the hand slows down at the end; what is not slow is there for movements that repeat."""
    end_s: float


class Judge(Protocol):
    """What says of windows what they are: a movement head."""

    @property
    def reported(self) -> Sequence[str]:
        """The K classes that are told."""

    @property
    def lengths_s(self) -> tuple[float, ...]:
        """How long the windows are that it is asked, ascending."""

    @property
    def repeating(self) -> np.ndarray:
        """bool (K,): which of them go to and fro, as a wave does, and need not end to be told."""

    def weighed(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Windows float32 (N, 673) → (N, K), 0 to 1 or so: how much each is of a class; bool (N, K): may it be told."""


class WindowQueue:
    """Frames of landmarks in, windows to ask out: of several lengths, every 0.1 s, where the hand slows down."""

    def __init__(self, lengths_s: tuple[float, ...] = LENGTHS_S, *, everywhere: bool = False) -> None:
        """lengths_s: of the windows, ascending; everywhere: also where the hand does not slow down."""
        self.lengths_s, self.everywhere = np.array(lengths_s), everywhere
        self._kept_s = float(self.lengths_s[-1]) + AHEAD_S + SPEED_S + EVERY_S
        self.clear()

    def clear(self) -> None:
        """Forget what was seen: the next frame begins a stream."""
        self._times: deque[float] = deque()
        self._landmarks: deque[np.ndarray] = deque()
        self._asked_s = -np.inf

    def push(self, landmarks: np.ndarray | None, time_s: float) -> DueWindows | None:
        """Take a frame's landmarks (21, 2), None or NaN for no hand; the windows to ask now, None mostly.

        time_s: must rise; a frame that does not come later than the one before is skipped.
        """
        if self._times and time_s - self._times[-1] > BRIDGED_S:
            self.clear()
        if landmarks is None or not np.isfinite(landmarks).all() or (self._times and time_s <= self._times[-1]):
            return None
        self._times.append(time_s)
        self._landmarks.append(np.asarray(landmarks, np.float32))
        while time_s - self._times[0] > self._kept_s:
            self._times.popleft()
            self._landmarks.popleft()
        if time_s - self._asked_s < EVERY_S - 0.005:
            return None
        self._asked_s = time_s
        return self._ask(time_s - AHEAD_S)

    def _ask(self, end_s: float) -> DueWindows | None:
        lengths = self.lengths_s[end_s - self.lengths_s >= self._times[0] - EVERY_S]
        if not len(lengths):
            return None
        times = np.array(self._times)
        landmarks = np.stack(self._landmarks)
        windows = resampled(landmarks, times, end_s - lengths, np.full(len(lengths), end_s))
        slow = self._slowness(landmarks, times, windows, lengths, end_s) <= SLOW
        asked = slow | self.everywhere
        if not asked.any():
            return None
        return DueWindows(kept(windows[asked], lengths[asked]), lengths[asked], slow[asked], end_s)

    @staticmethod
    def _slowness(
        landmarks: np.ndarray, times: np.ndarray, windows: np.ndarray, lengths: np.ndarray, end_s: float
    ) -> np.ndarray:
        """How fast the hand is at the end, as a share of its mean speed in each window."""
        at = np.array([end_s + AHEAD_S - SPEED_S])
        two = resampled(landmarks, times, at, at + SPEED_S)[0, (0, MOMENTS - 1)]
        end = float(np.linalg.norm(two[1] - two[0], axis=1).mean()) / SPEED_S
        # Over as long a time as at the end: what a hand trembles from frame to frame is no speed.
        step = np.maximum(1, np.round(SPEED_S * (MOMENTS - 1) / lengths).astype(np.int64))
        mean = np.empty(len(lengths))
        for row, (window, length, by) in enumerate(zip(windows, lengths, step, strict=True)):
            gone = np.linalg.norm(window[by:] - window[:-by], axis=2).mean()
            mean[row] = gone / (by * length / (MOMENTS - 1))
        return end / np.maximum(mean, 1e-9)


class Spotter:
    """Asks the windows of a stream and tells each movement once.

    After a movement windows that begin before its end are not asked. A movement that is a part of another, a stroke of
    a cross, gives way to the longer one that ends within `WAIT_S` and is surer. Where the hand slows down after what
    resembles a movement and is none to the judge, that is a doubt, known as late as a movement would be told.
    """

    def __init__(self, judge: Judge, *, wait_s: float = WAIT_S) -> None:
        """judge: says what windows are; wait_s: for a better end, >= 0."""
        self.judge, self.wait_s = judge, wait_s
        self._windows = WindowQueue(judge.lengths_s, everywhere=bool(judge.repeating.any()))
        self.clear()

    def clear(self) -> None:
        """Forget what was seen: the next frame begins a stream."""
        self._windows.clear()
        self._best: FoundMovement | None = None
        self._nearly: FoundMovement | None = None
        self._told_s = self._doubted_s = -np.inf
        self.doubt: FoundMovement | None = None
        """What the frame before made clear that it was not told, and what it resembled most; None mostly."""

    def push(self, landmarks: np.ndarray | None, time_s: float) -> FoundMovement | None:
        """Take a frame's landmarks (21, 2) in any unit, x right and y down, None for no hand; a movement that is over.

        time_s: of the frame, as of `Windows.push`.
        """
        asked = self._windows.push(landmarks, time_s)
        if asked is not None:
            self._consider(asked)
        best, nearly, over_s = self._best, self._nearly, time_s - AHEAD_S - self.wait_s
        self.doubt = None
        if best is None and nearly is not None and nearly.end_s <= over_s:
            self.doubt, self._nearly, self._doubted_s = nearly, None, nearly.end_s
        if best is None or best.end_s > over_s:
            return None
        self._best, self._nearly, self._told_s = None, None, best.end_s
        return best

    def _consider(self, asked: DueWindows) -> None:
        """Keep the best of the windows asked, if it is better than what waits to be told."""
        free = asked.end_s - asked.lengths_s >= self._told_s - APART_S
        if not free.any():
            return
        scores, may = self.judge.weighed(asked.values[free])
        slow, lengths_s = asked.slow[free, np.newaxis], asked.lengths_s[free]
        best = self._highest(np.where(may & (slow | self.judge.repeating), scores, -np.inf), lengths_s, asked.end_s)
        if best is not None and (self._best is None or best.confidence > self._best.confidence):
            self._best = best
        apart = (asked.end_s - lengths_s >= self._doubted_s - APART_S)[:, np.newaxis]
        unsure = ~may & slow & apart & (scores >= DOUBTED)
        nearly = self._highest(np.where(unsure, scores, -np.inf), lengths_s, asked.end_s)
        if nearly is not None and (self._nearly is None or nearly.confidence > self._nearly.confidence):
            self._nearly = nearly

    def _highest(self, scores: np.ndarray, lengths_s: np.ndarray, end_s: float) -> FoundMovement | None:
        """The highest of scores (N, K) of windows with these lengths (N,); None where all are −∞."""
        row, column = np.unravel_index(int(scores.argmax()), scores.shape)
        score = float(scores[row, column])
        if not np.isfinite(score):
            return None
        return FoundMovement(
            self.judge.reported[int(column)], min(1.0, max(0.0, score)), end_s - float(lengths_s[row]), end_s
        )
