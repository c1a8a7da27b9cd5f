"""Honest evaluation: folds that keep takes whole, intervals that know about them, and the metrics under them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as reference
from sklearn.model_selection import LeaveOneGroupOut

from edge_tl.core.folds import random_parts, takes_together, whole_takes
from edge_tl.core.metrics import (
    SPREAD,
    accuracy,
    confusion,
    grouped_interval,
    recall,
    roc,
    suspects,
    t_quantile,
    wilson_interval,
)
from edge_tl.errors import ShapeError
from edge_tl.heads import make_head
from edge_tl.heads.base import TaughtRows
from edge_tl.heads.ridge import RidgeHead
from edge_tl.judge.validation import cross_validate, evaluate, leave_one_take_out, random_split
from edge_tl.nn.losses import softmax

pytestmark = pytest.mark.exact


def sessions(takes: int = 6, frames: int = 10, drift: float = 1.0, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Three classes in takes whose frames are near-duplicates: X, y, takes, as a camera gives them."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(3, 40))
    codes = np.repeat(np.arange(3), takes * frames)
    groups = np.repeat(np.arange(3 * takes), frames)
    X = centres[codes] + drift * rng.normal(size=(3 * takes, 40))[groups] + 0.1 * rng.normal(size=(len(codes), 40))
    return X, np.array(["left", "right", "up"])[codes], groups


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), min_size=1, max_size=60))
@settings(max_examples=80)
def test_no_take_is_torn_unless_its_class_has_no_other(pairs: list[tuple[str, int]]) -> None:
    """Every example is in one fold; examples of a take share it, except those of a class with that take only."""
    y, takes = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    folds = whole_takes(y, takes)
    groups = folds.groups()
    assert sorted(np.concatenate(groups).tolist()) == list(range(len(y)))
    assert len(groups) == folds.count
    for i, group in enumerate(groups):
        assert set(folds.index[group]) == {i}
        assert len(set(takes[group])) == 1 or set(y[group]) <= set(folds.split_classes)
    for label in set(y):
        rows = np.flatnonzero(y == label)
        alone = len(set(takes[rows])) == 1
        assert (label in folds.split_classes) == alone
        for take in set(takes[rows]):
            torn = len(set(folds.index[rows[takes[rows] == take]]))
            assert torn == (min(5, len(rows)) if alone else 1)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2)), min_size=2, max_size=12), st.data())
def test_takes_left_out_together_are_whole(takes: list[tuple[str, int]], more: st.DataObject) -> None:
    """What is one in `whole_takes` is one here too, a first frame that copies another class's take included."""
    y, number = [], []
    for take, (label, strays) in enumerate(takes):
        count = more.draw(st.integers(3, 8))
        y += [label] * count + ["b" if label == "a" else "a"] * min(strays, count // 3)
        number += [take] * (len(y) - len(number))
    labels, numbers = np.array(y), np.array(number)
    whole, together = whole_takes(labels, numbers), takes_together(labels, numbers)
    assert together.split_classes == whole.split_classes
    for unit in range(whole.count):
        assert len(np.unique(together.index[whole.index == unit])) == 1


def test_a_stray_frame_does_not_change_how_takes_are_left_out() -> None:
    """The first frame of a hold that is a near-copy of what was shown before goes with that take, and no more."""
    labels, takes = np.repeat(["a", "b"] * 3, 6), np.repeat(np.arange(6), 6)
    plain = takes_together(labels, takes)
    takes[6] = 0
    folds = takes_together(labels, takes)
    assert folds.method == plain.method == "leave-one-take-out, one of each class together"
    np.testing.assert_array_equal(folds.index, plain.index)
    takes[labels == "a"] = takes[labels == "b"]  # each take shows both classes: nothing is to be brought together
    assert takes_together(labels, takes).method == "leave-one-take-out"


def test_a_single_take_is_cut_into_neighbours() -> None:
    """The parts of a class's only take are contiguous in time, and the method says so and names the class."""
    folds = whole_takes(np.array(["a"] * 10 + ["b"] * 4), np.array([0] * 10 + [1, 1, 2, 2]))
    assert [group.tolist() for group in folds.groups() if group[0] < 10] == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]
    assert folds.split_classes == ("a",)
    assert "one take only" in folds.method
    assert folds.method.endswith("optimistic: a)")


def test_a_random_split_spreads_every_class() -> None:
    """Each part of the random split holds its share of each class, the same again for the same seed."""
    y = np.array(["a"] * 50 + ["b"] * 25)
    folds = random_parts(y, seed=1)
    assert all(np.sum(y[group] == "a") == 10 and np.sum(y[group] == "b") == 5 for group in folds.groups())
    np.testing.assert_array_equal(folds.index, random_parts(y, seed=1).index)
    assert (folds.index != random_parts(y, seed=2).index).any()


def test_leaving_takes_out_equals_doing_it_by_hand() -> None:
    """Each take is answered as by a head fitted by hand on the other takes."""
    X, y, takes = sessions(takes=3, drift=1.5)
    wanted = np.empty((len(y), 3))
    for train, test in LeaveOneGroupOut().split(X, y, takes):
        wanted[test] = make_head("knn").fit(X[train], y[train]).predict_proba(X[test])
    came = leave_one_take_out(lambda: make_head("knn"), X, y, takes)
    np.testing.assert_allclose(came.proba, wanted)
    assert came.method == "leave-one-take-out"
    assert came.judged.all()


def test_the_shortcut_of_the_ridge_equals_doing_it_by_hand() -> None:
    """Each take is answered as by a ridge head fitted on the other takes with the λ of the whole."""
    X, y, takes = sessions(takes=3, drift=1.5)
    whole = RidgeHead().fit(X, y, takes)
    scores = np.empty((len(y), 3))
    for train, test in LeaveOneGroupOut().split(X, y, takes):
        # The classes are equal in the whole, so the shortcut weighs all examples alike.
        unit = RidgeHead([1.0], balance=False).fit(X[train], y[train]).lambda_
        head = RidgeHead([whole.lambda_ / unit], balance=False).fit(X[train], y[train])
        assert head.lambda_ == pytest.approx(whole.lambda_)
        scores[test] = head.scores(X[test])
    came = leave_one_take_out(RidgeHead, X, y, takes)
    np.testing.assert_allclose(came.proba, softmax(scores / whole.temperature_), atol=1e-6)
    assert came.accuracy == np.mean(whole.classes_[scores.argmax(axis=1)] == y)


def test_a_random_split_flatters() -> None:
    """Where frames of a take are near-duplicates the random split claims nearly all right, and new takes are not."""
    X, y, takes = sessions(drift=2.5)
    honest = leave_one_take_out(RidgeHead, X, y, takes)
    naive = random_split(RidgeHead, X, y)
    assert naive.accuracy > 0.99
    assert honest.accuracy < 0.9
    new, truth, _ = sessions(drift=2.5, seed=0, takes=6)
    assert RidgeHead().fit(X, y, takes).score(new, truth) > 0.99  # the same takes again: why it flatters


def test_a_class_that_vanishes_is_not_judged() -> None:
    """The single example of a class is not counted as an error, and the method names the class."""
    X, y, takes = sessions()
    X, y, takes = np.concatenate([X, -X[:1]]), np.append(y, "wink"), np.append(takes, 99)
    for make in (RidgeHead, lambda: make_head("knn")):
        came = leave_one_take_out(make, X, y, takes)
        assert came.judged.tolist() == [True] * (len(y) - 1) + [False]
        assert np.isnan(came.proba[-1]).all()
        assert "one example only, so not judged: wink" in came.method
        assert np.isnan(evaluate(make, X, y, takes).recall["wink"])


def test_two_classes_of_one_take_each() -> None:
    """With one take a class every head is judged by parts of it, and one example in all is refused."""
    X, y, takes = sessions(takes=1)
    for name in ("ridge", "knn"):
        came = leave_one_take_out(lambda name=name: make_head(name), X, y, takes)
        assert came.accuracy == 1.0
        assert "left, right, up" in came.method
    with pytest.raises(ShapeError, match="wanted two or more"):
        leave_one_take_out(RidgeHead, X[:1], y[:1])


def test_where_one_class_is_left_the_answer_is_that_class() -> None:
    """A fold that leaves one class behind is answered with it, surely and wrongly."""
    X, y, _ = sessions(takes=1)
    for name in ("ridge", "knn"):
        came = leave_one_take_out(lambda name=name: make_head(name), X[9:20], y[9:20], [0] + [1] * 9 + [2])
        assert came.y_pred[0] == "right"
        assert not came.judged[0]
    alone = leave_one_take_out(lambda: make_head("knn"), np.eye(3), ["a", "a", "a"], [0, 1, 2])
    assert alone.accuracy == 1.0


def test_the_evaluation_is_complete_and_plain() -> None:
    """Accuracy, interval, confusion, recall, naive claim and both figures of the rejection agree, also as JSON."""
    X, y, takes = sessions(drift=2)
    known = np.arange(len(y)) % 4 != 0
    found = evaluate(RidgeHead, X, y, takes, known=known)
    by_hand = cross_validate(RidgeHead, TaughtRows.check(X, y, takes), takes_together(y, takes))
    right = by_hand.y_true == by_hand.y_pred
    assert found.accuracy == right.mean()
    assert found.interval95[0] < found.accuracy < found.interval95[1]
    assert found.effective_examples < 100 < found.examples == 180
    assert found.takes == 18
    np.testing.assert_array_equal(found.confusion, reference.confusion_matrix(by_hand.y_true, by_hand.y_pred))
    wanted = reference.recall_score(by_hand.y_true, by_hand.y_pred, average=None)
    np.testing.assert_allclose(list(found.recall.values()), wanted)
    assert found.answers is not None
    assert found.answers.right == pytest.approx((right & known).mean())
    assert found.answers.wrong == pytest.approx((~right & known).mean())
    assert found.answers.refused == pytest.approx(0.25)
    assert found.answers.right_interval95[0] < found.answers.right < found.answers.right_interval95[1]
    assert found.random_split_accuracy == random_split(RidgeHead, X, y).accuracy
    plain = json.loads(json.dumps(found.as_dict()))
    assert plain["confusion"] == found.confusion.tolist()
    assert plain["suspects"][0]["margin"] == found.suspects[0].margin


def test_a_swapped_label_leads_the_suspects() -> None:
    """An example labelled wrongly is the first suspect, by its row."""
    X, y, takes = sessions(drift=0.5)
    y = y.copy()
    y[37] = "up"
    first = evaluate(lambda: make_head("ridge"), X, y, takes).suspects[0]
    assert (first.index, first.label, first.likely) == (37, "up", "left")


def test_unjudged_rows_and_right_answers_are_no_suspects() -> None:
    """Only rows that were judged and answered differently are suspects, at most `limit` of them."""
    proba = np.array([[0.9, 0.1], [0.2, 0.8], [np.nan, np.nan], [0.4, 0.6]])
    classes = np.array(["a", "b"])
    found = suspects(np.array(["a", "a", "a", "a"]), proba, classes)
    assert [s.index for s in found] == [1, 3]
    assert found[0].margin == pytest.approx(0.6)
    assert len(suspects(np.array(["a", "a", "a", "a"]), proba, classes, limit=1)) == 1


@given(st.integers(1, 400), st.data())
@settings(max_examples=60)
def test_the_interval_is_wilsons(n: int, more: st.DataObject) -> None:
    """The interval of a proportion is SciPy's Wilson interval."""
    right = more.draw(st.integers(0, n))
    wanted = stats.binomtest(right, n).proportion_ci(0.95, method="wilson")
    np.testing.assert_allclose(wilson_interval(right, n), (wanted.low, wanted.high), atol=1e-12)
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_students_quantile() -> None:
    """The 97.5 % point of Student's t is SciPy's within 0.2 %."""
    for degrees in (1, 2, 3, 4, 7, 30, 1000):
        assert t_quantile(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=2e-3)


def test_the_interval_holds_the_truth_although_frames_are_alike() -> None:
    """Over simulated recordings in takes, nine intervals in ten or more hold the true share; the plain one does not."""
    rng = np.random.default_rng(0)
    held = plain = 0
    takes = np.repeat(np.arange(20), 30)
    for _ in range(300):
        ease = rng.beta(3, 1, 20)  # how easy each take is: 0.75 on average
        right = rng.random(600) < ease[takes]
        low, high = grouped_interval(right, takes)[0]
        held += low <= 0.75 <= high
        low, high = wilson_interval(right.sum(), 600)
        plain += low <= 0.75 <= high
    assert held / 300 > 0.9
    assert plain / 300 < 0.75


def test_effective_examples_of_plain_cases() -> None:
    """Independent frames count in full, near Wilson's interval; a take counts for a few, however long it is."""
    rng = np.random.default_rng(0)
    right = rng.random(4000) < 0.7
    alone, count = grouped_interval(right, np.arange(4000))
    assert count == 4000
    np.testing.assert_allclose(alone, wilson_interval(right.sum(), 4000), atol=0.002)
    assert grouped_interval(right, np.zeros(4000, int))[1] == pytest.approx(1 / (4 * SPREAD**2), rel=0.01)
    few, many = (grouped_interval(np.ones(40 * long, bool), np.arange(40 * long) // (10 * long))[1] for long in (1, 9))
    assert 9 < few <= many < 25
    assert grouped_interval(np.empty(0, bool), np.empty(0, int)) == ((0.0, 1.0), 0.0)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=60))
def test_the_interval_lies_around_the_share(trials: list[tuple[bool, int]]) -> None:
    """It holds the share that was seen, lies in 0 to 1, and counts no more trials than there were."""
    right, groups = np.array([one for one, _ in trials]), np.array([group for _, group in trials])
    (low, high), count = grouped_interval(right, groups)
    assert 0 <= low <= right.mean() <= high <= 1
    assert 0 < count <= len(trials)
    if right.any() and not right.all():
        assert low < high


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40), st.lists(st.integers(0, 8), min_size=1, max_size=40))
@settings(max_examples=80)
def test_the_roc_is_that_of_scikit_learn(known: list[int], strange: list[int]) -> None:
    """Area and curve of scores with many ties are those of scikit-learn."""
    truth = [0] * len(known) + [1] * len(strange)
    scores = known + strange
    came = roc(np.array(known), np.array(strange))
    assert came.area == pytest.approx(reference.roc_auc_score(truth, scores))
    false_rate, true_rate, _ = reference.roc_curve(truth, scores, drop_intermediate=False)
    np.testing.assert_allclose(came.false_rate, false_rate)
    np.testing.assert_allclose(came.true_rate, true_rate)
    for i, threshold in enumerate(came.threshold):
        assert came.true_rate[i] == pytest.approx(np.mean(np.array(strange) >= threshold))
    assert came.true_rate_at(1.0) == 1.0


def test_counts_of_labels_that_do_not_belong() -> None:
    """A label outside the classes, arrays of other lengths and an empty side of a ROC are each one line."""
    with pytest.raises(ShapeError, match="'c' is not among the classes a, b"):
        confusion(np.array(["a", "c"]), np.array(["a", "b"]), np.array(["a", "b"]))
    with pytest.raises(ShapeError, match="as many of each"):
        accuracy(np.array(["a"]), np.array(["a", "b"]))
    with pytest.raises(ShapeError, match="wanted some of each"):
        roc(np.array([]), np.array([1.0]))
    assert np.isnan(recall(np.array([[0, 0], [1, 3]]))).tolist() == [True, False]
    assert np.isnan(accuracy(np.array([]), np.array([])))
