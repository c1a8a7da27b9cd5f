"""Blocks of any size and rate → windows with their times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.core.features import FeatureMap
from edge_tl.embedders.embedder import EmbeddingStream, SoundEmbedder
from edge_tl.embedders.stream import StreamingSpeech, WindowStream
from edge_tl.errors import ExampleError, ShapeError
from edge_tl.frames import Frame
from edge_tl.media.frontend import check_sound
from edge_tl.media.resample import resample

pytestmark = pytest.mark.exact

NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, 96_000).astype(np.float32)


class Loudness:
    """A SoundEmbedder without a model: the loudness of four quarters of a window of 0.2 s, every 50 ms."""

    name, kind, fingerprint = "loudness", "sound", "0" * 64
    embedding_shape: tuple[int, ...] = (4,)
    embedding_dim = 4
    rate_hz, window_samples, hop_samples, views, word_at = 16_000, 3200, 800, 1, 0.5
    features = FeatureMap("flatten")

    def fit(self, data: np.ndarray) -> np.ndarray:
        check_sound(data)
        return np.resize(data, self.window_samples)

    def embed(self, data: np.ndarray) -> np.ndarray:
        return np.square(self.fit(data)).reshape(4, -1).mean(axis=1)

    def taught(self, recording: np.ndarray) -> np.ndarray:
        return self.fit(recording)[None]

    def stream(self) -> EmbeddingStream:
        return WindowStream(self)


def frames(sound: np.ndarray, rate_hz: int, sizes: list[int], start_s: float = 0.0) -> list[Frame]:
    """The sound in blocks of these sizes, over and over, with their true times."""
    made, at = [], 0
    while at < len(sound):
        size = sizes[len(made) % len(sizes)]
        made.append(Frame(sound[at : at + size], start_s + at / rate_hz, index=len(made), rate_hz=rate_hz))
        at += size
    return made


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=6), st.sampled_from([16_000, 48_000, 44_100, 8000]))
@settings(max_examples=25)
def test_windows_do_not_depend_on_the_blocks(sizes: list[int], rate_hz: int) -> None:
    """At any rate and in any blocks, the windows are those of the whole sound resampled at once, with their times."""
    pytest.importorskip("soxr", reason="soxr is not installed: pip install -e .[speech]")
    embedder = Loudness()
    sound = NOISE[:rate_hz]
    speech = StreamingSpeech(embedder)
    heard = [window for frame in frames(sound, rate_hz, [*sizes, 9000], 100.0) for window in speech.push(frame)]
    whole = resample(sound, rate_hz, 16_000)
    assert len(heard) >= 15
    for number, window in enumerate(heard):
        wanted = whole[800 * number : 800 * number + 3200]
        np.testing.assert_array_equal(window.samples, wanted)
        np.testing.assert_array_equal(window.embedding, embedder.embed(wanted))
        assert window.start_s == pytest.approx(100 + 0.05 * number, abs=1e-6)
        assert window.end_s == pytest.approx(window.start_s + 0.2)


def test_the_embedder_of_the_tests_is_one() -> None:
    """The small embedder of these tests has all that a SoundEmbedder has."""
    assert isinstance(Loudness(), SoundEmbedder)


def test_a_gap_begins_anew() -> None:
    """After lost frames no window holds sound from both sides, and times are those of the new frames."""
    speech = StreamingSpeech(Loudness())
    assert len(speech.push(Frame(NOISE[:3000], 0.0, index=0, rate_hz=16_000))) == 0
    assert len(speech.push(Frame(NOISE[:3000], 5.0, index=2, dropped=1, rate_hz=16_000))) == 0
    (window,) = speech.push(Frame(NOISE[3000:3200], 5.1875, index=3, rate_hz=16_000))
    np.testing.assert_array_equal(window.samples, NOISE[:3200])
    assert (window.start_s, window.end_s) == (pytest.approx(5.0), pytest.approx(5.2))


def test_another_rate_begins_anew() -> None:
    """A microphone that comes back with another rate begins a new stream, and so does `reset`."""
    pytest.importorskip("soxr", reason="soxr is not installed: pip install -e .[speech]")
    speech = StreamingSpeech(Loudness())
    speech.push(Frame(NOISE[:3000], 0.0, rate_hz=8000))
    assert speech.push(Frame(NOISE[:3199], 1.0, rate_hz=16_000)) == []
    assert len(speech.push(Frame(NOISE[:1], 1.2, rate_hz=16_000))) == 1
    speech.reset()
    assert speech.push(Frame(NOISE[:3199], 2.0, rate_hz=16_000)) == []


def test_a_clock_that_drifts_does_not_add_up() -> None:
    """Where frames come later than their samples say, the windows' times follow the frames."""
    speech = StreamingSpeech(Loudness())
    slow = [Frame(NOISE[:1600], 0.11 * number, index=number, rate_hz=16_000) for number in range(200)]
    last = [window for frame in slow for window in speech.push(frame)][-1]
    assert last.end_s == pytest.approx(199 * 0.11 + 0.1)


def test_what_is_no_sound_is_refused() -> None:
    """Pictures, impossible rates and arrays that are no sound are one line each, and the stream goes on."""
    speech = StreamingSpeech(Loudness())
    with pytest.raises(ShapeError, match="got a picture"):
        speech.push(Frame(np.zeros((4, 4, 3), np.uint8), 0.0))
    with pytest.raises(ExampleError, match="4000 to 384000"):
        speech.push(Frame(NOISE[:10], 0.0, rate_hz=3))
    with pytest.raises(ShapeError, match="a sound is wanted"):
        speech.push(Frame(NOISE[:10].astype(np.float64), 0.0, rate_hz=16_000))
    assert len(speech.push(Frame(NOISE[:3200], 0.0, rate_hz=16_000))) == 1
