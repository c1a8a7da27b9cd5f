"""How well others' lessons do: each device answered by a head that was taught only what the others taught."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import cast

import numpy as np

from edge_tl.core.metrics import grouped_interval
from edge_tl.errors import ShapeError
from edge_tl.fleet.summed_answers import SummedAnswers
from edge_tl.heads import Head
from edge_tl.heads.base import TaughtRows
from edge_tl.heads.ridge import RidgeHead

MAX_FITS = 150
"""Heads that are trained to find out who lowers the others' figure; of many devices not all are asked for it."""
SURE = 0.05
"""How often somebody is named, of all devices of a fleet, where nobody lowers anything."""
MIN_LOSS = 0.01
"""Less than this nobody is named for."""


@dataclass(frozen=True)
class DeviceScore:
    """How well a device is answered by what all others taught."""

    device: str
    """Empty for this one."""
    examples: int
    """Judged: those of classes that another device has too."""
    accuracy: float
    """NaN where none could be judged."""
    interval95: tuple[float, float]


@dataclass(frozen=True)
class HarmfulDevice:
    """A device whose lessons lower the figure of the others."""

    device: str
    accuracy: float
    """Of the others, by what all taught."""
    without: float
    """The same without its lessons."""


@dataclass(frozen=True)
class LessonsAlone:
    """What one other device taught, asked without anybody else's."""

    device: str
    examples: int
    """Judged: this device's own of classes that it taught; 0 where it taught fewer than two classes."""
    accuracy: float
    """NaN where none could be judged."""


@dataclass(frozen=True)
class FleetAccount:
    """An honest account of a fleet, by the examples of all of its devices."""

    scores: tuple[DeviceScore, ...]
    """This device first, then the others by their names."""
    unjudged: tuple[str, ...]
    """Classes that only one device has: nothing can be said about them on another."""
    harmful: tuple[HarmfulDevice, ...]
    alone: tuple[LessonsAlone, ...]
    """How each other device's lessons alone answer this device's own examples, by their names; of many devices those
    that taught most."""

    @property
    def own(self) -> DeviceScore | None:
        """Of this device, where it has examples."""
        return next((one for one in self.scores if not one.device), None)


def leave_one_device_out(
    make_head: Callable[[], Head],
    taught: TaughtRows,
    devices: np.ndarray,
    asked: np.ndarray | None = None,
    beat: Callable[[], object] = lambda: None,
) -> FleetAccount:
    """The account of rows of which each was taught by a device, devices (N,) str, the empty one first.

    taught: with takes. asked: bool (N,), which rows are asked, None for all. beat: called after each head. ShapeError
    for fewer than two devices.
    """
    steps = account_steps(make_head, taught, devices, asked)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            account: FleetAccount = end.value
            return account
        beat()


def account_steps(
    make_head: Callable[[], Head], taught: TaughtRows, devices: np.ndarray, asked: np.ndarray | None = None
) -> Generator[float, None, FleetAccount]:
    """The same, one head at a time: it stops after each, says what share of the work is done, and returns the account
    in the end."""
    names = sorted(map(str, np.unique(devices)))
    if len(names) < 2 or taught.takes is None:
        raise ShapeError("to leave one device out, takes of two or more are wanted")
    asked = np.ones(len(taught.y), bool) if asked is None else asked
    by_size = sorted(names, key=lambda name: (name != "", -int((devices == name).sum()), name))
    judges = by_size[: max(2, MAX_FITS // len(names))]
    some = sorted(filter(None, by_size[:MAX_FITS])) if "" in names else []
    total, done = len(names) + len(names) * len(judges) + len(some), 0
    answers = _answers_of(make_head, taught, devices, asked)
    scores = []
    for name in names:
        rows, right = answers.of(name)
        done += 1
        yield done / total
        interval, _ = grouped_interval(right, taught.takes[rows])
        scores.append(DeviceScore(name, len(rows), float(right.mean()) if len(rows) else float("nan"), interval))
    alone = [label for label in map(str, taught.classes) if len(np.unique(devices[taught.y == label])) == 1]
    harmful = []
    for name in filter(None, names):
        for judge in judges:
            done += 1
            if judge != name:
                answers.of(judge, name)
                yield done / total
        if (one := _harm(answers, name, judges)) is not None:
            harmful.append(one)
    each = []
    for name in some:
        rows, right = answers.by(name)
        done += 1
        yield done / total
        each.append(LessonsAlone(name, len(rows), float(right.mean()) if len(rows) else float("nan")))
    return FleetAccount(tuple(scores), tuple(alone), tuple(harmful), tuple(each))


class _Answers:
    """Whether examples of a device are answered rightly by others, some of them left out; each question once."""

    def __init__(self, taught: TaughtRows, devices: np.ndarray, ask: SummedAnswers | _FittedAnswers) -> None:
        self.taught, self.devices, self._ask = taught, devices, ask
        self._known: dict[tuple[str, str | None], tuple[np.ndarray, np.ndarray]] = {}

    def of(self, judge: str, without: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Positions of the judge's examples that can be asked, and bool, whether they are answered rightly."""
        key = judge, without
        if key not in self._known:
            self._known[key] = self._ask.of(judge, without)
        return self._known[key]

    def by(self, device: str) -> tuple[np.ndarray, np.ndarray]:
        """The same of this device's own examples, by what one other device taught."""
        return self._ask.by(device)


class _FittedAnswers:
    """As `SummedAnswers`, by a whole fit for each question: for heads that are no sums, and for long rows."""

    def __init__(
        self, make_head: Callable[[], Head], taught: TaughtRows, devices: np.ndarray, asked: np.ndarray
    ) -> None:
        self._make_head, self._taught, self._devices, self._asked = make_head, taught, devices, asked

    def of(self, judge: str, without: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """As there."""
        return self._answered(judge, (self._devices != judge) & (self._devices != without))

    def by(self, device: str) -> tuple[np.ndarray, np.ndarray]:
        """As there."""
        return self._answered("", self._devices == device)

    def _answered(self, judge: str, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        labels = np.unique(self._taught.y[others])
        rows = np.flatnonzero((self._devices == judge) & self._asked & np.isin(self._taught.y, labels))
        if len(labels) < 2 or not len(rows):
            return np.zeros(0, np.int64), np.zeros(0, bool)
        some = self._taught.only(others)
        head = self._make_head().fit(some.X, some.y, some.takes, gram=some.gram)
        return rows, np.asarray(head.predict(self._taught.X[rows]) == self._taught.y[rows])


def _answers_of(make_head: Callable[[], Head], taught: TaughtRows, devices: np.ndarray, asked: np.ndarray) -> _Answers:
    """By sums where the head and its rows allow it."""
    head = make_head()
    if len(taught.classes) < 2 or not SummedAnswers.suits(head, taught):
        return _Answers(taught, devices, _FittedAnswers(make_head, taught, devices, asked))
    fitted = cast(RidgeHead, head.fit(taught.X, taught.y, taught.takes, gram=taught.gram))
    return _Answers(taught, devices, SummedAnswers(fitted, taught, devices, asked))


def _harm(answers: _Answers, device: str, judges: list[str]) -> HarmfulDevice | None:
    """Whether the judges do better without a device, beyond chance: by takes, whose frames are alike."""
    every, fewer, takes = [], [], []
    for number, judge in enumerate(judges):
        if judge == device:
            continue
        rows, right = answers.of(judge)
        same, better = answers.of(judge, device)
        kept = np.isin(rows, same)  # a class that only this device has, and the judge, is no loss of its making
        every.append(right[kept])
        fewer.append(better)
        assert answers.taught.takes is not None
        takes += [(number, int(take)) for take in answers.taught.takes[same]]
    if not takes:
        return None
    before, after = np.concatenate(every), np.concatenate(fewer)
    gained = np.zeros(len(set(takes)))
    np.add.at(gained, np.unique(np.array(takes), axis=0, return_inverse=True)[1].reshape(-1), after * 1.0 - before)
    spread = sqrt(float(gained @ gained))
    enough = NormalDist().inv_cdf(1 - SURE / len(np.unique(answers.devices)))
    loss = float(after.mean() - before.mean())
    if loss < MIN_LOSS or spread == 0 or gained.sum() / spread < enough:
        return None
    return HarmfulDevice(device, float(before.mean()), float(after.mean()))
