"""What a listener told lately, with its sound for a minute, so that a person can say "that was nothing", "that was …".

Nothing is written here: `device/teach/marked.py` keeps what is marked.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from edge_tl.embedders.windows import word_centre
from edge_tl.errors import ExampleError
from edge_tl.frames import Frame
from edge_tl.media.sound import Sound
from edge_tl.words.utterance import AFTER_S, BEFORE_S

MAX_EVENTS = 50
KEPT_S = 60.0
"""For so long the sound of what was told can be marked."""
MISSED_S = 5.0
"""Who says that a word was missed says so within this."""
WHOLE_S = BEFORE_S + AFTER_S
"""Of a sound that is kept: room for a window at all places where a word is taught."""
LATE_S = 0.35
"""What is kept after the window in which a word was told."""


class ReportedWord(Protocol):
    """A word that was told."""

    @property
    def label(self) -> str:
        """Which."""

    @property
    def confidence(self) -> float:
        """0 to 1."""

    @property
    def time_s(self) -> float:
        """When its window was over, on the clock of the frames."""


@dataclass
class ReportedMoment:
    """Something that was told."""

    number: int
    """From 1 on."""
    label: str
    confidence: float
    """0 to 1."""
    time_s: float
    """When its window was over, on the clock of the frames."""
    heard: np.ndarray | None = None
    """Some two seconds around it, float32 (n,); None before it is over, and after `KEPT_S`."""
    rate_hz: int = 0
    marked: str = ""
    """What a person said that it was; empty while nobody did."""


class Mistakes:
    """The last `MAX_EVENTS` words that were told, and the last seconds of sound; all of it in memory."""

    def __init__(self) -> None:
        self.moments: deque[ReportedMoment] = deque(maxlen=MAX_EVENTS)
        """The oldest first."""
        self._frames: deque[Frame] = deque()
        self._count = 0

    def take(self, frame: Frame, word: ReportedWord | None = None) -> ReportedMoment | None:
        """The next block of sound, and the word that was told with it; what is too old is forgotten."""
        if self._frames and (frame.dropped or frame.rate_hz != self._frames[-1].rate_hz):
            self._settle(ended=True)
            self._frames.clear()
        self._frames.append(frame)
        while self._end_s - _end_s(self._frames[0]) > MISSED_S + LATE_S:
            self._frames.popleft()
        self._settle()
        if word is None:
            return None
        self._count += 1
        self.moments.append(ReportedMoment(self._count, word.label, word.confidence, word.time_s))
        return self.moments[-1]

    def moment(self, number: int | None) -> ReportedMoment:
        """What was told under a number, None for the last; ExampleError where there is none, or it was marked."""
        if not self.moments:
            raise ExampleError("no word was reported yet that could be corrected")
        wanted = self.moments[-1].number if number is None else number
        found = next((one for one in self.moments if one.number == wanted), None)
        if found is None:
            raise ExampleError(f"there is no word with the number {number}: the last {MAX_EVENTS} are kept")
        if found.marked:
            raise ExampleError(f"that was corrected already, as {found.marked}")
        return found

    @property
    def last(self) -> ReportedMoment:
        """What was told last; ExampleError where nothing was."""
        if not self.moments:
            raise ExampleError("nothing was reported yet that could be looked into")
        return self.moments[-1]

    def sound(self, number: int) -> Sound:
        """What was heard when that was told; ExampleError where it is gone."""
        found = next((one for one in self.moments if one.number == number), None)
        if found is not None and found.heard is None:
            self._settle(ended=True)
        if found is None or found.heard is None:
            raise ExampleError(f"its sound is gone: a word can be played and corrected for {KEPT_S:g} s")
        return Sound(found.heard, found.rate_hz)

    def missed(self) -> Sound:
        """The word of the last seconds, cut out as recorded ones are; ExampleError where none is heard in them."""
        if not self._frames:
            raise ExampleError("nothing was heard yet")
        samples, rate_hz = self._between(self._end_s - MISSED_S, self._end_s), self._rate_hz
        centre = None if samples is None else word_centre(samples, rate_hz)
        if samples is None or centre is None:
            raise ExampleError(f"no word was heard in the last {MISSED_S:g} s: say it again, then correct it at once")
        first = max(0, centre - round(BEFORE_S * rate_hz))
        return Sound(samples[first : centre + round(AFTER_S * rate_hz)].copy(), rate_hz)

    @property
    def _end_s(self) -> float:
        return _end_s(self._frames[-1])

    @property
    def _rate_hz(self) -> int:
        rate_hz = self._frames[-1].rate_hz
        assert rate_hz is not None, "of sound"
        return rate_hz

    def _settle(self, *, ended: bool = False) -> None:
        """Cut out what is over, or all where no more comes of it; forget the sound of what is old."""
        for one in self.moments:
            until_s = one.time_s + LATE_S
            if one.heard is None and self._frames and (ended or self._end_s >= until_s) and self._fresh(one):
                one.heard, one.rate_hz = self._between(until_s - WHOLE_S, until_s), self._rate_hz
            if not self._fresh(one):
                one.heard = None

    def _fresh(self, one: ReportedMoment) -> bool:
        return bool(self._frames) and self._end_s - one.time_s <= KEPT_S

    def _between(self, from_s: float, to_s: float) -> np.ndarray | None:
        """What was heard between two times; None where that is too little to be taught."""
        rate_hz = self._rate_hz
        samples = np.concatenate([frame.data for frame in self._frames])
        begun_s = self._frames[0].time_s
        first, last = (max(0, round((at - begun_s) * rate_hz)) for at in (from_s, to_s))
        part = samples[first:last].copy()
        return part if len(part) >= rate_hz // 2 else None


def _end_s(frame: Frame) -> float:
    """When a block of sound is over: reckoned here, with every one of them."""
    assert frame.rate_hz is not None, "of sound"
    return frame.time_s + len(frame.data) / frame.rate_hz
