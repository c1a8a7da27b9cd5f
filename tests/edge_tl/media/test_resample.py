"""Any rate to any rate: SciPy's tones, streams bit for bit, and one line where it cannot be."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.errors import ExampleError, MissingDependency, ShapeError, to_install
from edge_tl.media.resample import Resampler, resample

NOISE = np.random.default_rng(0).uniform(-0.9, 0.9, 30_000).astype(np.float32)


@pytest.fixture(autouse=True)
def _with_soxr(request: pytest.FixtureRequest) -> None:
    if "without" not in request.node.name:
        pytest.importorskip("soxr", reason="soxr is not installed: pip install -e .[speech]")


@pytest.mark.parametrize("from_hz", [8000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("to_hz", [16_000, 44_100])
def test_a_tone_stays_the_tone(from_hz: int, to_hz: int) -> None:
    """A tone of 1 kHz is the same tone, in level and in time, at every other rate."""

    def tone(rate_hz: int) -> np.ndarray:
        return (0.5 * np.sin(2 * np.pi * 1000 * np.arange(rate_hz) / rate_hz)).astype(np.float32)

    made = resample(tone(from_hz), from_hz, to_hz)
    assert made.dtype == np.float32
    assert len(made) == to_hz
    inner = slice(to_hz // 10, -to_hz // 10)
    np.testing.assert_allclose(made[inner], tone(to_hz)[inner], atol=1e-3)


def test_what_a_lower_rate_cannot_hold_is_gone() -> None:
    """A tone of 10 kHz leaves nothing behind at 16 kHz: it does not fold into the speech."""
    tone = (0.5 * np.sin(2 * np.pi * 10_000 * np.arange(48_000) / 48_000)).astype(np.float32)
    assert np.abs(resample(tone, 48_000, 16_000)[1000:-1000]).max() < 1e-4


@given(
    st.lists(st.integers(0, 5000), max_size=10), st.sampled_from([(48_000, 16_000), (44_100, 16_000), (16_000, 44_100)])
)
@settings(max_examples=30)
def test_streaming_equals_batch_bit_for_bit(sizes: list[int], rates: tuple[int, int]) -> None:
    """However a sound is cut into blocks, the blocks that come out are the whole sound's, to the last bit."""
    stream = Resampler(*rates)
    for _ in range(2):
        at, made = 0, []
        for size in [*sizes, len(NOISE)]:
            made.append(stream.push(NOISE[at : at + size]))
            at += size
        made.append(stream.finish())
        np.testing.assert_array_equal(np.concatenate(made), resample(NOISE, *rates))
        stream.reset()


def test_one_rate_passes_as_it_is() -> None:
    """Where both rates are one the samples are untouched, in a new array."""
    made = resample(NOISE, 16_000, 16_000)
    np.testing.assert_array_equal(made, NOISE)
    assert not np.may_share_memory(Resampler(16_000, 16_000).push(NOISE), NOISE)


def test_a_full_sound_does_not_leave_the_range() -> None:
    """A square wave at full scale, which filters overshoot, stays within −1 and 1."""
    square = np.sign(np.sin(2 * np.pi * 100 * np.arange(16_000) / 16_000)).astype(np.float32)
    assert np.abs(resample(square, 16_000, 44_100)).max() <= 1.0


def test_impossible_rates_and_sounds_are_one_line() -> None:
    """Rates outside 4 to 384 kHz and arrays that are no sound are refused in one line."""
    for rates in ((0, 16_000), (16_000, 10**9), (-1, 16_000)):
        with pytest.raises(ExampleError, match="4000 to 384000") as caught:
            Resampler(*rates)
        assert "\n" not in str(caught.value)
    with pytest.raises(ShapeError, match="a sound is wanted"):
        resample(np.zeros(10), 8000, 16_000)


def test_without_soxr_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where soxr is missing, equal rates still work and others name the install command."""
    monkeypatch.setitem(sys.modules, "soxr", None)
    assert len(resample(NOISE, 16_000, 16_000)) == len(NOISE)
    with pytest.raises(MissingDependency, match=re.escape(to_install("[speech]"))):
        Resampler(48_000, 16_000)
