"""Sound files in and out. The one home of soundfile.

soundfile (libsndfile) and not the standard library's wave, which reads neither float samples nor, in Python 3.11, the
extensible header that 24-bit and multi-channel recorders write. Its wheel for aarch64 carries libsndfile.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.errors import ExampleError, MissingDependency, counted, to_install
from edge_tl.frames import Closing
from edge_tl.media.frontend import check_sound
from edge_tl.media.resample import check_rate

SUFFIXES = frozenset({".wav", ".wave", ".flac", ".ogg"})
"""The endings, in small letters, by which a sound file is known; whether it is one shows when it is read."""
LONGEST_S = 600.0
"""Of a sound that is read as a whole: 10 minutes at 48 kHz are 115 MB. `SoundFile.blocks` reads any length."""
MOST_CHANNELS = 32
_LOUDEST = 8.0  # float files may overshoot 1; what is far beyond was never scaled to it
_BLOCK_SAMPLES = 65_536
_UNKNOWN_BYTES = 0x7FFF_F000  # streaming recorders write 0 or about the largest number as the size


class SoundFile(Closing):
    """A sound file opened for reading in blocks, whatever its length; closed by `close` or `with`.

    WAV of 8, 16, 24 or 32 bits or floats, plain or extensible, and what else libsndfile reads (FLAC, Ogg). All channels
    are mixed into one, samples are float32 in [-1, 1] (floats beyond are clipped).
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
            self._check_whole()
            self._file = self._soundfile.SoundFile(self._stream)
            self.rate_hz, self.channels = int(self._file.samplerate), int(self._file.channels)
            self.frames = int(self._file.frames)
            """Samples of each channel."""
            self._check_usable()
        except self._soundfile.SoundFileError as error:
            self._stream.close()
            raise self._unreadable(error) from error
        except ExampleError:
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
            try:
                block = self._file.read(block_samples, dtype="float32", always_2d=True)
            except self._soundfile.SoundFileError as error:
                raise self._unreadable(error) from error
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

    def _check_whole(self) -> None:
        """ExampleError where a RIFF file is shorter than its header says: libsndfile would take what is left."""
        header = self._stream.read(12)
        size_bytes = self._stream.seek(0, io.SEEK_END)
        self._stream.seek(0)
        if not size_bytes:
            raise ExampleError(f"{self.name}: is empty; a WAV file is wanted")
        said_bytes = 8 + int.from_bytes(header[4:8], "little")
        if header[:4] == b"RIFF" and header[8:] == b"WAVE" and size_bytes < said_bytes < _UNKNOWN_BYTES:
            raise ExampleError(
                f"{self.name}: is truncated ({size_bytes} of {counted(said_bytes, 'byte')}); record or copy the file "
                "again"
            )

    def _check_usable(self) -> None:
        if not self.frames:
            raise ExampleError(f"{self.name}: has a header but no sound; record it again")
        if self.channels > MOST_CHANNELS:
            raise ExampleError(
                f"{self.name}: has {counted(self.channels, 'channel')}; {MOST_CHANNELS} at most are taken"
            )
        try:
            check_rate(self.rate_hz)
        except ExampleError as error:
            raise ExampleError(f"{self.name}: {error}") from None

    def _unreadable(self, error: Exception) -> ExampleError:
        """libsndfile's words as one of our lines."""
        reason = " ".join(str(error).split()).rpartition(": ")[2].rstrip(".") or "libsndfile gives no reason"
        return ExampleError(f"{self.name}: is no sound file or is damaged ({reason}); a WAV file is wanted")


def read_wav(source: Path | bytes, longest_s: float = LONGEST_S, name: str = "the sound") -> tuple[np.ndarray, int]:
    """A whole sound file: samples float32 (n,) in [-1, 1], n ≥ 1, channels mixed, and its rate in Hz.

    `source`: a path, or the file's bytes, which errors call by `name`. `longest_s`: the longest that is taken, 10
    minutes. ExampleError (one line) for a longer one and as of SoundFile; MissingDependency where soundfile is not
    installed.
    """
    with SoundFile(source, name) as file:
        if file.duration_s > longest_s:
            raise ExampleError(
                f"{file.name}: is {_long(file.duration_s)} long; {_long(longest_s)} at most are taken: cut it up"
            )
        return np.concatenate(list(file.blocks())), file.rate_hz


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
