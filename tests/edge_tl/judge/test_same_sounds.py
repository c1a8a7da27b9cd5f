"""Near-copies of sounds are held in one fold: noise under random labels stays chance, however it is encoded anew."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from edge_tl.judge.evaluation import Evaluation
from edge_tl.media.sound import Sound
from edge_tl.recognizer import Recognizer
from edge_tl.store.examples import ExampleStore
from edge_tl.testing import FakeEmbedder

soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed")
LABELS = ("a", "b")
RATE_HZ = 8_000


def again(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A recording softer, some milliseconds shorter, and encoded anew."""
    cut = int(rng.integers(8, 120))
    out = io.BytesIO()
    subtype = str(rng.choice(["PCM_U8", "ULAW", "IMA_ADPCM", "PCM_16"]))
    soundfile.write(out, samples[cut:-cut] * rng.uniform(0.4, 1.0), RATE_HZ, format="WAV", subtype=subtype)
    out.seek(0)
    return np.asarray(soundfile.read(out, dtype="float32")[0])


def embedded(samples: np.ndarray, dim: int) -> np.ndarray:
    """The share that each band of the spectrum has of it, float32 (dim,)."""
    power = np.abs(np.fft.rfft(samples, 8_192))[: 4_096 // dim * dim].reshape(dim, -1).mean(axis=1)
    return np.asarray(np.log(power / power.sum()), np.float32)


def evaluations(path: Path, seed: int) -> tuple[Evaluation, Evaluation]:
    """Of forty noises with labels by chance, each once or twice more, with near-copies held together and without."""
    rng, embedder = np.random.default_rng(seed), FakeEmbedder()
    with ExampleStore(path, writable=True) as store:
        sessions = [store.new_session(name, closed=True) for name in ("train", "valid")]
        for _ in range(40):
            colour = np.fft.rfft(rng.normal(0, 1, RATE_HZ)) * np.repeat(rng.uniform(0.2, 1, 50), 81)[: RATE_HZ // 2 + 1]
            noise = np.fft.irfft(colour)
            noise = np.asarray(0.3 * noise / np.abs(noise).max() * np.hanning(RATE_HZ), np.float32)
            label = LABELS[rng.integers(2)]
            for copy in [noise] + [again(noise, rng) for _ in range(int(rng.integers(1, 3)))]:
                take = store.new_take(label, "", sessions[rng.integers(2)])
                store.add(take, Sound(copy, RATE_HZ), embedded(copy, embedder.embedding_dim), embedder.fingerprint)
        store.flush()
        raw = store.matrix(embedder.fingerprint)
        told = []
        for examples in (store.held(raw), raw):
            recognizer = Recognizer(embedder)
            recognizer.replace(examples)
            recognizer.learn()
            told.append(recognizer.evaluate())
    return told[0], told[1]


def test_noise_is_chance_however_it_is_encoded(tmp_path: Path) -> None:
    """In six sets the mean is that of a coin, which without holding copies together it is far from."""
    told = [evaluations(tmp_path / f"{seed}.sqlite", seed) for seed in range(6)]
    assert all(held.near_copies > 40 and raw.near_copies == 0 for held, raw in told)
    assert np.mean([held.accuracy for held, _ in told]) == pytest.approx(0.5, abs=0.08)
    assert np.mean([raw.accuracy for _, raw in told]) > 0.65
    figures = [one for held, _ in told for one in (held, held.by_session) if one is not None and one.examples]
    assert sum(one.interval95[0] <= 0.5 <= one.interval95[1] for one in figures) >= len(figures) - 1
