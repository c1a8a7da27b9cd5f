"""Sound through a pipe: the same samples however the bytes are cut, of every kind of WAV and of raw samples."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_tl.errors import ExampleError
from edge_tl.media.pcm_stream import RAW_HZ, PcmStream

soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
X = (0.8 * np.sin(np.arange(900) / 9)).astype(np.float32)


def wav(kind: str, channels: int = 1, endless: bool = False) -> bytes:
    """A WAV file as a recorder pipes it; endless: with the size of one that does not know its end."""
    made = io.BytesIO()
    soundfile.write(made, np.repeat(X[:, None], channels, axis=1), 44_100, subtype=kind, format="WAV")
    data = made.getvalue()
    if endless:
        at = data.index(b"data") + 4
        data = data[:4] + struct.pack("<I", 0xFFFFFFFF) + data[8:at] + struct.pack("<I", 0xFFFFFFFF) + data[at + 4 :]
    return data


def through(data: bytes, sizes: list[int], name: str = "a pipe") -> tuple[np.ndarray, int]:
    """What comes of bytes that come in parts of these sizes, again and again."""
    stream, parts, at = PcmStream(name), [], 0
    while at < len(data):
        for size in sizes:
            parts.append(stream.push(data[at : at + size]))
            at += size
    parts.append(stream.finish())
    return np.concatenate(parts), stream.rate_hz


@pytest.mark.parametrize("kind", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("endless", [False, True])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_kind_of_wav_comes_out_alike(kind: str, endless: bool, channels: int) -> None:
    """As soundfile reads it, with an end in its header or without one, mixed into one channel."""
    data = wav(kind, channels, endless)
    samples, rate_hz = through(data, [1000])
    assert rate_hz == 44_100
    np.testing.assert_allclose(samples, X, atol=1 / 100 if kind == "PCM_U8" else 1e-4)


@given(st.lists(st.integers(1, 70), min_size=1, max_size=8), st.booleans())
def test_it_does_not_matter_how_the_bytes_are_cut(sizes: list[int], endless: bool) -> None:
    """Bit for bit the same, a byte at a time or all at once."""
    data = wav("PCM_16", 2, endless)
    np.testing.assert_array_equal(through(data, sizes)[0], through(data, [len(data)])[0])


def test_what_follows_the_samples_is_no_sound() -> None:
    """A note behind the samples of a WAV file that knows its end is not heard."""
    data = wav("PCM_16")
    assert len(through(data + b"LIST" + bytes(400), [333])[0]) == len(X)


def test_raw_samples_are_taken_at_16_khz() -> None:
    """Without a header, 16 bits, one channel; also very few, and also those that look like a frame of MPEG."""
    raw = (X * 32767).astype("<i2")
    for samples in (raw, raw[:3], np.full(50, -1, np.int16)):
        found, rate_hz = through(samples.tobytes(), [7])
        assert rate_hz == RAW_HZ
        np.testing.assert_array_equal(found, samples / np.float32(32768))
    assert not len(through(b"RIFF\0\0", [6])[0])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"fLaC" + bytes(60), "is packed; WAV or raw"),
        (b"\0\0\0\x18ftypM4A " + bytes(60), "is packed; WAV or raw"),
        (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\6\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0", "kind 6 with 8 bits"),
        (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x07\0\0\0\x0e\0\0\0\2\0\x10\0", "7 samples a second"),
        (b"RIFF\0\0\0\0WAVEdata\0\0\0\0", "damaged WAV"),
        (b"RIFF\0\0\0\0WAVELIST\xff\xff\xff\x7f", "damaged WAV"),
    ],
)
def test_what_is_not_read_is_one_line(data: bytes, said: str) -> None:
    """Packed sound, a-law, a rate that is none and a broken header are each named with the pipe's name."""
    with pytest.raises(ExampleError, match=said) as caught:
        through(data, [5])
    assert str(caught.value).startswith("a pipe: ")
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_samples_or_one_line(data: bytes) -> None:
    """No bytes make it fail in another way."""
    said, samples = "", np.zeros(0)
    try:
        samples, _ = through(data, [11])
    except ExampleError as error:
        said = str(error)
    assert "\n" not in said
    assert np.isfinite(samples).all()
    assert (np.abs(samples) <= 1).all()
