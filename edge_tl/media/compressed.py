"""Sound that telephones and browsers compress (m4a, 3gp, webm …), read in blocks like a WAV file, through PyAV."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.errors import ExampleError
from edge_tl.frames import Closable
from edge_tl.media.containers import one_error, open_container

SHORT_S = 0.5
"""So much may be missing at the end of a recording, or a fiftieth of it: what its header says is rounded."""
_TOLD = ("mov", "matroska")
"""Formats whose header says how long the recording is; of the others FFmpeg guesses."""

_TICK_S = 1e-6
"""Of a file's length as FFmpeg tells it."""


class CompressedSound(Closable):
    """The first sound in a file that PyAV reads, in blocks of any size; closed by `close` or `with`."""

    def __init__(self, source: Path | bytes, name: str) -> None:
        """Open a file, or the bytes of one.

        ExampleError (one line) for what is damaged or truncated, holds no sound, or needs PyAV where that is missing.
        """
        self.name = name
        length_s = _length_s(source, name)
        self._stack = ExitStack()
        try:
            container = self._stack.enter_context(open_container(source, name))
            self._decoded = self._stack.enter_context(closing(_decoded(container, name)))
            first = next(self._decoded, None)
        except BaseException:
            self._stack.close()
            raise
        self._left = np.zeros((0, 1), np.float32) if first is None else first[0]
        self.channels, self.rate_hz = self._left.shape[1], 0 if first is None else first[1]
        self.frames = 0 if first is None else max(len(self._left), round(length_s * self.rate_hz))
        """Samples of each channel, nearly: how many there are shows when all are decoded."""

    def read(self, count: int) -> np.ndarray:
        """The next samples: float32 (count, channels), fewer at the end; ExampleError for damage."""
        parts, there = [self._left], len(self._left)
        while there < count and (more := next(self._decoded, None)) is not None:
            if (more[0].shape[1], more[1]) != (self.channels, self.rate_hz):
                raise ExampleError(f"{self.name}: changes its rate or its channels in the middle: save it as WAV")
            parts.append(more[0])
            there += len(more[0])
        whole = np.concatenate(parts)
        self._left = whole[count:]
        return whole[:count]

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._stack.close()


def _length_s(source: Path | bytes, name: str) -> float:
    """How long the sound is by its packets, of which none is decoded; ExampleError where many are not there."""
    with open_container(source, name) as container:
        if not container.streams.audio:
            raise ExampleError(f"{name}: holds no sound")
        stream = container.streams.audio[0]
        ticks = sum(packet.duration or 0 for packet in container.demux(stream))
        length_s = float(ticks * stream.time_base)
        said_s = float(stream.duration * stream.time_base) if stream.duration else 0.0
        if not said_s and container.duration and not container.streams.video:  # a film may be longer than its sound
            said_s = container.duration * _TICK_S
        if container.format.name.startswith(_TOLD) and length_s < said_s - max(SHORT_S, said_s / 50):
            raise ExampleError(f"{name}: is truncated ({length_s:.1f} of {said_s:.1f} s); record or copy it again")
    return length_s


def _decoded(container: Any, name: str) -> Generator[tuple[np.ndarray, int], None, None]:
    """The sound's parts: samples float32 (n, channels), and their rate."""
    with one_error(name):
        for frame in container.decode(container.streams.audio[0]):
            yield _as_floats(frame), frame.sample_rate


def mono(frame: Any) -> np.ndarray:
    """A decoded part of a sound, all its channels mixed into one: float32 (n,)."""
    return np.ascontiguousarray(_as_floats(frame).mean(axis=1, dtype=np.float32))


def _as_floats(frame: Any) -> np.ndarray:
    """A decoded part of a sound: float32 (n, channels)."""
    values = frame.to_ndarray()  # (channels, n), or (1, n·channels) where they lie beside each other
    samples: np.ndarray = values.T if frame.format.is_planar else values.reshape(-1, len(frame.layout.channels))
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / np.float32(128)
    return samples.astype(np.float32) / np.float32(-np.iinfo(samples.dtype).min)
