"""The line of movements: source → frame → hand tracker → spotter, each movement told once, with its start and end.

Where its profile holds signs too, a hand that is held is steady as it is before a line of pictures.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge_tl.controller import Steady
from edge_tl.core.timing import Pace
from edge_tl.embedders.embedder import TrackEmbedder, Tracker
from edge_tl.embedders.look.hand import Hand
from edge_tl.embedders.look.marks import Mark, hand_mark
from edge_tl.errors import NotFittedError, ShapeError
from edge_tl.frames import BaseSource, Frame
from edge_tl.heads.movement import MovementHead
from edge_tl.line import BREAK_S, LATELY_S, Line, Sight
from edge_tl.line.held_hand import HeldHand
from edge_tl.movements.spotter import FoundMovement, Spotter
from edge_tl.movements.windows import middles
from edge_tl.recognizer import Recognizer

PATH_S = 6.0
"""So much of the hand's way is kept: the longest movement."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What resembled a movement and was not told."""

    moved: FoundMovement
    """What it resembled most, and when it was."""
    least: float
    """What it must score to be told."""

    @property
    def why(self) -> str:
        """In words: how unsure it was, or what else was wrong."""
        one = self.moved
        if one.confidence < self.least:
            return f"unsure: {one.label} {one.confidence:.0%}, the threshold is {self.least:.0%}"
        return f"like {one.label}, but larger, smaller or with fewer repetitions than in the demonstrations"


class MovementLine(Line):
    """A Line for a camera before which a hand moves; its stages are `track` and `spot`.

    The Sight of the frame that tells a movement has it as `moved`, and its label as `steady`; in all others `steady` is
    of the sign that is held, and None where the profile holds no signs.
    hands: finds the hand in a picture and follows it.
    """

    kind = "movement"
    controller: None = None

    def __init__(
        self,
        source: BaseSource,
        recognizer: Recognizer,
        clock: Callable[[], float],
        hands: Tracker[Hand],
        *,
        mirrored: bool = False,
    ) -> None:
        """ShapeError where the recognizer does not take tracks of a hand."""
        super().__init__(source, recognizer, clock)
        if recognizer.embedder.kind != "movement":
            raise ShapeError(
                f"{recognizer.embedder.name} is for {recognizer.embedder.kind}s; tracks of a hand are wanted"
            )
        self.hands, self.mirrored = hands, mirrored
        """Whether the camera gives its pictures mirrored: what is taught and asked is as if it did not."""
        self.landmarks: np.ndarray | None = None
        """float32 (21, 2): x and y of the newest frame's hand, mirroring undone; None where none is found."""
        self.hand: Hand | None = None
        """The hand of the newest frame; None where none is found."""
        self.reported: deque[FoundMovement] = deque(maxlen=10_000)
        """The last movements that were told."""
        self.doubts: deque[Doubt] = deque(maxlen=10_000)
        """The last that were not."""
        self.path = np.empty((0, 2))
        """float64 (N, 2): where the middle of the palm was in the last movement told, in the picture's pixels."""
        self.first_s = 0.0
        """When the first frame came, on the source's clock."""
        self._way: deque[tuple[float, np.ndarray]] = deque()
        self.held: Steady | None = None
        """What was steady of signs when it was asked last; None while there are none."""
        self._spotter: Spotter | None = None
        self._signs: HeldHand | None = None
        self._pace = Pace()
        self._stream = ("", 0.0)

    def _look(self, frame: Frame) -> Sight:
        if self.frames == 1:
            self.first_s = frame.time_s
        self._pace.count(self.clock())
        self._follow(frame)
        with self.stopwatch.stage("track"):
            self.hand = self.hands.follow(frame.data)
        self.landmarks = None if self.hand is None else unmirrored(self.hand.points[:, :2], self.mirrored)
        if self.hand is not None:
            self._way.append((frame.time_s, middles(self.hand.points[:, :2])))
        while self._way and frame.time_s - self._way[0][0] > PATH_S:
            self._way.popleft()
        self._attend()
        moved = None
        with self.stopwatch.stage("spot"):
            if self._spotter is not None:
                moved = self._spotter.push(self.landmarks, frame.time_s)
            if moved is None and self._signs is not None:  # else in the next frame: a frame tells one thing
                self.held = self._signs.push(self.landmarks, frame.time_s)
        if self._spotter is not None and self._spotter.doubt is not None:
            self.doubts.append(Doubt(self._spotter.doubt, self._least))
        if moved is None:
            return Sight(frame, None, steady=self.held)
        self.reported.append(moved)
        self.path = np.array([at for time_s, at in self._way if moved.start_s <= time_s <= moved.end_s]).reshape(-1, 2)
        return Sight(frame, None, steady=Steady(moved.label, moved.confidence, True, True), moved=moved)

    def _attend(self) -> None:
        """Ask the head as it is now, none while nothing was trained: training may change it any time."""
        head, embedder = self.recognizer.head, self.recognizer.embedder
        if not self.recognizer.fitted or not isinstance(head, MovementHead):
            self._spotter = self._signs = self.held = None
            return
        if not head.reported:
            self._spotter = None
        elif self._spotter is None or self._spotter.judge is not head:
            self._spotter = Spotter(head)
        if head.signs is None or not head.signs.reported:
            self._signs = self.held = None
        elif (self._signs is None or self._signs.signs is not head.signs) and isinstance(embedder, TrackEmbedder):
            self._signs = HeldHand(head, embedder)

    @property
    def _least(self) -> float:
        head = self.recognizer.head
        return head.threshold_ if isinstance(head, MovementHead) else 0.0

    def _follow(self, frame: Frame) -> None:
        """Begin anew where this frame does not follow the one before."""
        name, last_s = self._stream
        if name != self.source.name or frame.time_s - last_s > BREAK_S:
            self._break()
        self._stream = self.source.name, frame.time_s

    def _break(self) -> None:
        self.hands.lose()
        self._way.clear()
        for watching in (self._spotter, self._signs):
            if watching is not None:
                watching.clear()

    @property
    def fps(self) -> float:
        """Frames a second over the last thirty; 0 before the second one."""
        return self._pace.fps

    @property
    def lately(self) -> FoundMovement | None:
        """The movement that was told last, while it is worth showing."""
        return self.reported[-1] if self.reported and self._fresh(self.reported[-1]) else None

    @property
    def doubted(self) -> Doubt | None:
        """What was not told last, while it is worth showing and nothing was told after it."""
        last = self.doubts[-1] if self.doubts else None
        if (
            last is None
            or not self._fresh(last.moved)
            or (self.reported and self.reported[-1].end_s > last.moved.end_s)
        ):
            return None
        return last

    def _fresh(self, moved: FoundMovement) -> bool:
        # Half a second of this passes before it can be told.
        return self.sight is not None and self.sight.frame.time_s - moved.end_s < LATELY_S + 0.5

    @property
    def label(self) -> str | None:
        """The movement that was told last, while it is worth showing, else the sign that is held."""
        if self.lately is not None:
            return self.lately.label
        return None if self.held is None else self.held.label

    def picture(self, height: int, width: int) -> np.ndarray:
        """As of Line."""
        if self.sight is None:
            raise NotFittedError(f"{self.source.name} has given no picture yet")
        return self.sight.frame.data

    def marks(self) -> list[Mark]:
        """The hand of the newest picture, and the way of the palm's middle in a movement that was told lately."""
        found = [] if self.hand is None else [hand_mark(self.hand)]
        if self.lately is not None and len(self.path):
            found.append(way_mark(self.path))
        return found


def way_mark(path: np.ndarray) -> Mark:
    """A path (N, 2) in the picture's pixels, as it is drawn: there and back along the same way, for outlines close."""
    return Mark(np.concatenate((path, path[::-1])), np.empty((0, 2)))


def unmirrored(points: np.ndarray, mirrored: bool) -> np.ndarray:
    """Points (N, 2) of a camera that mirrors, or does not, as one that does not sees them, float32; and back."""
    return (points * (-1, 1) if mirrored else points).astype(np.float32)
