"""Whether another client has this device's id, or publishes under its topic: seen by a message that both would keep."""

from __future__ import annotations

import json
from collections.abc import Callable

ANSWER_S = 60.0
"""Who publishes under the same topic is answered at most this often."""
HELD_S = 900.0
"""What was seen is so for so long: longer than two clients of one id wait before they take each other's place."""


class Twins:
    """What is known of others. The broker keeps one message, {"id": …, "run": …}, of whoever came last.

    id: of the device, kept at `path`. run: of this process. clock: seconds, monotonic. What the broker kept before it
    had this process' message is left over from the last run; what takes the place of that is another client's.
    """

    def __init__(self, id: str, run: str, topic: str, path: object, clock: Callable[[], float]) -> None:
        self.mine = json.dumps({"id": id, "run": run})
        self._id, self._run, self._topic, self._path, self._clock = id, run, topic, path, clock
        self._answered_s = self._seen_s = float("-inf")
        self._came_back = self._answer = False
        self._line = ""

    def heard(self, message: bytes, kept: bool) -> None:
        """The message of somebody. kept: whether it was there before this client listened."""
        try:
            said = json.loads(message)
            other, run = str(said["id"])[:40], str(said["run"])
        except (ValueError, LookupError, TypeError, RecursionError):
            return  # cleared, or nobody's
        if (other, run) == (self._id, self._run):
            self._came_back = True
            return
        if kept and not self._came_back:
            return
        self._seen_s, self._answer = self._clock(), True
        if other == self._id:
            self._line = (
                f"another client has this device's id ({other}), as after a card was copied: remove {self._path} on "
                "one of the two, and restart its service"
            )
        else:
            self._line = (
                f"another device ({ascii(other)[1:-1]}) publishes under {self._topic} too: give each a name, or a "
                "topic, of its own in [mqtt]"
            )

    def due(self) -> bool:
        """Whether the own message should be sent again now, so that the other one sees it too; asked once each time."""
        now_s = self._clock()
        if not self._answer or now_s - self._answered_s < ANSWER_S:
            return False
        self._answered_s, self._answer = now_s, False
        return True

    @property
    def fault(self) -> str:
        """A line, while there is another; else empty."""
        return self._line if self._clock() - self._seen_s < HELD_S else ""
