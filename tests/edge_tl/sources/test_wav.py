"""Recordings as sources: a file as a microphone, and folders of labelled clips."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_tl.errors import ConfigError, SourceClosed, SourceError, SourceTimeout
from edge_tl.media.wav import encode_wav, read_wav
from edge_tl.sources.folder import FolderSource, find_sounds
from edge_tl.sources.wav import WavSource
from edge_tl.testing import FakeClock, check_source

pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
RAMP = (np.arange(16_000) / 32768).astype(np.float32)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A second of sound at 16 kHz whose samples count up."""
    path = tmp_path / "clip.wav"
    path.write_bytes(encode_wav(RAMP, 16_000))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Clips of 100, 200 and 1000 samples under two labels, a loose one, and what is none."""
    for name, samples in (("go/2.wav", 200), ("go/10.wav", 1000), ("a stop/monday/1.WAV", 100), ("loose.wav", 50)):
        path = tmp_path / "words" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_wav(RAMP[:samples], 8000))
    (tmp_path / "words" / "go" / "notes.txt").write_text("no sound")
    (tmp_path / "words" / "go" / ".hidden.wav").write_bytes(b"")
    return tmp_path / "words"


def test_a_recording_keeps_the_contract_of_a_source(clip: Path, folder: Path) -> None:
    """A sound file and a folder of clips behave like any other source."""
    check_source(lambda: WavSource(clip))
    check_source(lambda: WavSource(clip, loop=True))
    check_source(lambda: FolderSource(folder, kind="sound"))


def test_the_blocks_together_are_the_file(clip: Path) -> None:
    """Blocks of 80 ms, the last one shorter, give every sample once, with the times of the file."""
    clock = FakeClock(50.0)
    with WavSource(clip, block_s=0.08, clock=clock) as source:
        frames = [source.read() for _ in range(13)]
        with pytest.raises(SourceClosed, match="all of it"):
            source.read()
    assert [len(frame.data) for frame in frames] == [1280] * 12 + [640]
    np.testing.assert_array_equal(np.concatenate([frame.data for frame in frames]), RAMP)
    np.testing.assert_allclose([frame.time_s for frame in frames], 50 + 0.08 * np.arange(13))
    assert {(frame.kind, frame.rate_hz, frame.dropped) for frame in frames} == {("sound", 16_000, 0)}


def test_a_paced_recording_gives_a_block_when_it_is_over(clip: Path) -> None:
    """At its own pace a block comes when its last sample would have been heard, and a wait too long loses nothing."""
    clock = FakeClock()
    with WavSource(clip, block_s=0.5, paced=True, clock=clock, sleep=clock.sleep) as source:
        with pytest.raises(SourceTimeout):
            source.read(timeout_s=0.1)
        assert clock.now_s == pytest.approx(0.1)
        first, second = source.read(), source.read()
        assert clock.now_s == pytest.approx(1.0)
    np.testing.assert_array_equal(np.concatenate((first.data, second.data)), RAMP)
    assert second.time_s == pytest.approx(0.5)


def test_a_looped_recording_goes_on(clip: Path) -> None:
    """A looped file begins again at its end, and its time and index go on."""
    with WavSource(clip, block_s=1.0, loop=True, clock=FakeClock()) as source:
        frames = [source.read() for _ in range(3)]
    assert [(frame.index, frame.time_s) for frame in frames] == [(0, 0.0), (1, 1.0), (2, 2.0)]


def test_what_is_no_recording_is_a_source_error(tmp_path: Path, clip: Path) -> None:
    """A missing or damaged file is one line when it is opened, and so is a block of no length."""
    (tmp_path / "bad.wav").write_bytes(clip.read_bytes()[:-100])
    for name, said in (("none.wav", "No such file"), ("bad.wav", "truncated")):
        with pytest.raises(SourceError, match=said) as caught:
            WavSource(tmp_path / name).open()
        assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="block is 0"):
        WavSource(clip, block_s=0)


def test_a_folder_of_clips_gives_each_with_its_label(folder: Path) -> None:
    """`class/clip.wav` and `class/take/clip.wav` are whole frames with their truth, in natural order."""
    with FolderSource(folder, kind="sound") as source:
        frames = [source.read() for _ in range(4)]
        with pytest.raises(SourceClosed, match="4 sounds delivered, which is all"):
            source.read()
    assert [(frame.truth, len(frame.data)) for frame in frames] == [
        ("a stop", 100),
        ("go", 200),
        ("go", 1000),
        (None, 50),
    ]
    assert {(frame.kind, frame.rate_hz) for frame in frames} == {("sound", 8000)}


def test_a_damaged_clip_is_dropped_and_counted(folder: Path) -> None:
    """A clip that cannot be read is skipped and counted; a folder without clips says so in one line."""
    (folder / "a stop" / "monday" / "0.wav").write_bytes(b"no sound")
    with FolderSource(folder, kind="sound") as source:
        assert (frame := source.read()).dropped == 1
        assert frame.truth == "a stop"
    (folder / "go" / "none").mkdir()
    with pytest.raises(SourceError, match="no sounds in this folder"):
        FolderSource(folder / "go" / "none", kind="sound").open()
    with pytest.raises(ConfigError, match="picture or sound"):
        FolderSource(folder, kind="smell")


def test_the_shared_commands_are_read_with_their_labels(data: Callable[[str], Path]) -> None:
    """The shared commands come out as the reader reads them, labelled by their folders."""
    root = data("speech/arabic")
    sounds = find_sounds(root)
    assert len(sounds) == 360
    assert {label for _, label in sounds} == {"up", "down", "left", "right", "forward", "backward"}
    with FolderSource(root, kind="sound") as source:
        np.testing.assert_array_equal(source.read().data, read_wav(sounds[0][0])[0])
