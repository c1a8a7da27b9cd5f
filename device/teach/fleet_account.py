"""How a fleet does, by the examples of its devices that are here: what `evaluate`, console and status say of it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable
from typing import Any

import numpy as np

from edge_tl.core.absent import teaching_rows
from edge_tl.errors import counted
from edge_tl.fleet.judging import FleetAccount, leave_one_device_out
from edge_tl.heads import WITH_BASE
from edge_tl.heads.base import TaughtRows
from edge_tl.recognizer import Recognizer

QUICK_S = 2.0
"""A service does nothing else while it looks into this: where it takes longer, `edge-tl evaluate` does."""


class _TooSlowError(Exception):
    """The time is over."""


def quick_account(
    recognizer: Recognizer, devices: np.ndarray | None, beat: Callable[[], object], clock: Callable[[], float]
) -> FleetAccount | None:
    """As `fleet_account`, but None too where it takes longer than `QUICK_S`: of many devices, or of long rows."""
    end_s = clock() + QUICK_S

    def go_on() -> None:
        beat()
        if clock() > end_s:
            raise _TooSlowError

    try:
        return fleet_account(recognizer, devices, go_on)
    except _TooSlowError:
        return None


def fleet_account(
    recognizer: Recognizer, devices: np.ndarray | None, beat: Callable[[], object] = lambda: None
) -> FleetAccount | None:
    """Each device answered by what the others taught; None where no other device taught anything here.

    devices: of each example (N,), as `Examples` has them. beat: called after each head that is trained for it. Heads
    that train layers of a base are not asked: each takes seconds.
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
    taught = TaughtRows(X, y, takes, recognizer.gram).only(chosen)
    return leave_one_device_out(recognizer.new_head, taught, owners[chosen], asked[chosen], beat)


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
