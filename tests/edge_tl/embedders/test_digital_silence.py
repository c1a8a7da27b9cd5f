"""Digital silence becomes a faint hiss, whatever the blocks; everything else passes untouched."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.embedders.digital_silence import LEVEL, SilenceFiller, audible
from edge_tl.errors import ShapeError

RATE_HZ = 16_000
MIN_SAMPLES = 80


def padded(before: int, after: int) -> np.ndarray:
    """A sound between zeros."""
    word = np.random.default_rng(1).normal(0, 0.1, 500).astype(np.float32)
    return np.concatenate((np.zeros(before, np.float32), word, np.zeros(after, np.float32)))


@given(st.integers(0, 400), st.integers(0, 400), st.lists(st.integers(0, 1000), max_size=6))
@settings(deadline=None)
def test_blocks_give_what_the_whole_gives(before: int, after: int, cuts: list[int]) -> None:
    """However a sound is cut up, the hiss in it is the same to the bit."""
    sound = padded(before, after)
    stream = SilenceFiller(RATE_HZ)
    blocks = [stream.push(block) for block in np.split(sound, sorted(cuts))]
    assert np.concatenate(blocks).tobytes() == audible(sound, RATE_HZ).tobytes()


def test_only_rows_of_zeros_become_a_hiss() -> None:
    """From the fifth millisecond on zeros are a hiss at -80 dB; shorter rows and what sounds stay as they are."""
    made = audible(padded(2000, 2000), RATE_HZ)
    assert made[: MIN_SAMPLES - 1].any() is np.False_
    assert 0.9 * LEVEL < made[MIN_SAMPLES:2000].std() < 1.1 * LEVEL
    assert (made[2000:2500] == padded(2000, 2000)[2000:2500]).all()
    assert 0.9 * LEVEL < made[2500 + MIN_SAMPLES :].std() < 1.1 * LEVEL
    short = padded(MIN_SAMPLES - 1, MIN_SAMPLES - 1)
    assert audible(short, RATE_HZ) is short


def test_what_is_no_sound_is_refused() -> None:
    """Another type or shape is one line."""
    with pytest.raises(ShapeError, match="a sound is wanted"):
        audible(np.zeros((2, 2), np.float32), RATE_HZ)
