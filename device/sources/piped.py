"""Sound through a pipe in the place of a microphone: standard input, or a FIFO that a recorder fills."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge_tl.errors import ExampleError, SourceClosed, SourceError, SourceTimeout
from edge_tl.frames import BaseSource, Frame
from edge_tl.media.pcm_stream import RAW_HZ, PcmStream

BLOCK_S = 0.04
_PIPE_BYTES = 65_536


class PipedSound(BaseSource):
    """WAV, or raw 16-bit samples, from a pipe, in blocks of 40 ms; `time_s` follows the samples from the first one on.

    path: of a FIFO; None is standard input. raw_hz: of samples without a header. lasting: a FIFO whose writer went away
    waits for another one, instead of being over. A pipe holds its writer up while nobody reads: nothing is lost here.
    """

    simulated = False

    def __init__(
        self,
        path: Path | None = None,
        raw_hz: int = RAW_HZ,
        lasting: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set up, opening nothing; ExampleError for a rate outside 4 to 384 kHz."""
        self.path = path
        self.name = "sound from standard input" if path is None else f"sound from {path.name}"
        self._raw_hz, self._lasting, self._clock = raw_hz, lasting and path is not None, clock
        self._descriptor: int | None = None
        self._stream = PcmStream(self.name, raw_hz)
        self._waiting = np.zeros(0, np.float32)
        self._over = False
        self._index = self._samples = 0
        self._start_s = 0.0

    def open(self) -> None:
        """Open the pipe, whether anybody writes already or not; SourceError (one line) where that cannot be."""
        self.close()
        self._begin()
        self._index = self._samples = 0
        self._start_s = 0.0

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The next block; SourceTimeout where too little came, SourceClosed at the end, SourceError for what is none.

        Of a writer that goes away what came last is given, however short it is.
        """
        if self._descriptor is None:
            raise SourceClosed(f"{self.name}: not open; call open() first")
        until_s = self._clock() + timeout_s
        while not self._ready():
            if self._over:
                if not self._lasting:
                    raise SourceClosed(f"{self.name}: all of it was delivered")
                self._begin()
            self._take(until_s, timeout_s)
        count = min(len(self._waiting), max(1, round(BLOCK_S * self._stream.rate_hz)))
        block, self._waiting = self._waiting[:count].copy(), self._waiting[count:]
        if not self._samples:
            self._start_s = self._clock()
        frame = Frame(
            block, self._start_s + self._samples / self._stream.rate_hz, self._index, rate_hz=self._stream.rate_hz
        )
        self._index += 1
        self._samples += count
        return frame

    def close(self) -> None:
        """Close a FIFO; standard input stays as it is. May be called twice."""
        if self._descriptor is not None and self.path is not None:
            os.close(self._descriptor)
        self._descriptor = None

    def _begin(self) -> None:
        """Stand before the first byte of a writer."""
        try:
            # Not waiting for a writer; standard input has one, or is a file.
            opened = 0 if self.path is None else os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            raise SourceError(f"{self.name}: cannot be opened ({error.strerror})") from error
        self.close()  # only now: a writer that comes meanwhile has a reader
        if os.isatty(opened):
            raise SourceError(f"{self.name}: nothing is piped into it: `arecord | edge-tl listen --mic -`")
        self._descriptor = opened
        self._stream = PcmStream(self.name, self._raw_hz)
        self._waiting = np.zeros(0, np.float32)
        self._over = False

    def _ready(self) -> bool:
        """Whether a block can be given: a whole one, or the rest of what came."""
        rate_hz = self._stream.rate_hz
        return bool(rate_hz) and len(self._waiting) >= (1 if self._over else round(BLOCK_S * rate_hz))

    def _take(self, until_s: float, timeout_s: float) -> None:
        """Take what is there, or what comes until then; SourceTimeout where nothing does."""
        assert self._descriptor is not None
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        left_s = max(0.0, until_s - self._clock())
        # A FIFO that nobody opened for writing yet is silent; one that its writer closed says so.
        if not poll.poll(left_s * 1000):
            raise SourceTimeout(f"{self.name}: no sound within {timeout_s:g} s")
        try:
            data = os.read(self._descriptor, _PIPE_BYTES)
            more = self._stream.push(data) if data else self._stream.finish()
        except ExampleError as error:
            raise SourceError(str(error)) from error
        except OSError as error:
            raise SourceError(f"{self.name}: cannot be read ({error.strerror})") from error
        self._over = not data
        self._waiting = np.concatenate((self._waiting, more))
