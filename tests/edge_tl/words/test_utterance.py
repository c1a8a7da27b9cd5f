"""A word is cut out of the microphone's stream from the press of a key until it is over."""

from __future__ import annotations

import numpy as np
import pytest

from edge_tl.embedders.windows import word_centre
from edge_tl.errors import ExampleError
from edge_tl.frames import Frame
from edge_tl.media.sound import Sound
from edge_tl.words.utterance import Utterance

RATE_HZ, BLOCK = 16_000, 640


def said(at_s: float, seconds: float = 4.0, level: float = 0.3) -> np.ndarray:
    """Room noise, and 0.4 s of a voice-like sound that begins at `at_s`."""
    rng = np.random.default_rng(3)
    samples = rng.normal(0, 0.002, int(seconds * RATE_HZ))
    first, length = int(at_s * RATE_HZ), int(0.4 * RATE_HZ)
    samples[first : first + length] += level * np.hanning(length) * rng.normal(0, 1, length)
    return np.clip(samples, -1, 1).astype(np.float32)


def frames(samples: np.ndarray, lost: int = -1) -> list[Frame]:
    """Blocks of 40 ms; before block `lost` one is missing."""
    blocks = np.split(samples[: len(samples) // BLOCK * BLOCK], len(samples) // BLOCK)
    return [Frame(one, i * BLOCK / RATE_HZ, i, int(i == lost), RATE_HZ) for i, one in enumerate(blocks)]


def cut_out(all_frames: list[Frame], pressed: int, seconds: float | None = None) -> tuple[Sound, int]:
    """Press the key after so many blocks; the recording, and the block with which it was over."""
    utterance = Utterance(all_frames[:pressed], seconds)
    for number, frame in enumerate(all_frames[pressed:], pressed):
        sound = utterance.push(frame)
        if sound is not None:
            return sound, number
    raise AssertionError("it never ended")


@pytest.mark.parametrize("at_s", [1.1, 1.5, 1.9])
def test_a_word_is_kept_whole_with_room_around_it(at_s: float) -> None:
    """Whenever it is said after the key, its middle lies about a second after the recording's start."""
    samples = said(at_s)
    sound, _ = cut_out(frames(samples), 25)
    centre = word_centre(sound.samples, RATE_HZ)
    assert centre is not None
    assert abs(centre / RATE_HZ - 1.05) < 0.1
    assert sound.duration_s <= 1.85
    # The samples are those of the stream.
    first = round((at_s + 0.2 - centre / RATE_HZ) * RATE_HZ)
    around = [int(k) for k in range(first - 2_000, first + 2_000) if k >= 0]
    assert any(np.array_equal(samples[k : k + 400], sound.samples[:400]) for k in around)


def test_it_ends_soon_after_the_word() -> None:
    """Somebody who speaks at once does not wait for the longest time to pass."""
    _, early = cut_out(frames(said(1.1)), 25)
    _, late = cut_out(frames(said(2.2)), 25)
    assert early < late
    assert (early - 25) * BLOCK / RATE_HZ < 1.3


def test_silence_is_no_word() -> None:
    """Where nothing is said for two seconds, one line says what to do."""
    with pytest.raises(ExampleError, match="no word was heard"):
        cut_out(frames(said(0.0, level=0.0)), 25)


def test_lost_sound_is_said_and_not_taught() -> None:
    """A gap within the word ends it with one line; a gap before the key does no harm."""
    with pytest.raises(ExampleError, match="lost some sound"):
        cut_out(frames(said(1.3), lost=35), 25)
    sound, _ = cut_out(frames(said(1.5), lost=25), 25)
    assert word_centre(sound.samples, RATE_HZ) is not None


def test_noise_is_recorded_for_its_time() -> None:
    """A fixed time takes just that, from the key on, whatever is heard."""
    sound, _ = cut_out(frames(said(1.0)), 10, seconds=2.0)
    assert sound.duration_s == pytest.approx(2.0, abs=BLOCK / RATE_HZ)
    assert np.array_equal(sound.samples[:BLOCK], said(1.0)[10 * BLOCK : 11 * BLOCK])
