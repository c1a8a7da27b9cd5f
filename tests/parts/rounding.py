"""How far sums of products may be from each other, computed in whatever order by whatever machine.

N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, SIAM 2002, section 3.1: in whatever order n
products are added, and whether or not a processor fuses multiplying and adding, the sum is within γ(n)·Σ|x·y| of the
true one, with γ(n) = n·u / (1 − n·u) and u half the distance from 1 to the next number.
"""

from __future__ import annotations

import numpy as np


def gamma(n: int, dtype: type = np.float32) -> float:
    """γ(n): the largest relative error of a sum of n products, against the sum of their absolute values."""
    u = float(np.finfo(dtype).eps) / 2
    return n * u / (1 - n * u)


def apart(left: np.ndarray, right: np.ndarray, dtype: type = np.float32) -> np.ndarray:
    """How far two computations of left (M, n) @ right (n, C) in that dtype can be apart at most, (M, C) float64."""
    return 2 * gamma(left.shape[-1], dtype) * (np.abs(left).astype(float) @ np.abs(right).astype(float))
