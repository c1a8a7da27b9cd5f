"""A demonstration while it is given: the hand holds still, moves and stops, or holds a sign; and moving about."""

from __future__ import annotations

from collections import deque
from enum import Enum

import numpy as np

from edge_tl.errors import ExampleError
from edge_tl.movements.demonstration import LONGEST_S, MIN_SPEED, PIECE_S, SHORTEST_S, STEP_S, STILL, movement_in
from edge_tl.movements.held import HOLD_S, holds_still
from edge_tl.movements.spotter import SPEED_S
from edge_tl.movements.track import BRIDGED_S, Track
from edge_tl.movements.windows import palm_lengths, resampled

STILL_S = 0.15
"""A hand that was slow for so long has arrived where the movement begins: raising it is no part of it."""
STOPPED_S = 0.4
"""A hand that is slow for so long has stopped; where it turns, in a corner of a cross, it is slow for less."""
BEGUN = 0.6
"""A movement has begun from so many palm lengths a second on: a hand that is held in the air drifts by less."""
PATIENCE_S = 12.0
"""So long it is waited for a hand, for a hand that is still, and for a movement."""
SIGN_S = 2.0
"""A sign is recorded so long."""
MINUTE_S = 60.0
"""Of moving about is recorded so much, counted while a hand is seen."""


class Phase(Enum):
    """What is waited for."""

    RAISED = "a hand that is seen and still"
    BEGUN = "a movement"
    STOPPED = "its end"


class DemonstrationRecorder:
    """Frames after a key was pressed in, the movement out once the hand has stopped: `push` each, until one is given.

    ExampleError, one line, ends it: no hand, a hand that is never still, hardly moves, moves for too long or too short,
    or is lost while it moves.
    """

    def __init__(self, *, held: bool = False) -> None:
        """held: whether it is a sign: it is given once the hand was still for `SIGN_S`."""
        self.held = held
        self.phase = Phase.RAISED
        self._times: deque[float] = deque()
        self._landmarks: deque[np.ndarray] = deque()
        self._newest_s = -np.inf
        self._since_s = np.inf  # when the phase began
        self._slow_since_s = np.inf
        self._fastest = 0.0

    @property
    def landmarks(self) -> np.ndarray:
        """float32 (n, 21, 2): where the hand was since it began to move, or since it is seen."""
        return np.array(self._landmarks, np.float32).reshape(-1, 21, 2)

    def push(self, landmarks: np.ndarray | None, time_s: float) -> Track | None:
        """Take a frame's landmarks (21, 2), None or NaN for no hand; the movement where it is over.

        time_s: must rise; a frame that does not come later than the one before is skipped.
        """
        if time_s <= self._newest_s:
            return None
        stalled_s, self._newest_s = time_s - self._newest_s, time_s
        if np.isinf(self._since_s):
            self._since_s = time_s
        if self._times and time_s - self._times[-1] > BRIDGED_S:
            if self.phase is Phase.STOPPED:
                return self._lost(stalled_s)
            self._start_over(self._times[-1])
        if landmarks is None or not np.isfinite(landmarks).all():
            self._check_patience(time_s)
            return None
        self._times.append(time_s)
        self._landmarks.append(np.asarray(landmarks, np.float32))
        return self._go_on(time_s)

    def finish(self) -> Track:
        """The movement in what was seen so far, for whoever says that it is over, or the sign where the hand was held
        and did not move; ExampleError where there is none."""
        if len(self._times) < 2:
            raise ExampleError("no hand was seen: hold it in view of the camera")
        seen = Track(self.landmarks, np.array(self._times))
        sign = seen.part(max(seen.times_s[0], seen.times_s[-1] - SIGN_S), seen.times_s[-1])
        if self.phase is Phase.BEGUN and holds_still(sign):
            return sign
        if self.held:
            raise ExampleError(f"the hand was not held still for {HOLD_S:g} s: hold the sign, then end it")
        return movement_in(seen)

    def _go_on(self, time_s: float) -> Track | None:
        fast = self._speed()
        if fast is None:
            return None
        self._fastest = max(self._fastest, fast)
        slow = MIN_SPEED if self.phase is Phase.RAISED else max(STILL * self._fastest, MIN_SPEED / 2)
        self._slow_since_s = min(self._slow_since_s, time_s) if fast < slow else np.inf
        still_s = time_s - self._slow_since_s
        if self.phase is Phase.RAISED and still_s >= STILL_S:
            self._keep_last(STILL_S + SPEED_S)
            self._turn(Phase.BEGUN, time_s)
        elif self.held and self.phase is Phase.BEGUN:
            sign = Track(self.landmarks, np.array(self._times))
            if sign.duration_s >= SIGN_S and holds_still(sign := sign.part(time_s - SIGN_S, time_s)):
                return sign
        elif self.phase is Phase.BEGUN and fast >= BEGUN:
            self._keep_last(STILL_S + 2 * SPEED_S)
            self._turn(Phase.STOPPED, time_s)
        elif self.phase is Phase.STOPPED and still_s >= STOPPED_S:
            return self.finish()
        self._check_patience(time_s)
        return None

    def _speed(self) -> float | None:
        """How fast the landmarks move on average, in palm lengths a second; None where that is not known yet."""
        now_s = self._times[-1]
        if now_s - self._times[0] < SPEED_S:
            return None
        first = max(0, sum(time_s <= now_s - SPEED_S for time_s in self._times) - 1)
        lately = np.stack([self._landmarks[at] for at in range(first, len(self._times))])
        times = np.array([self._times[at] for at in range(first, len(self._times))])
        at_s = np.array([now_s - SPEED_S, now_s])
        places = resampled(lately, times, at_s, at_s)[:, 0]
        size = float(np.percentile(palm_lengths(lately), 80))
        return float(np.linalg.norm(places[1] - places[0], axis=1).mean() / SPEED_S / max(size, 1e-9))

    def _turn(self, phase: Phase, time_s: float) -> None:
        """Another phase begins."""
        self.phase, self._since_s = phase, time_s
        self._slow_since_s, self._fastest = np.inf, 0.0

    def _start_over(self, time_s: float) -> None:
        """The hand is gone: what was seen before is no part of a movement."""
        self._times.clear()
        self._landmarks.clear()
        self._turn(Phase.RAISED, time_s)

    def _keep_last(self, seconds: float) -> None:
        while self._times[-1] - self._times[0] > seconds:
            self._times.popleft()
            self._landmarks.popleft()

    def _lost(self, stalled_s: float) -> Track:
        """The movement of a hand that is not seen any more; ExampleError where it had not stopped.

        stalled_s: for how long no picture came.
        """
        if not np.isinf(self._slow_since_s):
            return self.finish()
        if stalled_s > BRIDGED_S:
            raise ExampleError(f"no picture came for {stalled_s:.1f} s while the hand moved: do it again")
        raise ExampleError(
            "the hand was lost while it moved: do it slower, with more light, and in view until it has stopped"
        )

    def _check_patience(self, time_s: float) -> None:
        """ExampleError where what is waited for has not come for long."""
        waited_s = time_s - self._since_s
        if self.phase is Phase.STOPPED:
            if waited_s > LONGEST_S:
                raise ExampleError(
                    f"the hand moves for more than {LONGEST_S:g} s: do one movement, then hold the hand still"
                )
            return
        if self._times:
            self._keep_last(LONGEST_S + STILL_S + STOPPED_S)
        if waited_s <= PATIENCE_S:
            return
        if not self._times:
            raise ExampleError(f"no hand was seen for {PATIENCE_S:.0f} s: hold it in view of the camera")
        if self.phase is Phase.RAISED:
            then = (
                "the sign until it is recorded" if self.held else "it still, do the movement, and hold it still again"
            )
            raise ExampleError(f"the hand was never still: hold {then}")
        if self.held:
            raise ExampleError(f"the sign was never held still for {SIGN_S:g} s: hold it until it is recorded")
        raise ExampleError("the hand hardly moved: press the key, do the movement, and stop")


class MovingAbout:
    """Frames of a hand that does nothing in particular in, pieces to teach out, each as soon as it is whole.

    As `demonstration.ordinary_pieces` cuts them, stretch by stretch between which the hand was lost.
    """

    def __init__(self, seconds: float = MINUTE_S) -> None:
        """seconds: how much is wanted, counted while a hand is seen."""
        self.seconds, self.seen_s = seconds, 0.0
        self._times: list[float] = []
        self._landmarks: list[np.ndarray] = []
        self._start_s, self._cut = 0.0, 0  # when this stretch began, and how many pieces of it were given
        self._first_s = self._newest_s = -np.inf

    @property
    def over(self) -> bool:
        """Whether that much was seen."""
        return self.seen_s >= self.seconds

    @property
    def landmarks(self) -> np.ndarray:
        """float32 (n, 21, 2): where the hand was in the last seconds."""
        return np.array(self._landmarks, np.float32).reshape(-1, 21, 2)

    def push(self, landmarks: np.ndarray | None, time_s: float) -> list[Track]:
        """Take a frame, as of `DemonstrationRecorder.push`; the pieces that are whole now.

        ExampleError where no hand is seen for long.
        """
        if time_s <= self._newest_s:
            return []
        self._newest_s = time_s
        if np.isinf(self._first_s):
            self._first_s = time_s
        ended: list[Track] = []
        if self._times and time_s - self._times[-1] > BRIDGED_S:
            ended = self.finish()
            self._first_s = time_s
        if landmarks is None or not np.isfinite(landmarks).all():
            if not self._times and time_s - self._first_s > PATIENCE_S:
                raise ExampleError(
                    f"no hand was seen for {PATIENCE_S:.0f} s: what was recorded is kept, and the key goes on with it"
                )
            return ended
        if self._times:
            self.seen_s += time_s - self._times[-1]
        else:
            self._start_s = time_s
        self._times.append(time_s)
        self._landmarks.append(np.asarray(landmarks, np.float32))
        return ended + self._whole()

    def finish(self) -> list[Track]:
        """The hand is lost, or all is over: what it did since it came, where no piece was whole and it is no blink."""
        track = Track(self.landmarks, np.array(self._times))
        short = not self._cut and len(self._times) > 1 and track.duration_s >= SHORTEST_S
        self._times, self._landmarks, self._cut = [], [], 0
        return [track] if short else []

    def _whole(self) -> list[Track]:
        first_s = self._start_s + self._cut * STEP_S
        if self._times[-1] < first_s + PIECE_S:
            return []
        piece = Track(self.landmarks, np.array(self._times)).part(first_s, first_s + PIECE_S + 1e-6)
        self._cut += 1
        past = sum(time_s < first_s + STEP_S for time_s in self._times)
        del self._times[:past], self._landmarks[:past]
        return [piece]
