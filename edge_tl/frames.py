"""Frame and Source: where the line of data begins.

Source.read → Frame → Embedder.embed → ExampleStore.add | Head.predict_proba → Controller.update → Game.step
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

import numpy as np


@dataclass(frozen=True, slots=True)
class Frame:
    """One camera picture or one stretch of sound, and when it was taken."""

    data: np.ndarray
    """A picture: uint8, (height_px, width_px, 3), RGB. A sound: float32, (samples,), range [-1, 1]."""
    time_s: float
    """When it was captured, in seconds of the source's monotonic clock; of a sound, its first sample."""
    index: int = 0
    """Counts the captured frames from 0, the dropped ones included."""
    dropped: int = 0
    """Frames lost between the one delivered before and this one."""
    rate_hz: int | None = None
    """Samples a second of a sound; None for a picture."""
    truth: str | None = None
    """The label where the source knows it (labelled folders, the simulated player); never shown to a head."""

    @property
    def kind(self) -> str:
        """`picture` or `sound`."""
        return "picture" if self.data.ndim == 3 else "sound"

    @property
    def duration_s(self) -> float:
        """How long a sound is; 0 for a picture."""
        return 0.0 if self.rate_hz is None else len(self.data) / self.rate_hz


@runtime_checkable
class Source(Protocol):
    """Anything that delivers frames: a camera, a microphone, a folder, a recording, the simulated player.

    A source is opened by `open` (or `with`), read from one thread, and closed by `close`, which may be called twice.
    """

    name: str
    """What a screen calls it, e.g. `Picamera2 0` or `simulated player`."""
    simulated: bool
    """True where the frames do not come from the world."""

    def open(self) -> None:
        """Acquire the device; raise SourceError (one line) or MissingDependency."""

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The newest frame not yet delivered; raise SourceTimeout, SourceClosed or SourceError."""

    def close(self) -> None:
        """Release the device; never raises."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Closable(ABC):
    """What `with` closes at its end, however that comes."""

    @abstractmethod
    def close(self) -> None:
        """Give back what is held; may be called twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class BaseSource(Closable):
    """A Source that `with` opens and closes, and what a source may tell of itself: here of one that is always there."""

    name: str
    simulated: bool

    @property
    def state(self) -> str:
        """`open`, or `waiting` while it is searched for after a loss; `read` raises SourceTimeout meanwhile."""
        return "open"

    @property
    def fault(self) -> str:
        """What is wrong with it, in a line; empty where nothing is."""
        return ""

    @property
    def hangs(self) -> bool:
        """Whether a driver's call does not come back, so that opening it again cannot help."""
        return False

    @property
    def duration_s(self) -> float:
        """How long a recording is; infinite for what does not end."""
        return math.inf

    @abstractmethod
    def open(self) -> None:
        """As of Source."""

    @abstractmethod
    def read(self, timeout_s: float = 1.0) -> Frame:
        """As of Source."""

    def tell(self, order: Callable[[BaseSource], None]) -> None:
        """Have something done with the source, by whichever thread reads it."""
        order(self)

    def __enter__(self) -> Self:
        self.open()
        return self
