"""Sessions: a place and a day. Pictures of two sessions differ more than anything within one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_tl.labels import check_label

PAUSE_S = 30 * 60.0
"""A take that begins later than this after the one before begins a new session."""


@dataclass(frozen=True, slots=True)
class Session:
    """Takes recorded at one place on one day."""

    id: int
    name: str
    """Free text of the user's, e.g. "kitchen"; may be empty, and two sessions may have the same."""
    started_s: float
    """When its first take began, in seconds since 1970 unless the store has another clock."""
    takes: int = 0
    counts: tuple[tuple[str, int], ...] = ()
    """(label, examples) of the labels that it has examples of, in the order of the labels."""

    @property
    def examples(self) -> int:
        """How many examples of all labels it has."""
        return sum(number for _, number in self.counts)

    @property
    def title(self) -> str:
        """Its name, or its number in words."""
        return self.name or f"session {self.id}"


def check_session_name(name: str) -> str:
    """The name as it is kept; empty, or as in `check_label` (ExampleError)."""
    return check_label(name) if name.strip() else ""


def pause_between(before_s: float, now_s: float) -> bool:
    """Whether so much time lies between two takes that the later begins a session; a clock set back counts too."""
    return abs(now_s - before_s) > PAUSE_S


def in_one_session_only(sessions: Sequence[Session]) -> list[str]:
    """The labels that, of two sessions or more, only one has; empty where there are fewer than two."""
    if len(sessions) < 2:
        return []
    shown = [label for session in sessions for label, _ in session.counts]
    return [label for label in dict.fromkeys(shown) if shown.count(label) == 1]
