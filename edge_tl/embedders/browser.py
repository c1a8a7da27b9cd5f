"""The published 18-word base model (or one like it) as an embedder of sound: what its convolutions give.

Front-end "browser-fft" of spec S4: 44.1 kHz, 43 frames of 232 bins; the convolutions run as TFLite. The dense layer
above them runs in NumPy: heads see its 2000 values, and the tuned head trains it further. The last convolutions can run
in NumPy too (`unfrozen`), so that it trains them as well.
"""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from edge_tl.core.features import PLAIN, FeatureMap
from edge_tl.embedders.speech_base import BASE, WINDOW_SHAPE, SpeechBase, read_base
from edge_tl.embedders.windows import cut_word, fitted, focus_frame
from edge_tl.errors import ExampleError, ModelError, counted
from edge_tl.media.frontend import (
    BINS,
    FRAMES,
    HOP_SAMPLES,
    RATE_HZ,
    WINDOW_SAMPLES,
    SlidingWindow,
    SpectrogramStream,
    decision_hop,
    model_input,
)
from edge_tl.nn import Network
from edge_tl.nn.network import Upper
from edge_tl.tflite.interpreter import Interpreter
from edge_tl.tflite.unfreeze import unfreeze

OVERLAP = 0.9
"""Of a window of a stream with the next: 93 ms from one to the other."""
WORD_AT = 0.5
SHIFTS = tuple(frames * HOP_SAMPLES for frames in (-8, -4, 0, 4, 8))
"""How far windows of one recording are moved for training: up to 186 ms, as far as a stream's windows lie apart."""


@dataclass(frozen=True, eq=False)
class Units:
    """What a head sees of the convolutions: the base's own dense layer, frozen, then square root and unit length.

    With `lower` the last convolutions come before that, frozen too.
    """

    upper: Upper
    fingerprint: str
    lower: Network | None = None

    def __call__(self, embeddings: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """float32 (N, 2000) of (N, 704), or (2000,) of one; ShapeError for others."""
        rows = PLAIN(embeddings, shape)
        flat = np.atleast_2d(rows)
        made = self.upper.units(flat if self.lower is None else self.lower(flat.reshape(-1, *shape)))
        return MAP(made, made.shape[1:]).reshape(*rows.shape[:-1], -1)

    def saved(self) -> dict[str, Any]:
        """Which base it is of."""
        return {"base": self.fingerprint}


MAP = FeatureMap("flatten")


class BrowserEmbedder:
    """A window of 45 056 samples (1.02 s) at 44.1 kHz as 704 values; made by `load`, not for two threads at once.

    With some of the convolutions unfrozen it gives what goes into these, e.g. 4×25×32 values.
    """

    kind = "sound"
    rate_hz = RATE_HZ
    window_samples = WINDOW_SAMPLES
    word_at = WORD_AT
    views = len(SHIFTS)

    def __init__(
        self, about: SpeechBase, network: Interpreter, upper: Upper, lower: Network | None = None, unfrozen: int = 0
    ) -> None:
        """Take a loaded base; ModelError where its parts do not fit together.

        lower: the `unfrozen` last convolutions, which `network` does not have then.
        """
        taken, given = network.inputs[0].shape, network.outputs[0].shape
        made = given if lower is None else lower(np.zeros(given, np.float32)).shape
        if taken != WINDOW_SHAPE or made != (1, len(upper.dense)):
            raise ModelError(
                f"{about.name}: {BASE} maps {taken} to {made}; {WINDOW_SHAPE} to (1, {len(upper.dense)}) is wanted"
            )
        self.about, self.upper, self.lower = about, upper, lower
        self.name, self.labels = about.name, about.labels
        self.fingerprint = about.fingerprint
        if unfrozen:
            self.fingerprint = hashlib.sha256(f"{about.fingerprint} unfrozen {unfrozen}".encode()).hexdigest()
        self.features = Units(upper, self.fingerprint, lower)
        """What a head should see of it."""
        self.embedding_shape: tuple[int, ...] = given[1:]
        self.embedding_dim = int(np.prod(given))
        self.hop_samples = decision_hop(OVERLAP) * HOP_SAMPLES
        self._network = network

    @classmethod
    def load(cls, folder: Path, threads: int | None = None, backend: str | None = None, *, unfrozen: int = 0) -> Self:
        """A folder of `edge-tl-host convert speech`; ModelError, one line, where it is none or is damaged.

        unfrozen: how many of its last convolutions run in NumPy, to be trained.
        """
        about, base, upper = read_base(Path(folder))
        name, lower = str(Path(folder) / BASE), None
        if unfrozen:
            base, lower = unfreeze(base, unfrozen, name)
        return cls(about, Interpreter(base, threads, backend, name=name), upper, lower, unfrozen)

    def fit(self, data: np.ndarray) -> np.ndarray:
        """A sound float32 (samples,) at 44.1 kHz of any length as one window, as in `windows.fitted`."""
        return fitted(data, RATE_HZ, WINDOW_SAMPLES, WORD_AT)

    def taught(self, recording: np.ndarray) -> np.ndarray:
        """The windows of a recorded word to train on: float32 (5, 45056). ExampleError where no word is heard."""
        if len(recording) < RATE_HZ // 100:
            raise ExampleError(
                f"the recording has {counted(len(recording), 'sample')}; a word of 0.1 s and more is wanted"
            )
        return cut_word(recording, RATE_HZ, WINDOW_SAMPLES, WORD_AT, SHIFTS)

    def embed(self, data: np.ndarray) -> np.ndarray:
        """A sound float32 (samples,) at 44.1 kHz of any length → float32 (embedding_dim,); ShapeError for no sound."""
        plane = SpectrogramStream().push(self.fit(data))
        (made,) = self._network.invoke(model_input(plane))
        return np.array(made, np.float32).reshape(-1)

    def embed_spectrogram(self, plane: np.ndarray, key_frame: int | None = None) -> np.ndarray | None:
        """The views of a recording of which only the spectrogram was kept, float32 (5·704,): what `embed_views` gives.

        plane: float32 (frames, bins) in dB, a frame each 1024 samples at 44.1 kHz. key_frame: where the word is, the
        loudest frame by default; one that is in the middle of a single window gives five equal views. None where the
        frames are of another size than the base's, or fewer than a window has.
        """
        if plane.shape[1:] != (BINS,) or len(plane) < FRAMES:
            return None
        focus = focus_frame(plane) if key_frame is None else key_frame
        starts = [focus - FRAMES // 2 + samples // HOP_SAMPLES for samples in SHIFTS]
        made = {}
        for start in {min(max(start, 0), len(plane) - FRAMES) for start in starts}:
            (convolved,) = self._network.invoke(model_input(plane[start : start + FRAMES]))
            made[start] = np.array(convolved, np.float32).reshape(-1)
        return np.concatenate([made[min(max(start, 0), len(plane) - FRAMES)] for start in starts])

    def words(self, embedding: np.ndarray) -> dict[str, float]:
        """The base's own words and their probabilities, of an embedding float32 (704,)."""
        below = embedding.reshape(1, *self.embedding_shape)
        chances = self.upper.words(self.upper.units(below if self.lower is None else self.lower(below)))[0]
        return dict(zip(self.about.labels, chances.tolist(), strict=True))

    def overlapping(self, overlap: float) -> Self:
        """The same base, whose streams have windows that overlap so much, 0 to below 1; ConfigError for others."""
        other = copy.copy(self)
        other.hop_samples = decision_hop(overlap) * HOP_SAMPLES
        return other

    def stream(self) -> BrowserStream:
        """What embeds a stream window by window, each costs one run of the network."""
        return BrowserStream(self._network, self.hop_samples // HOP_SAMPLES)


class BrowserStream:
    """The windows of one stream at 44.1 kHz, e.g. every 4 frames: the samples [4096·k, 4096·k + 45056)."""

    def __init__(self, network: Interpreter, hop_frames: int) -> None:
        self._network = network
        self._frames = SpectrogramStream()
        self._windows = SlidingWindow(FRAMES, hop_frames)

    def push(self, samples: np.ndarray) -> list[np.ndarray]:
        """The embeddings float32 (704,) of the windows that are whole now, after a block float32 (samples,)."""
        made = []
        for plane in self._windows.push(self._frames.push(samples)):
            (convolved,) = self._network.invoke(model_input(plane))
            made.append(np.array(convolved, np.float32).reshape(-1))
        return made
