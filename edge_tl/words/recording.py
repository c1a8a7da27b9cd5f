"""What is said in one recording: heard as a listener hears it, so that both give the same answer.

A single window around the word would often name what a listener does not tell: it need not be like anything that was
taught, and a stream's windows lie elsewhere. How often the two disagreed: NOTES.md, "Predict and listen".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edge_tl.core.answers import Observation
from edge_tl.embedders.stream import after_it, before_it
from edge_tl.frames import Frame
from edge_tl.labels import OTHER
from edge_tl.listener import SILENT, ListeningConfig, Near, WindowScores, nearest, reported_words
from edge_tl.media.sound import Sound
from edge_tl.recognizer import Recognizer
from edge_tl.words.alarms import heard_in, listening


@dataclass(frozen=True, slots=True)
class RecordingOutcome:
    """What a recognizer of words makes of one recording."""

    observation: Observation
    """Of the surest window of the first word that is told; where none is, of the nearest one if that is likely a word,
    else of a window around what is loudest."""
    words: tuple[Near, ...]
    """The words that a listener tells, in their order, each where it is surest."""
    nearest: Near | None
    """What came nearest to being told; None where no word was taught."""

    @property
    def confidence(self) -> float:
        """What a listener counts, 0 to 1: the probability of the label, times how familiar the window is."""
        return self.words[0].counted if self.words else self.observation.confidence * self.observation.familiar


def hear(recognizer: Recognizer, sound: Sound, config: ListeningConfig) -> RecordingOutcome:
    """Hear a recording of any length as a listener does who begins before it and goes on after it.

    ShapeError for a recognizer of pictures, NotFittedError before `learn`.
    """
    embedder, classes = listening(recognizer), recognizer.classes
    before = before_it(embedder, sound.rate_hz, sound.duration_s)
    after = after_it(embedder, sound.samples, sound.rate_hz)
    windows = heard_in(recognizer, _frames(before, sound, after))
    words = tuple(
        _surest(windows, classes, label, time_s, config) for label, time_s in reported_words(windows, classes, config)
    )
    near = nearest(windows, classes)
    if words:
        observation = _observation(recognizer, windows, words[0])
    else:
        observation = recognizer.observe(sound)
        sure = observation.label not in (None, *SILENT) and observation.confidence * observation.familiar
        if near is not None and (near.counted > 0.5 or sure >= config.threshold):
            observation = _observation(recognizer, windows, near)
    return RecordingOutcome(observation, words, near)


def _frames(before: np.ndarray, sound: Sound, after: np.ndarray) -> Iterator[Frame]:
    """The recording between its edges; time 0 is where it begins."""
    yield Frame(before, -len(before) / sound.rate_hz, rate_hz=sound.rate_hz)
    yield Frame(sound.samples, 0.0, rate_hz=sound.rate_hz)
    yield Frame(after, sound.duration_s, rate_hz=sound.rate_hz)


def _surest(
    windows: WindowScores, classes: tuple[str, ...], label: str, time_s: float, config: ListeningConfig
) -> Near:
    """The surest window of a word from when it was told until another may be."""
    own = (windows.times_s >= time_s) & (windows.times_s <= time_s + config.suppression_s)
    column = classes.index(label)
    counted = np.where(own, windows.probabilities[:, column] * windows.familiar, -1.0)
    row = int(counted.argmax())
    chance, familiar = float(windows.probabilities[row, column]), float(windows.familiar[row])
    likeliest = classes[int(windows.probabilities[row].argmax())]
    return Near(label, float(counted[row]), chance, familiar, likeliest, float(windows.times_s[row]))


def _observation(recognizer: Recognizer, windows: WindowScores, near: Near) -> Observation:
    """The answer of one of the windows, as `Recognizer.recognize` gives it."""
    row = int(np.searchsorted(windows.times_s, near.time_s))
    probabilities, familiar = windows.probabilities[row], float(windows.familiar[row])
    best = recognizer.classes[int(probabilities.argmax())]
    known = familiar >= 0.5 and best != OTHER
    return Observation(best if known else None, best, probabilities, known, familiar)
