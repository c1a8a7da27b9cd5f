"""Recordings are varied for training as they say: noise at its distance, gain, pace."""

from __future__ import annotations

import numpy as np
import pytest

from edge_tl.media.sound import Sound
from edge_tl.words.augment import at_pace, varied, with_gain, with_noise

pytest.importorskip("soxr", reason="soxr is not installed: pip install -e .[speech]")
RATE_HZ = 16_000


def tone(hz: float = 440.0, level: float = 0.2) -> Sound:
    """Half a second of a tone between two of silence."""
    time_s = np.arange(RATE_HZ // 2) / RATE_HZ
    samples = np.concatenate((np.zeros(8_000), level * np.sin(2 * np.pi * hz * time_s), np.zeros(8_000)))
    return Sound(samples.astype(np.float32), RATE_HZ)


def hiss(seconds: float = 3.0, rate_hz: int = RATE_HZ) -> Sound:
    """White noise."""
    return Sound(np.random.default_rng(0).normal(0, 0.05, int(seconds * rate_hz)).astype(np.float32), rate_hz)


@pytest.mark.parametrize("decibels", [0.0, 10.0])
@pytest.mark.parametrize("noise", [hiss(), hiss(0.3), hiss(rate_hz=44_100)])
def test_noise_lies_so_far_below_the_word(decibels: float, noise: Sound) -> None:
    """Of any length and rate, the noise behind is the asked number of dB below the word's loud part."""
    sound = tone()
    made = with_noise(sound, noise, decibels, np.random.default_rng(1))
    behind = made.samples - sound.samples
    loud = 0.2**2 / 2
    assert len(made.samples) == len(sound.samples)
    assert 10 * np.log10(loud / np.square(behind).mean()) == pytest.approx(decibels, abs=0.5)


def test_gain_and_pace_do_what_they_say() -> None:
    """Six dB double the samples and clip at full scale; a pace of 1.1 takes a tenth longer and lowers the pitch so."""
    sound = tone(level=0.6)
    louder = with_gain(sound, 20 * np.log10(2))
    np.testing.assert_allclose(louder.samples, np.clip(2 * sound.samples, -1, 1), atol=1e-6)
    slower = at_pace(tone(500.0), 1.1)
    assert slower.rate_hz == RATE_HZ
    assert slower.duration_s == pytest.approx(1.1 * sound.duration_s, abs=0.001)
    middle = slower.samples[len(slower.samples) // 2 - 2_000 :][:4_000]
    peak_hz = np.argmax(np.abs(np.fft.rfft(middle * np.hanning(4_000)))) * RATE_HZ / 4_000
    assert peak_hz == pytest.approx(500 / 1.1, abs=6)


def test_variations_are_new_and_repeatable() -> None:
    """Three with noise and two without; the same seed gives the same; the recording stays as it was."""
    sound = tone()
    before = sound.samples.copy()
    first, again = (varied(sound, [hiss()], np.random.default_rng(3)) for _ in range(2))
    assert len(first) == 3
    assert len(varied(sound, [], np.random.default_rng(3))) == 2
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.samples, other.samples)
        assert np.abs(one.samples).max() <= 1
    assert np.array_equal(sound.samples, before)
    silent = Sound(np.zeros(RATE_HZ, np.float32), RATE_HZ)
    assert with_noise(sound, silent, 5.0, np.random.default_rng(0)) is sound
