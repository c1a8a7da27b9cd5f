"""Pipelines are opened one by one; one that cannot be is tried again, ever more rarely, while the others run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from device.serve.pipeline import Pipeline
from edge_tl.errors import EdgeTLError, ProfileLocked

FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 300.0
"""After the first try, and at most; twice as long after each."""


@dataclass(frozen=True)
class FailedStart:
    """A pipeline that could not be opened: why, in a line, how often that was tried, and when it will be again."""

    why: str
    tries: int = 1
    next_s: float = 0.0
    """On the service's clock."""

    def health(self, now_s: float) -> dict[str, Any]:
        """As of a pipeline that runs, with `tries` and the seconds until the next one, `retry_s`."""
        nothing = dict.fromkeys(("frames_per_s", "frames", "dropped", "generation"), 0)
        unknown = dict.fromkeys(("latency_p50_ms", "latency_p95_ms", "label"))
        told = {"kind": "", "profile": "", "source": "", "state": "failed", "classes": [], "teaching": self.why}
        told |= {"look": "", "looking": "", "fault": self.why, "last_error": self.why}
        return told | nothing | unknown | {"tries": self.tries, "retry_s": max(0.0, round(self.next_s - now_s, 1))}


class PipelineStarter:
    """Opens pipelines into `pipelines`; what cannot be opened stands in `failed` until it can. The loop's alone.

    open_one: opens the pipeline of a name, and leaves nothing open where it raises. at_work: entered while one is tried
    again, with what the loop is at. clock: seconds, monotonic.
    """

    def __init__(
        self,
        pipelines: dict[str, Pipeline],
        failed: dict[str, FailedStart],
        open_one: Callable[[str], Pipeline],
        at_work: Callable[[str], AbstractContextManager[None]],
        clock: Callable[[], float],
    ) -> None:
        self._pipelines, self._failed, self._open_one = pipelines, failed, open_one
        self._at_work, self._clock = at_work, clock

    def start(self, names: Iterable[str]) -> None:
        """Try all. ProfileLocked where none is open because another program writes to the profile of each."""
        errors = [self._try(name) for name in names]
        locked = [error for error in errors if isinstance(error, ProfileLocked)]
        if locked and len(locked) == len(errors):
            raise locked[0]

    def turn(self) -> None:
        """Try again the one that has waited longest for it, where any is due."""
        due = [(one.next_s, name) for name, one in self._failed.items() if one.next_s <= self._clock()]
        if due:
            _, name = min(due)
            with self._at_work(f"opening {name}"):
                self._try(name)

    def _try(self, name: str) -> Exception | None:
        """Open one; why that could not be."""
        try:
            self._pipelines[name] = self._open_one(name)
        # Whatever a damaged file or a driver raises: the others go on.
        except Exception as error:
            said = " ".join(str(error).split())
            why = said if isinstance(error, EdgeTLError) else f"{type(error).__name__}: {said}"
            tries = self._failed[name].tries + 1 if name in self._failed else 1
            pause_s = min(FIRST_PAUSE_S * 2.0 ** min(tries - 1, 30), LONGEST_PAUSE_S)
            self._failed[name] = FailedStart(why, tries, self._clock() + pause_s)
            return error
        self._failed.pop(name, None)
        return None
