"""What else there may be of something that is looked for, made of what was taught, to know strangers by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Strangers:
    """How strangers are made of taught rows, and how near them a row may be that is still answered."""

    make: Callable[[np.ndarray, np.ndarray, int], np.ndarray]
    """From rows (N, F), their labels (N,) and a seed to rows (M, G), G ≤ F, that are none of these classes; a row is
    judged by its first G values. The same seed makes the same."""
    passing: float
    """The share of the made ones that may pass: some are no strangers after all."""
    width: float
    """The width of the kernel between the known and the made, in units of the median squared distance."""
    people: Callable[[np.ndarray, int], np.ndarray] | None = None
    """From rows (N, F) and a number to rows (N, G) of the same as other people show it, others for each number, and for
    0 as they are; None where people need not be made."""
