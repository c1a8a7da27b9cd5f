"""The simulated player: a drawn head that turns, or a hand that makes signs, for machines without a camera.

It stands in for a person before a camera: the label it shows is known, everything else varies. What varies with
`new_session` (clothes, wall, light) is what differs between takes of one day; what varies within one (sway, tilt,
blinking, noise) is what differs between frames; and `new_day` brings what breaks a lesson overnight: another person,
elsewhere, nearer or farther, leaning.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_tl.errors import ConfigError, SourceClosed
from edge_tl.frames import BaseSource, Frame
from edge_tl.sources import drawn_hand, drawn_head
from edge_tl.sources.drawn_room import Place
from edge_tl.sources.folder import wait_for_frame

# Where the nose points, degrees: (yaw, positive to the right edge of the picture; pitch, positive up).
POSES: dict[str, tuple[float, float]] = {
    "up": (0.0, 24.0),
    "down": (0.0, -24.0),
    "left": (-36.0, 0.0),
    "right": (36.0, 0.0),
    "neutral": (0.0, 0.0),
}
TURN_S = 0.18
"""How long the head takes to turn: a quick glance; people take 0.15 to 0.3 s."""


@dataclass(frozen=True)
class Subject:
    """What the player shows: how it is held for each label, how much that varies, and how it is drawn.

    How it is held is yaw, pitch and roll in degrees, then whatever else the drawing wants.
    """

    name: str
    holds: dict[str, np.ndarray]
    habit: np.ndarray
    """Standard deviation of how each label is held, from take to take."""
    each: np.ndarray
    """Standard deviation of how it is held, from one time to the next."""
    sway_deg: np.ndarray
    """How far yaw, pitch and roll sway."""
    lean_deg: tuple[float, float]
    """How far it leans on another day, at least and at most."""
    look: Callable[[np.random.Generator, np.random.Generator, Place], Any]
    draw: Callable[[Any, np.ndarray, np.ndarray, float, np.random.Generator], np.ndarray]


SUBJECTS = {
    "head": Subject(
        name="simulated player",
        holds={label: np.array([*pose, 0.0]) for label, pose in POSES.items()},
        habit=np.array((4.5, 3.0, 3.0)),
        each=np.array((2.0, 1.5, 1.5)),
        sway_deg=np.array((3.0, 2.5, 3.0)),
        lean_deg=(6.0, 12.0),
        look=drawn_head.Appearance.drawn_from,
        draw=drawn_head.draw,
    ),
    "hand": Subject(
        name="simulated hand",
        holds={label: np.array([0.0, 0.0, 0.0, *sign]) for label, sign in drawn_hand.SIGNS.items()},
        habit=np.array((7.0, 5.0, 4.0) + 6 * (0.05,)),
        each=np.array((3.0, 2.0, 2.0) + 6 * (0.03,)),
        sway_deg=np.array((3.0, 3.0, 3.0)),
        lean_deg=(15.0, 30.0),
        look=drawn_hand.HandLook.drawn_from,
        draw=drawn_hand.draw,
    ),
}
"""By the word after `sim:` on the command line."""


def wandering(
    seed: int, labels: Sequence[str], shortest_s: float = 0.6, longest_s: float = 1.8
) -> Iterator[tuple[str, float]]:
    """An endless script for a player left alone: (pose, seconds to hold it), never one pose twice running."""
    rng = np.random.default_rng(seed)
    pose = ""
    while True:
        pose = str(rng.choice([label for label in labels if label != pose] or list(labels)))
        yield pose, float(rng.uniform(shortest_s, longest_s))


class SimulatedPlayer(BaseSource):
    """A drawn head that turns to `pose`, or a hand that shows it; 320×240 RGB; the same for a seed and the same calls.

    seed: of everything that varies. clock: seconds, read at `open` and, where paced, for waiting. labels: the poses it
    may be asked for, of `POSES`; left and right are those of the picture, as in a mirror. fps: frames a second.
    paced: True waits with `sleep` for each frame's time and, like a camera, drops what a late reader missed; False
    delivers at once, frame n carrying the time n/fps after opening. script: (pose, seconds) pairs followed until they
    end or `pose` is set; `go_on` follows them again. subject: "head" or "hand" (`drawn_hand.SIGNS` says which sign is
    which label). Raises ConfigError for a label that is no pose, and for another subject.

    `Frame.truth` is the pose being shown or turned to; `settled` is False while the head is still turning.
    """

    simulated = True

    def __init__(
        self,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        labels: Sequence[str] = tuple(POSES),
        fps: float = 30.0,
        paced: bool = False,
        sleep: Callable[[float], None] = time.sleep,
        script: Iterable[tuple[str, float]] | None = None,
        subject: str = "head",
    ) -> None:
        if subject not in SUBJECTS:
            raise ConfigError(f"simulated player: no subject {subject!r}; it has {', '.join(SUBJECTS)}")
        unknown = [label for label in labels if label not in POSES]
        if unknown or not labels:
            raise ConfigError(f"simulated player: no pose {', '.join(unknown) or 'given'}; it knows {', '.join(POSES)}")
        if not fps > 0:
            raise ConfigError(f"simulated player: fps={fps:g}; wanted more than 0 frames a second")
        self.subject = subject
        self._subject = SUBJECTS[subject]
        self.name = self._subject.name
        self.labels = tuple(labels)
        self._seed, self._clock, self._sleep = seed, clock, sleep
        self._fps, self._paced = fps, paced
        self._script = self._own = iter(script) if script is not None else None
        self._script_s = 0.0
        self._session = -1
        self._day = 0
        self._place = Place()
        self._opened_s: float | None = None
        self._next = 0
        self._turned_s = -math.inf
        self._pose = "neutral" if "neutral" in self.labels else self.labels[0]
        self.new_session()

    @property
    def pose(self) -> str:
        """The label shown; set it at any time, and the head turns there in `TURN_S` seconds, from wherever it is."""
        return self._pose

    @pose.setter
    def pose(self, label: str) -> None:
        self._script = None
        self._turn(label)

    def go_on(self) -> None:
        """Follow the script again from where it was when `pose` was set; without one the pose stays."""
        if self._script is None and self._own is not None:
            self._script, self._script_s = self._own, max(self._script_s, self._shown_s())

    @property
    def settled(self) -> bool:
        """False while the frame delivered last showed a head still turning."""
        return self._shown_s() - self._turned_s >= TURN_S

    def new_session(self) -> None:
        """Other clothes, wall and light, and each pose held a little differently: what a new take looks like."""
        self._session += 1
        self._rng = np.random.default_rng([self._seed, self._session])
        person = np.random.default_rng([self._seed, 1, self._day] if self._day else [self._seed, 1])
        self._look = self._subject.look(person, self._rng, self._place)
        # How this person, this time, holds each pose.
        self._habits = {label: self._rng.normal(0.0, self._subject.habit) for label in POSES}
        self._waves = self._rng.uniform(0.0, 2.0 * math.pi, 8)
        self._from = self._to = self._aim(self._pose)
        self._turned_s = -math.inf

    def new_day(self) -> None:
        """Another person, who is elsewhere in the picture, nearer or farther, and leans: what tomorrow looks like."""
        self._day += 1
        where = np.random.default_rng([self._seed, 2, self._day])
        self._place = Place.drawn_from(where, self._subject.lean_deg)
        self.new_session()

    def open(self) -> None:
        """Start the frames at index 0; the pose and the session stay."""
        self._opened_s = self._clock()
        self._next = 0
        self._turned_s = -math.inf
        self._script_s = 0.0

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The next frame; where paced, raise SourceTimeout if it is due later than `timeout_s` from now."""
        if self._opened_s is None:
            raise SourceClosed(f"{self.name}: not open; call open() first")
        dropped = 0
        if self._paced:
            beat = self._opened_s, self._next, self._fps
            dropped = wait_for_frame(*beat, timeout_s, self._clock, self._sleep, self.name)
        index = self._next + dropped
        self._next = index + 1
        at_s = index / self._fps
        self._follow_script(at_s)
        picture = self._subject.draw(self._look, self._attitude(at_s), self._waves, at_s, self._rng)
        return Frame(picture, self._opened_s + at_s, index=index, dropped=dropped, truth=self._pose)

    def close(self) -> None:
        """Stop; reading then raises SourceClosed."""
        self._opened_s = None

    def _shown_s(self) -> float:
        return max(self._next - 1, 0) / self._fps

    def _aim(self, label: str) -> np.ndarray:
        """How a pose is held once: the pose, the habit, and this time's difference."""
        return self._subject.holds[label] + self._habits[label] + self._rng.normal(0.0, self._subject.each)

    def _turn(self, label: str) -> None:
        if label not in self.labels:
            raise ConfigError(f"simulated player: no pose {label!r}; it was given {', '.join(self.labels)}")
        if label == self._pose:
            return
        now_s = self._shown_s()
        self._from, self._to = self._between(now_s), self._aim(label)
        self._turned_s, self._pose = now_s, label

    def _between(self, at_s: float) -> np.ndarray:
        """The turn itself: smoothstep from the old attitude to the new one."""
        t = min(max((at_s - self._turned_s) / TURN_S, 0.0), 1.0)
        return self._from + (self._to - self._from) * (t * t * (3.0 - 2.0 * t))

    def _attitude(self, at_s: float) -> np.ndarray:
        """The turn, with the slow sway of what nobody holds still."""
        attitude = self._between(at_s)
        attitude[:3] += self._subject.sway_deg * np.sin(np.array((1.9, 1.3, 0.9)) * at_s + self._waves[:3])
        return attitude

    def _follow_script(self, at_s: float) -> None:
        while self._script is not None and at_s >= self._script_s:
            step = next(self._script, None)
            if step is None:
                self._script = None
                return
            self._script_s += step[1]
            self._turn(step[0])
