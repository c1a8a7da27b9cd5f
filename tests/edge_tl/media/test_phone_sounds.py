"""Sounds as telephones and browsers record them: read wherever a WAV file is, by content, or one line."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from phone_files import SOUNDS, film, sound_file

from edge_tl.errors import ExampleError, SourceClosed, to_install
from edge_tl.media.containers import container_of, open_container
from edge_tl.media.kinds import is_picture, is_sound
from edge_tl.media.wav import SoundFile, read_wav
from edge_tl.sources.wav import WavSource

RATES = {"3gp": 8_000, "webm": 48_000, "opus": 48_000}


def tone(rate_hz: int, seconds: float = 1.0) -> np.ndarray:
    """A tone of 440 Hz that swells and fades, so that its middle is known."""
    times = np.arange(int(rate_hz * seconds))
    return (0.4 * np.sin(times * 2 * np.pi * 440 / rate_hz) * np.hanning(len(times))).astype(np.float32)


@pytest.mark.parametrize("kind", SOUNDS)
def test_what_telephones_write_is_read(kind: str, tmp_path: Path) -> None:
    """As long, as loud, as high and in the same place as it was recorded; the name tells nothing."""
    rate_hz = RATES.get(kind, 44_100)
    data = sound_file(kind, tone(rate_hz), rate_hz)
    (tmp_path / "memo.bin").write_bytes(data)
    for source in (data, tmp_path / "memo.bin"):
        samples, found_hz = read_wav(source)
        assert found_hz == rate_hz
        assert samples.dtype == np.float32
        assert len(samples) == pytest.approx(rate_hz, rel=0.06)
        assert np.abs(samples).max() == pytest.approx(0.4, rel=0.2)
        weights = np.square(samples, dtype=np.float64)
        assert weights @ np.arange(len(samples)) / weights.sum() / rate_hz == pytest.approx(0.5, abs=0.05)
        spectrum = np.abs(np.fft.rfft(samples))
        assert np.fft.rfftfreq(len(samples), 1 / rate_hz)[spectrum.argmax()] == pytest.approx(440, abs=5)


@pytest.mark.parametrize("kind", SOUNDS)
def test_its_length_is_known_before_it_is_decoded(kind: str) -> None:
    """`frames` is nearly what comes, in blocks of any size, and closing twice is allowed."""
    rate_hz = RATES.get(kind, 44_100)
    with SoundFile(sound_file(kind, tone(rate_hz), rate_hz)) as file:
        blocks = list(file.blocks(1000))
        assert {len(block) for block in blocks[:-1]} == {1000}
        assert sum(map(len, blocks)) == pytest.approx(file.frames, rel=0.06)
        file.close()


def test_a_recording_comes_in_blocks_as_from_a_microphone(tmp_path: Path) -> None:
    """A memo in the place of a microphone: every sample of it, in order."""
    path = tmp_path / "memo.m4a"
    path.write_bytes(sound_file("m4a", tone(16_000), 16_000))
    with WavSource(path) as source:
        frames = []
        with suppress(SourceClosed):
            while True:
                frames.append(source.read())
    np.testing.assert_array_equal(np.concatenate([frame.data for frame in frames]), read_wav(path)[0])


@pytest.mark.parametrize("kind", ["m4a", "webm", "3gp", "aac", "aiff"])
def test_half_of_a_recording_is_refused(kind: str) -> None:
    """What was cut off while it was sent is one line, and no shorter recording."""
    data = sound_file(kind, tone(RATES.get(kind, 16_000), 2.0), RATES.get(kind, 16_000))
    with pytest.raises(ExampleError, match=r"truncated|damaged") as caught:
        read_wav(data[: len(data) // 2])
    assert "\n" not in str(caught.value)


def test_the_sound_of_a_film_is_taken() -> None:
    """A film's sound is heard; one without a sound says so."""
    pictures = [np.zeros((48, 64, 3), np.uint8)] * 5
    samples, rate_hz = read_wav(film(pictures, sound=tone(48_000)))
    assert len(samples) / rate_hz == pytest.approx(1, abs=0.05)
    with pytest.raises(ExampleError, match="holds no sound"):
        read_wav(film(pictures))


def test_a_clip_is_looked_into(tmp_path: Path) -> None:
    """A .webm with pictures is a film, and of sound alone, as browsers record it, a sound and no picture."""
    for name, data in (
        ("film", film([np.zeros((48, 64, 3), np.uint8)] * 5, kind="webm")),
        ("memo", sound_file("webm", tone(48_000), 48_000)),
    ):
        (tmp_path / f"{name}.webm").write_bytes(data)
    assert is_picture(tmp_path / "film.webm")
    assert not is_picture(tmp_path / "memo.webm")
    assert is_sound(tmp_path / "memo.webm")


def test_without_pyav_a_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A memo then is one file that is not read, with the command; WAV files are read all the same."""
    data = sound_file("m4a", tone(16_000), 16_000)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ExampleError, match="is read with PyAV, which is not installed") as caught:
        read_wav(data)
    assert str(caught.value).endswith(to_install("[phone]"))


def test_no_list_of_addresses_is_opened() -> None:
    """What FFmpeg would follow elsewhere, a playlist or a script of files, is no sound and no film here."""
    for text in (b"#EXTM3U\n#EXTINF:1\nhttp://127.0.0.1/a.ts\n", b"ffconcat version 1.0\nfile '/etc/hostname'\n"):
        assert container_of(text) == ""
        with pytest.raises(ExampleError, match="not a known kind of video or sound"), open_container(text):
            pass


def test_a_header_that_lies_about_its_length_costs_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that says that it is short and goes on is refused where it becomes too long."""
    data = sound_file("m4a", tone(16_000, 3.0), 16_000)
    with pytest.raises(ExampleError, match=r"is 0\.05\d* min long; 0\.0167 min at most are taken"):
        read_wav(data, longest_s=1.0)
    monkeypatch.setattr("edge_tl.media.compressed._length_s", lambda source, name: 0.0)
    with pytest.raises(ExampleError, match=r"is longer; 0\.0167 min at most are taken: cut it up"):
        read_wav(data, longest_s=1.0)
