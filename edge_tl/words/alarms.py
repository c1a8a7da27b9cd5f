"""What a listener would have told: in recordings that were left out of training, and in hours of anything else."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from edge_tl.core.examples import beside_recordings
from edge_tl.core.kept import as_stored
from edge_tl.embedders.embedder import SoundEmbedder
from edge_tl.embedders.stream import StreamingSpeech
from edge_tl.errors import NotFittedError, ShapeError
from edge_tl.frames import Frame
from edge_tl.heads import TunedHead
from edge_tl.judge.validation import leave_one_take_out
from edge_tl.listener import WindowScores
from edge_tl.recognizer import Recognizer


def heard_in(recognizer: Recognizer, frames: Iterable[Frame]) -> WindowScores:
    """What a trained recognizer makes of each window of a stream of sound, whatever its length."""
    speech = StreamingSpeech(listening(recognizer))
    probabilities, familiar = [np.empty((0, len(recognizer.classes)))], [np.empty(0)]
    times_s: list[float] = []
    for frame in frames:
        heard = speech.push(frame)
        if heard:
            said, known = answers(recognizer, np.stack([as_stored(window.embedding) for window in heard]))
            probabilities.append(said)
            familiar.append(known)
            times_s += [window.end_s for window in heard]
    return WindowScores(np.concatenate(probabilities), np.concatenate(familiar), np.array(times_s))


def listening(recognizer: Recognizer) -> SoundEmbedder:
    """The embedder of a recognizer of words; ShapeError for one of pictures."""
    if not isinstance(recognizer.embedder, SoundEmbedder):
        raise ShapeError(f"{recognizer.embedder.name} takes pictures; a base of speech is wanted")
    return recognizer.embedder


def answers(recognizer: Recognizer, embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a recognizer of words says of many windows (N, embedding_dim): probabilities (N, C), familiar (N,)."""
    return answers_to(recognizer, recognizer.features(embeddings, recognizer.embedder.embedding_shape))


def answers_to(recognizer: Recognizer, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same of rows (N, F), as the head sees them."""
    proba = recognizer.head.predict_proba(rows)
    if recognizer.reject and recognizer.rejector.ready:
        proba = recognizer.rejector.named(proba, rows, recognizer.classes)
    best = recognizer.head.classes_[proba.argmax(axis=1)]
    return proba, recognizer.rejector.familiar(rows, best) if recognizer.reject else np.ones(len(rows))


def left_out(recognizer: Recognizer) -> list[tuple[str, WindowScores]]:
    """(label, windows) of every recording, answered by a head that was taught the others; after `learn`.

    The windows are the recording's views, which lie as far apart as a stream's: so many a listener hears of a word at
    least. Their times are seconds after the middle of the word. Recordings of a class that has no other are left out,
    and takes aside where there are others; of a tuned head only those are asked that it held out to choose its epoch.
    NotFittedError before `learn`.
    """
    if not recognizer.fitted:
        raise NotFittedError("nothing was trained yet: call learn() first")
    own = len(recognizer.rows[1])
    X, y, takes = recognizer.taught_rows()
    gram = recognizer.gram if len(y) == own else None
    views = recognizer.views
    if isinstance(recognizer.head, TunedHead):  # trained for seconds, and it held some back itself
        proba, held = recognizer.head.predict_proba(X), recognizer.head.held_out_
    else:
        answered = leave_one_take_out(recognizer.new_head, X, y, takes, gram=gram)
        proba, held = answered.proba, answered.judged
    proba, familiar = recognizer.rejector.named_held_out(proba, recognizer.classes)
    held = held & ~np.isnan(familiar) & ~beside_recordings(y, recognizer.aside.rows(takes, views))
    times_s, found = word_times(recognizer), []
    for first in range(0, own, views):
        rows = slice(first, first + views)
        if held[rows].all():
            found.append((str(y[first]), WindowScores(proba[rows], familiar[rows], times_s)))
    return found


def word_times(recognizer: Recognizer) -> np.ndarray:
    """When the views of a recording are over, seconds after the middle of its word: (views,)."""
    embedder = listening(recognizer)
    late_s = (1 - embedder.word_at) * embedder.window_samples / embedder.rate_hz
    aside = np.arange(embedder.views) - embedder.views // 2
    return np.asarray(late_s + embedder.hop_samples / embedder.rate_hz * aside)


def most_per_hour(alarms: int, hours: float) -> float:
    """How many alarms an hour there may be, at most with 95 % confidence, where so many came in so many hours.

    The upper limit of a Poisson rate, χ²(0.95, 2·(alarms + 1))/2, by Wilson and Hilferty's approximation (1931), exact
    to 1 %; infinite for no time.
    """
    if hours <= 0:
        return float("inf")
    events = alarms + 1
    return float(events * (1 - 1 / (9 * events) + 1.6449 / (3 * events**0.5)) ** 3 / hours)
