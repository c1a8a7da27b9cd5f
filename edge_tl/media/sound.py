"""Sound: a recording with its rate, and how one becomes the rows that a head learns from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_tl.labels import NOISE
from edge_tl.media.frontend import check_sound
from edge_tl.media.resample import resample
from edge_tl.media.wav import read_wav

NOISE_NAMES = frozenset({NOISE, "_background_noise_", "_background_noise"})
"""What other programs call it: Google's speech commands, Teachable Machine."""
PIECE_S = 2.0
"""The least length of the parts that a recording of noise is cut into: longer than any embedder's window."""
SHORTEST_S = 0.1
"""Of a recording that can be taught."""
LONGEST_WORD_S = 3.0
"""A recording in which no word is heard and that is longer than this is noise in one piece."""


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """One recording; ShapeError unless it is a sound."""

    samples: np.ndarray
    """float32 (n,) in [-1, 1]."""
    rate_hz: int

    def __post_init__(self) -> None:
        check_sound(self.samples)

    @property
    def duration_s(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate_hz

    def at(self, rate_hz: int) -> np.ndarray:
        """Its samples at another rate: float32 (m,)."""
        return resample(self.samples, self.rate_hz, rate_hz)


def read_sound(source: Path | bytes, name: str = "the sound") -> Sound:
    """A sound file, or the bytes of one, which errors call by `name`; raises what `read_wav` does."""
    return Sound(*read_wav(source, name=name))


def label_of(name: str) -> str:
    """The label that a folder or another program's label means: theirs for background noise is ours."""
    return NOISE if name.casefold() in NOISE_NAMES else name


def pieces(sound: Sound, piece_s: float = PIECE_S) -> list[Sound]:
    """A recording of noise in equal parts of `piece_s` and somewhat more; one that is shorter stays as it is.

    They do not overlap: each becomes a take of its own, and what is left out must not be in what is taught.
    """
    count = max(1, int(sound.duration_s / piece_s))
    return [Sound(part, sound.rate_hz) for part in np.array_split(sound.samples, count)]
