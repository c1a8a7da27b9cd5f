"""Probabilities of windows → words, each told once: threshold, and quiet after a hit.

A window counts by the probability of its word times how like the taught ones it is: an unknown word may look most like
one that was taught, and still not like it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from edge_tl.controller import Steady
from edge_tl.errors import ConfigError, ShapeError
from edge_tl.sound import NOISE, OTHER

THRESHOLD = 0.75
SUPPRESSION_S = 1.0
"""Both as in the published speech commands (spec S4)."""
WINDOWS = 3
"""So many windows, 80 ms apart, are averaged: a word is heard in about five, a click in one."""
SILENT = frozenset({NOISE, OTHER, "unknown", "_unknown_"})
"""Classes that are taught so that nothing is told."""


@dataclass(frozen=True)
class ListeningConfig:
    """When a word counts as heard; ConfigError for what makes no sense."""

    threshold: float = THRESHOLD
    """Of the mean probability of the last `windows` windows, above 0 and at most 1."""
    suppression_s: float = SUPPRESSION_S
    """Nothing more is told for so long after a word."""
    windows: int = WINDOWS

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ConfigError(f"the threshold is {self.threshold}; above 0 and at most 1 is wanted")
        if not (0 <= self.suppression_s < 3600 and 1 <= self.windows <= 100):
            raise ConfigError(
                f"suppression {self.suppression_s} s and {self.windows} windows make no sense; "
                f"e.g. {SUPPRESSION_S} s and {WINDOWS} are wanted"
            )


def windows_at(hop_s: float) -> int:
    """How many windows, so far apart, are averaged: as many as lie in the time of `WINDOWS`, 1 at least."""
    return max(1, round(WINDOWS * 0.08 / hop_s))


class Listener:
    """Says for each window of a stream whether a word was heard with it.

    classes: the labels, in the order of the probabilities; those of `SILENT` are never told. `update` gives the
    controller's Steady: `label` and `steers` only in the window in which a word is told.
    """

    def __init__(self, classes: Sequence[str], config: ListeningConfig | None = None) -> None:
        self.classes = tuple(map(str, classes))
        self.config = config or ListeningConfig()
        self._told = np.array([label not in SILENT for label in self.classes], bool)
        self.reset()

    def reset(self) -> None:
        """Forget what was heard: the next window begins a new stream."""
        self._recent: deque[np.ndarray] = deque(maxlen=self.config.windows)
        self._quiet_until_s = -np.inf

    def update(self, probabilities: np.ndarray, time_s: float, familiar: float = 1.0) -> Steady:
        """Take in the probabilities (C,) of a window that ends at `time_s`; they count times `familiar`, 0 to 1.

        ShapeError for another number of probabilities.
        """
        if np.shape(probabilities) != (len(self.classes),):
            raise ShapeError(f"got probabilities {np.shape(probabilities)}; ({len(self.classes)},) are wanted")
        self._recent.append(np.where(self._told, probabilities, 0.0) * familiar)
        # Fewer windows than wanted count as if zeros came before: a stream's first window alone tells nothing.
        means = sum(self._recent) / self.config.windows
        assert isinstance(means, np.ndarray)
        best = int(means.argmax())
        confidence = float(means[best])
        if confidence < self.config.threshold or time_s < self._quiet_until_s:
            return Steady(None, confidence, changed=False)
        self._quiet_until_s = time_s + self.config.suppression_s
        self._recent.clear()
        return Steady(self.classes[best], confidence, changed=True, steers=True)


@dataclass(frozen=True, slots=True)
class Windows:
    """What a head said of the windows of one recording, in their order."""

    probabilities: np.ndarray
    """(N, C)."""
    familiar: np.ndarray
    """(N,), 0 to 1."""
    times_s: np.ndarray
    """(N,) when each window was over."""


def told(windows: Windows, classes: Sequence[str], config: ListeningConfig) -> list[tuple[str, float]]:
    """The words that a Listener tells in a recording, and when: (label, seconds); hours of it take milliseconds."""
    return _told(_means(windows, classes, config), windows, classes, config)


def _means(windows: Windows, classes: Sequence[str], config: ListeningConfig) -> np.ndarray:
    """The mean (N, C) of the last windows at each, as a Listener has it that has told nothing lately."""
    spoken = np.array([label not in SILENT for label in classes], bool)
    counted = np.where(spoken, windows.probabilities, 0.0) * windows.familiar[:, None]
    sums = counted.copy()
    for back in range(1, min(config.windows, len(counted))):
        sums[back:] += counted[:-back]
    return sums / config.windows


def _told(
    means: np.ndarray, windows: Windows, classes: Sequence[str], config: ListeningConfig
) -> list[tuple[str, float]]:
    """Where the means say so; only windows that reach the threshold are looked at, each as `update` does."""
    if not len(means):
        return []
    said: list[tuple[str, float]] = []
    last, quiet_until_s = -config.windows, -np.inf
    for place in np.flatnonzero(means.max(axis=1) >= config.threshold).tolist():
        time_s, row = float(windows.times_s[place]), means[place]
        if time_s < quiet_until_s:
            continue
        if place - last < config.windows:  # what lies before the last word is forgotten
            since = slice(last + 1, place + 1)
            row = (windows.probabilities[since] * windows.familiar[since, None]).sum(axis=0) / config.windows
            row = np.where(means[place] > 0, row, 0.0)
            if row.max() < config.threshold:
                continue
        said.append((str(classes[int(row.argmax())]), time_s))
        last, quiet_until_s = place, time_s + config.suppression_s
    return said


THRESHOLDS = tuple(np.round(np.arange(0.3, 1.0, 0.02), 2).tolist())
"""Those that `tried` tries by default."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What one threshold does."""

    threshold: float
    alarms: int
    """Words told in recordings that hold none."""
    hours: float
    """How long those recordings are."""
    heard: int
    """Recordings of a word in which that word is told, and nothing else before it."""
    confused: int
    """Recordings of a word in which another is told first."""
    words: int
    """Recordings of words."""
    delay_s: float = float("nan")
    """After the middle of the word half of those that are told rightly are told; NaN without one."""

    @property
    def alarms_per_hour(self) -> float:
        """NaN where there was nothing to listen to."""
        return self.alarms / self.hours if self.hours else float("nan")

    @property
    def missed(self) -> float:
        """The share of words of which nothing is told; NaN without words."""
        return (self.words - self.heard - self.confused) / self.words if self.words else float("nan")


def tried(
    classes: Sequence[str],
    words: Iterable[tuple[str, Windows]],
    others: Iterable[Windows],
    config: ListeningConfig,
    thresholds: Sequence[float] = THRESHOLDS,
) -> list[Tried]:
    """What each threshold does to recordings of words, (label, windows), and to others that hold none of them.

    The times of the words' windows are seconds after the middle of the word.
    """
    others = list(others)
    # The means are the same for every threshold.
    spoken = [(label, one, _means(one, classes, config)) for label, one in words if label not in SILENT]
    silent = [(one, _means(one, classes, config)) for one in others]
    hours = sum(float(np.ptp(one.times_s)) for one in others if len(one.times_s)) / 3600
    made = []
    for threshold in thresholds:
        each = ListeningConfig(threshold, config.suppression_s, config.windows)
        first = [(label, _told(means, one, classes, each)[:1]) for label, one, means in spoken]
        heard = sum(bool(said) and said[0][0] == label for label, said in first)
        confused = sum(bool(said) and said[0][0] != label for label, said in first)
        alarms = sum(len(_told(means, one, classes, each)) for one, means in silent)
        delays_s = [said[0][1] for label, said in first if said and said[0][0] == label]
        delay_s = float(np.median(delays_s)) if delays_s else float("nan")
        made.append(Tried(threshold, alarms, hours, heard, confused, len(first), delay_s))
    return made


def choose(made: Sequence[Tried], most_per_hour: float) -> Tried:
    """A threshold with room on both sides: between the lowest that keeps the budget and the highest that costs no word.

    The lowest one alone is as good as the sounds it was counted on; another voice is often a little nearer.
    """
    low = within_budget(made, most_per_hour)
    free = [one for one in made if one.threshold >= low.threshold and one.heard >= low.heard]
    middle = (low.threshold + max(one.threshold for one in free)) / 2
    return min(free, key=lambda one: abs(one.threshold - middle))


def within_budget(made: Sequence[Tried], most_per_hour: float) -> Tried:
    """The lowest threshold from which on no more false alarms come than so many an hour; the highest tried if none."""
    kept = made[-1]
    for one in reversed(made):
        if one.alarms > most_per_hour * one.hours:
            break
        kept = one
    return kept
