"""Sound as it comes, in blocks of any size and rate → windows with their times and embeddings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_tl.embedders.digital_silence import SilenceFiller, audible, hiss
from edge_tl.embedders.embedder import SoundEmbedder
from edge_tl.embedders.windows import ABOVE_FLOOR_DB, levels
from edge_tl.errors import ExampleError, ShapeError
from edge_tl.frames import Frame
from edge_tl.media.frontend import SlidingWindow
from edge_tl.media.resample import Resampler, resample
from edge_tl.media.sound import SHORTEST_S, Sound

FILTER_S = 0.03
"""So much of a stream's end is still within the resampler's filter."""

CLIP_S = 5.0
"""A recording that is no longer holds a word, and was cut around it; a longer one is a stream."""


class WindowStream:
    """An EmbeddingStream for embedders that take each window on its own."""

    def __init__(self, embedder: SoundEmbedder) -> None:
        self._embedder = embedder
        self._windows = SlidingWindow(embedder.window_samples, embedder.hop_samples)

    def push(self, samples: np.ndarray) -> list[np.ndarray]:
        """The embeddings of the windows that are whole after a block float32 (samples,)."""
        return [self._embedder.embed(window) for window in self._windows.push(samples)]


@dataclass(frozen=True, slots=True)
class StreamWindow:
    """One window of a stream."""

    embedding: np.ndarray
    """float32 (embedding_dim,)."""
    samples: np.ndarray
    """The sound itself: float32 (window_samples,) at the embedder's rate."""
    start_s: float
    """When the window's first sample was heard, on the clock of the frames."""
    end_s: float
    """When its last sample was over."""


class StreamingSpeech:
    """Blocks of sound in, windows out.

    Where frames were lost, or the rate changes, the stream begins anew: no window holds sound from both sides of a gap.
    Time is taken from every frame, so that a sound card's clock that runs fast or slow does not add up over hours.
    """

    def __init__(self, embedder: SoundEmbedder) -> None:
        """Listen for `embedder`; the frames' rate is seen from the first of them."""
        self.embedder = embedder
        self._resampler: Resampler | None = None
        self._begin(embedder.rate_hz)

    def reset(self) -> None:
        """Forget what was heard: the next frame begins a new stream."""
        self._resampler = None

    def push(self, frame: Frame) -> list[StreamWindow]:
        """The windows that are whole after a frame of sound, the oldest first; none for most frames.

        ShapeError for a frame that holds no sound, ExampleError for an impossible rate, MissingDependency where the
        frame's rate is not the embedder's and soxr is not installed.
        """
        if frame.rate_hz is None:
            raise ShapeError("got a picture; a frame of sound with its rate is wanted")
        if self._resampler is None or frame.dropped or frame.rate_hz != self._resampler.from_hz:
            self._resampler = Resampler(frame.rate_hz, self.embedder.rate_hz)
            self._begin(frame.rate_hz)
        sound = self._resampler.push(self._hissing.push(frame.data))
        # The frame's first sample in the stream's own time; its filter's delay is taken out by the resampler.
        frame_s = self._taken / frame.rate_hz
        self._taken += len(frame.data)
        first = self._windows.count
        windows, embeddings = self._windows.push(sound), self._stream.push(sound)
        hop_s, long_s = (n / self.embedder.rate_hz for n in (self.embedder.hop_samples, self.embedder.window_samples))
        heard = []
        for number, (window, embedding) in enumerate(zip(windows, embeddings, strict=True), first):
            start_s = frame.time_s + number * hop_s - frame_s
            heard.append(StreamWindow(embedding, window, start_s, start_s + long_s))
        return heard

    def _begin(self, rate_hz: int) -> None:
        self._hissing = SilenceFiller(rate_hz)
        self._stream = self.embedder.stream()
        self._windows = SlidingWindow(self.embedder.window_samples, self.embedder.hop_samples)
        self._taken = 0


def before_it(embedder: SoundEmbedder, rate_hz: int, duration_s: float) -> np.ndarray:
    """What is heard before a recording so long, float32 (samples,) at its rate: before a clip a faint hiss.

    So much that a word at its very beginning lies in a window where words are taught. A longer recording begins as a
    microphone does: half of them begin within a word, which can sound like another.
    """
    before_s = embedder.word_at * embedder.window_samples / embedder.rate_hz if duration_s <= CLIP_S else 0.0
    return hiss(round(before_s * rate_hz))


def after_it(embedder: SoundEmbedder, end: np.ndarray, rate_hz: int) -> np.ndarray:
    """What is heard after a recording that ended so, float32 (samples,) of more than a window or all: a faint hiss.

    Nothing where no word is so near to the end that it needs it: a room that ends at once can sound like a word. A
    recording that is shorter than a window is never heard without it.
    """
    window_s = embedder.window_samples / embedder.rate_hz
    late_s = (1 - embedder.word_at) * window_s + FILTER_S
    if len(end) > window_s * rate_hz:
        loudness = levels(audible(end, rate_hz)[-round(late_s * rate_hz) :], rate_hz)
        if loudness.max() - np.percentile(loudness, 10) < ABOVE_FLOOR_DB:
            return np.zeros(0, np.float32)
    return hiss(round((late_s + embedder.hop_samples / embedder.rate_hz) * rate_hz))


def embed_views(embedder: SoundEmbedder, sound: Sound) -> np.ndarray:
    """What a head learns from one recording: float32 (embedder.views · embedding_dim,), the views one after the other.

    The word at `views` places in the window, for a listener hears every word at several; where no word is heard (noise)
    windows from the beginning to the end. ExampleError for less than 0.1 s.
    """
    samples = resample(audible(sound.samples, sound.rate_hz), sound.rate_hz, embedder.rate_hz)
    if len(samples) < int(SHORTEST_S * embedder.rate_hz):
        raise ExampleError(f"the recording is {sound.duration_s:.2f} s long; {SHORTEST_S:g} s and more are wanted")
    try:
        windows = embedder.taught(samples)
    except ExampleError:  # no word is heard in it
        room = max(0, len(samples) - embedder.window_samples)
        starts = np.linspace(0, room, embedder.views).round().astype(int)
        windows = np.stack([embedder.fit(samples[start : start + embedder.window_samples]) for start in starts])
    return np.concatenate([embedder.embed(window) for window in windows])
