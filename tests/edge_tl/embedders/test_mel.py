"""The mel front-end of the speech embedding: the published model's numbers, streaming equals batch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.embedders.mel import BANDS, GROUP_HOP, GROUP_SAMPLES, MelStream, mel_bands, mel_groups, mel_spectrogram
from edge_tl.embedders.speech import speech_files
from edge_tl.errors import ShapeError
from edge_tl.media.wav import read_wav
from edge_tl.tflite.interpreter import Interpreter

pytestmark = pytest.mark.exact

NOISE = np.random.default_rng(0).normal(scale=0.1, size=48_000).astype(np.float32)


def published(sound: np.ndarray) -> np.ndarray:
    """What openWakeWord's melspectrogram.tflite gives for the same pieces."""
    pytest.importorskip("pyopen_wakeword", reason="pyopen-wakeword is not installed: pip install -e .[speech]")
    model = Interpreter(speech_files()[1], 1, input_shapes=((1, GROUP_SAMPLES),))
    starts = range(0, len(sound) - GROUP_SAMPLES + 1, GROUP_HOP)
    rows = [model.invoke(sound[None, at : at + GROUP_SAMPLES] * np.float32(32768))[0][0, 0] for at in starts]
    return np.concatenate(rows)


def test_noise_and_silence_are_the_published_models() -> None:
    """Loud noise, faint noise, silence and a click give the published model's decibels within 0.001."""
    click = np.zeros(5000, np.float32)
    click[2500] = 1.0
    for sound in (NOISE[:16_000], NOISE[:8000] * np.float32(1e-4), np.zeros(5000, np.float32), click):
        np.testing.assert_allclose(mel_spectrogram(sound), published(sound), rtol=0, atol=1e-3)


def test_real_words_are_the_published_models(data: Callable[[str], Path]) -> None:
    """Real recordings give the published model's decibels within 0.001."""
    pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
    for path in sorted(data("speech/arabic/up").glob("*_01.wav"))[:3]:
        sound, _ = read_wav(path)
        np.testing.assert_allclose(mel_spectrogram(sound), published(sound), rtol=0, atol=1e-3)


def test_the_bands_are_triangles_of_area_one() -> None:
    """32 bands between 60 and 3800 Hz, each rising then falling, the wide ones with an area of 1 over Hz."""
    bands = mel_bands()
    assert bands.shape == (257, BANDS)
    used_hz = np.flatnonzero(bands.any(axis=1)) * 31.25
    assert (used_hz.min() > 60, used_hz.max() < 3800) == (True, True)
    assert (np.diff(bands.argmax(axis=0)) > 0).all()
    np.testing.assert_allclose(bands[:, -8:].sum(axis=0) * 31.25, 1, atol=0.01)


@given(st.lists(st.integers(0, 4000), max_size=10), st.integers(0, 30_000))
@settings(max_examples=30)
def test_streaming_equals_batch_bit_for_bit(sizes: list[int], length: int) -> None:
    """However a sound is cut into blocks, the stream's frames are those of the whole sound, to the last bit."""
    sound = NOISE[:length]
    stream = MelStream()
    at, rows = 0, []
    for size in [*sizes, length]:
        rows.append(stream.push(sound[at : at + size]))
        at += size
    np.testing.assert_array_equal(np.concatenate(rows), mel_spectrogram(sound))


def test_quiet_bands_stay_within_80_db_of_the_loudest() -> None:
    """Silence is −100 dB; beside something loud nothing is over 80 dB below it."""
    np.testing.assert_array_equal(mel_spectrogram(np.zeros(992, np.float32)), np.full((4, BANDS), -100, np.float32))
    half = np.zeros((1, GROUP_SAMPLES), np.float32)
    half[0, :500] = NOISE[:500]  # all before the last frame's own 25 ms
    rows = mel_groups(half)[0]
    assert rows.min() == pytest.approx(rows.max() - 80, abs=1e-4)


def test_what_is_no_sound_is_refused() -> None:
    """Pieces of another length and arrays that are no sound are ShapeErrors."""
    with pytest.raises(ShapeError, match=r"\(n, 992\)"):
        mel_groups(np.zeros((1, 1000), np.float32))
    with pytest.raises(ShapeError, match="a sound is wanted"):
        mel_spectrogram(np.zeros(1000))
