"""Which windows of a recording become examples, and where in it the word is."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_tl.embedders.windows import cut, cut_word, focus_frame, levels, noise_windows, word_centre, word_windows
from edge_tl.errors import ExampleError, ShapeError
from edge_tl.media.wav import read_wav


def a_word(at: int, samples: int = 16_000, rate_hz: int = 16_000, gain: float = 0.3) -> np.ndarray:
    """A faint hiss with a swelling tone of 0.3 s around sample `at`."""
    sound = np.random.default_rng(1).normal(scale=0.001, size=samples)
    half = round(0.15 * rate_hz)
    first, last = max(at - half, 0), min(at + half, samples)
    times = np.arange(first, last)
    swell = np.cos(np.pi * (times - at) / (2 * half))
    sound[first:last] += gain * swell * np.sin(2 * np.pi * 300 * times / rate_hz)
    return sound.astype(np.float32)


def test_noise_is_cut_as_specified() -> None:
    """86 frames of noise give the four windows of the specification; fewer than a window give none."""
    assert noise_windows(86) == [(0, 43), (11, 54), (22, 65), (33, 76)]
    assert noise_windows(43) == [(0, 43)]
    assert noise_windows(42) == noise_windows(0) == []


@pytest.mark.parametrize(
    ("focus", "wanted"),
    [(40, [(8, 51), (19, 62), (30, 73)]), (3, [(0, 43)]), (80, [(43, 86)])],
)
def test_words_are_cut_as_specified(focus: int, wanted: list[tuple[int, int]]) -> None:
    """A word at frame 40, 3 or 80 of 86 gives the windows of the specification."""
    assert word_windows(86, focus) == wanted


@given(st.integers(43, 400), st.data())
def test_every_window_of_a_word_holds_it(frames: int, data: st.DataObject) -> None:
    """Windows of a word lie within the recording, 11 apart, and all hold the focus; there is always one."""
    focus = data.draw(st.integers(0, frames - 1))
    windows = word_windows(frames, focus)
    assert windows
    assert all(0 <= start <= focus < end <= frames and end - start == 43 for start, end in windows)
    assert all(b[0] - a[0] == 11 for a, b in pairwise(windows))


def test_a_focus_outside_is_refused() -> None:
    """A focus beyond the recording is a ShapeError; a recording shorter than a window gives no window."""
    for focus in (-1, 86):
        with pytest.raises(ShapeError, match="0 to 85"):
            word_windows(86, focus)
    assert word_windows(42, 10) == []


def test_the_loudest_frame_is_the_focus() -> None:
    """Without a key frame the focus is the frame of the greatest mean, the first of a tie."""
    plane = np.full((10, 4), -80.0)
    plane[[6, 8]] = -20
    assert focus_frame(plane) == 6
    with pytest.raises(ShapeError):
        focus_frame(np.zeros((0, 4)))


@given(st.integers(3000, 13_000), st.sampled_from([0.05, 0.3, 1.0]))
def test_a_word_is_found_wherever_it_is(at: int, gain: float) -> None:
    """The middle of a word is found within 40 ms, loud or soft, early or late."""
    centre = word_centre(a_word(at, gain=gain), 16_000)
    assert centre is not None
    assert abs(centre - at) <= 0.04 * 16_000


def test_rates_do_not_matter() -> None:
    """The same word is found at the same time at 8, 16 and 44.1 kHz."""
    for rate_hz in (8000, 16_000, 44_100):
        centre = word_centre(a_word(round(0.6 * rate_hz), rate_hz, rate_hz), rate_hz)
        assert centre is not None
        assert centre / rate_hz == pytest.approx(0.6, abs=0.02)


def test_noise_holds_no_word(data: Callable[[str], Path]) -> None:
    """In silence, hiss and real pink noise no word is heard, and a cut says so in one line."""
    pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
    pink, rate_hz = read_wav(data("speech/noise/pink_noise.wav"))
    hiss = np.random.default_rng(0).normal(scale=0.1, size=16_000).astype(np.float32)
    for sound in (np.zeros(16_000, np.float32), hiss, pink[:rate_hz]):
        assert word_centre(sound, 16_000) is None
        with pytest.raises(ExampleError, match="no word is heard") as caught:
            cut_word(sound, 16_000, 8000)
        assert "\n" not in str(caught.value)


def test_words_are_heard_in_real_recordings(data: Callable[[str], Path]) -> None:
    """In at least 95 of 100 real commands of one second a word is heard."""
    pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
    paths = [path for word in ("up", "down") for path in sorted(data(f"speech/arabic/{word}").glob("*.wav"))][:100]
    heard = [word_centre(*read_wav(path)) for path in paths]
    assert sum(centre is not None for centre in heard) >= 95


def test_a_cut_puts_the_word_where_it_is_asked_to() -> None:
    """The centre lies at the asked share of the cut, samples untouched, and shifts move the window."""
    sound = a_word(8000)
    centre = word_centre(sound, 16_000)
    assert centre is not None
    made = cut_word(sound, 16_000, 4000, at=0.75, shifts=(0, 160))
    np.testing.assert_array_equal(made[0], sound[centre - 3000 : centre + 1000])
    np.testing.assert_array_equal(made[1], sound[centre - 2840 : centre + 1160])
    made[0][:] = 0
    assert sound[centre] != 0


def test_beyond_the_recording_there_is_a_faint_hiss() -> None:
    """Where the recording does not reach, the cut holds a hiss at −80 dB, the same each time, and never its copy."""
    sound = np.full(1000, 0.5, np.float32)
    made = cut(sound, 0, 1000)
    np.testing.assert_array_equal(made[500:], sound[:500])
    assert 0.5e-4 < made[:500].std() < 2e-4
    np.testing.assert_array_equal(made, cut(sound, 0, 1000))
    assert np.abs(cut(sound, 10_000, 1000)).max() < 1e-3


def test_levels_are_decibels_of_full_scale() -> None:
    """A full square wave is 0 dB, a tenth of it −20, silence −100, every 10 ms; under 10 ms nothing can be said."""
    square = np.ones(1600, np.float32)
    np.testing.assert_allclose(levels(square, 16_000), np.zeros(10), atol=1e-6)
    np.testing.assert_allclose(levels(square * np.float32(0.1), 16_000), -20, atol=1e-4)
    np.testing.assert_allclose(levels(square * 0, 16_000), -100)
    with pytest.raises(ShapeError, match="10 ms"):
        levels(square[:159], 16_000)
