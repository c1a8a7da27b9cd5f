"""L-BFGS: the minimum of a smooth convex function of some thousands of numbers, in a page of NumPy."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

MEMORY = 10
"""Pairs of steps and changes of the gradient that are remembered."""


def minimize(
    function: Callable[[np.ndarray], tuple[float, np.ndarray]],
    start: np.ndarray,
    *,
    tolerance: float,
    iterations: int,
    progress: Callable[[int, float, np.ndarray], bool | None] | None = None,
) -> np.ndarray:
    """The point (P,) float64 where the gradient's largest component is below `tolerance`, or the best one found.

    function(x) → (value, gradient (P,)); progress(iteration, value, x) is called after each iteration and returns True
    to stop. Two-loop recursion and step by backtracking until the weak Wolfe conditions hold, by bisection
    (Nocedal and Wright, Numerical Optimization, 2nd ed., algorithms 7.4 and 3.5; constants 1e-4 and 0.9).
    """
    x = start.astype(np.float64)
    value, gradient = function(x)
    pairs: deque[tuple[np.ndarray, np.ndarray, float]] = deque(maxlen=MEMORY)
    for iteration in range(1, iterations + 1):
        if np.abs(gradient).max() <= tolerance:
            break
        direction = -_inverse_hessian_times(gradient, pairs)
        slope = float(direction @ gradient)
        step = 1.0 if pairs else min(1.0, 1.0 / float(np.abs(gradient).sum()))
        low, high = 0.0, np.inf
        for _ in range(40):
            new = x + step * direction
            new_value, new_gradient = function(new)
            if new_value > value + 1e-4 * step * slope:
                high = step
            elif float(direction @ new_gradient) < 0.9 * slope:
                low = step
            else:
                break
            step = 2 * low if high == np.inf else (low + high) / 2
        if new_value >= value:
            break  # as far as float64 can tell this is the minimum
        moved, changed = new - x, new_gradient - gradient
        curvature = float(moved @ changed)
        if curvature > 1e-12 * float(changed @ changed):
            pairs.append((moved, changed, curvature))
        x, value, gradient = new, new_value, new_gradient
        if progress is not None and progress(iteration, value, x):
            break
    return x


def _inverse_hessian_times(gradient: np.ndarray, pairs: deque[tuple[np.ndarray, np.ndarray, float]]) -> np.ndarray:
    out = gradient.copy()
    shares = []
    for moved, changed, curvature in reversed(pairs):
        share = float(moved @ out) / curvature
        out -= share * changed
        shares.append(share)
    if pairs:
        _, changed, curvature = pairs[-1]
        out *= curvature / float(changed @ changed)
    for (moved, changed, curvature), share in zip(pairs, reversed(shares), strict=True):
        out += (share - float(changed @ out) / curvature) * moved
    return out
