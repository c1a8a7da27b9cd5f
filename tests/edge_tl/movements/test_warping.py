"""Warped distances against a dynamic time warping written the long way."""

from __future__ import annotations

import numpy as np
import pytest

from edge_tl.movements.warping import BAND, warped_distances

pytestmark = pytest.mark.exact


def naive(one: np.ndarray, other: np.ndarray) -> float:
    """Cell by cell, as the textbook has it."""
    steps = len(one)
    best = np.full((steps, steps), np.inf)
    for i in range(steps):
        for j in range(steps):
            if abs(i - j) > BAND:
                continue
            cost = float(((one[i] - other[j]) ** 2).sum())
            before = [best[a, b] for a, b in ((i - 1, j), (i, j - 1), (i - 1, j - 1)) if a >= 0 and b >= 0]
            best[i, j] = cost + (min(before) if before else 0.0)
    return float(best[-1, -1] / steps)


@pytest.mark.parametrize("steps", [1, 2, 5, 16, 23])
def test_distances_are_those_of_the_textbook(steps: int) -> None:
    """All pairs at once, antidiagonal by antidiagonal, give what cell by cell gives."""
    rng = np.random.default_rng(steps)
    these, those = (rng.normal(size=(n, steps, 7)).astype(np.float32) for n in (4, 3))
    wanted = [[naive(one, other) for other in those] for one in these]
    np.testing.assert_allclose(warped_distances(these, those), wanted, rtol=1e-4, atol=1e-4)


def test_who_is_late_is_near() -> None:
    """The same way, walked later, is far nearer warped than moment by moment, and itself is at no distance."""
    share = np.linspace(0, 1, 16)
    early, late = (np.stack([np.sin(3 * at), np.cos(5 * at)], 1)[np.newaxis] for at in (share**0.8, share**1.3))
    apart = warped_distances(early.astype(np.float32), late.astype(np.float32))[0, 0]
    assert apart < 0.2 * ((early - late) ** 2).sum(axis=2).mean()
    assert warped_distances(early, early)[0, 0] == pytest.approx(0, abs=1e-5)


def test_nothing_has_no_distances() -> None:
    """No windows on either side give an empty matrix of the right shape."""
    some = np.zeros((3, 16, 86), np.float32)
    assert warped_distances(some[:0], some).shape == (0, 3)
    assert warped_distances(some, some[:0]).shape == (3, 0)
