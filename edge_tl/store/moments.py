"""Moments: when something is, by a clock that runs on and by the one on the wall, which somebody sets.

A Pi without a clock of its own starts in 1970, or where it was switched off, and jumps when the network tells it the
time. So what lies between two moments of one boot is told by the first clock, and when a moment was by both: the wall
clock, once it is set, tells when the boot began, and with that when everything since was.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

BEGUN_S = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
"""There was no edge-tl before: a clock that shows less is not set."""
NOT_SET = "clock not set"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment, by both clocks."""

    wall_s: float
    """What the wall clock shows, in seconds since 1970."""
    boot: str = ""
    """Which boot of which machine, as the kernel names it; empty where that is not known."""
    boot_s: float = 0.0
    """Seconds since that boot, in which the machine slept ones too; never set."""

    @property
    def began_s(self) -> float:
        """When the boot began, by this moment's wall clock."""
        return self.wall_s - self.boot_s


Clock = Callable[[], Moment]


def now() -> Moment:
    """This moment, by the machine's clocks."""
    boot = _boot()
    if not boot:
        return Moment(time.time())
    return Moment(time.time(), boot, time.clock_gettime(time.CLOCK_BOOTTIME))


@cache
def _boot() -> str:
    """The name of this boot; empty where the kernel is not Linux."""
    with suppress(OSError):
        return _BOOT_ID.read_text(encoding="utf-8").strip()
    return ""


def since(before: Moment, after: Moment) -> float | None:
    """The seconds from one moment to another of the same boot; None where they are not of one."""
    elapsed_s = after.boot_s - before.boot_s
    return elapsed_s if before.boot and before.boot == after.boot and elapsed_s >= 0 else None


def in_words(time_s: float | None, pattern: str = "%Y-%m-%d %H:%M") -> str:
    """Local time, or that nobody knows it: where it is None, or by a clock that was not set."""
    if time_s is None or time_s < BEGUN_S:
        return NOT_SET
    return time.strftime(pattern, time.localtime(time_s))
