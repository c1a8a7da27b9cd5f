"""How many frames a second a loop gets through."""

from __future__ import annotations

import pytest

from edge_tl.core.timing import PACE_FRAMES, Pace


def test_the_rate_is_that_of_the_last_frames() -> None:
    """Nothing is said of one frame or of a clock that stands; a change shows fully after thirty frames."""
    pace = Pace()
    assert pace.fps == 0
    pace.count(5.0)
    assert pace.fps == 0
    pace.count(5.0)
    assert pace.fps == 0
    for i in range(PACE_FRAMES):
        pace.count(6 + i / 20)
    assert pace.fps == pytest.approx(20)
    for i in range(PACE_FRAMES):
        pace.count(10 + i / 50)
    assert pace.fps == pytest.approx(50)
