"""Movements: after a key the next movement is found and kept; of `nothing` a minute of moving about, in pieces.

A class of signs is recorded while the hand is held; a new class is one where the hand is held until space ends it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np

from device.teach.lesson import Lesson
from device.teach.movement_guide import wanted_s
from device.teach.players import show
from edge_tl.errors import EdgeTLError, counted
from edge_tl.frames import BaseSource
from edge_tl.labels import ORDINARY
from edge_tl.line import Sight
from edge_tl.movements.held import ClassKinds, holds_still
from edge_tl.movements.taking import DemonstrationRecorder, MovingAbout, Phase
from edge_tl.movements.track import Track

RECENT_S = 1.0
"""What was seen so shortly before the key counts: whoever holds the hand still already may begin at once."""
TOLD_EVERY_S = 5
"""How much of the minute is left is told in steps of so many seconds: a line each where the screen is one of lines."""


class HandLine(Protocol):
    """What is asked of the line."""

    source: BaseSource

    @property
    def landmarks(self) -> np.ndarray | None:
        """(21, 2) of the hand in the newest frame, mirroring undone; None where there is none."""


class MovementRecorder:
    """From a key to a demonstration on disk; `kept` says what became of the last one."""

    ends_itself = True

    def __init__(self, line: HandLine, lesson: Lesson, clock: Callable[[], float]) -> None:
        self.line, self.lesson, self.clock = line, lesson, clock
        self.kept = ""
        """What was kept last, in words."""
        self.path = np.empty((0, 21, 2), np.float32)
        """float32 (n, 21, 2): the landmarks of what is done now, else of what was kept last, as the line gives them."""
        self._recent: deque[tuple[np.ndarray | None, float]] = deque()
        self._taking: DemonstrationRecorder | None = None
        self._about: MovingAbout | None = None
        self._label, self._take, self._pieces = "", 0, 0

    @property
    def prompt(self) -> str:
        """What the person should do now."""
        if self._about is not None:
            left_s = max(0.0, self._about.seconds - self._about.seen_s)
            told_s = int(-(-left_s // TOLD_EVERY_S) * TOLD_EVERY_S)
            return f"move your hand about, but do none of the movements: {told_s} s more; space ends it"
        if self._taking is None:
            return ""
        if self._taking.held:
            return f"hold {self._label} still in view"
        if self._taking.phase is Phase.RAISED:
            return f"hold your hand still in view, then do {self._label}"
        if self._taking.phase is Phase.BEGUN:
            return f"now do {self._label}, then hold still"
        return f"{self._label} … hold still at its end"

    def press(self, label: str) -> None:
        """Wait for a movement of a class; while one is waited for, a key's repeats do nothing."""
        if self._taking is not None or self._about is not None:
            if label == self._label:
                return
            self.release()
        self._label, self.lesson.recording = label, label
        self._take = self._pieces = 0
        show(self.line.source, label)
        if label == ORDINARY:
            self._about = MovingAbout(wanted_s(self.lesson.counts()))
            return
        self.path = self.path[:0]
        if self._kinds.holds_signs(label):
            self._taking = DemonstrationRecorder(held=True)
        else:
            self._taking = self._since_still() or DemonstrationRecorder()

    def toggle(self, label: str) -> None:
        """As `press`; while a movement is waited for, it is over: what there is of it is kept, or ExampleError. A hand
        that was held all the while is kept as a sign."""
        if self._taking is None and self._about is None:
            self.press(label)
        elif self._taking is not None:
            taking = self._taking
            self.release()
            self._keep([taking.finish()])
        else:
            self.release()

    def release(self) -> None:
        """A movement that was begun is not kept; moving about is, as far as it was seen."""
        about, self._about, self._taking = self._about, None, None
        self.lesson.recording = None
        if about is not None:
            show(self.line.source, "")
            self._keep(about.finish())
            self._say_about()

    def forget(self) -> None:
        """What was kept last is gone."""
        self.kept, self.path = "", self.path[:0]

    def step(self, sight: Sight | None) -> bool:
        """Add the frame; ExampleError (one line) where no movement came: nothing was kept then."""
        self.lesson.store.tick(self.clock())
        if sight is None:
            return False
        landmarks, time_s = self.line.landmarks, sight.frame.time_s
        self._recent.append((landmarks, time_s))
        while time_s - self._recent[0][1] > RECENT_S:
            self._recent.popleft()
        try:
            if self._about is not None:
                return self._move_about(self._about, landmarks, time_s)
            return self._taking is not None and self._wait(self._taking, landmarks, time_s)
        except EdgeTLError:
            self.release()
            raise

    @property
    def _kinds(self) -> ClassKinds:
        """Which classes hold signs and which movements by now."""
        X, y, _ = self.lesson.recognizer.rows
        return ClassKinds(X, y)

    def _since_still(self) -> DemonstrationRecorder | None:
        """What waits for a movement already, where the hand was still before the key; None where it was not."""
        taking = DemonstrationRecorder()
        for landmarks, time_s in self._recent:
            if taking.push(landmarks, time_s) is not None:
                return None
        return taking if taking.phase is Phase.BEGUN else None

    def _wait(self, taking: DemonstrationRecorder, landmarks: np.ndarray | None, time_s: float) -> bool:
        movement = taking.push(landmarks, time_s)
        self.path = taking.landmarks if taking.phase is Phase.STOPPED else self.path[:0]
        if movement is None:
            return False
        self.release()
        self._keep([movement])
        return True

    def _move_about(self, about: MovingAbout, landmarks: np.ndarray | None, time_s: float) -> bool:
        pieces = about.push(landmarks, time_s)
        self.path = about.landmarks
        self._keep(pieces)
        if about.over:
            self.release()
        return about.over

    def _keep(self, tracks: list[Track]) -> None:
        """Keep them, on disk when this returns."""
        if not tracks:
            return
        if self._label != ORDINARY:
            self._kinds.check(self._label, tracks[0])
        self._take = self.lesson.keep(self._label, tracks, self.line.source.name, self._take)
        self._pieces += len(tracks)
        if self._label != ORDINARY:
            (movement,) = tracks
            self.path = movement.landmarks
            held = "held for " if holds_still(movement) else ""
            self.kept = f"kept {self._label}, {held}{movement.duration_s:.1f} s"

    def _say_about(self) -> None:
        self.kept = f"kept {counted(self._pieces, 'piece')} of {ORDINARY}"
        self.path = self.path[:0]
