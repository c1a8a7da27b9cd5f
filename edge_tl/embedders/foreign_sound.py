"""A classifier of sounds of another maker, as a .tflite file that takes samples: Teachable Machine's, YAMNet.

Its answer is what is embedded: the negative logarithm of each class's probability, from which its own words are told
exactly, and heads can learn others.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Self

import numpy as np

from edge_tl.core.features import PLAIN
from edge_tl.embedders.foreign import ModelHints, labels_for
from edge_tl.embedders.stream import WindowStream
from edge_tl.embedders.windows import cut_word, fitted
from edge_tl.errors import ExampleError, ModelError, counted
from edge_tl.media.sound import label_of
from edge_tl.nn import Network
from edge_tl.nn.losses import softmax
from edge_tl.nn.network import Upper
from edge_tl.tflite.file_metadata import ending, file_metadata
from edge_tl.tflite.flatbuffer import check_whole
from edge_tl.tflite.interpreter import Interpreter, read_model

WORD_AT = 0.5
HOPS = 8
"""Windows of a stream that begin within the length of one."""
MIN_CHANCE = 1e-7
"""Of a probability: its logarithm stays finite."""
RATES_HZ = (4_000, 96_000)


class ForeignSound:
    """A window of samples as one value a class; made by `load`, not for two threads at once."""

    kind = "sound"
    word_at = WORD_AT
    views = 1
    features = PLAIN
    lower: Network | None = None

    def __init__(
        self, network: Interpreter, name: str, fingerprint: str, labels: tuple[str, ...], rate_hz: int, end: str
    ) -> None:
        """Take a loaded model, the names of its outputs, the rate of its samples, and how it ends (`told.ending`)."""
        self.name, self.fingerprint, self.labels, self.rate_hz = name, fingerprint, labels, rate_hz
        self.window_samples = int(np.prod(network.inputs[0].shape))
        self.hop_samples = max(1, self.window_samples // HOPS)
        self.embedding_shape: tuple[int, ...] = (len(labels),)
        self.embedding_dim = len(labels)
        same = np.eye(len(labels), dtype=np.float32)
        none = np.zeros(len(labels), np.float32)
        self.upper = Upper(same, none, -same, none)
        """What makes probabilities of its embeddings again."""
        self._network, self._end = network, end

    @classmethod
    def load(cls, path: Path, threads: int | None = None, backend: str | None = None) -> Self:
        """A file whose metadata tell the rate of its samples; ModelError, one line, where it is no such classifier."""
        data, name = read_model(path), str(path)
        check_whole(data, name)
        said = file_metadata(data, name)
        network = Interpreter(data, threads, backend, name=name)
        taken = [one.shape for one in network.inputs]
        if len(taken) != 1 or np.prod(taken[0][:-1]) != 1 or network.inputs[0].dtype != np.float32:
            shapes = ", ".join(map(str, taken))
            raise ModelError(
                f"{name}: is a model of sound that takes {shapes}; a window of samples, float32, is wanted"
            )
        if not RATES_HZ[0] <= said.rate_hz <= RATES_HZ[1]:
            raise ModelError(
                f"{name}: does not say the rate of its samples in its metadata ({said.rate_hz} Hz): take a file that "
                "does, or a base of `edge-tl-host convert speech`"
            )
        given = [one.shape for one in network.outputs]
        if len(given) != 1 or np.prod(given[0][:-1]) != 1 or given[0][-1] < 2:
            raise ModelError(f"{name}: gives {', '.join(map(str, given))}; one score for each word is wanted")
        count = given[0][-1]
        labels = labels_for(data, path, ModelHints(), count, classifier=True)
        labels = labels or tuple(f"class {number}" for number in range(count))
        fingerprint, named = hashlib.sha256(data).hexdigest(), tuple(map(label_of, labels))
        return cls(network, path.stem, fingerprint, named, said.rate_hz, ending(data)[0])

    def fit(self, data: np.ndarray) -> np.ndarray:
        """A sound float32 (samples,) at its rate of any length as one window, as in `windows.fitted`."""
        return fitted(data, self.rate_hz, self.window_samples, WORD_AT)

    def taught(self, recording: np.ndarray) -> np.ndarray:
        """The window of a recorded word to train on: float32 (1, window_samples). ExampleError where none is heard."""
        if len(recording) < self.rate_hz // 100:
            raise ExampleError(
                f"the recording has {counted(len(recording), 'sample')}; a word of 0.1 s and more is wanted"
            )
        return cut_word(recording, self.rate_hz, self.window_samples, WORD_AT)

    def embed(self, data: np.ndarray) -> np.ndarray:
        """A sound float32 (samples,) at its rate of any length → float32 (embedding_dim,); ShapeError for no sound."""
        info = self._network.inputs[0]
        (made,) = self._network.invoke(np.ascontiguousarray(self.fit(data), np.float32).reshape(info.shape))
        out = self._network.outputs[0]
        scores = made.reshape(-1).astype(np.float64)
        if out.scale is not None:
            scores = (scores - out.zero_point) * out.scale
        chances = scores if self._end else softmax(scores[np.newaxis])[0]
        return np.asarray(-np.log(np.clip(chances, MIN_CHANCE, 1.0)), np.float32)

    def stream(self) -> WindowStream:
        """What embeds a stream window by window."""
        return WindowStream(self)
