"""Sound that comes through a pipe, byte by byte: a WAV file without an end, as arecord writes it, or raw samples.

libsndfile wants to know a file's length before it gives the first sample; a pipe has none.
"""

from __future__ import annotations

import struct

import numpy as np

from edge_tl.errors import ExampleError
from edge_tl.media.containers import container_of
from edge_tl.media.resample import check_rate
from edge_tl.media.wav import MAX_CHANNELS, UNKNOWN_BYTES

RAW_HZ = 16_000
"""Of raw samples where nobody says otherwise: what `arecord -t raw -f S16_LE -r 16000` gives."""
MAX_HEAD_BYTES = 1_000_000
"""What may stand before the samples: notes and covers."""
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_KINDS = {
    (_PCM, 8): "u1",
    (_PCM, 16): "<i2",
    (_PCM, 24): "i3",
    (_PCM, 32): "<i4",
    (_FLOAT, 32): "<f4",
    (_FLOAT, 64): "<f8",
}


class PcmStream:
    """Makes samples of the bytes of a WAV file, or of raw 16-bit samples (little-endian, one channel), as they come.

    raw_hz: the rate of raw samples. `rate_hz` is 0 until enough came to know it. Integers and floats of all sizes are
    read, all channels mixed into one.
    """

    def __init__(self, name: str, raw_hz: int = RAW_HZ) -> None:
        """Begin; ExampleError for a rate outside 4 to 384 kHz."""
        check_rate(raw_hz)
        self.name, self.rate_hz = name, 0
        self._raw_hz = raw_hz
        self._kept = b""
        self._channels, self._kind = 1, "<i2"
        self._left_bytes: int | None = None
        """Of a WAV file's samples; None for no end."""

    def push(self, data: bytes) -> np.ndarray:
        """The samples that are whole now, float32 (n,) in [-1, 1], n = 0 and more.

        ExampleError (one line) for a WAV file of samples that are not read, and for what is a file of another kind.
        """
        self._kept += data
        if not self.rate_hz and not self._begin():
            return np.zeros(0, np.float32)
        if self._left_bytes is not None:
            self._kept = self._kept[: self._left_bytes]
        size = int(self._kind[-1]) * self._channels
        whole = len(self._kept) // size * size
        samples, self._kept = self._kept[:whole], self._kept[whole:]
        if self._left_bytes is not None:
            self._left_bytes -= whole
        return self._decoded(samples)

    def finish(self) -> np.ndarray:
        """What a stream that is over held besides: of one that is too short for a WAV file, its raw samples."""
        if self.rate_hz or self._kept[:4] == b"RIFF":
            return np.zeros(0, np.float32)
        self.rate_hz = self._raw_hz
        return self.push(b"")

    def _begin(self) -> bool:
        """Whether the samples begin now, with all that is known of them; what stands before them is taken away."""
        if len(self._kept) < 16:
            return False
        if self._kept[:4] != b"RIFF" or self._kept[8:12] != b"WAVE":
            # Of what looks like MPEG a loud stretch of raw samples may be no more than that.
            if self._kept[:4] == b"fLaC" or container_of(self._kept[:16]) not in ("", "aac", "mp3"):
                raise ExampleError(f"{self.name}: is packed; WAV or raw 16-bit samples are wanted through a pipe")
            self.rate_hz = self._raw_hz
            return True
        at, rate_hz = 12, 0
        while len(self._kept) >= at + 8:
            kind, size = struct.unpack_from("<4sI", self._kept, at)
            if kind == b"data" and rate_hz:
                self._left_bytes = size if 0 < size < UNKNOWN_BYTES else None
                self._kept, self.rate_hz = self._kept[at + 8 :], rate_hz
                return True
            if kind == b"data" or size > MAX_HEAD_BYTES:
                raise ExampleError(f"{self.name}: is a damaged WAV file; start the recorder again")
            if kind == b"fmt " and size >= 16 and len(self._kept) >= at + 8 + size:
                rate_hz = self._read_format(self._kept[at + 8 : at + 8 + size])
            at += 8 + size + size % 2
        return False

    def _read_format(self, fmt: bytes) -> int:
        """Take in how the samples of a WAV file are written; their rate."""
        kind, self._channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", fmt)
        if kind == _EXTENSIBLE and len(fmt) >= 26:
            (kind,) = struct.unpack_from("<H", fmt, 24)
        if (kind, bits) not in _KINDS or not 1 <= self._channels <= MAX_CHANNELS:
            raise ExampleError(
                f"{self.name}: is WAV of kind {kind} with {bits} bits; `arecord -f S16_LE` gives what is wanted"
            )
        self._kind = _KINDS[kind, bits]
        try:
            check_rate(rate_hz)
        except ExampleError as error:
            raise ExampleError(f"{self.name}: {error}") from None
        return int(rate_hz)

    def _decoded(self, data: bytes) -> np.ndarray:
        """Whole samples of all channels as one channel of floats."""
        if self._kind == "i3":  # the upper three bytes of 32 bits
            wide = np.zeros((len(data) // 3, 4), np.uint8)
            wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
            values = wide.view("<i4")[:, 0]
        else:
            values = np.frombuffer(data, self._kind)
        if values.dtype == np.uint8:
            floats = (values.astype(np.float32) - 128) / np.float32(128)
        elif values.dtype.kind == "i":
            floats = (values / -float(np.iinfo(values.dtype).min)).astype(np.float32)
        else:
            floats = np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=-1.0).astype(np.float32)
        return np.clip(floats.reshape(-1, self._channels).mean(axis=1, dtype=np.float32), -1.0, 1.0)
