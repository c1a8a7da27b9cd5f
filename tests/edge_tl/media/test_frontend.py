"""The front-end "browser-fft": SciPy's numbers, and streaming that equals the whole sound bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.errors import ConfigError, ShapeError
from edge_tl.media.frontend import (
    BINS,
    FFT_SAMPLES,
    FRAMES,
    HOP_SAMPLES,
    RATE_HZ,
    WINDOW_SAMPLES,
    SlidingWindow,
    SpectrogramStream,
    check_sound,
    decibels,
    decision_hop,
    model_input,
    spectrogram,
)
from edge_tl.media.resample import resample
from edge_tl.media.wav import read_wav

NOISE = np.random.default_rng(0).normal(scale=0.1, size=3 * RATE_HZ).astype(np.float32)
SILENCE_DB = 10 * np.log10(np.finfo(np.float32).tiny) - 20 * np.log10(2048)


def scipys(samples: np.ndarray) -> np.ndarray:
    """The same spectrogram by SciPy's short-time Fourier transform."""
    signal = pytest.importorskip("scipy.signal")
    window = signal.get_window("blackman", 2048, fftbins=True)
    _, _, spectrum = signal.stft(
        samples.astype(np.float64), RATE_HZ, window, 2048, 1024, boundary=None, padded=False, scaling="spectrum"
    )
    power = np.maximum(np.abs(spectrum[:BINS].T * window.sum()) ** 2, np.finfo(np.float32).tiny)
    return np.asarray(20 * np.log10(np.sqrt(power) / 2048))


def test_the_spectrogram_is_scipys() -> None:
    """Noise and a swept tone give SciPy's decibels to float32's last digits."""
    seconds = np.arange(RATE_HZ) / RATE_HZ
    sweep = (0.5 * np.sin(2 * np.pi * (100 + 2000 * seconds) * seconds)).astype(np.float32)
    for sound in (NOISE, sweep):
        np.testing.assert_allclose(spectrogram(sound), scipys(sound), rtol=0, atol=1e-4)


def test_a_real_word_is_scipys(data: Callable[[str], Path]) -> None:
    """A real recording, brought to 44.1 kHz, gives SciPy's decibels too."""
    pytest.importorskip("soxr", reason="soxr is not installed: pip install -e .[speech]")
    pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
    samples, rate_hz = read_wav(sorted(data("speech/commands/left").glob("*.wav"))[0])
    sound = resample(samples, rate_hz, RATE_HZ)
    np.testing.assert_allclose(spectrogram(sound), scipys(sound), rtol=0, atol=1e-4)


def test_the_numbers_of_the_specification() -> None:
    """43 frames of 232 bins, 23.22 ms apart, are one window; a tone lies in its bin at half its window's mean."""
    assert (FFT_SAMPLES, HOP_SAMPLES, BINS, FRAMES) == (2048, 1024, 232, 43)
    assert round(1000 * HOP_SAMPLES / RATE_HZ, 2) == 23.22
    tone = np.sin(2 * np.pi * 50 * np.arange(WINDOW_SAMPLES) / FFT_SAMPLES).astype(np.float32)
    plane = spectrogram(tone)
    assert plane.shape == (FRAMES, BINS)
    assert plane.dtype == np.float32
    assert (plane.argmax(axis=1) == 50).all()
    np.testing.assert_allclose(plane[:, 50], 20 * np.log10(0.42 / 2), atol=1e-3)
    assert spectrogram(tone[:-1]).shape == (FRAMES - 1, BINS)


def test_silence_is_finite() -> None:
    """Digital silence gives the smallest normal number's decibels, no infinity, and normalises to zeros."""
    plane = spectrogram(np.zeros(WINDOW_SAMPLES, np.float32))
    np.testing.assert_allclose(plane, SILENCE_DB, rtol=1e-6)
    np.testing.assert_array_equal(model_input(plane), np.zeros((1, FRAMES, BINS, 1), np.float32))


@given(st.lists(st.integers(0, 9000), max_size=12), st.integers(0, 60_000))
@settings(max_examples=40)
def test_streaming_equals_batch_bit_for_bit(sizes: list[int], length: int) -> None:
    """However a sound is cut into blocks, the stream's frames are those of the whole sound, to the last bit."""
    sound = NOISE[:length]
    stream = SpectrogramStream()
    at, rows = 0, []
    for size in [*sizes, length]:
        rows.append(stream.push(sound[at : at + size]))
        at += size
    np.testing.assert_array_equal(np.concatenate(rows), spectrogram(sound))


def test_a_frame_does_not_depend_on_its_neighbours() -> None:
    """A frame computed alone has the bits of the same frame among hundreds."""
    pieces = SlidingWindow(FFT_SAMPLES, HOP_SAMPLES).push(NOISE)
    rows = decibels(pieces)
    for frame in (0, 1, 63, 64, len(pieces) - 1):
        np.testing.assert_array_equal(decibels(pieces[frame : frame + 1])[0], rows[frame])


@given(
    st.integers(1, 30),
    st.integers(1, 30),
    st.lists(st.integers(0, 40), max_size=20),
    st.sampled_from([(), (3,), (2, 2)]),
)
def test_sliding_gives_each_piece_once(length: int, hop: int, sizes: list[int], more: tuple[int, ...]) -> None:
    """Pieces of a stream are NumPy's windows of the whole, each once and in order, for rows of any shape."""
    hop = min(length, hop)
    total = sum(sizes)
    items = np.arange(total * int(np.prod(more, dtype=int))).reshape(total, *more)
    sliding = SlidingWindow(length, hop)
    at, pieces = 0, []
    for size in sizes:
        pieces += list(sliding.push(items[at : at + size]))
        at += size
    wanted = [items[start : start + length] for start in range(0, total - length + 1, hop)]
    assert sliding.count == len(pieces) == len(wanted)
    for piece, want in zip(pieces, wanted, strict=True):
        np.testing.assert_array_equal(piece, want)


def test_nothing_is_decided_below_43_frames() -> None:
    """A stream gives its first window at frame 43, then one every 22 frames at an overlap of a half."""
    windows = SlidingWindow(FRAMES, decision_hop(0.5))
    frames_until = [k + 1 for k in range(100) if len(windows.push(np.zeros((1, BINS), np.float32)))]
    assert frames_until == [43, 65, 87]


def test_the_overlap_sets_the_pace() -> None:
    """Overlaps of 0, 0.5, 0.75 and 0.9 decide every 43, 22, 11 and 4 frames; others are refused in one line."""
    assert [decision_hop(overlap) for overlap in (0, 0.5, 0.75, 0.9, 0.999)] == [43, 22, 11, 4, 1]
    for overlap in (1.0, -0.1, float("nan")):
        with pytest.raises(ConfigError, match="the overlap is"):
            decision_hop(overlap)


def test_the_model_is_given_whole_planes_normalised() -> None:
    """One window becomes (x − mean) / (population deviation + 1e-7) as a tensor (1, 43, 232, 1)."""
    plane = spectrogram(NOISE[:WINDOW_SAMPLES])
    x = plane.astype(np.float64)
    wanted = (x - x.mean()) / (np.sqrt(((x - x.mean()) ** 2).mean()) + 1e-7)
    made = model_input(plane)
    assert made.shape == (1, 43, 232, 1)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made[0, :, :, 0], wanted, atol=1e-6)
    np.testing.assert_array_equal(model_input(np.asfortranarray(plane)), made)
    for wrong in (plane[0], np.zeros((0, BINS), np.float32)):
        with pytest.raises(ShapeError, match="one window"):
            model_input(wrong)


def test_what_is_no_sound_is_one_line() -> None:
    """Other types, two channels and NaN are ShapeErrors of one line before anything is computed."""
    bad = [np.zeros(9), np.zeros((2, 9), np.float32), np.zeros(9, np.int16), [0.0], np.array([0, np.inf], np.float32)]
    for sound in bad:
        with pytest.raises(ShapeError) as caught:
            check_sound(sound)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)
    with pytest.raises(ShapeError):
        spectrogram(np.zeros((2, 9), np.float32))
    with pytest.raises(ShapeError, match=r"\(n, 2048\)"):
        decibels(np.zeros((1, 100), np.float32))
    with pytest.raises(ConfigError, match="hop is 0"):
        SlidingWindow(4, 0)
