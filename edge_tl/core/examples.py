"""What a store tells about the examples in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from edge_tl.errors import ExampleError

AsRows = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From kept embeddings (M, D) to what a head sees of them, float32 (M, F), and in which something was found, bool (M,).
"""
TYPED = "typed: "
"""How the source of a take begins that no person said: a program's voice did."""
MARKED = "marked: "
"""How that of a take begins which was kept of something told wrongly, or missed."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom of the thing in a picture, as shares of its width and height, 0 to 1."""


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
    time_s: float | None
    """When it was taken, in seconds since 1970; None where the clock was not set and nobody knows."""
    source: str
    media_bytes_len: int
    """The size of its picture or sound file; 0 where none was kept."""
    media_type: str
    """`image/jpeg`, `audio/wav`, or empty."""
    fingerprint: str
    """Of the embedder that made its embedding; empty where it has none."""
    box: Box | None = None
    """Where the thing is; None for an example of which the whole picture was taught."""

    @property
    def typed(self) -> bool:
        """Whether a program's voice said it."""
        return self.source.startswith(TYPED)


@dataclass(frozen=True, slots=True)
class Aside:
    """Takes that no lesson recorded: they teach, and where there are recordings none of them is asked."""

    typed: frozenset[int] = frozenset()
    """A program's voice said them."""
    marked: frozenset[int] = frozenset()
    """They were kept of what was told wrongly, or missed: who is asked only those does badly."""

    held: np.ndarray | None = field(default=None, compare=False)
    """(M,) bool: which of the first M examples are aside, where near-copies have the takes of what they copy; else
    None."""

    def rows(self, takes: np.ndarray | None, views: int = 1) -> np.ndarray:
        """bool (N,): which rows are aside; takes (N,) of each row, of which an example has so many."""
        out = rows_of(takes, self.typed | self.marked)
        if self.held is not None:
            known = np.repeat(self.held, views)[: len(out)]
            out[: len(known)] = known
        return out

    def only(self, rows: np.ndarray) -> Aside:
        """The same of some of the examples, bool (N,)."""
        return self if self.held is None else replace(self, held=self.held[rows[: len(self.held)]])


def rows_of(takes: np.ndarray | None, some: frozenset[int]) -> np.ndarray:
    """bool (N,): which rows are of some takes; takes (N,) of each row."""
    assert takes is not None, "who knows which takes are aside knows the takes"
    return np.isin(takes, list(some))


@dataclass(frozen=True, slots=True)
class Examples:
    """All examples as a head wants them, in the order in which they were added."""

    ids: np.ndarray
    """(N,) int64; an id is never given twice."""
    X: np.ndarray
    """(N, D) float32, each row exactly `as_stored` of what was added, or (N, F) as rows; (0, 0) where there is none."""
    y: np.ndarray
    """(N,) str."""
    takes: np.ndarray
    """(N,) int64; examples of one take must stay on one side of a split."""
    sessions: np.ndarray
    """(N,) int64; a place and a day: how well another one is recognized shows only between them."""
    fingerprint: str
    parts: np.ndarray | None = None
    """(N,) int64: the part of its take that each is in, so that near-copies are in one; None where there is none."""
    near_copies: int = 0
    """How many are near-copies of others; their takes and sessions are those of what they copy."""
    torn: tuple[tuple[int, int], ...] = ()
    """Ids of near-copies that were taught under two labels."""
    found: np.ndarray | None = None
    """(N,) bool: in which there is what is looked for, where X is what `AsRows` made of the embeddings; else None."""
    aside: Aside = field(default_factory=Aside)
    """Which takes no lesson recorded."""
    devices: np.ndarray | None = None
    """(N,) str: which other device taught each, empty for this one (`fleet/pooling.py`); None where all are the own."""
    without_lessons: str = ""
    """Why the lessons of other devices are not among them, a sentence; empty where they are, or there are none."""


def recorded_in(sessions: np.ndarray, aside: np.ndarray) -> np.ndarray:
    """The sessions (N,) of rows, those of rows aside, bool (N,), counted to the first that was recorded: no place and
    no day is theirs, and beside recordings none is left out for them."""
    return sessions if aside.all() else np.where(aside, sessions[~aside].min(initial=sessions.max()), sessions)


def beside_recordings(labels: np.ndarray, aside: np.ndarray) -> np.ndarray:
    """bool (N,): which rows are aside, bool (N,), of a class (N,) that has recordings too: these alone are asked."""
    return np.asarray(aside & np.isin(labels, np.unique(labels[~aside])))


def as_example(row: Sequence[Any]) -> Example:
    """An example of a row of the store: its fields, then the four sides of its box."""
    x0, y0, x1, y1 = row[-4:]
    fields: tuple[Any, ...] = *row[:-4], None if x0 is None else (x0, y0, x1, y1)
    return Example(*fields)


def check_box(box: Sequence[float]) -> Box:
    """The box, cut at the picture's border; ExampleError where nothing of it lies in the picture."""
    x0, y0, x1, y1 = (min(1.0, max(0.0, float(side))) for side in box)
    if not (x0 < x1 and y0 < y1 and all(map(math.isfinite, box))):
        raise ExampleError(f"box {', '.join(f'{side:g}' for side in box)}: left < right and top < bottom are wanted")
    return x0, y0, x1, y1
