"""A part of many examples: of all takes, thinned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.core.folds import thinned_takes, whole_takes

pytestmark = pytest.mark.exact


@given(st.lists(st.integers(1, 60), min_size=1, max_size=25), st.integers(1, 4), st.integers(2, 400))
@settings(max_examples=40, deadline=None)
def test_a_part_has_of_everything(lengths: list[int], classes: int, rows: int) -> None:
    """Positions ascend, no class is missing, none loses all takes but one, and about so many are chosen."""
    takes = np.repeat(np.arange(len(lengths)), lengths)
    y = np.array(list("abcd"))[takes % classes]
    part = thinned_takes(y, whole_takes(y, takes), rows)
    assert (np.diff(part) > 0).all()
    assert len(part) <= rows + 8 * len(lengths)
    for label in np.unique(y):
        every = np.unique(takes[y == label])
        kept = np.unique(takes[part][y[part] == label])
        assert len(kept) >= min(2, len(every))
    if rows >= len(y):
        assert len(part) == len(y)


def test_takes_are_thinned_before_they_are_left_out() -> None:
    """Of a hundred takes of thirty, a tenth is three or four of every one or two; of single examples every tenth."""
    y, takes = np.repeat(["a", "b"], 1500), np.arange(3000) // 30
    part = thinned_takes(y, whole_takes(y, takes), 600)
    assert len(np.unique(takes[part])) == 100
    assert len(part) == 600
    assert np.bincount(takes[part]).tolist() == [6] * 100
    alone = thinned_takes(y, whole_takes(y, None), 300)
    assert len(alone) == 300
    assert np.diff(alone[:150]).max() <= 11


def test_two_takes_stay_two() -> None:
    """A class of two long takes keeps both, thinned."""
    y, takes = np.repeat(["a", "b"], 5000), np.arange(10_000) // 2500
    part = thinned_takes(y, whole_takes(y, takes), 1000)
    assert len(part) == 1000
    assert np.bincount(takes[part]).tolist() == [250] * 4
