"""Work that says nothing for a while is no hanging loop: the watchdog is fed beside it, but not for ever."""

from __future__ import annotations

import threading

import pytest

from device.serve.long_work import SILENT_S, LongWork
from edge_tl.testing import FakeClock


@pytest.mark.parametrize("fails", [False, True])
def test_signs_are_given_while_it_lasts(fails: bool) -> None:
    """A training of ten thousand examples was silent for longer than a Pi's watchdog waits; nothing is left running."""
    fed = threading.Semaphore(0)
    work = LongWork(fed.release, lambda: 0.0, FakeClock(), beat_s=0.001)
    try:
        with work.going_on() as thread:
            for _ in range(3):
                assert fed.acquire(timeout=60)
            if fails:
                raise ValueError
    except ValueError:
        assert fails
    assert not thread.is_alive()


def test_what_is_silent_for_too_long_hangs() -> None:
    """Then no sign is given any more, and the watchdog does what it is for; work that goes on is fed on."""
    clock, fed = FakeClock(), threading.Semaphore(0)
    signs = [clock()]
    work = LongWork(fed.release, lambda: signs[-1], clock, beat_s=0.001)
    with work.going_on() as thread:
        clock.advance(SILENT_S - 1)
        signs.append(clock())
        clock.advance(SILENT_S - 1)
        assert fed.acquire(timeout=60)
        clock.advance(2)
        thread.join(60)
        assert not thread.is_alive()
