"""Recordings as examples: stored, embedded in several views, taught and recognized, on real words."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_tl.core.features import FeatureMap
from edge_tl.embedders.embedder import EmbeddingStream, SoundEmbedder
from edge_tl.embedders.speech import SpeechEmbedder
from edge_tl.embedders.stream import WindowStream, embed_views
from edge_tl.errors import ExampleError, ShapeError
from edge_tl.labels import NOISE
from edge_tl.media.sound import Sound, label_of, pieces, read_sound
from edge_tl.recognizer import Recognizer
from edge_tl.store.examples import ExampleStore

RNG = np.random.default_rng(0)


class Pitches:
    """A SoundEmbedder without a model: the loudness of eight bands, of windows of half a second at 8 kHz."""

    kind, name = "sound", "pitches"
    fingerprint = hashlib.sha256(b"pitches").hexdigest()
    embedding_shape: tuple[int, ...] = (8,)
    embedding_dim = 8
    rate_hz, window_samples, hop_samples, views, word_at = 8_000, 4_000, 640, 3, 0.5
    features = FeatureMap("flatten")

    def fit(self, data: np.ndarray) -> np.ndarray:
        """The beginning, with silence after it."""
        return np.concatenate((data[:4_000], np.zeros(max(0, 4_000 - len(data)), np.float32)))

    def taught(self, recording: np.ndarray) -> np.ndarray:
        """Three places; a soft sound holds no word."""
        if np.abs(recording).max() < 0.01:
            raise ExampleError("no word")
        return np.stack([self.fit(recording[start:]) for start in (0, 400, 800)])

    def embed(self, data: np.ndarray) -> np.ndarray:
        """(8,)."""
        power = np.abs(np.fft.rfft(self.fit(data)))[:2_000].reshape(8, -1).mean(axis=1)
        return np.log1p(power).astype(np.float32)

    def stream(self) -> EmbeddingStream:
        """Window by window."""
        return WindowStream(self)


def tone(hz: float, rate_hz: int = 16_000, seconds: float = 1.0) -> Sound:
    """A tone with a little noise."""
    time_s = np.arange(int(rate_hz * seconds)) / rate_hz
    return Sound((0.3 * np.sin(2 * np.pi * hz * time_s) + RNG.normal(0, 0.01, len(time_s))).astype(np.float32), rate_hz)


def test_the_fake_is_a_sound_embedder() -> None:
    """What these tests teach with is what the library calls a SoundEmbedder."""
    assert isinstance(Pitches(), SoundEmbedder)


def test_a_recording_comes_back_from_the_store_bit_for_bit(tmp_path: Path) -> None:
    """Sixteen-bit samples and their rate survive; what is listed tells pictures and sounds apart."""
    pytest.importorskip("soundfile")
    samples = (RNG.integers(-32768, 32768, 3_000) / np.float32(32768)).astype(np.float32)
    embedder = Pitches()
    with ExampleStore(tmp_path / "examples.sqlite", writable=True) as store:
        first = store.add(store.new_take("go"), Sound(samples, 44_100), np.ones(24, np.float32), embedder.fingerprint)
        picture = np.zeros((4, 4, 3), np.uint8)
        second = store.add(store.new_take("go"), picture, np.ones(24, np.float32), embedder.fingerprint)
        store.flush()
        assert [one.media_type for one in store.list()] == ["audio/wav", "image/jpeg"]
        back = store.sound(first)
        assert back.rate_hz == 44_100
        assert np.array_equal(back.samples, samples)
        assert store.media(first)[1][:4] == b"RIFF"
        with pytest.raises(ExampleError, match="is no picture"):
            store.picture(first)
        with pytest.raises(ExampleError, match="is no sound"):
            store.sound(second)


@pytest.mark.exact
def test_recordings_are_learned_in_views_and_counted_once(tmp_path: Path) -> None:
    """One recording is one example of several rows, the same ones from the store as from the microphone."""
    pytest.importorskip("soxr")
    pytest.importorskip("soundfile")
    embedder = Pitches()
    live, later = Recognizer(embedder), Recognizer(embedder)
    with ExampleStore(tmp_path / "examples.sqlite", writable=True) as store:
        for number in range(8):
            for label, hz in (("low", 300), ("high", 2_500)):
                sound = tone(hz + 10 * number)
                take = store.new_take(label)
                embedding = live.embed_taught(sound)
                live.add(embedding, label, take, store.session())
                store.add(take, sound, embedding, embedder.fingerprint)
        store.flush()
        later.replace(store.matrix(embedder.fingerprint))
        assert store.reembed(embedder) == 0
    assert live.rows[0].shape == (48, 8)
    for ours, theirs in zip(live.rows, later.rows, strict=True):
        assert np.array_equal(ours, theirs)
    assert np.array_equal(live.sessions, later.sessions)
    learned = live.learn()
    assert (learned.examples, learned.classes) == (16, ("high", "low"))
    assert live.rows[1][live.one_each].tolist() == ["low", "high"] * 8
    assert live.observe(tone(320)).label == "low"
    evaluation = live.evaluate()
    assert evaluation.accuracy == 1.0
    assert evaluation.takes == 16


def test_a_mislabelled_recording_is_suspected_once() -> None:
    """Suspects are recordings, not each of their views."""
    pytest.importorskip("soxr")
    recognizer = Recognizer(Pitches())
    for number in range(10):
        recognizer.teach(tone(300 + number), "low", take=2 * number)
        recognizer.teach(tone(2_500 + number), "low" if number == 4 else "high", take=2 * number + 1)
    recognizer.learn()
    suspects = [one.index for one in recognizer.evaluate().suspects]
    assert suspects[0] == 9
    assert len(set(suspects)) == len(suspects)


def test_a_picture_embedder_takes_no_sound() -> None:
    """A sound for a recognizer of pictures is one line."""
    from edge_tl.testing import FakeEmbedder

    with pytest.raises(ShapeError, match="takes pictures"):
        Recognizer(FakeEmbedder()).teach(tone(300), "low")


def test_noise_is_cut_up_without_overlap() -> None:
    """Ten seconds are five recordings that together are the whole; less than two parts stay one."""
    sound = tone(100, seconds=10.3)
    parts = pieces(sound)
    assert len(parts) == 5
    assert np.array_equal(np.concatenate([part.samples for part in parts]), sound.samples)
    assert all(part.duration_s >= 2 for part in parts)
    assert len(pieces(tone(100, seconds=1.0))) == 1
    assert [label_of(name) for name in ("_background_noise_", "go")] == [NOISE, "go"]


def test_noise_is_seen_from_end_to_end() -> None:
    """Where no word is heard the views are spread over the recording; a scrap of sound is refused."""
    pytest.importorskip("soxr")
    embedder = Pitches()
    quiet = Sound(np.concatenate([np.full(8_000, x, np.float32) for x in (0.001, 0.004, 0.008)]), 8_000)
    views = embed_views(embedder, quiet).reshape(3, 8)
    assert (np.diff(views[:, 0]) > 0).all()
    with pytest.raises(ExampleError, match=r"0\.01 s long"):
        embed_views(embedder, tone(300, seconds=0.01))


def test_one_speakers_words_are_told_apart(data: Callable[[str], Path]) -> None:
    """Real recordings of one speaker's digits: eight of each teach words that the others are then known by."""
    pytest.importorskip("soxr")
    pytest.importorskip("soundfile")
    pytest.importorskip("pyopen_wakeword")
    folder = data("speech/fsdd")
    recognizer = Recognizer(SpeechEmbedder.load(threads=1), reject=False)
    for digit in range(4):
        for number in range(8):
            path = folder / f"{digit}_jackson_{number}.wav"
            recognizer.teach(read_sound(path), str(digit), take=10 * digit + number)
    recognizer.learn()
    asked = [(digit, number) for digit in range(4) for number in range(8, 14)]
    names = [recognizer.observe(read_sound(folder / f"{digit}_jackson_{number}.wav")).label for digit, number in asked]
    right = sum(name == str(digit) for name, (digit, _) in zip(names, asked, strict=True))
    assert right >= 23
