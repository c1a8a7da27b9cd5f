"""The simulated hand that performs movements: a swipe, a circle, a wave, each time at its own speed and size.

It stands in for a person who teaches and plays by movements. Between them the hand rests or moves about, and after a
swipe it is taken back, slowly and relaxed: what a spotter must pass over is shown as well as what it must tell.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge_tl.errors import ConfigError, SourceClosed
from edge_tl.frames import BaseSource, Frame
from edge_tl.labels import ORDINARY
from edge_tl.sources.drawn_hand import SIGNS, HandLook, draw, joints_px
from edge_tl.sources.drawn_room import HEIGHT_PX, WIDTH_PX, Place
from edge_tl.sources.folder import wait_for_frame

Way = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Movement:
    """How the hand goes in a movement: where it is at each share of its time."""

    way: Way
    """Shares (T,) → (T, 2), from where it began: x right and y down, in palm lengths."""
    lasts_s: tuple[float, float]
    """At least and at most."""
    stays: bool = False
    """Whether it ends where it began, so that nothing need be taken back."""


def _swipe(x: float, y: float) -> Way:
    def way(share: np.ndarray) -> np.ndarray:
        # The hand hangs on an arm: its way is bent a little.
        bend = 0.25 * np.sin(math.pi * share)
        return np.stack([x * share + bend * y / 2, y * share - bend * abs(x) / 2], axis=-1)

    return way


def _circle(share: np.ndarray) -> np.ndarray:
    angle = 2 * math.pi * share
    return np.stack([0.9 * np.sin(angle), 0.9 * (np.cos(angle) - 1)], axis=-1)


def _wave(share: np.ndarray) -> np.ndarray:
    fade = np.minimum(1, 8 * np.minimum(share, 1 - share))
    return np.stack([0.9 * fade * np.sin(6 * math.pi * share), np.zeros_like(share)], axis=-1)


MOVEMENTS: dict[str, Movement] = {
    "left": Movement(_swipe(-2.4, 0.0), (0.4, 0.75)),
    "right": Movement(_swipe(2.4, 0.0), (0.4, 0.75)),
    "up": Movement(_swipe(0.0, -1.9), (0.4, 0.7)),
    "down": Movement(_swipe(0.0, 1.9), (0.4, 0.7)),
    "circle": Movement(_circle, (0.9, 1.4), stays=True),
    "wave": Movement(_wave, (1.2, 1.7), stays=True),
}
"""What it can perform; left and right are those of the picture."""
HELD: dict[str, tuple[float, ...]] = {"fist": SIGNS["down"], "two": SIGNS["left"], "palm": SIGNS["neutral"]}
"""Signs that it can hold beside them, by how its fingers are bent and spread."""
SHOWN_S, SHAPED_S = (2.2, 2.8), (0.35, 0.55)
"""How long a sign is held, and how long the hand takes to become it and to open again."""

SCALE = 0.64
"""How large the hand is against that of the signs: a movement must have room in the picture."""
RANGE = np.array((1.6, 1.0))
"""How far from the middle it goes when it moves about, in palm lengths to the sides, and up and down."""
HELD_S = (0.3, 0.5)
"""A hand stands still after a movement."""
BACK_S = (0.8, 1.2)
"""How long it is taken back."""
ABOUT_S = (0.6, 1.8)
"""How long one of the moves takes of which moving about is made."""
GREY = np.full((HEIGHT_PX, WIDTH_PX, 3), 127, np.uint8)
_OPEN = np.array([0.0, 0.0, 0.0, *SIGNS["neutral"]])
_RELAXED = np.array([0.0, -8.0, 0.0, 0.4, 0.35, 0.4, 0.45, 0.5, 0.3])


@dataclass(frozen=True)
class _Stretch:
    """What the hand does for a while: where it goes, how it is held at the end, and what that is called."""

    lasts_s: float
    way: Way
    held: np.ndarray
    truth: str
    skew: float = 1.0
    """Above 1 it starts slowly, below 1 it stops slowly."""


def moving(seed: int, labels: Sequence[str]) -> Iterator[tuple[str, float]]:
    """An endless script for a hand left alone: (movement, or `nothing`, and seconds till the next)."""
    rng = np.random.default_rng(seed)
    while True:
        yield str(rng.choice(list(labels))), float(rng.uniform(2.5, 4.0))
        if rng.random() < 0.4:
            yield ORDINARY, float(rng.uniform(1.5, 4.0))


class MovingHand(BaseSource):
    """A drawn hand that performs movements; 320×240 RGB; the same for a seed and the same calls.

    seed: of everything that varies. clock: seconds, read at `open` and, where paced, for waiting. labels: what it may
    be asked for, of `MOVEMENTS` and `HELD`. fps, paced, sleep: as of SimulatedPlayer. script: (one of them or
    `nothing`, seconds) pairs followed until they end or it is told what to do. drawn: False for whoever needs only
    `joints`: the pictures are grey. ConfigError for a label that is none.

    `Frame.truth` is the movement that is performed, and `nothing` for all else. `joints` is where the newest frame
    shows the hand.
    """

    simulated = True
    name = "simulated hand"

    def __init__(
        self,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        labels: Sequence[str] = (*MOVEMENTS, *HELD),
        fps: float = 30.0,
        paced: bool = False,
        sleep: Callable[[float], None] = time.sleep,
        script: Iterable[tuple[str, float]] | None = None,
        drawn: bool = True,
    ) -> None:
        unknown = [label for label in labels if label not in (*MOVEMENTS, *HELD)]
        if unknown or not labels:
            known = ", ".join((*MOVEMENTS, *HELD))
            raise ConfigError(f"simulated hand: no movement {', '.join(unknown) or 'given'}; it knows {known}")
        if not fps > 0:
            raise ConfigError(f"simulated hand: fps={fps:g}; wanted more than 0 frames a second")
        self.labels = tuple(labels)
        self._seed, self._clock, self._sleep = seed, clock, sleep
        self._fps, self._paced, self._drawn = fps, paced, drawn
        self._script = self._own = iter(script) if script is not None else None
        self._script_s = 0.0
        self._session = -1
        self._opened_s: float | None = None
        self._next = 0
        self.joints = np.full((21, 2), np.nan)
        """float64 (21, 2): x and y of the landmarks in the newest frame, in pixels; NaN before the first one."""
        self.new_session()

    def new_session(self) -> None:
        """Other clothes, wall and light: what another day's teaching of the same person looks like."""
        self._session += 1
        self._rng = np.random.default_rng([self._seed, self._session])
        person = np.random.default_rng([self._seed, 1])
        self._look = HandLook.drawn_from(person, self._rng, Place(scale=SCALE))
        self._waves = self._rng.uniform(0.0, 2.0 * math.pi, 8)
        self._at = np.zeros(2)
        self._held = _OPEN.copy()
        self._stretches: deque[_Stretch] = deque()
        self._begun_s = self._shown_s()
        self._begun_at, self._begun_held = self._at, self._held
        self._wanders = False

    @property
    def busy(self) -> bool:
        """Whether what was asked for is not over yet, with the hand taken back after it; moving about is never over."""
        return bool(self._stretches) and not (self._wanders and len(self._stretches) == 1)

    def perform(self, label: str) -> None:
        """Do a movement, from the middle on, as soon as the hand is there; ConfigError for one that it does not know.

        What it does now is broken off, unless it is a movement: that is done first.
        """
        self._script = None
        self._perform(label)

    def about(self) -> None:
        """Move about, and do nothing in particular, until it is told something else."""
        self._script = None
        self._about()

    def go_on(self) -> None:
        """Follow the script again from where it was when the hand was asked for something; without one nothing."""
        if self._script is None and self._own is not None:
            self._script, self._script_s = self._own, max(self._script_s, self._shown_s())

    def rest(self) -> None:
        """Come back to the middle and stay there."""
        self._script = None
        self._rest()

    def open(self) -> None:
        """Start the frames at index 0, with the hand at rest in the middle."""
        self._opened_s = self._clock()
        self._next = 0
        self._script_s = 0.0
        self._at, self._held = np.zeros(2), _OPEN.copy()
        self._stretches.clear()
        self._begin(0.0)

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
        truth = self._go(at_s)
        look = replace(
            self._look,
            wrist_px=tuple((np.array(self._look.wrist_px) + self._look.palm_px * self._at).tolist()),
        )
        attitude = self._held + np.array([2.0, 2.0, 2.0, *6 * (0.0,)]) * np.sin(1.3 * at_s + self._waves[0])
        self.joints = joints_px(look, attitude, self._waves, at_s)
        picture = draw(look, attitude, self._waves, at_s, self._rng) if self._drawn else GREY.copy()
        return Frame(picture, self._opened_s + at_s, index=index, dropped=dropped, truth=truth)

    def close(self) -> None:
        """Stop; reading then raises SourceClosed."""
        self._opened_s = None

    def _shown_s(self) -> float:
        return max(self._next - 1, 0) / self._fps

    def _perform(self, label: str) -> None:
        if label not in self.labels:
            raise ConfigError(f"simulated hand: no movement {label!r}; it was given {', '.join(self.labels)}")
        rng = self._rng
        self._stop()
        self._home()
        if label in HELD:
            self._hold(label)
            return
        movement = MOVEMENTS[label]
        turn, size = math.radians(rng.normal(0, 7)), rng.normal(1.0, 0.08)
        turned = size * np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
        held = self._aim(_OPEN)
        self._stretches.append(
            _Stretch(
                float(rng.uniform(*movement.lasts_s)),
                lambda share: movement.way(share) @ turned,
                held,
                label,
                float(rng.uniform(0.85, 1.2)),
            )
        )
        self._stay(float(rng.uniform(*HELD_S)), held)
        if not movement.stays:
            end = movement.way(np.ones(1))[0] @ turned
            self._stretches.append(_straight(float(rng.uniform(*BACK_S)), -end, self._aim(_RELAXED)))
        self._stay(0.15, self._aim(_OPEN))

    def _hold(self, label: str) -> None:
        """Become a sign in the middle, hold it, and open again."""
        held = self._aim(np.array([0.0, 0.0, 0.0, *HELD[label]]))
        self._stay(float(self._rng.uniform(*SHAPED_S)), held)
        shown = _Stretch(float(self._rng.uniform(*SHOWN_S)), lambda share: share[..., None] * np.zeros(2), held, label)
        self._stretches.append(shown)
        self._stay(float(self._rng.uniform(*SHAPED_S)), self._aim(_OPEN))

    def _about(self) -> None:
        self._stop()
        self._wanders = True

    def _rest(self) -> None:
        self._stop()
        self._home()

    def _stop(self) -> None:
        """Break off whatever is done, unless a movement is among it."""
        self._wanders = False
        if all(one.truth == ORDINARY for one in self._stretches):
            self._stretches.clear()
            self._begin(self._shown_s())

    def _home(self) -> None:
        """Go back to the middle, slowly, where the hand is not there when all else is done."""
        away = self._begun_at + sum((one.way(np.ones(1))[0] for one in self._stretches), np.zeros(2))
        far = float(np.linalg.norm(away))
        if far > 0.1:
            self._stretches.append(_straight(max(0.4, 0.45 * far), -away, self._aim(_RELAXED)))
            self._stay(0.2, self._aim(_OPEN))

    def _stay(self, lasts_s: float, held: np.ndarray) -> None:
        self._stretches.append(_straight(lasts_s, np.zeros(2), held))

    def _aim(self, held: np.ndarray) -> np.ndarray:
        """How the hand is held this time."""
        aimed = held + self._rng.normal(0, 1, 9) * np.array((3.0, 3.0, 4.0, *6 * (0.05,)))
        aimed[3:] = np.clip(aimed[3:], 0, 1)
        return np.asarray(aimed)

    def _begin(self, at_s: float) -> None:
        self._begun_s, self._begun_at, self._begun_held = at_s, self._at, self._held

    def _wander(self) -> _Stretch:
        """One of the moves that moving about is made of: somewhere, straight or bent, the hand held anyhow; or none."""
        rng = self._rng
        lasts_s = float(rng.uniform(*ABOUT_S))
        held = self._aim(_RELAXED) + np.array([0, 0, rng.normal(0, 12), *6 * (0.0,)])
        if rng.random() < 0.25:
            return _straight(lasts_s, np.zeros(2), held)
        by, bend = RANGE * rng.uniform(-1, 1, 2) - self._at, float(rng.uniform(-0.5, 0.5))
        aside = bend * np.array((by[1], -by[0]))
        return _Stretch(
            lasts_s,
            lambda share: share[..., None] * by + np.sin(math.pi * share)[..., None] * aside,
            held,
            ORDINARY,
            float(rng.uniform(0.7, 1.4)),
        )

    def _go(self, at_s: float) -> str:
        """Bring the hand to where it is at a time; what it does then."""
        while self._stretches and at_s >= self._begun_s + self._stretches[0].lasts_s:
            done = self._stretches.popleft()
            self._at, self._held = self._begun_at + done.way(np.ones(1))[0], done.held
            self._begin(self._begun_s + done.lasts_s)
        if not self._stretches and self._wanders:
            self._begin(max(self._begun_s, at_s))
            self._stretches.append(self._wander())
        if not self._stretches:
            return ORDINARY
        doing = self._stretches[0]
        share = min(max((at_s - self._begun_s) / doing.lasts_s, 0.0), 1.0) ** doing.skew
        soft = share**3 * (10 - 15 * share + 6 * share**2)  # as an arm starts and stops
        self._at = self._begun_at + doing.way(np.array([soft]))[0]
        self._held = self._begun_held + (doing.held - self._begun_held) * soft
        return doing.truth

    def _follow_script(self, at_s: float) -> None:
        while self._script is not None and at_s >= self._script_s:
            step = next(self._script, None)
            if step is None:
                self._script = None
                return
            self._script_s += step[1]
            if step[0] == ORDINARY:
                self._about()
            else:
                self._perform(step[0])


def _straight(lasts_s: float, by: np.ndarray, held: np.ndarray) -> _Stretch:
    """Straight to somewhere else, or nowhere, and not told as a movement."""
    return _Stretch(lasts_s, lambda share: share[..., None] * by, held, ORDINARY)
