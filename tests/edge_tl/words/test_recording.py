"""A recording is heard as a listener hears it: what is named is what is told, wherever the word lies in it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest

from device.sources.choose import open_mic
from edge_tl.embedders.speech import SpeechEmbedder
from edge_tl.errors import SourceClosed
from edge_tl.labels import NOISE
from edge_tl.line import SoundLine
from edge_tl.listener import Listener, ListeningConfig
from edge_tl.media.resample import resample
from edge_tl.media.sound import Sound
from edge_tl.media.wav import encode_wav
from edge_tl.recognizer import Recognizer
from edge_tl.testing import FakeClock
from edge_tl.words.recording import RecordingOutcome, hear

pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
pytest.importorskip("soxr", reason="soxr is not installed: pip install -e .[speech]")
pytest.importorskip("pyopen_wakeword", reason="pyopen-wakeword is not installed: pip install -e .[speech]")

from made_words import BANDS, RATE_HZ, room, spoken

CONFIG = ListeningConfig(0.6)


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    """Two words of eight recordings each, half of them cut short, and the room."""
    made = Recognizer(SpeechEmbedder.load(1))
    sounds = [(label, spoken(label, seed, 0.2 + 0.3 * (seed % 2))) for label in BANDS for seed in range(8)]
    sounds += [(NOISE, room(2.0, seed)) for seed in range(4)]
    for take, (label, samples) in enumerate(sounds):
        made.teach(Sound(samples, RATE_HZ), label, take)
    made.learn()
    return made


def listened(recognizer: Recognizer, sound: Sound, folder: Path, config: ListeningConfig = CONFIG) -> list[str]:
    """What `listen` tells of a file that holds the recording."""
    path = folder / "asked.wav"
    path.write_bytes(encode_wav(sound.samples, sound.rate_hz))
    clock = FakeClock()
    source = open_mic(str(path), clock=clock, paced=False)
    ear = SoundLine(source, recognizer, clock, Listener(recognizer.classes, config))
    with contextlib.suppress(SourceClosed), source:
        while True:
            ear.read(0.0)
    return [word.label for word in ear.words]


def as_file(sound: Sound) -> Sound:
    """The sound as 16 bits keep it."""
    return Sound((np.rint(sound.samples * 32768) / 32768).astype(np.float32), sound.rate_hz)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
@pytest.mark.parametrize(("before_s", "after_s"), [(0.0, 0.0), (0.5, 2.0), (2.0, 0.5), (0.03, 0.0), (0.0, 1.17)])
def test_what_is_named_is_told(
    recognizer: Recognizer, tmp_path: Path, rate_hz: int, before_s: float, after_s: float
) -> None:
    """Padded with silence or cut to the word, at any rate: `listen` tells the very words that are named, no others."""
    for label in BANDS:
        for seed in (30, 31):
            word = resample(spoken(label, seed, room_s=0.05), RATE_HZ, rate_hz)
            pads = (np.zeros(round(seconds * rate_hz), np.float32) for seconds in (before_s, after_s))
            first, last = pads
            sound = as_file(Sound(np.concatenate((first, word, last)), rate_hz))
            heard = hear(recognizer, sound, CONFIG)
            assert [one.label for one in heard.words] == listened(recognizer, sound, tmp_path)
            if not heard.words:
                counts = heard.observation.label not in (None, NOISE) and heard.confidence
                assert counts < CONFIG.threshold


def test_a_clip_shorter_than_a_window_is_heard(recognizer: Recognizer, tmp_path: Path) -> None:
    """A word in a file of less than a second is told, although no window of it alone would be whole."""
    for label in BANDS:
        sound = as_file(Sound(spoken(label, 42, room_s=0.2), RATE_HZ))
        assert sound.duration_s < 1.0
        assert listened(recognizer, sound, tmp_path) == [label]
        assert hear(recognizer, sound, CONFIG).observation.label == label


def test_two_words_are_told_in_their_order(recognizer: Recognizer) -> None:
    """Each word of a recording is told where it is surest, and the first one is the recording's."""
    parts = [room(1.0), spoken("hiss", 50), room(1.5), spoken("hum", 51), room(1.0)]
    heard = hear(recognizer, Sound(np.concatenate(parts), RATE_HZ), CONFIG)
    assert [one.label for one in heard.words] == ["hiss", "hum"]
    assert heard.observation.label == "hiss"
    assert heard.confidence == heard.words[0].counted == pytest.approx(max(heard.words[0].counted, CONFIG.threshold))
    assert 1.0 < heard.words[0].time_s < heard.words[1].time_s - 1.0


def test_noise_is_named_and_never_told(recognizer: Recognizer) -> None:
    """A recording of the room is background noise, and what came nearest to a word is told apart from it."""
    heard = hear(recognizer, Sound(room(3.0, 77), RATE_HZ), CONFIG)
    assert (heard.words, heard.observation.label) == ((), NOISE)
    assert heard.nearest is not None
    assert heard.nearest.label in BANDS
    assert heard.nearest.counted < CONFIG.threshold


def test_what_is_not_told_does_not_count_as_sure(recognizer: Recognizer) -> None:
    """At a threshold that nothing reaches no word is told, and the confidence lies below it."""
    config = ListeningConfig(1.0)
    heard: RecordingOutcome = hear(recognizer, Sound(spoken("hum", 60), RATE_HZ), config)
    assert heard.words == ()
    assert heard.confidence < 1.0
