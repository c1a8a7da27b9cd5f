"""The line of data for sound: source → windows → embedder → head → listener, each stage timed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from device.teach.picture_line import Sight
from edge_tl.controller import Steady
from edge_tl.core.answers import Observation
from edge_tl.core.rounding import as_stored
from edge_tl.embedders.embedder import SoundEmbedder
from edge_tl.embedders.stream import StreamingSpeech, after_it, before_it
from edge_tl.errors import SourceClosed, SourceTimeout
from edge_tl.frames import BaseSource, Frame
from edge_tl.listener import Listener, Near, Windows, nearest
from edge_tl.media.spectrum import spectrum
from edge_tl.recognizer import Recognizer
from edge_tl.timing import Stopwatch
from edge_tl.words.alarms import listening

LATELY_S = 1.5
"""A word that was told stays on the screen for so long."""
RECENT_S = 3.0
"""So much is kept: for the spectrogram, the end of a recording, and who presses a key just after the word began."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word that was told."""

    label: str
    confidence: float
    """0 to 1."""
    time_s: float
    """When the window was over in which it was told, on the source's clock."""


def windows_of(answers: list[tuple[Observation, float]]) -> Windows:
    """What was answered of windows, and when each was over, as a listener takes it."""
    return Windows(
        np.stack([one.probabilities for one, _ in answers]),
        np.array([one.familiar for one, _ in answers]),
        np.array([end_s for _, end_s in answers]),
    )


class Ear:
    """Reads blocks of sound and recognises words in them; a Line for a microphone, with the same `read`.

    Each frame's Sight carries the newest window's answer; its `steady` has a label only with the frame in which a word
    is told. recent: the last three seconds of frames, without a gap. A clip is heard from before its beginning to after
    its end, so that a word at its edge is not passed over, nor a clip that is shorter than a window.
    """

    kind = "sound"

    def __init__(
        self, source: BaseSource, recognizer: Recognizer, clock: Callable[[], float], listener: Listener | None = None
    ) -> None:
        assert isinstance(recognizer.embedder, SoundEmbedder)
        self.source, self.recognizer, self.clock, self.listener = source, recognizer, clock, listener
        self.stopwatch = Stopwatch(clock)
        self.frames = 0
        self.dropped = 0
        self.recent: deque[Frame] = deque()
        self.words: deque[Word] = deque(maxlen=100)
        """The last ones that were told."""
        self.near: Near | None = None
        """How near the newest frame's windows came to a word; None where it completed none."""
        self.nearest: Near | None = None
        """The nearest of all so far."""
        self.first_s = 0.0
        """When the first frame began, on the source's clock."""
        self._speech = StreamingSpeech(recognizer.embedder)
        self._over = False
        self._embedding = np.zeros(recognizer.embedder.embedding_dim, np.float32)
        self._observation: Observation | None = None
        self._classes: tuple[str, ...] = ()

    def read(self, timeout_s: float) -> Sight | None:
        """The next block with the newest answer; None where none came in time or the microphone is away.

        SourceClosed at the end of a recording, once the silence after it was heard too.
        """
        try:
            frame = self.source.read(timeout_s)
        except SourceTimeout:
            return None
        except SourceClosed:
            if self._over or not self.recent:
                raise
            self._over = True
            frame = self._after()
            if not len(frame.data):
                raise
        self.frames += 1
        if self.frames == 1:
            self.first_s = frame.time_s
            self._speech.push(self._before(frame))
        self.dropped += frame.dropped
        if frame.dropped:
            self.recent.clear()
            if self.listener is not None:
                self.listener.reset()
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
                self._observation = self.recognizer.recognise(self._embedding)
                self._classes = self.recognizer.classes
            answers.append((self._observation, window.end_s))
            steady = self._listen(window.end_s) or steady
        self.near = nearest(windows_of(answers), self._classes) if answers else None
        if self.near is not None and (self.nearest is None or self.near.counted > self.nearest.counted):
            self.nearest = self.near
        return Sight(frame, self._embedding, self._observation, self._classes, steady)

    def _before(self, first: Frame) -> Frame:
        """What is heard before a recording, which may be nothing."""
        assert first.rate_hz is not None
        before = before_it(listening(self.recognizer), first.rate_hz, self.source.duration_s)
        return Frame(before, first.time_s - len(before) / first.rate_hz, rate_hz=first.rate_hz)

    def _after(self) -> Frame:
        """What is heard after a recording, which may be nothing."""
        last = self.recent[-1]
        assert last.rate_hz is not None
        end = np.concatenate([frame.data for frame in self.recent if frame.rate_hz == last.rate_hz])
        after = after_it(listening(self.recognizer), end, last.rate_hz)
        return Frame(after, last.time_s + len(last.data) / last.rate_hz, last.index + 1, rate_hz=last.rate_hz)

    def _listen(self, end_s: float) -> Steady | None:
        """What the listener says of the newest window, where it tells a word."""
        if self.listener is None or self.listener.classes != self._classes or self._observation is None:
            return None
        with self.stopwatch.stage("listen"):
            steady = self.listener.update(self._observation.probabilities, end_s, self._observation.familiar)
        if steady.label is None:
            return None
        self.words.append(Word(steady.label, steady.confidence, end_s))
        return steady

    @property
    def nearest_s(self) -> float:
        """When that was over, in seconds from the beginning; 0 before any window."""
        return 0.0 if self.nearest is None else self.nearest.time_s - self.first_s

    @property
    def lately(self) -> Word | None:
        """The word that was told last, while it is worth showing."""
        fresh = self.words and self.recent and self.recent[-1].time_s - self.words[-1].time_s < LATELY_S
        return self.words[-1] if fresh else None

    def spectrum(self, height: int, width: int) -> np.ndarray:
        """The last three seconds as a picture, uint8 (height, width, 3); what was not heard yet is dark."""
        if not self.recent:
            return np.zeros((height, width, 3), np.uint8)
        rate_hz = self.recent[-1].rate_hz
        assert rate_hz is not None
        samples = np.concatenate([frame.data for frame in self.recent if frame.rate_hz == rate_hz])
        wanted = round(RECENT_S * rate_hz)
        samples = np.concatenate((np.zeros(max(0, wanted - len(samples)), np.float32), samples[-wanted:]))
        return spectrum(samples, rate_hz, height, width)

    @property
    def fps(self) -> float:
        """Windows a second."""
        assert isinstance(self.recognizer.embedder, SoundEmbedder)
        return self.recognizer.embedder.rate_hz / self.recognizer.embedder.hop_samples if self.frames else 0.0

    @property
    def state(self) -> str:
        """`open`, or `waiting` while a lost microphone is sought."""
        return self.source.state

    @property
    def fault(self) -> str:
        """What is wrong with the microphone, in a line; empty where nothing is."""
        return self.source.fault
