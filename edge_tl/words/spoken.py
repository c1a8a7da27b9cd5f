"""Words between the store and a browser's data set: `SpokenExample` and stored example."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edge_tl.core.examples import Example
from edge_tl.embedders.browser import BrowserEmbedder
from edge_tl.embedders.embedder import SoundEmbedder
from edge_tl.embedders.stream import embed_views
from edge_tl.labels import NOISE
from edge_tl.media.frontend import HOP_SAMPLES, RATE_HZ, spectrogram
from edge_tl.media.sound import Sound
from edge_tl.media.tfjsscds import SpokenExample, read_tfjsscds
from edge_tl.store.examples import ExampleStore
from edge_tl.store.media import TFJSSCDS

THEIR_NOISE = "_background_noise_"
"""What the published speech commands call the class of background noise."""
BROWSER_HOP_S = (0.0245, 0.026)
"""Between two frames that a real browser recorded; the published model was trained on 23.2 ms."""


def as_spoken(store: ExampleStore, example: Example) -> SpokenExample:
    """A stored recording as an example of a data set; one that came from such a file is what it was.

    ExampleError where it kept no sound.
    """
    if example.media_type == TFJSSCDS:
        (spoken,) = read_tfjsscds(store.media(example.id)[1])
        return replace(spoken, label=_theirs(example.label))
    samples = store.sound(example.id).at(RATE_HZ)
    plane = spectrogram(samples).astype(np.float32)
    key = None if example.label == NOISE else int(plane.mean(axis=1).argmax())
    return SpokenExample(_theirs(example.label), plane, key, samples, RATE_HZ)


def sound_of(spoken: SpokenExample) -> Sound | None:
    """The sound of such an example, None where only its spectrogram was kept."""
    if spoken.samples is None or spoken.rate_hz is None:
        return None
    return Sound(np.clip(spoken.samples, -1.0, 1.0), spoken.rate_hz)


def embed_spoken(embedder: SoundEmbedder, spoken: SpokenExample) -> np.ndarray | None:
    """What a head learns from such an example, as of `embed_views`: from its sound, else from its spectrogram.

    None where it kept no sound and the embedder takes no spectrogram of its size.
    """
    sound = sound_of(spoken)
    if sound is not None:
        return embed_views(embedder, sound)
    if not isinstance(embedder, BrowserEmbedder):
        return None
    return embedder.embed_spectrogram(spoken.spectrogram, spoken.key_frame)


def seconds_a_frame(spoken: SpokenExample) -> float:
    """How far apart its frames were recorded, told by its sound; 1024 samples at 44.1 kHz where it kept none."""
    if spoken.samples is None or not spoken.rate_hz:
        return HOP_SAMPLES / RATE_HZ
    return len(spoken.samples) / spoken.rate_hz / len(spoken.spectrogram)


def _theirs(label: str) -> str:
    return THEIR_NOISE if label == NOISE else label
