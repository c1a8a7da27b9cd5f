"""How far apart two movements are when one may run ahead of the other: dynamic time warping, of all pairs at once."""

from __future__ import annotations

import numpy as np

BAND = 4
"""A moment is compared with those at most so many moments before or after it."""
_PAIRS = 20_000  # at once: 20 MB of costs


def warped_distances(these: np.ndarray, those: np.ndarray) -> np.ndarray:
    """The least mean squared distance (N, M) over all ways to walk through both, of rows (N, T, F) and (M, T, F).

    A way goes from the first moments to the last ones, in one or both of them by one moment at a time, and never more
    than `BAND` apart; the squared distances on it are added and divided by T.
    """
    if not len(these) or not len(those):
        return np.empty((len(these), len(those)), np.float32)
    strip = max(1, _PAIRS // len(those))
    return np.concatenate([_warped(these[start : start + strip], those) for start in range(0, len(these), strip)])


def _warped(these: np.ndarray, those: np.ndarray) -> np.ndarray:
    """The same of a few: antidiagonal by antidiagonal, each of all pairs at once."""
    n, moments, _ = these.shape
    m = len(those)
    a, b = these.reshape(n * moments, -1), those.reshape(m * moments, -1)
    cost = (a**2).sum(axis=1)[:, np.newaxis] + (b**2).sum(axis=1) - 2 * (a @ b.T)
    # (T·T, pairs): the costs on an antidiagonal, i + j = d, are rows T − 1 apart, and each is one run of memory.
    cost = np.maximum(cost, 0).reshape(n, moments, m, moments).transpose(1, 3, 0, 2).reshape(moments**2, n * m)
    far = np.float32(np.inf)
    last = np.full((moments + 1, n * m), far, np.float32)  # row i + 1: the best way to (i, d − 1 − i)
    before = last.copy()  # the same of d − 2
    before[0] = 0
    for d in range(2 * moments - 1):
        low = max(0, d - moments + 1, (d - BAND + 1) // 2)
        high = min(d, moments - 1, (d + BAND) // 2)
        best = np.minimum(last[low : high + 1], last[low + 1 : high + 2])  # from (i − 1, j) and from (i, j − 1)
        np.minimum(best, before[low : high + 1], out=best)  # from (i − 1, j − 1)
        best += cost[low * (moments - 1) + d : high * (moments - 1) + d + 1 : max(1, moments - 1)]
        following = before  # its numbers are used up
        following[:] = far
        following[low + 1 : high + 2] = best
        before, last = last, following
    return np.asarray(last[moments].reshape(n, m) / moments)
