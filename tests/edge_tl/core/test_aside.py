"""Takes that no lesson recorded: they teach, count to no place and day, and are asked where nothing else can be."""

from __future__ import annotations

import numpy as np
import pytest

from edge_tl.core.examples import Aside, beside_recordings, recorded_in, rows_of

pytestmark = pytest.mark.exact

TAKES = np.array([1, 2, 3, 4, 5])
LABELS = np.array(["ant", "ant", "bee", "bee", "ant"])


def test_typed_and_marked_takes_are_aside() -> None:
    """Both, by their numbers; of no takes nobody may ask."""
    aside = Aside(typed=frozenset({2}), marked=frozenset({4}))
    assert aside.rows(TAKES).tolist() == [False, True, False, True, False]
    assert rows_of(TAKES, aside.typed).tolist() == [False, True, False, False, False]
    assert not Aside().rows(TAKES).any()


def test_beside_recordings_they_are_not_asked() -> None:
    """A class that has nothing else is asked all the same: else nothing could be said of it."""
    rows = rows_of(TAKES, frozenset({2, 3, 4}))
    assert beside_recordings(LABELS, rows).tolist() == [False, True, False, False, False]


def test_they_make_no_session() -> None:
    """One session and something aside are one session; where all is aside it stays as it is."""
    sessions = np.array([7, 8, 9, 9, 7])
    assert recorded_in(sessions, rows_of(TAKES, frozenset({2, 3, 4}))).tolist() == [7, 7, 7, 7, 7]
    assert recorded_in(sessions, np.ones(5, bool)).tolist() == sessions.tolist()
    assert recorded_in(sessions, np.zeros(5, bool)).tolist() == sessions.tolist()
