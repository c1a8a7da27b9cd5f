"""Timing side by side: one after the other in turns, so that whatever slows this machine slows everybody."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def times_ms(
    contenders: dict[str, Callable[[], object]],
    rounds: int,
    calls: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Milliseconds a call of each contender in every round; the first of a round is another one each time.

    calls: how many calls a time is the mean of. One round before the first is not counted. clock: in seconds;
    `time.process_time` where others share the processor.
    """
    names = list(contenders)
    found: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            run = contenders[name]
            start_s = clock()
            for _ in range(calls):
                run()
            elapsed_s = clock() - start_s
            if turn:
                found[name].append(1000 * elapsed_s / calls)
    return found


def spread(values: Sequence[float]) -> dict[str, float]:
    """Minimum, median and maximum."""
    return {"min": float(np.min(values)), "median": float(np.median(values)), "max": float(np.max(values))}


def ratio(above: Sequence[float], below: Sequence[float]) -> dict[str, float]:
    """The spread of above/below, round by round."""
    return spread(np.asarray(above) / np.asarray(below))


def against(times: dict[str, list[float]], reference: str) -> dict[str, Any]:
    """For each contender its times, and the reference's time over its own: above 1 it is the faster one."""
    return {
        name: {"ms": spread(values), "times_faster": ratio(times[reference], values)} for name, values in times.items()
    }


def words(values: dict[str, float], digits: int = 2) -> str:
    """`median (min–max)`."""
    return f"{values['median']:.{digits}f} ({values['min']:.{digits}f}–{values['max']:.{digits}f})"
