"""Which key is held down, from a terminal that only ever says "this key came again"."""

from __future__ import annotations

FIRST_S = 0.7
"""A key counts as held this long after its first press: keyboards wait 0.25 to 0.66 s before they repeat."""
REPEAT_S = 0.25
"""And this long after each repeat: over a slow link repeats come 30 to 150 ms apart."""


class Holding:
    """Turns key presses and their repeats into "this key is held", and `toggle` into "until told otherwise".

    A terminal sends no key-up. The first press holds for FIRST_S; every repeat holds for REPEAT_S more.
    A keyboard without repeat uses `toggle` to start and to stop.
    """

    def __init__(self) -> None:
        self._key: str | None = None
        self._until_s = 0.0
        self._toggled = False

    def press(self, key: str, now_s: float) -> None:
        """A key came at `now_s` (seconds of any monotonic clock)."""
        if self.held(now_s) == key and not self._toggled:
            self._until_s = max(self._until_s, now_s + REPEAT_S)
        else:
            self._key, self._until_s, self._toggled = key, now_s + FIRST_S, False

    def toggle(self, key: str, now_s: float) -> None:
        """Hold `key` until `toggle` or another key ends it."""
        if self.held(now_s) is not None and self._toggled:
            self.release()
        else:
            self._key, self._toggled = key, True

    def release(self) -> None:
        """Nothing is held any more."""
        self._key, self._toggled = None, False

    def held(self, now_s: float) -> str | None:
        """The key that is held at `now_s`, or None."""
        if self._key is not None and not self._toggled and now_s >= self._until_s:
            self._key = None
        return self._key
