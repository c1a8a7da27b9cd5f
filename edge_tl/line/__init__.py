"""The line of data: source → frame → embedder → head → controller, each stage timed. One for pictures, one for sound.

Source.read → Frame → Embedder.embed → ExampleStore.add | Head.predict_proba → Controller.update → Game.step
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edge_tl.controller import Controller, Steady
from edge_tl.core.answers import Observation
from edge_tl.core.kept import as_stored
from edge_tl.core.timing import Pace, Stopwatch
from edge_tl.embedders.stream import StreamingSpeech, after_it, before_it
from edge_tl.errors import NotFittedError, ShapeError, SourceClosed, SourceTimeout
from edge_tl.frames import BaseSource, Frame
from edge_tl.line.budget import Budget
from edge_tl.line.sight import Sight
from edge_tl.listener import Listener, Near, WindowScores, nearest
from edge_tl.media.spectrum import spectrum
from edge_tl.recognizer import Recognizer

BREAK_S = 1.0
"""After so long without a frame a hand is looked for everywhere again, not where it was."""
LATELY_S = 1.5
"""A word that was told stays on the screen for so long."""
RECENT_S = 3.0
"""So much is kept: for the spectrogram, the end of a recording, and who presses a key just after the word began."""


class Line(ABC):
    """Reads frames and recognizes them; the one thread that teaches and plays calls `read`.

    clock: seconds, monotonic, the clock of the source's `time_s`. `controller` makes steady labels of answers, while it
    knows the recognizer's classes. `stopwatch` collects the times of the stages, and `latency`, from the end of a frame
    to what became of it.
    """

    kind: str
    """`picture`, `sound` or `movement`."""
    controller: Controller | Listener | None

    def __init__(self, source: BaseSource, recognizer: Recognizer, clock: Callable[[], float]) -> None:
        self.source, self.recognizer, self.clock = source, recognizer, clock
        self.stopwatch = Stopwatch(clock)
        self.frames = 0
        self.dropped = 0
        self.sight: Sight | None = None
        """What became of the newest frame."""

    def read(self, timeout_s: float) -> Sight | None:
        """The next frame with all that is made of it; None where none came in time or the device is away.

        SourceClosed at the end of a recording.
        """
        try:
            frame = self._next(timeout_s)
        except SourceTimeout:
            if self.state != "open":
                self._break()
            return None
        self.frames += 1
        self.dropped += frame.dropped
        self.sight = self._look(frame)
        self.stopwatch.record("latency", max(0.0, self.clock() - frame.time_s - frame.duration_s))
        return self.sight

    def _next(self, timeout_s: float) -> Frame:
        return self.source.read(timeout_s)

    @abstractmethod
    def _look(self, frame: Frame) -> Sight:
        """All that is made of a frame."""

    @abstractmethod
    def _break(self) -> None:
        """The stream was broken: the next frame does not follow the last one."""

    @property
    @abstractmethod
    def fps(self) -> float:
        """How many answers a second there are; 0 before the second one."""

    @property
    @abstractmethod
    def label(self) -> str | None:
        """What is to be shown as the answer now."""

    @abstractmethod
    def picture(self, height: int, width: int) -> np.ndarray:
        """What was seen last, uint8 RGB in its own size, or a spectrogram (height, width, 3) of what was heard.

        NotFittedError before the first picture.
        """

    @property
    def state(self) -> str:
        """`open`, or `waiting` while a lost device is searched for."""
        return self.source.state

    @property
    def fault(self) -> str:
        """What is wrong with the device, in a line; empty where nothing is."""
        return self.source.fault

    def health(self) -> dict[str, Any]:
        """How it goes, JSON-able."""
        timing = self.stopwatch.timing("latency")
        return {
            "source": self.source.name,
            "state": self.state,
            "fault": self.fault,
            "frames": self.frames,
            "dropped": self.dropped,
            "frames_per_s": round(self.fps, 1) if self.state == "open" else 0.0,
            "latency_p50_ms": None if timing is None else round(timing.p50_ms, 2),
            "latency_p95_ms": None if timing is None else round(timing.p95_ms, 2),
            "classes": list(self.recognizer.classes) if self.recognizer.fitted else [],
        }


class PictureLine(Line):
    """A Line for a camera; its stages are `resize`, `embed`, `head` and `controller`.

    Its frames follow each other: an embedder that finds a hand is told so (`following`), and forgets the hand where the
    stream breaks or another camera takes over.
    """

    kind = "picture"
    controller: Controller | None

    def __init__(
        self,
        source: BaseSource,
        recognizer: Recognizer,
        clock: Callable[[], float],
        controller: Controller | None = None,
        budget: Budget | None = None,
    ) -> None:
        """budget: how many answers a second are wanted; None to look at each picture in full."""
        super().__init__(source, recognizer, clock)
        self.controller, self.budget = controller, budget
        self._pace = Pace()
        self._stream = ("", 0.0)

    def _look(self, frame: Frame) -> Sight:
        begin_s = self.clock()
        self._pace.count(begin_s)
        self._follow(frame)
        finder, budget = self.recognizer.finder, self.budget
        if finder is None or budget is None:
            return self._seen(frame)
        finder.sparing = budget.glances(finder.max_every)
        sight = self._seen(frame)
        budget.took(self.clock() - begin_s, glanced=finder.sparing)
        return replace(sight, glanced=finder.sparing)

    def _seen(self, frame: Frame) -> Sight:
        stage, recognizer = self.stopwatch.stage, self.recognizer
        with stage("resize"):
            picture = recognizer.embedder.fit(frame.data)
        with stage("embed"):
            embedding = recognizer.embed(picture)
        if not recognizer.fitted:
            return Sight(frame, embedding)
        with stage("head"):
            observation = recognizer.recognize(embedding)
        classes = recognizer.classes
        if self.controller is None or self.controller.classes != classes:
            return Sight(frame, embedding, observation, classes)
        with stage("controller"):
            steady = self.controller.update(observation.probabilities, frame.time_s, observation.known)
        return Sight(frame, embedding, observation, classes, steady)

    def _follow(self, frame: Frame) -> None:
        """Tell the embedder that this frame follows the one before, or that it does not."""
        name, last_s = self._stream
        if name != self.source.name or frame.time_s - last_s > BREAK_S:
            self._break()
        self._stream = self.source.name, frame.time_s
        if self.recognizer.finder is not None:
            self.recognizer.finder.following = True

    def _break(self) -> None:
        if self.recognizer.finder is not None:
            self.recognizer.finder.tracker.lose()
        if self.budget is not None:
            self.budget.reset()

    @property
    def fps(self) -> float:
        """Frames a second over the last thirty; 0 before the second one."""
        return self._pace.fps

    @property
    def label(self) -> str | None:
        """The steady label of the newest frame."""
        return None if self.sight is None or self.sight.steady is None else self.sight.steady.label

    def picture(self, height: int, width: int) -> np.ndarray:
        """As of Line."""
        if self.sight is None:
            raise NotFittedError(f"{self.source.name} has given no picture yet")
        return self.sight.frame.data


@dataclass(frozen=True, slots=True)
class Word:
    """A word that was told."""

    label: str
    confidence: float
    """0 to 1."""
    time_s: float
    """When the window was over in which it was told, on the source's clock."""


class SoundLine(Line):
    """A Line for a microphone, whose frames are blocks of sound; its stages are `embed`, `head` and `listen`.

    Each frame's Sight carries the newest window's answer; its `steady` has a label only with the frame in which a word
    is told. recent: the last three seconds of frames, without a gap. A clip is heard from before its beginning to after
    its end, so that a word at its edge is not skipped, nor a clip that is shorter than a window.
    """

    kind = "sound"
    controller: Listener | None

    def __init__(
        self,
        source: BaseSource,
        recognizer: Recognizer,
        clock: Callable[[], float],
        controller: Listener | None = None,
    ) -> None:
        """ShapeError where the recognizer takes pictures."""
        super().__init__(source, recognizer, clock)
        if recognizer.sound is None:
            raise ShapeError(f"{recognizer.embedder.name} takes pictures; a base of speech is wanted")
        self.embedder, self.controller = recognizer.sound, controller
        self.recent: deque[Frame] = deque()
        self.words: deque[Word] = deque(maxlen=100)
        """The last ones that were told."""
        self.near: Near | None = None
        """How near the newest frame's windows came to a word; None where it completed none."""
        self.nearest: Near | None = None
        """The nearest of all so far."""
        self.first_s = 0.0
        """When the first frame began, on the source's clock."""
        self._speech = StreamingSpeech(self.embedder)
        self._over = False
        self._embedding = np.zeros(self.embedder.embedding_dim, np.float32)
        self._observation: Observation | None = None
        self._classes: tuple[str, ...] = ()

    def _next(self, timeout_s: float) -> Frame:
        """The next block; the silence after a recording is heard too before SourceClosed says that it is over."""
        try:
            return self.source.read(timeout_s)
        except SourceClosed:
            if self._over or not self.recent:
                raise
            self._over = True
            after = self._after()
            if not len(after.data):
                raise
            return after

    def _look(self, frame: Frame) -> Sight:
        if self.frames == 1:
            self.first_s = frame.time_s
            self._speech.push(self._before(frame))
        if frame.dropped:
            self.recent.clear()
            self._break()
        self.recent.append(frame)
        while frame.time_s - self.recent[0].time_s > RECENT_S:
            self.recent.popleft()
        with self.stopwatch.stage("embed"):
            heard = self._speech.push(frame)
        steady: Steady | None = None
        answers: list[tuple[Observation, float]] = []
        for window in heard:
            self._embedding = as_stored(window.embedding)
            if not self.recognizer.fitted:
                continue
            with self.stopwatch.stage("head"):
                self._observation = self.recognizer.recognize(self._embedding)
                self._classes = self.recognizer.classes
            answers.append((self._observation, window.end_s))
            steady = self._listen(self._observation, window.end_s) or steady
        self.near = nearest(windows_of(answers), self._classes) if answers else None
        if self.near is not None and (self.nearest is None or self.near.counted > self.nearest.counted):
            self.nearest = self.near
        return Sight(frame, self._embedding, self._observation, self._classes, steady)

    def _listen(self, observation: Observation, end_s: float) -> Steady | None:
        """What the listener says of the newest window, where it tells a word."""
        if self.controller is None or self.controller.classes != self._classes:
            return None
        with self.stopwatch.stage("listen"):
            steady = self.controller.update(observation.probabilities, end_s, observation.familiar)
        if steady.label is None:
            return None
        self.words.append(Word(steady.label, steady.confidence, end_s))
        return steady

    def _break(self) -> None:
        if self.controller is not None:
            self.controller.reset()

    def _before(self, first: Frame) -> Frame:
        """What is heard before a recording, which may be nothing."""
        rate_hz = first.rate_hz or self.embedder.rate_hz
        before = before_it(self.embedder, rate_hz, self.source.duration_s)
        return Frame(before, first.time_s - len(before) / rate_hz, rate_hz=rate_hz)

    def _after(self) -> Frame:
        """What is heard after a recording, which may be nothing."""
        last, end = self.recent[-1], self._heard()
        rate_hz = last.rate_hz or self.embedder.rate_hz
        after = after_it(self.embedder, end, rate_hz)
        return Frame(after, last.time_s + last.duration_s, last.index + 1, rate_hz=rate_hz)

    def _heard(self) -> np.ndarray:
        """The samples of the last seconds, as far as they have the newest frame's rate."""
        rate_hz = self.recent[-1].rate_hz
        return np.concatenate([frame.data for frame in self.recent if frame.rate_hz == rate_hz])

    @property
    def nearest_s(self) -> float:
        """When that was over, in seconds from the beginning; 0 before any window."""
        return 0.0 if self.nearest is None else self.nearest.time_s - self.first_s

    @property
    def lately(self) -> Word | None:
        """The word that was told last, while it is worth showing."""
        fresh = self.words and self.recent and self.recent[-1].time_s - self.words[-1].time_s < LATELY_S
        return self.words[-1] if fresh else None

    @property
    def label(self) -> str | None:
        """The word that was told last, while it is worth showing."""
        return None if self.lately is None else self.lately.label

    def picture(self, height: int, width: int) -> np.ndarray:
        """As of Line, of the last three seconds; what was not heard yet is dark."""
        if not self.recent:
            return np.zeros((height, width, 3), np.uint8)
        rate_hz = self.recent[-1].rate_hz or self.embedder.rate_hz
        wanted, samples = round(RECENT_S * rate_hz), self._heard()
        samples = np.concatenate((np.zeros(max(0, wanted - len(samples)), np.float32), samples[-wanted:]))
        return spectrum(samples, rate_hz, height, width)

    @property
    def fps(self) -> float:
        """Windows a second."""
        return self.embedder.rate_hz / self.embedder.hop_samples if self.frames else 0.0


def windows_of(answers: list[tuple[Observation, float]]) -> WindowScores:
    """What was answered of windows, and when each was over, as a listener takes it."""
    return WindowScores(
        np.stack([one.probabilities for one, _ in answers]),
        np.array([one.familiar for one, _ in answers]),
        np.array([end_s for _, end_s in answers]),
    )


def line_of(
    source: BaseSource, recognizer: Recognizer, clock: Callable[[], float], budget: Budget | None = None
) -> Line:
    """The line of a recognizer's kind; `budget` as of PictureLine."""
    if recognizer.sound is not None:
        return SoundLine(source, recognizer, clock)
    return PictureLine(source, recognizer, clock, budget=budget)
