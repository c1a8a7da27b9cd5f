"""Sound without a device of its own: blocks that somebody else brings, and a microphone that is not there."""

from __future__ import annotations

from collections import deque

import numpy as np

from edge_tl.errors import SourceClosed, SourceTimeout
from edge_tl.frames import BaseSource, Frame

NO_MIC = "none"
"""What `mic` of the service says where there is none: words are taught by files, and heard by satellites."""


class GivenSound(BaseSource):
    """Blocks of sound of one stream, read in the order in which they are given; time begins at 0."""

    simulated = False

    def __init__(self, name: str, rate_hz: int) -> None:
        self.name, self.rate_hz = name, rate_hz
        self._frames: deque[Frame] = deque()
        self._samples = self._index = 0
        self._over = False

    @property
    def heard_s(self) -> float:
        """How long all is that was given."""
        return self._samples / self.rate_hz

    def give(self, samples: np.ndarray) -> None:
        """A block float32 (samples,) in [-1, 1] that follows the one before."""
        self._frames.append(Frame(samples, self.heard_s, self._index, rate_hz=self.rate_hz))
        self._samples += len(samples)
        self._index += 1

    def end(self) -> None:
        """No more comes."""
        self._over = True

    def open(self) -> None:
        """Nothing to do."""

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The next block; SourceTimeout at once where none is there, SourceClosed after the last."""
        if self._frames:
            return self._frames.popleft()
        if self._over:
            raise SourceClosed(f"{self.name} is over")
        raise SourceTimeout(f"{self.name}: no sound yet")

    def close(self) -> None:
        """Nothing to do."""


class NoMicrophone(BaseSource):
    """No microphone, on purpose: it is over before it begins, and nobody seeks it."""

    name, simulated = f'mic = "{NO_MIC}"', False

    def open(self) -> None:
        """Nothing to do."""

    def read(self, timeout_s: float = 1.0) -> Frame:
        """SourceClosed."""
        raise SourceClosed(f"{self.name}: there is none")

    def close(self) -> None:
        """Nothing to do."""
