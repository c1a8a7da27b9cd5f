"""The embedded speech base: Google's speech embedding, 96 values every 80 ms, as pyopen-wakeword ships it.

Two of the package's files are used, both under the Apache License 2.0: embedding_model.tflite (Google's speech
embedding, arXiv 2002.01322, converted by openWakeWord) and melspectrogram.tflite (openWakeWord's front-end to it). Its
native code is not loaded, and its wake-word models (CC BY-NC-SA) are not touched.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from importlib import resources
from typing import Self

import numpy as np

from edge_tl.core.features import FeatureMap
from edge_tl.embedders.mel import BANDS, GROUP_FRAMES, GROUP_SAMPLES, HOP_SAMPLES, RATE_HZ, MelStream, mel_groups
from edge_tl.embedders.windows import cut_word, fitted
from edge_tl.errors import ExampleError, MissingDependency, ModelError, counted, to_install
from edge_tl.media.frontend import SlidingWindow
from edge_tl.tflite.interpreter import Interpreter

PACKAGE = "pyopen_wakeword"
EMBEDDING_FILE, MEL_FILE = "embedding_model.tflite", "melspectrogram.tflite"
LICENCE = "Apache-2.0"
VALUES = 96
"""Of one run of the network."""
MEL_FRAMES = 76
"""That the network sees: 0.78 s."""
STEP_FRAMES = 8
"""Of the mel spectrogram, 80 ms, from one run to the next."""
RUNS = 8
"""That make one window of 1.34 s: chosen on three speakers of Arabic commands, see NOTES.md."""
WINDOW_SAMPLES = ((RUNS - 1) * STEP_FRAMES + MEL_FRAMES - GROUP_FRAMES) * HOP_SAMPLES + GROUP_SAMPLES
STEP_SAMPLES = STEP_FRAMES * HOP_SAMPLES
WORD_AT = 0.62
"""Where in a window the middle of its word belongs: past the middle, so that less time passes from a word's end."""
SHIFTS = (-2 * STEP_SAMPLES, -STEP_SAMPLES, 0, STEP_SAMPLES, 2 * STEP_SAMPLES)
"""How far windows of one recording are moved for training: a listener hears every word at several places."""
RUNS_AT_ONCE = (64, RUNS)
"""Runs that are computed as one where so many are due: the network slides over a longer piece, bit for bit the same and
up to eight times faster than each alone, because what neighbours share is computed once."""
_MEL_TOLERANCE_DB = 0.01


def speech_files() -> tuple[bytes, bytes]:
    """The package's files: (embedding_model.tflite, melspectrogram.tflite), without running any of its code.

    MissingDependency (with the command) where the package is not installed; ModelError where it has no such files.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None:
        raise MissingDependency(
            f"pyopen-wakeword holds the speech model and is not installed: {to_install('[speech]')}"
        )
    # A module that is made but never executed: importing the package would load its native library's wrapper.
    models = resources.files(importlib.util.module_from_spec(spec)) / "models"
    try:
        return (models / EMBEDDING_FILE).read_bytes(), (models / MEL_FILE).read_bytes()
    except OSError as error:
        raise ModelError(
            f"pyopen-wakeword: {error.filename} cannot be read ({error.strerror}); install it again: "
            + to_install("--force-reinstall", "pyopen-wakeword")
        ) from error


class SpeechEmbedder:
    """A second of sound as an embedding; made by `load`, not for two threads at once. It needs no closing.

    A window of 21 472 samples (1.34 s) at 16 kHz gives a map of 8 moments, 80 ms apart, by 96 values.
    """

    kind = "sound"
    name = "speech"
    rate_hz = RATE_HZ
    window_samples = WINDOW_SAMPLES
    word_at = WORD_AT
    views = len(SHIFTS)
    """Windows that `taught` gives of one recording."""
    hop_samples = STEP_SAMPLES
    """From one window of a stream to the next: 80 ms."""
    features = FeatureMap("flatten")
    """What a head should see of it."""

    def __init__(self, networks: dict[int, Interpreter], fingerprint: str) -> None:
        """Take the embedding model, loaded for 1 run and for `RUNS_AT_ONCE`; ModelError where its shapes are others."""
        for count, network in networks.items():
            wanted, made = network.inputs[0].shape, network.outputs[0].shape
            if (wanted, made) != (_looks_shape(count), (1, count, 1, VALUES)):
                raise ModelError(
                    f"{EMBEDDING_FILE}: has input {wanted} and output {made}; {_looks_shape(count)} and "
                    f"{(1, count, 1, VALUES)} are wanted: install another pyopen-wakeword"
                )
        self._networks = networks
        self.fingerprint = fingerprint
        self.embedding_shape: tuple[int, ...] = (RUNS, 1, VALUES)
        self.embedding_dim = RUNS * VALUES

    @classmethod
    def load(cls, threads: int | None = None, backend: str | None = None) -> Self:
        """With the files of the installed package, the front-end held to its melspectrogram.tflite.

        `threads`, `backend`: as of Interpreter. MissingDependency where pyopen-wakeword or a runtime is not installed;
        ModelError where the package holds other models.
        """
        embedding, mel = speech_files()
        networks = {
            count: Interpreter(
                embedding, threads, backend, name=EMBEDDING_FILE, input_shapes=(_looks_shape(count),), fixed=False
            )
            for count in (*RUNS_AT_ONCE, 1)
        }
        _check_front_end(Interpreter(mel, 1, backend, name=MEL_FILE, input_shapes=((1, GROUP_SAMPLES),)))
        parts = ("speech-embedding", hashlib.sha256(embedding).hexdigest(), RUNS, GROUP_FRAMES, WORD_AT)
        return cls(networks, hashlib.sha256(json.dumps(parts).encode()).hexdigest())

    def fit(self, data: np.ndarray) -> np.ndarray:
        """A sound float32 (samples,) at 16 kHz of any length as one window (21472,), as in `windows.fitted`."""
        return fitted(data, RATE_HZ, WINDOW_SAMPLES, WORD_AT)

    def taught(self, recording: np.ndarray) -> np.ndarray:
        """The windows of a recorded word to train on: float32 (5, 21472), the word at five places up to 160 ms apart.

        `recording`: float32 (samples,) at 16 kHz. ExampleError (one line) where no word is heard.
        """
        if len(recording) < RATE_HZ // 100:
            raise ExampleError(
                f"the recording has {counted(len(recording), 'sample')}; a word of 0.1 s and more is wanted"
            )
        return cut_word(recording, RATE_HZ, WINDOW_SAMPLES, WORD_AT, SHIFTS)

    def embed(self, data: np.ndarray) -> np.ndarray:
        """A sound float32 (samples,) at 16 kHz of any length → float32 (768,), a new array; ShapeError for no sound.

        A sound of another length than a window goes through `fit` first.
        """
        (embedding,) = self.stream().push(self.fit(data))
        return embedding

    def stream(self) -> SpeechStream:
        """What embeds a stream window by window, many in one go where they come so. It has this embedder to itself."""
        return SpeechStream(self._networks)


class SpeechStream:
    """The windows of one stream at 16 kHz, every 80 ms: window k covers the samples [1280·k, 1280·k + 21472)."""

    def __init__(self, networks: dict[int, Interpreter]) -> None:
        self._networks = networks
        self._mel = MelStream()
        self._looks = SlidingWindow(MEL_FRAMES, STEP_FRAMES)
        self._windows = SlidingWindow(RUNS, 1)

    def push(self, samples: np.ndarray) -> list[np.ndarray]:
        """The embeddings float32 (768,) of the windows that are whole now, after a block float32 (samples,).

        Bit for bit what `embed` gives for each window alone, whatever the sizes of the blocks. ShapeError for no sound.
        """
        looks = self._looks.push(self._mel.push(samples))
        runs = np.empty((len(looks), VALUES), np.float32)
        done = 0
        while done < len(looks):
            count = next(count for count in self._networks if count <= len(looks) - done)
            # Looks overlap: the first, and of each that follows what is new in it.
            whole = [looks[done], *(look[-STEP_FRAMES:] for look in looks[done + 1 : done + count])]
            (made,) = self._networks[count].invoke(
                (np.concatenate(whole) / np.float32(10) + np.float32(2))[None, ..., None]
            )
            runs[done : done + count] = made.reshape(count, VALUES)
            done += count
        return [window.reshape(-1) for window in self._windows.push(runs)]


def _looks_shape(count: int) -> tuple[int, ...]:
    """What the network takes for so many runs."""
    return 1, MEL_FRAMES + (count - 1) * STEP_FRAMES, BANDS, 1


def _check_front_end(published: Interpreter) -> None:
    """ModelError unless our NumPy front-end gives what the package's gives, on 62 ms of noise."""
    noise = np.random.default_rng(0).normal(scale=0.1, size=GROUP_SAMPLES).astype(np.float32)
    (theirs,) = published.invoke((noise * np.float32(32768))[None])
    ours = mel_groups(noise[None])[0]
    if theirs.reshape(-1, BANDS).shape != ours.shape or not np.allclose(theirs[0, 0], ours, atol=_MEL_TOLERANCE_DB):
        raise ModelError(
            f"{MEL_FILE}: is another front-end than ours; install another pyopen-wakeword: {to_install('[speech]')}"
        )
