"""A device in a round of sums: what it gives, what it refuses, and how it judges the head by its own examples."""

from __future__ import annotations

import numpy as np
import pytest

from edge_tl.core.examples import Examples
from edge_tl.core.features import unit_rows
from edge_tl.errors import ConfigError, ShapeError
from edge_tl.fleet.keys import DeviceKey
from edge_tl.fleet.lesson import LessonHeader, new_lessons
from edge_tl.fleet.pooling import pooled
from edge_tl.fleet.sums import SumsRound, added_shape, given_labels, largest
from edge_tl.heads.ridge import RidgeHead
from edge_tl.heads.ridge_sums import LAMBDAS, SummedRidge, Totals, chosen, projection

CLASSES = (("up", "down"), ("up", "left"), ("down", "left", "wave"))
LABELS = ["down", "left", "up", "wave"]


def rows_of(device: int, columns: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a device was taught: three takes of each of its classes, five rows each, as float16 keeps them."""
    random, X, y, takes = np.random.default_rng(device), [], [], []
    for label in CLASSES[device]:
        centre = np.random.default_rng(LABELS.index(label)).normal(size=columns)
        for _ in range(3):
            off = centre + 0.6 * random.normal(size=columns)
            X.append(off + 0.3 * random.normal(size=(5, columns)))
            takes += [len(takes) // 5 + 1] * 5
            y += [label] * 5
    return unit_rows(np.concatenate(X)).astype(np.float16).astype(np.float32), np.array(y), np.array(takes)


def round_of(columns: int = 12) -> tuple[list[SumsRound], Totals, int, float]:
    """All devices' rounds, the totals, and the λ and temperature that follow."""
    rounds = [SumsRound(*rows_of(device, columns), LABELS) for device in range(3)]
    totals = Totals.of(np.sum([one.sums() for one in rounds], axis=0), rounds[0].columns)
    said = np.sum([one.verdicts(totals.packed()) for one in rounds], axis=0)
    return rounds, totals, *chosen(said, totals, RidgeHead().prior)


@pytest.mark.exact
def test_the_head_is_that_of_the_lessons_merged() -> None:
    """Sums of three devices with unequal classes give the ridge head that `pooling` gives of the same rows, ≤ 1e-5."""
    pytest.importorskip("cryptography", reason="cryptography is not installed (extra fleet)")
    lessons = []
    for device in range(3):
        X, y, takes = rows_of(device)
        key = DeviceKey(bytes([device + 1]) * 32)
        for take in np.unique(takes):
            some = takes == take
            header = LessonHeader(f"device {device}", "ab" * 32, "", str(y[some][0]), int(take), 1)
            lessons += new_lessons(key, header, X[some])
    none = np.empty(0, np.int64)
    every = pooled(Examples(none, np.empty((0, 0), np.float32), np.array([], np.str_), none, none, "ab" * 32), lessons)
    hub = RidgeHead().fit(every.X, every.y, every.takes)
    rounds, totals, at, temperature = round_of()
    ridge = SummedRidge(totals)
    head = rounds[0].head(at, temperature, *ridge.coef(float(LAMBDAS[at] * ridge.scale)))
    assert head.lambda_ == pytest.approx(hub.lambda_, rel=1e-6)
    assert np.abs(head.coef_ - hub.coef_).max() <= 1e-5
    assert np.abs(head.intercept_ - hub.intercept_).max() <= 1e-5
    assert head.classes_.tolist() == hub.classes_.tolist() == LABELS
    assert np.abs(head.predict_proba(every.X) - hub.predict_proba(every.X)).max() <= 1e-4
    assert (head.predict(every.X) == hub.predict(every.X)).all()


def test_a_device_judges_the_head_without_itself() -> None:
    """It asks the classes that another device has, and only those; with its own takes left out, all of its classes."""
    rounds, _, at, _ = round_of()
    first, last = rounds[0].scores(at), rounds[2].scores(at)
    assert (first.examples, first.asked) == (30, 30)
    assert (last.examples, last.asked) == (45, 30)  # nobody else has "wave"
    for one in (first, last):
        for share in (one.accuracy, one.without, one.alone):
            assert share is not None
            assert 0.5 < share <= 1


def test_a_device_alone_has_nobody_to_judge_by() -> None:
    """Where the totals are its own sums there is no figure without it."""
    one = SumsRound(*rows_of(2), ["down", "left", "wave"])
    one.verdicts(Totals.of(one.sums(), 12).packed())
    scores = one.scores(10)
    assert scores.without is None
    assert scores.asked == 0
    assert scores.accuracy is not None


def test_a_device_without_examples_gets_the_head_all_the_same() -> None:
    """It adds nothing and judges nothing."""
    _, totals, at, temperature = round_of()
    none = SumsRound(np.zeros((0, 12), np.float32), np.zeros(0, np.str_), np.zeros(0, np.int64), LABELS)
    assert not none.sums().any()
    assert not none.verdicts(totals.packed()).any()
    ridge = SummedRidge(totals)
    head = none.head(at, temperature, *ridge.coef(float(LAMBDAS[at] * ridge.scale)))
    assert head.classes_.tolist() == LABELS
    assert none.scores(at).accuracy is None


def test_long_rows_come_back_as_weights_of_whole_rows() -> None:
    """Rows of 600 values are summed as 256; the head that comes back takes rows of 600 and scores them alike."""
    rounds, totals, at, temperature = round_of(600)
    assert rounds[0].columns == 256
    assert rounds[0].sums().shape == added_shape(4, 600)
    ridge = SummedRidge(totals)
    coef, intercept = ridge.coef(float(LAMBDAS[at] * ridge.scale))
    head = rounds[0].head(at, temperature, coef, intercept)
    X, signs = rows_of(0, 600)[0], projection(600)
    assert signs is not None
    assert np.abs(head.scores(X) - (X @ signs @ coef.T + intercept)).max() < 1e-5


def test_of_a_class_with_few_examples_nothing_is_given() -> None:
    """The sum of one row is that row: below the bound a class is neither named nor summed."""
    X, y, takes = rows_of(0)
    y = y.astype("<U8")
    y[:3] = "secret"
    assert given_labels(y, 5) == ["down", "up"]
    one = SumsRound(X, y, takes, ["down", "secret", "up"], 5)
    assert one.sums()[1].tolist() == [0.0] * one.sums().shape[1]
    assert one.sums()[:, 0].tolist() == [15, 0, 12]


def test_no_number_is_above_what_is_said_to_be_the_largest() -> None:
    """A power of two, so that it tells the size and not the number."""
    X, y, takes = rows_of(1)
    bound = largest(X, y, given_labels(y, 1))
    assert bound == 2 ** round(np.log2(bound))
    assert np.abs(SumsRound(X, y, takes, LABELS).sums()).max() <= bound
    assert largest(X[:0], y[:0], []) == 1


@pytest.mark.parametrize("labels", [[], ["up"], ["up", "down"], ["up", "up"], [f"{n:04}" for n in range(101)]])
def test_labels_that_cannot_be_are_refused(labels: list[str]) -> None:
    """One class, twins, another order, too many."""
    with pytest.raises(ConfigError, match="labels"):
        SumsRound(*rows_of(0), labels)


def test_a_head_that_the_totals_do_not_give_is_refused() -> None:
    """Whoever sends totals and then another head is found out: what the device said of the head would not be true."""
    rounds, totals, at, temperature = round_of()
    ridge = SummedRidge(totals)
    coef, intercept = ridge.coef(float(LAMBDAS[at] * ridge.scale))
    rounds[0].head(at, temperature, coef * (1 + 1e-6), intercept)
    with pytest.raises(ShapeError, match="not what the totals"):
        rounds[0].head(at, temperature, coef * 1.01, intercept)
    with pytest.raises(ShapeError, match="not what the totals"):
        rounds[0].head(at, temperature, coef, intercept + 0.1)
    with pytest.raises(ShapeError, match="not what the totals"):
        rounds[0].head(at - 1, temperature, coef, intercept)


def test_totals_and_heads_that_cannot_be_are_refused() -> None:
    """Of another size, with NaN, with fewer rows than the device gave; no λ, no temperature, verdicts missing."""
    rounds, totals, at, temperature = round_of()
    fresh, packed = SumsRound(*rows_of(0), LABELS), totals.packed()
    with pytest.raises(ConfigError, match="verdicts first"):
        fresh.scores(at)
    few = packed.copy()
    few[0] = 3
    for wrong in (packed[:-1], np.where(np.arange(len(packed)) == 5, np.nan, packed), few):
        with pytest.raises(ShapeError, match="totals"):
            fresh.verdicts(wrong)
    ridge = SummedRidge(totals)
    coef, intercept = ridge.coef(1.0)
    for head in (
        (len(LAMBDAS), temperature, coef, intercept),
        (at, 0.0, coef, intercept),
        (at, float("nan"), coef, intercept),
        (at, temperature, coef[:, :-1], intercept),
        (at, temperature, coef * np.inf, intercept),
    ):
        with pytest.raises(ShapeError):
            rounds[0].head(*head)
