"""Probabilities of windows → words, each told once: threshold, and quiet after a hit.

A window counts by the probability of its word times how like the taught ones it is: an unknown word may look most like
one that was taught, and still not like it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from edge_tl.controller import Steady
from edge_tl.core.answers import SavedHead
from edge_tl.errors import ConfigError, ShapeError
from edge_tl.labels import NOISE, OTHER

THRESHOLD = 0.85
"""A window that is so sure tells a word: as few false alarms as the mean of several at a lower one (NOTES.md)."""
PUBLISHED = 0.75
SUPPRESSION_S = 1.0
"""Both as in the published speech commands (spec S4): the first for a base's own words, with nothing taught."""
SILENT = frozenset({NOISE, OTHER, "unknown", "_unknown_"})
"""Classes that are taught so that nothing is told."""


@dataclass(frozen=True)
class ListeningConfig:
    """When a word counts as heard; ConfigError for what makes no sense."""

    threshold: float = THRESHOLD
    """Of the probability of a window, times how familiar it is: above 0 and at most 1."""
    suppression_s: float = SUPPRESSION_S
    """Nothing more is told for so long after a word."""

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ConfigError(f"the threshold is {self.threshold}; above 0 and at most 1 is wanted")
        if not 0 <= self.suppression_s < 3600:
            raise ConfigError(f"the suppression is {self.suppression_s} s; 0 and more is wanted, e.g. {SUPPRESSION_S}")


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
        self._quiet_until_s = -np.inf

    def update(self, probabilities: np.ndarray, time_s: float, familiar: float = 1.0) -> Steady:
        """Take in the probabilities (C,) of a window that ends at `time_s`; they count times `familiar`, 0 to 1.

        ShapeError for another number of probabilities.
        """
        if np.shape(probabilities) != (len(self.classes),):
            raise ShapeError(f"got probabilities {np.shape(probabilities)}; ({len(self.classes)},) are wanted")
        counted = np.where(self._told, probabilities, 0.0) * familiar
        best = int(counted.argmax())
        confidence = float(counted[best])
        if confidence < self.config.threshold or time_s < self._quiet_until_s:
            return Steady(None, confidence, changed=False)
        self._quiet_until_s = time_s + self.config.suppression_s
        return Steady(self.classes[best], confidence, changed=True, steers=True)


@dataclass(frozen=True, slots=True)
class WindowScores:
    """What a head said of the windows of one recording, in their order."""

    probabilities: np.ndarray
    """(N, C)."""
    familiar: np.ndarray
    """(N,), 0 to 1."""
    times_s: np.ndarray
    """(N,) when each window was over."""


@dataclass(frozen=True, slots=True)
class Near:
    """How near a window came to telling a word."""

    label: str
    """The word that counts most."""
    counted: float
    """What it counts, 0 to 1: its probability times how familiar the window is."""
    probability: float
    familiar: float
    likeliest: str
    """The likeliest class of the window, which may be one of `SILENT`."""
    time_s: float
    """When the window was over."""


def nearest(windows: WindowScores, classes: Sequence[str]) -> Near | None:
    """The window that counts most for a word, the first of equals; None without windows or without words."""
    counted = _counted(windows, classes)
    words = [place for place, label in enumerate(classes) if label not in SILENT]
    if not len(counted) or not words:
        return None
    row = int(counted.max(axis=1).argmax())
    best = max(words, key=lambda place: counted[row, place])
    return Near(
        str(classes[best]),
        float(counted[row, best]),
        float(windows.probabilities[row, best]),
        float(windows.familiar[row]),
        str(classes[int(windows.probabilities[row].argmax())]),
        float(windows.times_s[row]),
    )


def reported_words(windows: WindowScores, classes: Sequence[str], config: ListeningConfig) -> list[tuple[str, float]]:
    """The words that a Listener tells in a recording, and when: (label, seconds); hours of it take milliseconds."""
    return _told(_counted(windows, classes), windows.times_s, classes, config)


def _counted(windows: WindowScores, classes: Sequence[str]) -> np.ndarray:
    """What each window counts for each class (N, C), as a Listener has it."""
    spoken = np.array([label not in SILENT for label in classes], bool)
    counted: np.ndarray = np.where(spoken, windows.probabilities, 0.0) * windows.familiar[:, None]
    return counted


def _told(
    counted: np.ndarray, times_s: np.ndarray, classes: Sequence[str], config: ListeningConfig
) -> list[tuple[str, float]]:
    """Where it reaches the threshold; only those windows are looked at, each as `update` does."""
    said: list[tuple[str, float]] = []
    quiet_until_s = -np.inf
    for place in np.flatnonzero(counted.max(axis=1) >= config.threshold).tolist():
        time_s = float(times_s[place])
        if time_s >= quiet_until_s:
            said.append((str(classes[int(counted[place].argmax())]), time_s))
            quiet_until_s = time_s + config.suppression_s
    return said


THRESHOLDS = tuple(np.round(np.arange(0.3, 1.0, 0.02), 2).tolist())
"""Those that `tried` tries by default."""


@dataclass(frozen=True, slots=True)
class ThresholdOutcome:
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
    words: Iterable[tuple[str, WindowScores]],
    others: Iterable[WindowScores],
    config: ListeningConfig,
    thresholds: Sequence[float] = THRESHOLDS,
) -> list[ThresholdOutcome]:
    """What each threshold does to recordings of words, (label, windows), and to others that hold none of them.

    The times of the words' windows are seconds after the middle of the word.
    """
    others = list(others)
    # What a window counts is the same for every threshold.
    spoken = [(label, _counted(one, classes), one.times_s) for label, one in words if label not in SILENT]
    silent = [(_counted(one, classes), one.times_s) for one in others]
    hours = sum(float(np.ptp(one.times_s)) for one in others if len(one.times_s)) / 3600
    made = []
    for threshold in thresholds:
        each = ListeningConfig(threshold, config.suppression_s)
        first = [(label, _told(counted, times_s, classes, each)[:1]) for label, counted, times_s in spoken]
        heard = sum(bool(said) and said[0][0] == label for label, said in first)
        confused = sum(bool(said) and said[0][0] != label for label, said in first)
        alarms = sum(len(_told(counted, times_s, classes, each)) for counted, times_s in silent)
        delays_s = [said[0][1] for label, said in first if said and said[0][0] == label]
        delay_s = float(np.median(delays_s)) if delays_s else float("nan")
        made.append(ThresholdOutcome(threshold, alarms, hours, heard, confused, len(first), delay_s))
    return made


def choose(made: Sequence[ThresholdOutcome], most_per_hour: float) -> ThresholdOutcome:
    """A threshold with room on both sides: between the lowest that keeps the budget and the highest that costs no word.

    The lowest one alone is as good as the sounds it was counted on; another voice is often a little nearer.
    """
    low = within_budget(made, most_per_hour)
    free = [one for one in made if one.threshold >= low.threshold and one.heard >= low.heard]
    middle = (low.threshold + max(one.threshold for one in free)) / 2
    return min(free, key=lambda one: abs(one.threshold - middle))


def within_budget(made: Sequence[ThresholdOutcome], most_per_hour: float) -> ThresholdOutcome:
    """The lowest threshold from which on no more false alarms come than so many an hour; the highest tried if none."""
    kept = made[-1]
    for one in reversed(made):
        if one.alarms > most_per_hour * one.hours:
            break
        kept = one
    return kept


def listening_config(saved: SavedHead | None, threshold: float | None = None) -> ListeningConfig:
    """The threshold asked for, else the one that was chosen in training, else the published one."""
    kept = saved.meta.get("listening") if saved else None
    chosen = kept.get("threshold", THRESHOLD) if isinstance(kept, dict) else THRESHOLD
    return ListeningConfig(threshold if threshold is not None else chosen)
