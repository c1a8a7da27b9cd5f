"""Events for whoever listens now: the newest ones for latecomers, and a queue each that never holds up the loop."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from device.serve.event import LabelEvent

KEPT = 100


class Hub:
    """An Output that calls its subscribers; `recent` holds the last events."""

    name = "events"

    def __init__(self) -> None:
        self.recent: deque[LabelEvent] = deque(maxlen=KEPT)
        self._subscribers: set[Callable[[LabelEvent], None]] = set()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Nothing to do."""

    def publish(self, event: LabelEvent) -> None:
        """Hand the event to every subscriber."""
        self.recent.append(event)
        with self._lock:
            subscribers = list(self._subscribers)
        for subscriber in subscribers:
            subscriber(event)

    @contextlib.contextmanager
    def subscribed(self, subscriber: Callable[[LabelEvent], None]) -> Iterator[None]:
        """While it lasts, events go to a function, which is called in the loop's thread and must only hand over."""
        with self._lock:
            self._subscribers.add(subscriber)
        try:
            yield
        finally:
            with self._lock:
                self._subscribers.discard(subscriber)

    def health(self) -> dict[str, Any]:
        """Always well."""
        return {"state": "ok", "subscribers": len(self._subscribers)}

    def stop(self) -> None:
        """Nothing to do."""
