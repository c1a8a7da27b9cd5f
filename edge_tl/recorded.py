"""What a store tells about the examples in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Count:
    """How much is on disk for one label."""

    examples: int
    takes: int


@dataclass(frozen=True, slots=True)
class Example:
    """One stored example, without its file and embedding."""

    id: int
    label: str
    take: int
    session: int
    time_s: float
    """When it was taken, in seconds since 1970 unless the store has another clock."""
    source: str
    media_bytes_len: int
    """The size of its picture or sound file; 0 where none was kept."""
    media_type: str
    """`image/jpeg`, `audio/wav`, or empty."""
    fingerprint: str
    """Of the embedder that made its embedding; empty where it has none."""


@dataclass(frozen=True, slots=True)
class Examples:
    """All examples as a head wants them, in the order in which they were added."""

    ids: np.ndarray
    """(N,) int64; an id is never given twice."""
    X: np.ndarray
    """(N, D) float32, each row exactly `as_stored` of what was added; (0, 0) where there is none."""
    y: np.ndarray
    """(N,) str."""
    takes: np.ndarray
    """(N,) int64; examples of one take must stay on one side of a split."""
    sessions: np.ndarray
    """(N,) int64; a place and a day: how well another one is recognised shows only between them."""
    fingerprint: str
