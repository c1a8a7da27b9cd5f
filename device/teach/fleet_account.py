"""How a fleet does, by the examples of its devices that are here: what `evaluate`, console and status say of it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Generator
from typing import Any

import numpy as np

from edge_tl.core.absent import teaching_rows
from edge_tl.errors import counted
from edge_tl.fleet.judging import FleetAccount, account_steps, leave_one_device_out
from edge_tl.heads import WITH_BASE
from edge_tl.heads.base import TaughtRows
from edge_tl.recognizer import Recognizer

QUICK_S = 2.0
"""A service works so long on it, between its frames: where it would take longer, `edge-tl evaluate` does it."""
SEEN_S = 0.2
"""After so much work it is known how long all of it takes."""
LATER_S, RESTS = 3.0, 20
"""After a training, which the next lesson may follow at once, and on many devices at a time, it waits so long, or so
many times as long as the last one took."""
STEP_S = 0.05
"""So long it is worked on at a stretch."""


class RunningAccount:
    """How the lessons of others did at the last training, found out between frames, some heads at a time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.made: FleetAccount | None = None
        """None where there were no lessons, or too many to look into."""
        self.working = False
        """Whether `step` has something to do."""
        self._steps: Generator[float, None, FleetAccount] | None = None
        self._due_s = self._worked_s = 0.0

    def begin(self, recognizer: Recognizer, devices: np.ndarray | None) -> None:
        """Something was trained: what is known is of before, and is made anew a little later."""
        of = _of_fleet(recognizer, devices, copied=True)
        self._due_s = self._clock() + max(LATER_S, RESTS * self._worked_s)
        self._steps, self._worked_s = None, 0.0
        if of is None:
            self.made = None
        else:
            self._steps = account_steps(recognizer.new_head, *of)
        self.working = of is not None

    def step(self) -> None:
        """Work for a moment, where there is something to do."""
        begun_s = now_s = self._clock()
        if self._steps is None or now_s < self._due_s:
            return
        done = 0.0
        try:
            while now_s - begun_s < STEP_S and self._worked_s + now_s - begun_s < QUICK_S:
                done = next(self._steps)
                now_s = self._clock()
        except StopIteration as end:
            self.made, self._steps, self.working = end.value, None, False
        self._worked_s += now_s - begun_s
        whole_s = self._worked_s / done if done and self._worked_s >= SEEN_S else self._worked_s
        if self.working and whole_s >= QUICK_S:
            self.made, self._steps, self.working = None, None, False


def fleet_account(
    recognizer: Recognizer, devices: np.ndarray | None, beat: Callable[[], object] = lambda: None
) -> FleetAccount | None:
    """Each device answered by what the others taught; None where no other device taught anything here.

    devices: of each example (N,), as `Examples` has them. beat: called after each head that is trained for it. Heads
    that train layers of a base are not asked: each takes seconds.
    """
    of = _of_fleet(recognizer, devices)
    return None if of is None else leave_one_device_out(recognizer.new_head, *of, beat)


def _of_fleet(
    recognizer: Recognizer, devices: np.ndarray | None, *, copied: bool = False
) -> tuple[TaughtRows, np.ndarray, np.ndarray] | None:
    """The rows, whose each is, and which are asked; None where there is nothing to ask.

    copied: what is recorded or undone meanwhile does not change them.
    """
    if devices is None or len(np.unique(devices)) < 2 or recognizer.head.name in WITH_BASE:
        return None
    X, y, takes = recognizer.rows
    chosen = teaching_rows(y, takes, recognizer.found)
    asked = np.zeros(len(y), bool)
    asked[recognizer.one_each] = True
    owners = np.repeat(devices, recognizer.views)
    if len(np.unique(owners[chosen])) < 2:
        return None
    some = np.flatnonzero(chosen) if copied else chosen
    return TaughtRows(X, y, takes, recognizer.gram).only(some), owners[some], asked[some]


def account_lines(account: FleetAccount | None) -> list[str]:
    """What a person reads of it; nothing of no account."""
    if account is None:
        return []
    lines = ["", "accuracy on each device after training on the lessons of all others:"]
    wide = max(len(one.device or "this device") for one in account.scores)
    for one in account.scores:
        said = "not measured: the other devices have fewer than two classes, or none of its classes"
        if one.examples:
            low, high = (round(100 * side) for side in one.interval95)
            said = f"{100 * one.accuracy:3.0f} % of {counted(one.examples, 'example')} ({low} to {high} %)"
        lines.append(f"  {one.device or 'this device':{wide}}  {said}")
    if account.unjudged:
        lines.append(f"  on one device only, so not tested: {', '.join(account.unjudged)}")
    for bad in account.harmful:
        lower = f"lower the accuracy of the others from {100 * bad.without:.0f} to {100 * bad.accuracy:.0f} %"
        away = f"`edge-tl fleet aside {shlex.quote(bad.device)}` ignores them"
        lines.append(f"  the lessons of {bad.device} {lower}: {away}")
    return lines


def account_json(account: FleetAccount | None) -> dict[str, Any] | None:
    """The same as plain values; NaN becomes None."""
    if account is None:
        return None
    scores = [
        {
            "device": one.device,
            "examples": one.examples,
            "accuracy": None if math.isnan(one.accuracy) else one.accuracy,
            "interval95": list(one.interval95),
        }
        for one in account.scores
    ]
    harmful = [{"device": one.device, "accuracy": one.accuracy, "without": one.without} for one in account.harmful]
    alone = [
        {"device": one.device, "examples": one.examples, "accuracy": one.accuracy}
        for one in account.alone
        if one.examples
    ]
    return {"devices": scores, "unjudged": list(account.unjudged), "harmful": harmful, "alone": alone}
