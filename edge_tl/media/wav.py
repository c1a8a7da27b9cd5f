"""Sound files in and out. The one home of soundfile; what it does not read, PyAV does (`compressed`).

soundfile (libsndfile) and not the standard library's wave, which reads neither float samples nor, in Python 3.11, the
extensible header that 24-bit and multi-channel recorders write. Its wheel for aarch64 carries libsndfile.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from edge_tl.errors import ExampleError, MissingDependency, counted, to_install
from edge_tl.frames import Closable
from edge_tl.media.compressed import CompressedSound
from edge_tl.media.containers import ONLY_HERE, can_open, container_of, is_still
from edge_tl.media.frontend import check_sound
from edge_tl.media.resample import check_rate

LONGEST_S = 600.0
"""Of a sound that is read as a whole: 10 minutes at 48 kHz are 115 MB. `SoundFile.blocks` reads any length."""
MAX_CHANNELS = 32
_LOUDEST = 8.0  # float files may overshoot 1; what is far beyond was never scaled to it
_BLOCK_SAMPLES = 65_536
UNKNOWN_BYTES = 0x7FFF_F000
"""A size in a header from which on it is none: streaming recorders write 0 or about the largest number."""


class SoundFile(Closable):
    """A sound file opened for reading in blocks, whatever its length; closed by `close` or `with`.

    WAV of 8, 16, 24 or 32 bits or floats, plain or extensible, what else libsndfile reads (FLAC, Ogg, MP3, AIFF), and
    what PyAV does (m4a, 3gp, webm, AMR …); its content says what it is. All channels are mixed into one, samples are
    float32 in [-1, 1] (floats beyond are clipped).
    """

    def __init__(self, source: Path | bytes, name: str = "the sound") -> None:
        """Open a file, or the bytes of one, which errors call by `name`.

        ExampleError (one line) for what is missing, no sound file, truncated, empty, or of a rate outside 4 to 384 kHz
        or more than 32 channels; MissingDependency (with the command) where soundfile is not installed.
        """
        self._soundfile = _soundfile()
        self.name = name if isinstance(source, bytes) else str(source)
        try:
            if isinstance(source, bytes):
                self._stream: Any = io.BytesIO(source)
            else:
                if not Path(source).is_file() and Path(source).exists():  # a pipe blocks, /dev/zero never ends
                    raise ExampleError(f"{self.name}: is no file; a WAV file is wanted")
                self._stream = open(source, "rb")  # noqa: SIM115  closed by close()
        except OSError as error:
            raise ExampleError(f"{self.name}: cannot be read ({error.strerror}); a WAV file is wanted") from error
        try:
            kind = self._check_whole()
            self._file: _Sndfile | CompressedSound
            if kind in ONLY_HERE or (kind == "mp3" and can_open()):  # libsndfile warns of cut ones on stderr
                self._file = CompressedSound(source, self.name)
            else:
                self._file = self._opened(source, kind)
            self.rate_hz, self.channels, self.frames = self._file.rate_hz, self._file.channels, self._file.frames
            """`frames`: samples of each channel; of what PyAV reads nearly."""
            self._check_usable()
        except BaseException:
            self._stream.close()
            raise

    @property
    def duration_s(self) -> float:
        """How long the sound is."""
        return self.frames / self.rate_hz

    def blocks(self, block_samples: int = _BLOCK_SAMPLES) -> Iterator[np.ndarray]:
        """The rest of the sound, in blocks float32 (block_samples,), the last one shorter; little memory is needed.

        ExampleError (one line) where the file turns out damaged, or holds NaN or floats far beyond [-1, 1].
        """
        while True:
            block = self._file.read(block_samples)
            if not len(block):
                return
            # Not NaN-safe on purpose: a NaN fails the comparison.
            if not float(np.abs(block).max()) <= _LOUDEST:
                said = "holds NaN" if np.isnan(block).any() else f"reaches {float(np.abs(block).max()):.4g}"
                raise ExampleError(f"{self.name}: {said}; samples within -1 and 1 are wanted: scale and save it again")
            mono = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)
            yield np.clip(mono, -1.0, 1.0)

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()
        self._stream.close()

    def _opened(self, source: Path | bytes, kind: str) -> _Sndfile | CompressedSound:
        """As libsndfile reads it; what it does not, but its bytes say is sound, as PyAV does where that is there."""
        try:
            return _Sndfile(self._soundfile, self._stream, self.name)
        except ExampleError:
            self._stream.seek(0)
            if is_still(self._stream.read(16)):
                raise ExampleError(f"{self.name}: is a picture, not a sound; a WAV file is wanted") from None
            if not kind or not can_open():
                raise
        return CompressedSound(source, self.name)

    def _check_whole(self) -> str:
        """What `container_of` says of it.

        ExampleError for an empty file, and where a WAV or AIFF file is shorter than its header says: libsndfile would
        take what is left.
        """
        header = self._stream.read(16)
        size_bytes = self._stream.seek(0, io.SEEK_END)
        self._stream.seek(0)
        if not size_bytes:
            raise ExampleError(f"{self.name}: is empty; a WAV file is wanted")
        wave, aiff = header[:4] == b"RIFF" and header[8:12] == b"WAVE", header[:4] == b"FORM"
        said_bytes = 8 + int.from_bytes(header[4:8], "big" if aiff else "little")
        if (wave or aiff) and size_bytes < said_bytes < UNKNOWN_BYTES:
            raise ExampleError(
                f"{self.name}: is truncated ({size_bytes} of {counted(said_bytes, 'byte')}); record or copy the file "
                "again"
            )
        return container_of(header)

    def _check_usable(self) -> None:
        if not self.frames:
            raise ExampleError(f"{self.name}: has a header but no sound; record it again")
        if self.channels > MAX_CHANNELS:
            raise ExampleError(
                f"{self.name}: has {counted(self.channels, 'channel')}; {MAX_CHANNELS} at most are taken"
            )
        try:
            check_rate(self.rate_hz)
        except ExampleError as error:
            raise ExampleError(f"{self.name}: {error}") from None


class _Sndfile:
    """A sound file as libsndfile reads it; ExampleError (one line) for what is none, here and in `read`."""

    def __init__(self, soundfile: Any, stream: BinaryIO, name: str) -> None:
        self._soundfile, self._name = soundfile, name
        with self._one_error():
            self._file = soundfile.SoundFile(stream)
        self.rate_hz, self.channels = int(self._file.samplerate), int(self._file.channels)
        self.frames = int(self._file.frames)

    def read(self, count: int) -> np.ndarray:
        """The next samples: float32 (count, channels), fewer at the end."""
        with self._one_error():
            block: np.ndarray = self._file.read(count, dtype="float32", always_2d=True)
        return block

    def close(self) -> None:
        """May be called twice."""
        self._file.close()

    @contextmanager
    def _one_error(self) -> Iterator[None]:
        """libsndfile's words as one of our lines."""
        try:
            yield
        except self._soundfile.SoundFileError as error:
            reason = " ".join(str(error).split()).rpartition(": ")[2].rstrip(".") or "libsndfile gives no reason"
            raise ExampleError(
                f"{self._name}: is no sound file or is damaged ({reason}); a WAV file is wanted"
            ) from error


def read_wav(source: Path | bytes, longest_s: float = LONGEST_S, name: str = "the sound") -> tuple[np.ndarray, int]:
    """A whole sound file: samples float32 (n,) in [-1, 1], n ≥ 1, channels mixed, and its rate in Hz.

    `source`: a path, or the file's bytes, which errors call by `name`. `longest_s`: the longest that is taken, 10
    minutes. ExampleError (one line) for a longer one and as of SoundFile; MissingDependency where soundfile is not
    installed.
    """
    with SoundFile(source, name) as file:
        most = int(longest_s * file.rate_hz)
        parts: list[np.ndarray] = []
        count = file.frames  # as it says, then as it turns out: what a film says of its sound may be anything
        for block in file.blocks():
            if count <= most:
                parts.append(block)
                count = sum(map(len, parts))
            if count > most:
                long = "longer" if parts else f"{_long(count / file.rate_hz)} long"
                raise ExampleError(f"{file.name}: is {long}; {_long(longest_s)} at most are taken: cut it up")
        if not parts:
            raise ExampleError(f"{file.name}: has a header but no sound; record it again")
        return np.concatenate(parts), file.rate_hz


def encode_wav(samples: np.ndarray, rate_hz: int) -> bytes:
    """A WAV file of 16 bits, one channel: the bytes of float32 (samples,) in [-1, 1], the same every time.

    What was read from 16 bits is written bit for bit: x·32768, rounded, 1.0 as 32767. ShapeError for no sound;
    ExampleError for a rate that is none.
    """
    check_sound(samples)
    check_rate(rate_hz)
    stored = np.clip(np.rint(samples * np.float32(32768)), -32768, 32767).astype(np.int16)
    made = io.BytesIO()
    _soundfile().write(made, stored, rate_hz, subtype="PCM_16", format="WAV")
    return made.getvalue()


def _long(duration_s: float) -> str:
    """A duration in the unit that fits."""
    hours = duration_s / 3600
    return f"{hours:.3g} h" if hours >= 1 else f"{duration_s / 60:.3g} min"


def _soundfile() -> Any:
    """The package; MissingDependency with the install command where it, or libsndfile, is not there."""
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: no libsndfile
        raise MissingDependency(f"soundfile reads WAV files and is not installed: {to_install('[speech]')}") from error
    return soundfile
