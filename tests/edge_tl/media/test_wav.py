"""Sound files: every kind that recorders write comes out alike, and what is none is one clear line."""

from __future__ import annotations

import io
import re
import struct
import sys
import tracemalloc
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.errors import ExampleError, MissingDependency, ShapeError, to_install
from edge_tl.media.wav import SoundFile, encode_wav, read_wav

pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
X = (0.8 * np.sin(np.arange(4000) / 9)).astype(np.float32)


def riff(
    samples: bytes, bits: int, channels: int = 1, form: int = 1, rate_hz: int = 16_000, more: bytes = b""
) -> bytes:
    """A WAV file by the letter of its format: RIFF, fmt, data."""
    align = channels * bits // 8
    fmt = struct.pack("<HHIIHH", form, channels, rate_hz, rate_hz * align, align, bits) + more
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def extensible(bits: int, kind: int) -> bytes:
    """What the extensible header adds to fmt: valid bits, channel mask, and the kind as a GUID."""
    return struct.pack("<HHIH", 22, bits, 4, kind) + bytes.fromhex("000000001000800000aa00389b71")


def int24(x: np.ndarray) -> bytes:
    """24-bit little-endian samples."""
    return np.rint(x * 2**23).astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


FILES = {
    "8 bit": (riff((X * 128 + 128).astype(np.uint8).tobytes(), 8), 1 / 127),
    "16 bit": (riff((X * 32768).astype("<i2").tobytes(), 16), 1e-4),
    "24 bit": (riff(int24(X), 24), 1e-6),
    "32 bit": (riff(np.rint(X.astype(np.float64) * 2**31).astype("<i4").tobytes(), 32), 1e-6),
    "float": (riff(X.astype("<f4").tobytes(), 32, form=3), 1e-7),
    "double": (riff(X.astype("<f8").tobytes(), 64, form=3), 1e-7),
    "24 bit extensible": (riff(int24(X), 24, form=0xFFFE, more=extensible(24, 1)), 1e-6),
    "float extensible": (riff(X.astype("<f4").tobytes(), 32, form=0xFFFE, more=extensible(32, 3)), 1e-7),
}


@pytest.mark.parametrize("kind", FILES)
def test_every_kind_of_wav_comes_out_alike(kind: str, tmp_path: Path) -> None:
    """8, 16, 24 and 32 bits, floats and extensible headers give the same samples, from bytes and from a file."""
    data, exact = FILES[kind]
    (tmp_path / "a.wav").write_bytes(data)
    for source in (data, tmp_path / "a.wav"):
        samples, rate_hz = read_wav(source)
        assert samples.dtype == np.float32
        assert rate_hz == 16_000
        np.testing.assert_allclose(samples, X, atol=exact)


def test_scipys_and_pythons_files_are_read(tmp_path: Path) -> None:
    """Files that SciPy and Python's own wave module wrote are read sample by sample."""
    wavfile = pytest.importorskip("scipy.io.wavfile")
    for dtype, scale in ((np.int16, 32768), (np.int32, 2**31), (np.float32, 1)):
        stored = (X.astype(np.float64) * scale).astype(dtype)
        wavfile.write(tmp_path / "a.wav", 44_100, stored)
        samples, rate_hz = read_wav(tmp_path / "a.wav")
        assert rate_hz == 44_100
        np.testing.assert_allclose(samples, stored / scale, atol=1e-7)
    with wave.open(str(tmp_path / "b.wav"), "wb") as file:
        file.setparams((1, 3, 8000, 0, "NONE", ""))
        file.writeframes(int24(X))
    np.testing.assert_allclose(read_wav(tmp_path / "b.wav")[0], X, atol=1e-6)


@pytest.mark.parametrize("channels", [2, 6])
def test_channels_are_mixed_into_one(channels: int) -> None:
    """Stereo and six channels become their mean."""
    many = np.stack([X * (k / channels) for k in range(channels)], axis=1).astype("<f4")
    samples, _ = read_wav(riff(many.tobytes(), 32, channels, form=3))
    np.testing.assert_allclose(samples, many.mean(axis=1), atol=1e-6)


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=200), st.integers(4000, 384_000))
def test_written_and_read_again_is_the_same(stored: list[int], rate_hz: int) -> None:
    """What came from 16 bits is written and read again bit for bit, and the bytes are the same every time."""
    samples = (np.array(stored) / 32768).astype(np.float32)
    data = encode_wav(samples, rate_hz)
    assert data == encode_wav(samples, rate_hz)
    again, again_hz = read_wav(data)
    np.testing.assert_array_equal(again, samples)
    assert again_hz == rate_hz
    with wave.open(io.BytesIO(data)) as file:
        assert file.getparams()[:4] == (1, 2, rate_hz, len(stored))


def test_full_scale_is_written_without_wrapping() -> None:
    """+1 and −1 and what lies beyond become the ends of 16 bits."""
    samples, _ = read_wav(encode_wav(np.array([1, -1, 3, -3], np.float32), 16_000))
    np.testing.assert_array_equal(samples, np.array([32767, -32768, 32767, -32768], np.float32) / 32768)
    with pytest.raises(ShapeError):
        encode_wav(np.zeros(3), 16_000)
    with pytest.raises(ExampleError, match="samples a second"):
        encode_wav(X, 7)


def refused(source: Path | bytes) -> str:
    """The one line that a file is refused with."""
    with pytest.raises(ExampleError) as caught:
        read_wav(source)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_no_sound_file_is_one_line(tmp_path: Path) -> None:
    """A missing file, a folder, a device, an empty file, a text and a header without sound are each named."""
    assert "No such file" in refused(tmp_path / "none.wav")
    assert "is no file" in refused(tmp_path)
    assert "is no file" in refused(Path("/dev/zero"))
    assert "is empty" in refused(b"")
    (tmp_path / "empty.wav").touch()
    assert "empty.wav: is empty" in refused(tmp_path / "empty.wav")
    for junk in (b"hello" * 100, b"RIFF\0\0\0\0WAVE", b"RIFF"):
        assert "no sound file" in refused(junk)
    assert "is damaged" in refused(b"ID3" * 50)
    assert "no sound" in refused(riff(b"", 16))


def test_a_truncated_file_says_how_much_is_left() -> None:
    """A file that lost its end is refused with both sizes, also where libsndfile would take the rest."""
    data = FILES["16 bit"][0]
    assert f"truncated ({len(data) - 1} of {len(data)} bytes)" in refused(data[:-1])
    assert "truncated (44 of" in refused(data[:44])


def test_a_streaming_recorders_size_is_no_truncation() -> None:
    """Recorders that cannot go back write no size or the largest: their files are read to the end."""
    data = FILES["16 bit"][0]
    for size in (0, 0xFFFFFFFF):
        samples, _ = read_wav(
            data[:4] + struct.pack("<I", size) + data[8:40] + struct.pack("<I", size or 8000) + data[44:]
        )
        np.testing.assert_allclose(samples, X, atol=1e-4)


def test_values_far_from_a_sound_are_refused() -> None:
    """NaN and floats that were never scaled are one line; floats slightly beyond 1 are clipped."""
    for bad, said in ((np.nan, "holds NaN"), (30_000.0, "reaches 3e"), (np.inf, "reaches inf")):
        x = X.copy()
        x[100] = bad
        assert said in refused(riff(x.astype("<f4").tobytes(), 32, form=3))
    samples, _ = read_wav(riff((X * 2).astype("<f4").tobytes(), 32, form=3))
    assert np.abs(samples).max() == 1.0


def test_odd_rates_and_channels_are_refused() -> None:
    """A rate of 0 or 100 000 000 and a hundred channels are one line each."""
    quiet = np.zeros(800, "<i2").tobytes()
    refused(riff(quiet, 16, rate_hz=0))
    assert "4000 to 384000" in refused(riff(quiet, 16, rate_hz=100_000_000))
    assert "32 at most" in refused(riff(quiet, 16, channels=100))


def test_three_hours_are_refused_whole_and_read_in_blocks(tmp_path: Path) -> None:
    """A file of three hours is refused as a whole in one line, and read in blocks with a few MB of memory."""
    path, seconds = tmp_path / "long.wav", 3 * 3600
    header = bytearray(riff(b"", 8, rate_hz=4000))
    header[4:8], header[40:44] = struct.pack("<I", 36 + 4000 * seconds), struct.pack("<I", 4000 * seconds)
    path.write_bytes(header)
    with path.open("ab") as file:
        file.truncate(44 + 4000 * seconds)  # a hole: the disk holds nothing of it
    assert "is 3 h long; 10 min at most" in refused(path)
    tracemalloc.start()
    try:
        with SoundFile(path) as sound:
            assert sound.duration_s == seconds
            assert sum(len(block) for block in sound.blocks()) == 4000 * seconds
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


@given(st.data())
@settings(max_examples=150)
def test_a_damaged_file_never_surprises(data: st.DataObject) -> None:
    """Whatever bytes of a file are changed or lost, the answer is a sound or one line."""
    whole = bytearray(FILES[data.draw(st.sampled_from(sorted(FILES)))][0][:400])
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, 79))] = data.draw(st.integers(0, 255))
    said, samples, rate_hz = "", X, 16_000
    try:
        samples, rate_hz = read_wav(bytes(whole[: data.draw(st.integers(0, 400))]))
    except ExampleError as error:
        said = str(error)
    assert "\n" not in said
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert len(samples)
    assert np.abs(samples).max() <= 1.0
    assert 4000 <= rate_hz <= 384_000


def test_flac_is_read_too(tmp_path: Path) -> None:
    """Other files that libsndfile knows are sounds as well."""
    import soundfile

    soundfile.write(tmp_path / "a.flac", X, 16_000)
    np.testing.assert_allclose(read_wav(tmp_path / "a.flac")[0], X, atol=1e-4)


def test_real_recordings_are_read(data: Callable[[str], Path]) -> None:
    """The shared recordings come out as Python's wave module reads them."""
    for name in ("speech/fsdd", "speech/arabic/up"):
        path = sorted(data(name).glob("*.wav"))[0]
        with wave.open(str(path)) as file:
            wanted = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
            samples, rate_hz = read_wav(path)
            assert rate_hz == file.getframerate()
        np.testing.assert_array_equal(samples, wanted.astype(np.float32))


def test_without_soundfile_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where soundfile is missing, reading and writing name the install command."""
    monkeypatch.setitem(sys.modules, "soundfile", None)
    for call in (lambda: read_wav(FILES["16 bit"][0]), lambda: encode_wav(X, 16_000)):
        with pytest.raises(MissingDependency, match=re.escape(to_install("[speech]"))):
            call()
