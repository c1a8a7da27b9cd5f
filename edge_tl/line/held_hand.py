"""A hand that is held, in a stream in which it also moves: a steady sign while it is still, and none while it moves."""

from __future__ import annotations

from collections import deque

import numpy as np

from edge_tl.controller import Controller, ControllerConfig, Steady, neutral_label
from edge_tl.embedders.embedder import TrackEmbedder
from edge_tl.heads.movement import MovementHead
from edge_tl.movements.spotter import SPEED_S
from edge_tl.movements.windows import MOMENTS, palm_lengths, resampled

MOVES = 1.0
"""Palm lengths a second: a hand that goes faster shows no sign. Held in the air it drifts by less than 0.6, and a swipe
is slower only in its first and last tenths of a second, for which no label becomes steady."""


class HeldHand:
    """Frames of landmarks in, the steady sign out; asks the `signs` of a head, which has some that are reported."""

    def __init__(self, head: MovementHead, embedder: TrackEmbedder) -> None:
        assert head.signs is not None
        self.signs, self._embedder = head.signs, embedder
        reported = head.signs.reported
        self._controller = Controller(reported, ControllerConfig(neutral=neutral_label(reported)))
        self.clear()

    def clear(self) -> None:
        """Forget what was seen: the next frame begins a stream."""
        self._recent: deque[tuple[float, np.ndarray]] = deque()
        self._controller.reset()

    def push(self, landmarks: np.ndarray | None, time_s: float) -> Steady:
        """Take a frame's landmarks (21, 2), None or NaN for no hand; what is steady now.

        time_s: must rise; one that does not begins a stream.
        """
        nothing = np.zeros(len(self.signs.reported))
        if self._recent and time_s <= self._recent[-1][0]:
            self._recent.clear()
        if landmarks is None or not np.isfinite(landmarks).all():
            self._recent.clear()
            return self._controller.update(nothing, time_s, known=False)
        self._recent.append((time_s, landmarks))
        while len(self._recent) > 2 and self._recent[1][0] <= time_s - SPEED_S:
            self._recent.popleft()
        if self._speed() > MOVES:
            return self._controller.update(nothing, time_s, known=False)
        row = self._embedder.embed_held(landmarks)
        known = bool(self.signs.known(row)[0])
        return self._controller.update(self.signs.probabilities(row)[0], time_s, known)

    def _speed(self) -> float:
        """How fast the landmarks moved on average lately, in palm lengths a second; 0 in the first frame."""
        times = np.array([time_s for time_s, _ in self._recent])
        lasted_s = float(times[-1] - times[0])
        if lasted_s <= 0:
            return 0.0
        over_s = min(SPEED_S, lasted_s)
        landmarks = np.stack([points for _, points in self._recent])
        places = resampled(landmarks, times, times[-1:] - over_s, times[-1:])[0, (0, MOMENTS - 1)]
        gone = float(np.linalg.norm(places[1] - places[0], axis=1).mean())
        return gone / over_s / max(float(palm_lengths(landmarks[-1])), 1e-9)
