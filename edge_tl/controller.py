"""Noisy probabilities → steady labels: smoothing, on and off thresholds, refractory time, a neutral class."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from edge_tl.errors import ConfigError, ShapeError

NEUTRAL = ("neutral", "none", "straight", "rest", "nothing")
"""Labels that by their name mean "no direction"; the first that is taught is the controller's neutral class."""


@dataclass(frozen=True)
class ControllerConfig:
    """How probabilities become labels."""

    smoothing_s: float = 0.08
    """Time constant of the exponential smoothing in seconds, ≥ 0: after so long, 63 % of a change has come through.

    0.08 is the least at which one frame alone decides nothing at 15 a second; NOTES.md has the comparison."""
    on: float = 0.6
    """A label begins when its smoothed probability reaches this, 0..1."""
    off: float = 0.5
    """A label ends when its smoothed probability falls below this, 0..`on`."""
    refractory_s: float = 0.0
    """For so many seconds after a steering label began no other begins; one may always end."""
    neutral: str | None = None
    """The class that means "no direction": it is reported as a label but does not steer, and never waits."""
    gap_s: float = 1.0
    """Frames further apart than this many seconds have nothing to do with each other: smoothing starts anew."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.off <= self.on <= 1.0:
            raise ConfigError(f"controller: off={self.off:g}, on={self.on:g}; wanted 0 ≤ off ≤ on ≤ 1")
        for name in ("smoothing_s", "refractory_s", "gap_s"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0.0):
                raise ConfigError(f"controller: {name}={value:g}; wanted a number of seconds ≥ 0")


@dataclass(frozen=True, slots=True)
class Steady:
    """What the controller says after one frame."""

    label: str | None
    """The steady label; None while nothing is sure, or the picture is none of the classes."""
    confidence: float
    """The smoothed probability of `label`, or of the likeliest class where it is None, 0..1."""
    changed: bool
    """True on the frame on which `label` became another one."""
    steers: bool = False
    """True where `label` is a class and not the neutral one."""


class Controller:
    """Holds the smoothed probabilities and the steady label of one stream of frames.

    The smoothing is the exact step of a first-order low-pass over the time between frames,
    p ← x + (p − x)·exp(−dt/smoothing_s), so that the result depends on time and not on frames a second. It starts
    from zero: a first frame alone decides nothing, unless smoothing_s is 0.

    classes: the labels, in the order of the probabilities. Raises ConfigError for a neutral class not among them.
    """

    def __init__(self, classes: Sequence[str] | np.ndarray, config: ControllerConfig | None = None) -> None:
        self.classes = tuple(str(label) for label in classes)
        self.config = config or ControllerConfig()
        if self.config.neutral is not None and self.config.neutral not in self.classes:
            raise ConfigError(
                f"controller: the neutral class {self.config.neutral!r} is not taught; wanted one of "
                f"{', '.join(self.classes) or 'no class at all'}"
            )
        self._smoothed = np.zeros(len(self.classes))
        self._held: int | None = None
        self._last_s: float | None = None
        self._free_s = -math.inf

    @property
    def smoothed(self) -> np.ndarray:
        """The smoothed probabilities, float64 (C,), 0..1; they sum to 1 or less. A copy."""
        return self._smoothed.copy()

    def update(self, probabilities: np.ndarray, time_s: float, known: bool = True) -> Steady:
        """Take in one frame's probabilities and say what is steady now.

        probabilities: (C,), 0..1. time_s: when the frame was taken, seconds of any one clock; where it runs backwards
        or leaps by more than `gap_s` the smoothing starts anew. known: False for a picture that is none of the classes,
        which counts as probability zero for each of them, so that the label fades instead of flickering.
        Raises ShapeError for another length, values outside 0..1 (NaN included) or a time that is not finite.
        """
        p = np.asarray(probabilities, dtype=np.float64)
        if p.shape != self._smoothed.shape:
            raise ShapeError(
                f"controller: probabilities of shape {p.shape}; wanted one a class, ({len(self.classes)},)"
            )
        # Written so that NaN fails too; float32 softmax sums overshoot 1 by rounding.
        if not bool(np.all((p >= -1e-6) & (p <= 1.0 + 1e-6))):
            raise ShapeError("controller: probabilities with NaN or outside 0..1; wanted the output of predict_proba")
        if not math.isfinite(time_s):
            raise ShapeError(f"controller: time_s={time_s}; wanted the frame's time in seconds")
        p = np.clip(p, 0.0, 1.0) if known else np.zeros_like(p)
        before = self._held
        self._smooth(p, time_s)
        self._choose(time_s)
        held = self._held
        label = None if held is None else self.classes[held]
        confidence = 0.0
        if len(self.classes):
            confidence = float(self._smoothed[held] if held is not None else self._smoothed.max())
        steers = label is not None and label != self.config.neutral
        return Steady(label, confidence, changed=held != before, steers=steers)

    def _smooth(self, p: np.ndarray, time_s: float) -> None:
        dt_s = 0.0 if self._last_s is None else time_s - self._last_s
        if dt_s < 0.0 or dt_s > self.config.gap_s:
            # A clock that runs backwards has started anew, and the refractory time on the old one means nothing.
            free_s = self._free_s if dt_s > 0.0 else -math.inf
            self.reset()
            self._free_s = free_s
            dt_s = 0.0
        self._last_s = time_s
        keep = math.exp(-dt_s / self.config.smoothing_s) if self.config.smoothing_s > 0.0 else 0.0
        self._smoothed = p + (self._smoothed - p) * keep

    def _choose(self, time_s: float) -> None:
        if not self.classes:
            return
        if self._held is not None and self._smoothed[self._held] < self.config.off:
            self._held = None
        best = int(np.argmax(self._smoothed))
        if best == self._held or self._smoothed[best] < self.config.on:
            return
        if self._held is not None and self._smoothed[best] <= self._smoothed[self._held]:
            return
        if self.classes[best] == self.config.neutral:
            self._held = best
        elif time_s >= self._free_s:
            self._held = best
            self._free_s = time_s + self.config.refractory_s

    def reset(self) -> None:
        """Forget the stream so far, as after a lost camera or a newly trained head."""
        self._smoothed = np.zeros(len(self.classes))
        self._held = None
        self._last_s = None
        self._free_s = -math.inf


def neutral_label(labels: Iterable[str]) -> str | None:
    """The class that means "no direction" by its name, or None."""
    by_name = {label.casefold(): label for label in labels}
    return next((by_name[name] for name in NEUTRAL if name in by_name), None)
