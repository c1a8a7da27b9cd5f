"""A pipe in the place of a microphone: standard input, and a FIFO whose writers come and go."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from device.commands.options import check_keys
from device.sources.choose import MIC_GRAMMAR, open_mic
from device.sources.piped import PipedSound
from edge_tl.errors import ConfigError, SourceClosed, SourceError, SourceTimeout
from edge_tl.media.wav import encode_wav

pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
X = (0.5 * np.sin(np.arange(5_000) / 9)).astype(np.float32)


def read_all(source: PipedSound) -> tuple[np.ndarray, set[int]]:
    """Every sample until the end, and the lengths of the blocks."""
    blocks = []
    while True:
        try:
            blocks.append(source.read(timeout_s=20).data)
        except SourceClosed:
            return np.concatenate(blocks), set(map(len, blocks))


def writing(path: Path, data: bytes) -> Callable[[], None]:
    """Write into a FIFO as another program does; the function waits until it is done."""
    thread = threading.Thread(target=path.write_bytes, args=(data,))
    thread.start()
    return lambda: thread.join(20)


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """A FIFO that nobody has opened."""
    os.mkfifo(tmp_path / "mic")
    return tmp_path / "mic"


def test_a_fifo_gives_blocks_of_what_is_written(fifo: Path) -> None:
    """Blocks of 40 ms, the last one shorter, times by the samples; when its writer is done it is over."""
    with PipedSound(fifo) as source:
        with pytest.raises(SourceTimeout):
            source.read(timeout_s=0)
        done = writing(fifo, encode_wav(X, 16_000))
        first = source.read(timeout_s=20)
        rest, lengths = read_all(source)
        done()
    assert (first.index, first.rate_hz, len(first.data), lengths) == (0, 16_000, 640, {640, 5_000 % 640})
    np.testing.assert_allclose(np.concatenate((first.data, rest)), X, atol=1e-4)


def test_a_fifo_may_wait_for_another_writer(fifo: Path) -> None:
    """A service goes on when the recorder is started again, also at another rate; counting goes on too."""
    source = open_mic(str(fifo), loop=True)
    with source:
        heard = []
        for rate_hz in (16_000, 8_000):
            done = writing(fifo, encode_wav(X[:640], rate_hz))
            while sum(len(frame.data) for frame in heard if frame.rate_hz == rate_hz) < 640:
                heard.append(source.read(timeout_s=20))
            done()
            with pytest.raises(SourceTimeout):
                source.read(timeout_s=0)
        assert [frame.index for frame in heard] == [0, 1, 2]
    with pytest.raises(SourceClosed):
        source.read()


def test_what_is_no_sound_is_a_line(fifo: Path) -> None:
    """A packed file through a pipe is refused by the name of the pipe."""
    with PipedSound(fifo) as source:
        done = writing(fifo, b"fLaC" + bytes(100))
        with pytest.raises(SourceError, match="sound from mic: is packed; WAV or raw"):
            source.read(timeout_s=20)
        done()


@pytest.mark.parametrize("spec", ["stdin:", "stdin:abc", "stdin:1", "stdin:9999999"])
def test_a_rate_that_is_none_says_what_is_wanted(spec: str) -> None:
    """Of `stdin:HZ` the rate is checked before anything is read."""
    with pytest.raises(ConfigError, match="a rate from 4000 to 384000 is wanted"):
        open_mic(spec)


def test_keys_and_sound_cannot_share_standard_input() -> None:
    """Where keys are needed `--mic -` is refused with what works instead; a name that begins so is none."""
    assert "|-|stdin:HZ|" in MIC_GRAMMAR
    for spec in ("-", "stdin:44100"):
        with pytest.raises(ConfigError, match="mkfifo mic"):
            check_keys(spec)
    check_keys("auto")
    check_keys(None)
