"""A recording as a microphone: a sound file that comes in blocks, as fast as it is read or at its own pace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from edge_tl.errors import ConfigError, ExampleError, SourceClosed, SourceError
from edge_tl.frames import BaseSource, Frame
from edge_tl.media.wav import SoundFile
from edge_tl.sources.folder import wait_until


class WavSource(BaseSource):
    """A sound file of any length, delivered in blocks like a microphone's; little memory is needed.

    block_s: the length of a block, 80 ms. paced: each block is given when it would be over, waited for on `clock` with
    `sleep`, and none is lost by a late reader; else as fast as it is read. loop: begin again at the end. `time_s`
    follows the file, from `clock`'s time at `open`, paced or not.
    """

    simulated = True

    def __init__(
        self,
        path: Path | str,
        block_s: float = 0.08,
        paced: bool = False,
        loop: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Set up, opening nothing; ConfigError for a block outside 1 ms to 10 s."""
        if not 0.001 <= block_s <= 10:
            raise ConfigError(f"the block is {block_s} s long; 0.001 to 10 is wanted")
        self.path = Path(path)
        self.name = f"sound of {self.path.name}"
        self._block_s, self._paced, self._loop = block_s, paced, loop
        self._clock, self._sleep = clock, sleep
        self._file: SoundFile | None = None
        self._blocks: Iterator[np.ndarray] = iter(())
        self._waiting: np.ndarray | None = None
        self._index = self._samples = 0
        self._start_s = 0.0

    def open(self) -> None:
        """Open the file; SourceError (one line) where it is no sound, MissingDependency without soundfile."""
        self.close()
        self._begin()
        self._waiting = None
        self._index = self._samples = 0
        self._start_s = self._clock()

    @property
    def duration_s(self) -> float:
        """How long the open file is; infinite where it begins again at its end, 0 before `open`."""
        if self._loop:
            return float("inf")
        return 0.0 if self._file is None else self._file.duration_s

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The next block; SourceTimeout where it is due later, SourceClosed after the last, SourceError for damage."""
        if self._file is None:
            raise SourceClosed(f"{self.name}: not open; call open() first")
        if self._waiting is None:
            self._waiting = self._next()
        rate_hz, block = self._file.rate_hz, self._waiting
        if self._paced:
            over_s = self._start_s + (self._samples + len(block)) / rate_hz
            wait_until(over_s, timeout_s, self._clock, self._sleep, self.name)
        frame = Frame(block, self._start_s + self._samples / rate_hz, index=self._index, rate_hz=rate_hz)
        self._waiting = None
        self._index += 1
        self._samples += len(block)
        return frame

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _begin(self) -> None:
        """Stand at the beginning of the file."""
        try:
            self._file = SoundFile(self.path)
        except ExampleError as error:
            raise SourceError(str(error)) from error
        self._blocks = self._file.blocks(max(1, round(self._block_s * self._file.rate_hz)))

    def _next(self) -> np.ndarray:
        """The next block of the file, or of its next round."""
        try:
            block = next(self._blocks, None)
            if block is None and self._loop:
                self.close()
                self._begin()
                block = next(self._blocks, None)
        except ExampleError as error:
            raise SourceError(str(error)) from error
        if block is None:
            raise SourceClosed(f"{self.name}: all of it was delivered")
        return block
