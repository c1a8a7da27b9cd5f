"""The real service while browsers come and go: does what it needs grow?"""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from benchmarks.serving import LONG_S, Serving

VISITORS = 4


class Visitors:
    """Browsers that come and go within `with`: each hears some events, looks at some pictures, and is away again."""

    def __init__(self, address: str, number: int) -> None:
        """address: of the console. number: how many at once."""
        self._place = urlsplit(address)
        self.visits = 0
        """How many there were."""
        self._ending = False
        self._turn = threading.Condition()
        self._away, self._there = False, 0
        self._threads = [threading.Thread(target=self._come_and_go, daemon=True) for _ in range(number)]

    def __enter__(self) -> Visitors:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._turn:
            self._ending = True
            self._turn.notify_all()
        for thread in self._threads:
            thread.join(LONG_S)

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Within it nobody is there."""
        with self._turn:
            self._away = True
            self._turn.wait_for(lambda: not self._there, LONG_S)
        try:
            yield
        finally:
            with self._turn:
                self._away = False
                self._turn.notify_all()

    def _come_and_go(self) -> None:
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._ending or not self._away)
                if self._ending:
                    return
                self._there += 1
            seen = False
            with contextlib.suppress(OSError, http.client.HTTPException):  # the service ends
                self._visit()
                seen = True
            with self._turn:
                self._there -= 1
                self.visits += seen
                self._turn.notify_all()

    def _visit(self) -> None:
        stream = http.client.HTTPConnection(self._place.hostname or "", self._place.port, timeout=LONG_S)
        asking = http.client.HTTPConnection(self._place.hostname or "", self._place.port, timeout=LONG_S)
        try:
            stream.request("GET", "/api/events?live=1")
            events = stream.getresponse()
            for path in ("/", "/console.js", "/api/state", "/health", *(3 * ["/api/pipelines/signs/picture.jpg"])):
                asking.request("GET", path)
                asking.getresponse().read()
                events.readline()
        finally:
            stream.close()
            asking.close()


def visited(folder: Path, minutes: float, examples: int = 20, visits: int = 16) -> dict[str, Any]:
    """The real process, taught, then trained again and again while browsers come and go and each label runs a command.

    examples: of each take. visits: after each training, at least. Its memory after the first training with all of that,
    after the last, and the most that it grew in between, once with the browsers there, and once while they are away for
    a moment, which is what stays; each as health tells it: what is free was given back just before. at_most_mib: the
    most that it ever had, with what a training needs while it runs.
    """
    hooks = '[[hooks]]\nlabel = "*"\nrun = ["/bin/true", "{label}"]\n'
    with Serving(folder, f"summary_s = 10\n{hooks}") as serving:
        serving.start()
        for label in ("up", "down", "left", "right"):
            for _ in range(3):
                serving.teach(label, examples)
        settled: list[float] = []
        alone: list[float] = []
        with Visitors(serving.address, VISITORS) as visitors:
            end_s = time.monotonic() + 60 * minutes
            while len(settled) < 3 or time.monotonic() < end_s:
                before = visitors.visits
                serving.act("train")
                serving.drain()
                serving.wait_for("STATUS=")
                while visitors.visits < before + visits:
                    serving.wait_for("STATUS=")
                settled.append(memory_mib(serving))
                with visitors.away():
                    serving.drain()
                    for _ in range(2):  # the first may have been on its way while somebody was there
                        serving.wait_for("STATUS=")
                    alone.append(memory_mib(serving))
        events = serving.ask("/health")[1]["events"]
        at_most_mib = most_mib(serving)
    return {
        "minutes": minutes,
        "visits": visitors.visits,
        "events": events,
        "trainings": len(settled),
        "memory_mib": [settled[0], settled[-1]],
        "grown_mib": round(max(settled[1:]) - settled[0], 2),
        "thirds_mib": [round(float(np.median(part)), 1) for part in np.array_split(settled, 3)],
        "alone_memory_mib": [alone[0], alone[-1]],
        "alone_grown_mib": round(max(alone[1:]) - alone[0], 2),
        "alone_thirds_mib": [round(float(np.median(part)), 1) for part in np.array_split(alone, 3)],
        "at_most_mib": at_most_mib,
    }


def memory_mib(serving: Serving) -> float:
    """What a service's health says of its memory."""
    return float(serving.ask("/health")[1]["machine"]["memory_mib"])


def most_mib(serving: Serving) -> float:
    """The most resident memory that a service's process ever had."""
    assert serving.process is not None
    told = Path(f"/proc/{serving.process.pid}/status").read_text()
    return round(int(told.split("VmHWM:")[1].split()[0]) / 2**10, 1)
