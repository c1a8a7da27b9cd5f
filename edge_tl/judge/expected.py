"""What a training will take, before it begins: how much there is to multiply, and how fast this machine does that now.

Numbers are products and sums in float32 (MAC), as one measured matrix product does them; what is done in float64, and
all that is no product, was measured in the same unit (`benchmarks/bench_many.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge_tl.heads.base import ENOUGH_ROWS
from edge_tl.heads.knn import KNNHead
from edge_tl.heads.ridge import RidgeHead

WORTH_A_WORD = 60e9
"""MAC, one to two seconds: what takes less is done before it is said."""
SPREAD = 1.5
"""Measured times lay between this part of the expectation and as many times it, on a machine that does nothing else."""
TRIES = 5
_ROWS, _COLUMNS = 256, 2048  # of the product that is timed: 12 ms


@dataclass(frozen=True)
class ExpectedCost:
    """Seconds from here to the end of a training with its judgement."""

    least_s: float
    most_s: float

    @property
    def text(self) -> str:
        """In words, after "takes"."""
        least, most = (max(1, round(seconds)) for seconds in (self.least_s, self.most_s))
        return f"about {least} to {most} s here" if least < most else f"about {most} s here"


def expected(head: str, rows: int, columns: int, clock: Callable[[], float] = time.perf_counter) -> ExpectedCost | None:
    """What training and judging a head of this name takes with rows (N, D); None where that is quick or not known.

    Known is it of heads that are trained in one step: of others the first epochs tell.
    """
    work = work_of(head, rows, columns)
    if work < WORTH_A_WORD:
        return None
    rates = sorted(measured_rates(clock))[1:-1]  # one product that another program interrupts is no measure
    return ExpectedCost(work / rates[-1] / SPREAD, work / rates[0] * SPREAD)


def work_of(head: str, rows: int, columns: int) -> float:
    """MAC of a training and its judgement, as if all were matrix products; 0 where that is not known."""
    n, d, part = float(rows), float(columns), float(min(rows, columns, ENOUGH_ROWS))
    chosen = 13 * part**3  # λ, by the eigenvectors of a part
    if head == KNNHead.name:
        asked = float(min(rows, ENOUGH_ROWS))
        return chosen + 4 * n * asked * d  # similarities: on takes left out, on a random split, and the selection
    if head != RidgeHead.name:
        return 0.0
    if min(rows, columns) <= ENOUGH_ROWS:
        return chosen + (4 * n**3 if n <= d else 10 * n * d * d)
    if rows <= columns:
        return chosen + 1.1 * n * n * d + 2.5 * n**3
    judged = 0.4 * n * d * min(n, 2 * d)
    return chosen + 1.6 * n * d * d + 2 * d**3 + judged


def measured_rates(clock: Callable[[], float]) -> list[float]:
    """MAC a second of a matrix product, several times, the first one (which may wake threads up) left out."""
    A = np.full((_ROWS, _COLUMNS), 0.5, np.float32)
    B = np.full((_COLUMNS, _COLUMNS), 0.5, np.float32)
    rates = []
    for _ in range(TRIES + 1):
        start_s = clock()
        A @ B
        rates.append(_ROWS * _COLUMNS**2 / max(clock() - start_s, 1e-9))
    return rates[1:]
