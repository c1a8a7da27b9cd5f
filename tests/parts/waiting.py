"""Waiting for what another thread or process does."""

from __future__ import annotations

import threading
from collections.abc import Callable

LONG_S = 60.0


def until(true: Callable[[], bool]) -> None:
    """Ask now and then until something is so; AssertionError where it never is."""
    pause = threading.Event()
    for _ in range(int(LONG_S / 0.02)):
        if true():
            return
        pause.wait(0.02)
    raise AssertionError("it did not come")
