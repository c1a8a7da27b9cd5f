"""The line of data, one frame at a time: source → embedder → head → controller, each stage timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from device.teach.pace import Pace
from edge_tl.controller import Controller, Steady
from edge_tl.core.answers import Observation
from edge_tl.errors import SourceTimeout
from edge_tl.frames import BaseSource, Frame
from edge_tl.recognizer import Recognizer
from edge_tl.timing import Stopwatch

BREAK_S = 1.0
"""After so long without a frame a hand is looked for everywhere again, not where it was."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What became of one frame."""

    frame: Frame
    embedding: np.ndarray | None
    """float32 (embedding_dim,), rounded as the store keeps it; None where what is looked for is not there."""
    observation: Observation | None = None
    """None while nothing was trained."""
    classes: tuple[str, ...] = ()
    """Of the observation's probabilities: training between two frames may change the recognizer's."""
    steady: Steady | None = None

    @property
    def chances(self) -> dict[str, float]:
        """Label → how much it counts, 0 to 1: its probability, of sound times how familiar it is; empty untrained."""
        if self.observation is None:
            return {}
        familiar = 1.0 if self.frame.rate_hz is None else self.observation.familiar
        return dict(zip(self.classes, map(float, familiar * self.observation.probabilities), strict=True))


class Line:
    """Reads frames and recognises them; the one thread that teaches and plays calls `read`.

    clock: seconds, monotonic, the clock of the source's `time_s`. `stopwatch` collects the times of the stages
    `resize`, `embed`, `head` and `controller`. Its frames follow each other: an embedder that finds a hand is told so
    (`following`), and forgets the hand where the stream breaks or another camera takes over.
    """

    kind = "picture"

    def __init__(
        self,
        source: BaseSource,
        recognizer: Recognizer,
        clock: Callable[[], float],
        controller: Controller | None = None,
    ) -> None:
        self.source, self.recognizer, self.controller = source, recognizer, controller
        self.clock = clock
        self.stopwatch = Stopwatch(clock)
        self.frames = 0
        self.dropped = 0
        self._pace = Pace()
        self._stream = ("", 0.0)

    def read(self, timeout_s: float) -> Sight | None:
        """The next frame with all that is made of it; None where none came in time or the camera is away."""
        try:
            frame = self.source.read(timeout_s)
        except SourceTimeout:
            if self.state != "open":
                self._lose()
            return None
        self.frames += 1
        self.dropped += frame.dropped
        self._pace.count(self.clock())
        embedder, stopwatch = self.recognizer.embedder, self.stopwatch
        self._follow(frame)
        with stopwatch.stage("resize"):
            picture = embedder.fit(frame.data)
        with stopwatch.stage("embed"):
            embedding = self.recognizer.embed(picture)
        if not self.recognizer.fitted:
            return Sight(frame, embedding)
        with stopwatch.stage("head"):
            observation = self.recognizer.recognise(embedding)
        classes = self.recognizer.classes
        if self.controller is None or self.controller.classes != classes:
            return Sight(frame, embedding, observation, classes)
        with stopwatch.stage("controller"):
            steady = self.controller.update(observation.probabilities, frame.time_s, observation.known)
        return Sight(frame, embedding, observation, classes, steady)

    def _follow(self, frame: Frame) -> None:
        """Tell the embedder that this frame follows the one before, or that it does not."""
        name, last_s = self._stream
        if name != self.source.name or frame.time_s - last_s > BREAK_S:
            self._lose()
        self._stream = self.source.name, frame.time_s
        if self.recognizer.finder is not None:
            self.recognizer.finder.following = True

    def _lose(self) -> None:
        if self.recognizer.finder is not None:
            self.recognizer.finder.tracker.lose()

    @property
    def fps(self) -> float:
        """Frames a second over the last thirty; 0 before the second one."""
        return self._pace.fps

    @property
    def state(self) -> str:
        """`open`, or `waiting` while a lost camera is sought."""
        return self.source.state
