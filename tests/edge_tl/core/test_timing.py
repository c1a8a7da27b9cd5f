"""The stopwatch against NumPy's percentiles, with a clock that the test moves."""

from __future__ import annotations

import numpy as np
import pytest

from edge_tl.core.timing import Stopwatch
from edge_tl.testing import FakeClock


def test_percentiles_are_numpys_over_the_window() -> None:
    """p50 and p95 are those of the last `window` times, in milliseconds."""
    clock = FakeClock()
    watch = Stopwatch(clock, window=50)
    times_s = np.random.default_rng(0).gamma(2.0, 0.01, 120)
    for elapsed_s in times_s:
        with watch.stage("embed"):
            clock.advance(elapsed_s)
    timing = watch.timing("embed")
    assert timing is not None
    assert timing.count == 50
    np.testing.assert_allclose((timing.p50_ms, timing.p95_ms), np.percentile(times_s[-50:] * 1e3, (50, 95)), rtol=1e-9)


def test_stages_come_in_their_order() -> None:
    """The summary lists the stages as they first came, each with its own times."""
    watch = Stopwatch(FakeClock())
    watch.record("resize", 0.002)
    watch.record("embed", 0.004)
    watch.record("resize", 0.004)
    summary = watch.summary()
    assert list(summary) == ["resize", "embed"]
    assert summary["resize"].p50_ms == pytest.approx(3.0)
    assert (summary["embed"].p50_ms, summary["embed"].count) == (pytest.approx(4.0), 1)


def test_nothing_timed_is_nothing_told() -> None:
    """A stage that never ran, and all of them after a reset, have no timing."""
    watch = Stopwatch(FakeClock())
    assert watch.timing("embed") is None
    watch.record("embed", 0.1)
    watch.reset()
    assert watch.summary() == {}


def test_a_block_that_raises_is_not_counted() -> None:
    """An error passes through and leaves no time behind."""
    watch = Stopwatch(FakeClock())
    with pytest.raises(KeyError), watch.stage("embed"):
        raise KeyError
    assert watch.timing("embed") is None
