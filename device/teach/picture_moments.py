"""What a camera was answered lately, with its pictures for a while, so that a person can ask why, or say what it was.

The counterpart of `edge_tl/words/mistakes.py` for pictures. Nothing is written here: `marked.py` keeps what is marked.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from edge_tl.embedders.embedder import Embedder
from edge_tl.embedders.look.marks import Mark, marks
from edge_tl.errors import ExampleError
from edge_tl.line import Sight
from edge_tl.media.image import decode, encode_jpeg

MAX_MOMENTS = 20
KEPT_S = 600.0
"""For so long the picture of what was answered can be looked at and marked: 20 of them are 2 MB."""
REFUSED_S = 0.5
"""So long something must be none of these, without a break, to be a moment of its own."""


@dataclass
class PictureMoment:
    """Something that was told, or refused."""

    number: int
    """From 1 on."""
    label: str | None
    """None for none of these."""
    nearest: str
    """The likeliest class, also where it was not believed."""
    confidence: float
    """0 to 1."""
    time_s: float
    """On the clock of the frames."""
    embedding: np.ndarray | None = None
    """float32 (embedding_dim,) of its frame."""
    jpeg: bytes | None = None
    """Its frame; None after `KEPT_S`."""
    found: list[Mark] = field(default_factory=list)
    """What was looked at in it."""
    marked: str = ""
    """What a person said that it was; empty while nobody did."""


class PictureMoments:
    """The last `MAX_MOMENTS` answers, with their frames; all of it in memory."""

    def __init__(self) -> None:
        self.moments: deque[PictureMoment] = deque(maxlen=MAX_MOMENTS)
        """The oldest first."""
        self.newest: Sight | None = None
        """What came last."""
        self._count = 0
        self._strange_s: float | None = None
        self._told_strange = False

    def take(self, sight: Sight, embedder: Embedder) -> PictureMoment | None:
        """The next frame with its answer, and what looked at it last; the moment that it is, None for most frames."""
        self.newest, seen, now_s = sight, sight.observation, sight.frame.time_s
        for one in self.moments:
            if now_s - one.time_s > KEPT_S:
                one.jpeg = None
        if seen is None:
            return None
        steady, label = sight.steady, None
        told = steady is not None and steady.changed and steady.label is not None
        if told and steady is not None:
            label = steady.label
        if not self._refused(seen.found and not seen.known, now_s) and not told:
            return None
        self._count += 1
        picture = encode_jpeg(sight.frame.data)
        confidence = steady.confidence if told and steady is not None else seen.confidence
        made = PictureMoment(self._count, label, seen.best, float(confidence), now_s, sight.embedding, picture)
        made.found = marks(embedder, sight.frame.data.shape)
        self.moments.append(made)
        return made

    def moment(self, number: int | None) -> PictureMoment:
        """What was answered under a number, None for the last; ExampleError where there is none."""
        if not self.moments:
            raise ExampleError("nothing was reported yet that could be looked at")
        wanted = self.moments[-1].number if number is None else number
        found = next((one for one in self.moments if one.number == wanted), None)
        if found is None:
            raise ExampleError(f"there is no answer with number {number}: the last {MAX_MOMENTS} are kept")
        return found

    def jpeg(self, number: int | None) -> bytes:
        """The frame of a moment, JPEG; ExampleError where it is gone."""
        one = self.moment(number)
        if one.jpeg is None:
            raise ExampleError(f"its picture is gone: an answer can be looked at for {KEPT_S / 60:.0f} minutes")
        return one.jpeg

    def picture(self, number: int | None) -> np.ndarray:
        """The frame of a moment, uint8 (height_px, width_px, 3) RGB; ExampleError as of `jpeg`."""
        return decode(self.jpeg(number), "its picture")

    def _refused(self, strange: bool, now_s: float) -> bool:
        """Whether it is none of these for long enough now, once until it is something again."""
        if not strange:
            self._strange_s, self._told_strange = None, False
            return False
        if self._strange_s is None:
            self._strange_s = now_s
        if self._told_strange or now_s - self._strange_s < REFUSED_S:
            return False
        self._told_strange = True
        return True
