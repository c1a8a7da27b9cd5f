"""The same recording again is known, whatever it was encoded as; another one is not."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest

from edge_tl.core.same_sound import heard, same_sounds

soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed")
RATE_HZ = 16_000


def said(seed: int) -> np.ndarray:
    """Something like a word: coloured noise that swells and fades, in a quiet room."""
    rng = np.random.default_rng(seed)
    burst = np.fft.rfft(rng.normal(0, 1, RATE_HZ // 2))
    burst[300:] *= 0.1
    word = np.fft.irfft(burst) * np.hanning(RATE_HZ // 2)
    samples = rng.normal(0, 0.0005, RATE_HZ)
    samples[RATE_HZ // 4 : RATE_HZ * 3 // 4] += 0.4 * word / np.abs(word).max()
    return samples.astype(np.float32)


def encoded(samples: np.ndarray, rate_hz: int, format: str, subtype: str) -> tuple[np.ndarray, int]:
    """Written to such a file and read again."""
    out = io.BytesIO()
    soundfile.write(out, samples, rate_hz, format=format, subtype=subtype)
    out.seek(0)
    read, rate = soundfile.read(out, dtype="float32")
    return read, rate


AGAIN: dict[str, Callable[[np.ndarray], tuple[np.ndarray, int]]] = {
    "as it is": lambda samples: (samples, RATE_HZ),
    "8 bits": lambda samples: encoded(samples, RATE_HZ, "WAV", "PCM_U8"),
    "ADPCM": lambda samples: encoded(samples, RATE_HZ, "WAV", "IMA_ADPCM"),
    "FLAC": lambda samples: encoded(samples, RATE_HZ, "FLAC", "PCM_16"),
    "Vorbis": lambda samples: encoded(samples, RATE_HZ, "OGG", "VORBIS"),
    "half the rate": lambda samples: (np.fft.irfft(np.fft.rfft(samples)[: RATE_HZ // 4 + 1]) / 2, RATE_HZ // 2),
    "a tenth as loud": lambda samples: (samples / 10, RATE_HZ),
    "too loud": lambda samples: (np.clip(samples * 4, -1, 1), RATE_HZ),
    "the other way round": lambda samples: (-samples, RATE_HZ),
    "7 ms cut off": lambda samples: (samples[112:], RATE_HZ),
    "50 ms cut off both ends": lambda samples: (samples[800:-800], RATE_HZ),
}


@pytest.mark.parametrize("how", AGAIN)
def test_a_recording_is_known_again(how: str) -> None:
    """Among ten others of the same kind, each that comes again is tied to itself and to nothing else."""
    first = [heard(said(seed), RATE_HZ) for seed in range(10)]
    again = [heard(*AGAIN[how](said(seed).astype(np.float32))) for seed in range(10)]
    assert same_sounds(first).tolist() == []
    assert sorted(same_sounds(first + again).tolist()) == [[10 + seed, seed] for seed in range(10)]


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(RATE_HZ, np.float32),
        np.full(RATE_HZ, 0.5, np.float32),
        (0.3 * np.sign(np.sin(np.arange(2 * RATE_HZ) * (2 * np.pi * 100 / RATE_HZ)))).astype(np.float32),
        np.ones(1, np.float32),
    ],
    ids=["silence", "a steady pressure", "the mains", "one sample"],
)
def test_what_shows_too_little_is_not_compared(samples: np.ndarray) -> None:
    """Silence, hum and next to nothing are tied to nothing, not even to themselves."""
    assert len(heard(samples, RATE_HZ)) == 0
    assert len(same_sounds([heard(samples, RATE_HZ)] * 3)) == 0


def test_another_piece_of_the_same_noise_is_no_copy() -> None:
    """Two seconds of a room, and the next two."""
    room = np.random.default_rng(3).normal(0, 0.01, 20 * RATE_HZ).astype(np.float32)
    pieces = [heard(piece, RATE_HZ) for piece in np.array_split(room, 10)]
    assert all(len(piece) for piece in pieces)
    assert same_sounds(pieces).tolist() == []
