"""Recordings varied for training: with noise behind them, softer or louder, slower or faster.

Only what is taught is varied, never what is asked. What it brings is measured in benchmarks/proof_words.py: where it is
loud much, in quiet nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_tl.embedders.windows import levels
from edge_tl.media.resample import resample
from edge_tl.media.sound import Sound

NOISE_DB = (0.0, 15.0)
"""How far the word's loudest third of a second lies above the noise."""
GAIN_DB = (-12.0, 6.0)
PACE = (0.9, 1.1)
"""How much longer it gets; its pitch moves with it, as with another speaker."""
_LOUD_STEPS = 30
"""Of 10 ms."""


def varied(sound: Sound, noises: Sequence[Sound], rng: np.random.Generator) -> list[Sound]:
    """Variations of one recording, each a new Sound: noise behind it (where noises are given), gain, pace."""
    made = [with_gain(sound, rng.uniform(*GAIN_DB)), at_pace(sound, rng.uniform(*PACE))]
    if noises:
        noise = noises[int(rng.integers(len(noises)))]
        made.append(with_noise(sound, noise, rng.uniform(*NOISE_DB), rng))
    return made


def with_noise(sound: Sound, noise: Sound, decibels: float, rng: np.random.Generator) -> Sound:
    """A recording with a random part of a noise behind it, so many dB below its loudest third of a second."""
    behind = noise.at(sound.rate_hz)
    if len(behind) < len(sound.samples):
        behind = np.resize(behind, len(sound.samples))
    first = int(rng.integers(len(behind) - len(sound.samples) + 1))
    behind = behind[first : first + len(sound.samples)]
    power = float(np.square(behind, dtype=np.float64).mean())
    if len(sound.samples) < sound.rate_hz // 100 or power <= 0:
        return sound
    loudest = np.sort(10 ** (levels(sound.samples, sound.rate_hz) / 10))[-_LOUD_STEPS:].mean()
    scale = np.float32(np.sqrt(loudest / power / 10 ** (decibels / 10)))
    return Sound(np.clip(sound.samples + scale * behind, -1, 1), sound.rate_hz)


def with_gain(sound: Sound, decibels: float) -> Sound:
    """A recording so many dB louder, clipped at full scale as a microphone clips."""
    return Sound(np.clip(sound.samples * np.float32(10 ** (decibels / 20)), -1, 1), sound.rate_hz)


def at_pace(sound: Sound, longer: float) -> Sound:
    """A recording that takes `longer` times as long."""
    return Sound(resample(sound.samples, sound.rate_hz, round(sound.rate_hz * longer)), sound.rate_hz)
