"""Leave one device out: what others' lessons do on one's own examples, and who lowers the figure."""

from __future__ import annotations

import numpy as np
import pytest

from edge_tl.errors import ShapeError
from edge_tl.fleet.judging import FleetAccount, leave_one_device_out
from edge_tl.heads import make_head
from edge_tl.heads.base import TaughtRows


def account(liars: tuple[str, ...] = (), devices: tuple[str, ...] = ("", "a", "b", "c")) -> FleetAccount:
    """Of devices that were shown three classes four times each; what a liar taught is named wrongly."""
    random = np.random.default_rng(5)
    X, y, takes, owners = [], [], [], []
    for device in devices:
        for take in range(12):
            label = take % 3
            X.append(np.eye(3)[label].repeat(4) + 0.35 * random.normal(size=(5, 12)))
            y += [f"class {(label + (device in liars)) % 3}"] * 5
            takes += [len(takes) // 5] * 5
            owners += [device] * 5
    rows = np.concatenate(X).astype(np.float32)
    taught = TaughtRows(rows, np.array(y), np.array(takes))
    return leave_one_device_out(lambda: make_head("ridge"), taught, np.array(owners))


def test_each_device_is_answered_by_the_others() -> None:
    """Where all mean the same by a name, what others taught is right, and nobody is named."""
    made = account()
    assert [one.device for one in made.scores] == ["", "a", "b", "c"]
    assert all(one.examples == 60 and one.accuracy > 0.95 for one in made.scores)
    assert made.own == made.scores[0]
    assert made.harmful == ()
    assert made.unjudged == ()


def test_a_device_that_lowers_the_others_figure_is_named() -> None:
    """One that means other things by the names is named, alone, with what the others have with and without it."""
    made = account(("b",), ("", "a", "b"))
    (bad,) = made.harmful
    assert bad.device == "b"
    assert bad.without > bad.accuracy
    good, bad_alone = made.alone
    assert (good.device, good.examples, bad_alone.device, bad_alone.examples) == ("a", 60, "b", 60)
    assert good.accuracy > 0.95
    assert bad_alone.accuracy < 0.05


def test_a_class_that_one_device_has_alone_is_not_judged() -> None:
    """It teaches, and is named as not judged; with nothing else in common nothing can be asked."""
    random = np.random.default_rng(1)
    taught = TaughtRows(random.normal(size=(40, 6)).astype(np.float32), np.repeat(list("abcd"), 10), np.arange(40))
    made = leave_one_device_out(lambda: make_head("ridge"), taught, np.repeat(["", "x"], 20))
    assert made.unjudged == ("a", "b", "c", "d")
    assert [one.examples for one in made.scores] == [0, 0]
    assert np.isnan(made.scores[0].accuracy)
    assert [(one.device, one.examples) for one in made.alone] == [("x", 0)]
    with pytest.raises(ShapeError, match="two or more"):
        leave_one_device_out(lambda: make_head("ridge"), taught, np.repeat("", 40))
