"""Which label steers where."""

from __future__ import annotations

import pytest

from device.teach.steering import steering
from edge_tl.controller import neutral_label
from edge_tl.errors import ConfigError


def test_labels_named_like_directions_steer_there() -> None:
    """Up, down, left and right steer by their names, in any case; other labels steer nowhere."""
    assert steering(["Up", "left", "neutral"]) == {"Up": "up", "left": "left"}


def test_assignments_come_first() -> None:
    """`up=fist` makes the fist steer up, and a label called up then steers nowhere."""
    assert steering(["up", "fist", "left"], ["up=fist"]) == {"fist": "up", "left": "left"}


@pytest.mark.parametrize("text", ["up", "north=fist", "up=unknown", "=fist"])
def test_an_assignment_that_cannot_be_is_one_line(text: str) -> None:
    """A direction that is none and a label that was not taught are refused, naming what there is."""
    with pytest.raises(ConfigError, match="--steer"):
        steering(["fist", "palm"], [text])


def test_where_nothing_would_steer_the_option_is_named() -> None:
    """A profile without any direction is told how to assign one."""
    with pytest.raises(ConfigError, match="--steer up=fist"):
        steering(["fist", "palm"])


def test_the_neutral_class_is_found_by_its_name() -> None:
    """`neutral` and its synonyms mean no direction."""
    assert neutral_label(["up", "Neutral"]) == "Neutral"
    assert neutral_label(["up", "down"]) is None


def test_a_swipe_to_a_direction_steers_there() -> None:
    """`swipe left`, `Swipe-up` and `swipe_right` steer by their names; of `left` and `swipe left` the shorter does."""
    assert steering(["swipe left", "Swipe-up", "swipe_right", "wave"]) == {
        "swipe left": "left",
        "Swipe-up": "up",
        "swipe_right": "right",
    }
    assert steering(["left", "swipe left"]) == {"left": "left"}
    assert steering(["swipe left", "fist"], ["left=fist"]) == {"fist": "left"}
