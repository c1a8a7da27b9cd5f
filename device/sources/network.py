"""Cameras and microphones on the network: rtsp:// (and http://, as telephones that play webcam do), through PyAV."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from device.sources.usb import decoded_pictures, reason_of
from edge_tl.errors import SourceClosed, SourceError
from edge_tl.frames import BaseSource, Frame
from edge_tl.media.compressed import mono
from edge_tl.media.containers import import_av, upright_rgb

SCHEMES = ("rtsp://", "rtsps://", "http://", "https://")
OPEN_S, READ_S = 10.0, 5.0
"""So long is waited for an answer, and for the next part; who is silent longer is gone."""
_OPTIONS = {"rtsp_transport": "tcp", "flags": "low_delay"}
"""TCP: over Wi-Fi lost packets would tear pictures; and no decoder that waits for later pictures."""


def is_address(spec: str) -> bool:
    """Whether a `--camera` or `--mic` argument is an address on the network."""
    return spec.lower().startswith(SCHEMES)


class _Stream(BaseSource):
    """What a camera and a microphone on the network share: its address, and what opening and reading may raise.

    `read` ignores its time-out: it blocks until something comes, or until READ_S are over.
    """

    simulated = False
    what = ""
    """`camera` or `microphone`."""

    def __init__(self, address: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Set up, opening nothing; the name tells the host, and never a password."""
        self.address = address
        self.name = f"{self.what} at {urlsplit(address).hostname or 'the address'}"
        self._clock = clock
        self._container: Any = None
        self._index = 0

    def open(self) -> None:
        """Open it; MissingDependency without PyAV, SourceError (one line) where nobody answers, or not with this."""
        self.close()
        av = import_av()
        try:
            self._container = av.open(self.address, options=_OPTIONS, timeout=(OPEN_S, READ_S))
        except (OSError, ValueError, av.error.FFmpegError) as error:
            raise SourceError(f"{self.name}: {reason_of(error)}; check the address, and whether it is on") from error
        try:
            self._start(self._container)
        except SourceError:
            self.close()
            raise
        self._index = 0

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The next frame; SourceError (one line) where the stream ends or is silent."""
        if self._container is None:
            raise SourceClosed(f"{self.name}: not open; call open() first")
        try:
            frame = self._next()
        except SourceError:
            raise
        except (OSError, ValueError, import_av().error.FFmpegError) as error:
            raise SourceError(f"{self.name}: {reason_of(error)}") from error
        if frame is None:
            raise SourceError(f"{self.name}: the stream ended")
        self._index += 1
        return frame

    def close(self) -> None:
        """Hang up; may be called twice."""
        container, self._container = self._container, None
        if container is not None:
            container.close()

    def _start(self, container: Any) -> None:
        raise NotImplementedError

    def _next(self) -> Frame | None:
        raise NotImplementedError


class NetworkCamera(_Stream):
    """A camera's pictures, one by one. Give it to `NewestFrame`, which never waits for old ones."""

    what = "camera"

    def _start(self, container: Any) -> None:
        if not container.streams.video:
            raise SourceError(f"{self.name}: sends no pictures")
        self._frames: Iterator[Any] = decoded_pictures(container, self.name)

    def _next(self) -> Frame | None:
        frame = next(self._frames, None)
        return None if frame is None else Frame(upright_rgb(frame), self._clock(), index=self._index)


class NetworkMicrophone(_Stream):
    """The sound of such a stream, in the blocks in which it comes, all channels mixed into one."""

    what = "microphone"

    def _start(self, container: Any) -> None:
        if not container.streams.audio:
            raise SourceError(f"{self.name}: sends no sound")
        self._frames = container.decode(audio=0)

    def _next(self) -> Frame | None:
        frame = next(self._frames, None)
        if frame is None:
            return None
        samples = np.clip(mono(frame), -1.0, 1.0)
        rate_hz = int(frame.sample_rate)
        return Frame(samples, self._clock() - len(samples) / rate_hz, index=self._index, rate_hz=rate_hz)
