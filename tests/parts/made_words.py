"""Sounds somewhat like words, made of noise, and a quiet room."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from device.commands.main import main
from edge_tl.media.wav import encode_wav

RATE_HZ = 16_000
BANDS = {"hum": (150, 500), "hiss": (3_000, 6_000)}


def spoken(label: str, seed: int, room_s: float = 0.5) -> np.ndarray:
    """Something like a word: a burst of noise in the word's band, with room noise before and after."""
    rng = np.random.default_rng([seed, len(label)])
    length = int(RATE_HZ * rng.uniform(0.35, 0.5))
    burst = np.fft.rfft(rng.normal(0, 1, length))
    hz = np.fft.rfftfreq(length, 1 / RATE_HZ)
    low, high = BANDS[label]
    burst[(hz < low) | (hz > high)] = 0
    loud = np.fft.irfft(burst, length) * np.hanning(length)
    room = int(RATE_HZ * room_s)
    samples = rng.normal(0, 0.001, length + 2 * room)
    samples[room : room + length] += 0.3 * loud / np.abs(loud).max()
    return samples.astype(np.float32)


def room(seconds: float, seed: int = 9) -> np.ndarray:
    """A quiet room."""
    return np.random.default_rng(seed).normal(0, 0.001, int(seconds * RATE_HZ)).astype(np.float32)


def write(path: Path, samples: np.ndarray) -> Path:
    """A WAV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_wav(samples, RATE_HZ))
    return path


def write_clips(root: Path) -> Path:
    """CLASS/clip.wav: eight of two words, and ten seconds of the room."""
    for label in BANDS:
        for number in range(8):
            write(root / label / f"{number}.wav", spoken(label, number))
    write(root / "_background_noise_" / "room.wav", room(10.5))
    return root


def teach_words(clips: Path, data: Path) -> Path:
    """A data folder whose profile `words` was taught these and trained."""
    assert main(["examples", "import", str(clips), "--profile", "words", "--data-dir", str(data)]) == 0
    assert main(["train", "--profile", "words", "--data-dir", str(data)]) == 0
    return data
