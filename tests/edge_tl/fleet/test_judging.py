"""Leave one device out: what others' lessons do on one's own examples, and who lowers the figure."""

from __future__ import annotations

import numpy as np
import pytest

from edge_tl.errors import ShapeError
from edge_tl.fleet.judging import FleetAccount, leave_one_device_out
from edge_tl.fleet.summed_answers import SummedAnswers
from edge_tl.heads import make_head
from edge_tl.heads.base import TaughtRows
from edge_tl.heads.ridge import RidgeHead


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


@pytest.mark.parametrize(("judge", "without"), [("", None), ("a", None), ("a", "b"), ("b", "")])
def test_by_sums_it_is_the_head_of_the_others_rows(judge: str, without: str | None) -> None:
    """What sums answer is what a ridge of the same penalty answers that was fitted on the others' rows alone, also of
    a class that only they have; a class that only the judge has is not asked."""
    random = np.random.default_rng(3)
    devices, y = np.repeat(["", "a", "b", "c"], 30), np.tile(np.repeat(["one", "two", "three"], 10), 4)
    y[(devices == "b") & (y == "two")] = "mine"
    X = random.normal(size=(120, 9)).astype(np.float32) + 1.5 * (y[:, None] == np.array(["one", "two", "three"])) @ (
        np.eye(3, 9, dtype=np.float32)
    )
    taught, asked = TaughtRows(X, y, np.arange(120) // 5), np.arange(120) % 3 > 0
    whole = RidgeHead(lambdas=[1.0]).fit(X, y, taught.takes)
    rows, right = SummedAnswers(whole, taught, devices, asked).of(judge, without)
    others = taught.only((devices != judge) & (devices != without))
    head = RidgeHead(lambdas=[1.0]).fit(others.X, others.y, others.takes)
    assert rows.tolist() == np.flatnonzero((devices == judge) & asked & np.isin(y, others.classes)).tolist()
    assert right.tolist() == (head.predict(X[rows]) == y[rows]).tolist()
    assert 0.4 < right.mean() < 1
