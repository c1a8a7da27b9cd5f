"""What a training will take is said beforehand, from how much there is to do and how fast this machine is now."""

from __future__ import annotations

import itertools

import pytest

from edge_tl.judge.expected import ExpectedCost, expected, work_of

pytestmark = pytest.mark.exact


def stepping(*steps_s: float):
    """A clock of which every second reading is that many seconds after the one before."""
    times = itertools.chain.from_iterable((i * 100.0, i * 100.0 + step) for i, step in enumerate(steps_s))
    return lambda: next(times)


def test_quick_trainings_are_not_announced() -> None:
    """A thousand pictures, or a head whose epochs tell, need no word, and the clock is not asked for them."""
    for head, rows in (("ridge", 1000), ("knn", 1000), ("softmax", 10_000), ("mlp", 30_000)):
        assert expected(head, rows, 3840, stepping()) is None
    assert expected("ridge", 30_000, 63, stepping()) is None


def test_a_machine_half_as_fast_is_expected_to_take_twice_as_long() -> None:
    """The seconds follow the rate that was measured, and a rate that varies widens what is said."""
    fast = expected("ridge", 10_000, 3840, stepping(9.0, *[0.02] * 5))
    slow = expected("ridge", 10_000, 3840, stepping(9.0, *[0.04] * 5))
    both = expected("ridge", 10_000, 3840, stepping(9.0, 0.02, 0.04, 0.02, 0.04, 0.02))
    assert fast is not None
    assert slow is not None
    assert both is not None
    assert slow.least_s == pytest.approx(2 * fast.least_s)
    assert slow.most_s == pytest.approx(2 * fast.most_s)
    assert (both.least_s, both.most_s) == pytest.approx((fast.least_s, slow.most_s))
    assert fast.least_s < fast.most_s


def test_work_grows_with_rows_as_measured() -> None:
    """Above as many rows as columns ten times as many take about ten times as long, and kNN less than ridge."""
    ten, hundred = (work_of("ridge", rows, 3840) for rows in (10_000, 100_000))
    assert 5 < hundred / ten < 11
    assert work_of("knn", 10_000, 3840) < ten
    assert work_of("ridge", 3000, 3840) < work_of("ridge", 5000, 3840)


def test_words() -> None:
    """Whole seconds, one number where both are the same, and never none."""
    assert ExpectedCost(4.2, 9.6).text == "about 4 to 10 s here"
    assert ExpectedCost(0.2, 1.2).text == "about 1 s here"
