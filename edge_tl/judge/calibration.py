"""Whether probabilities mean what they say: of all answers given with 80 %, are 80 of 100 right?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_tl.errors import ShapeError


@dataclass(frozen=True)
class Bin:
    """The answers whose confidence lies in one range."""

    low: float
    high: float
    """The range, low < confidence ≤ high (the first one with its low end)."""
    confidence: float
    """Their mean confidence; NaN where there is none."""
    accuracy: float
    """The share of right ones; NaN where there is none."""
    count: int


@dataclass(frozen=True)
class Reliability:
    """How far confidence and being right lie apart."""

    bins: tuple[Bin, ...]
    """In ascending order, of equal width from 0 to 1."""
    error: float
    """The expected calibration error: the mean distance of confidence and accuracy over the bins, weighted by count
    (Naeini, Cooper and Hauskrecht, AAAI 2015); NaN without answers."""


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = 10) -> Reliability:
    """Sort answers by their confidence (N,), 0 to 1, and compare with whether they were right, bool (N,).

    The confidences are those of examples that were left out. ShapeError where the lengths differ, a confidence is
    outside 0 to 1 or NaN, or bins < 1.
    """
    confidence, right = np.asarray(confidence, np.float64), np.asarray(right, bool)
    if confidence.ndim != 1 or confidence.shape != right.shape or bins < 1:
        raise ShapeError(f"{confidence.shape} confidences and {right.shape} answers came; wanted as many of each")
    if not ((confidence >= 0) & (confidence <= 1 + 1e-6)).all():
        raise ShapeError("a confidence is below 0, above 1 or NaN; wanted probabilities of judged examples")
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    out = []
    for i in range(bins):
        inside = place == i
        count = int(inside.sum())
        means = (float(confidence[inside].mean()), float(right[inside].mean())) if count else (float("nan"),) * 2
        out.append(Bin(float(edges[i]), float(edges[i + 1]), *means, count))
    gaps = [one.count * abs(one.confidence - one.accuracy) for one in out if one.count]
    return Reliability(tuple(out), sum(gaps) / len(confidence) if len(confidence) else float("nan"))
