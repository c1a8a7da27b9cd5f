"""Confidence: sure where it was taught, honest elsewhere, the same after a restart, and flat never without a word."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_tl.core.folds import half_takes
from edge_tl.heads import HEADS, make_head
from edge_tl.heads.base import TaughtRows
from edge_tl.heads.ridge import RidgeHead
from edge_tl.judge.calibration import reliability
from edge_tl.judge.confidence import Confidence, cautions

CLASSES, TAKES, FRAMES, VALUES = 4, 2, 12, 64


def scenes(seed: int, takes: int = TAKES, *, apart: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows (N, VALUES), labels and takes: in each scene the background is large and the sign small, as in pictures.

    apart: how large the sign is beside the background; 0 for signs that nobody could tell in another scene.
    """
    random = np.random.default_rng(seed)
    signs = np.random.default_rng(0).normal(0, apart, (CLASSES, VALUES))
    rows, labels, numbers = [], [], []
    for take in range(takes):
        for label in range(CLASSES):
            background = random.normal(0, 2.0, VALUES)
            for _ in range(FRAMES):
                rows.append(signs[label] + background + random.normal(0, 0.15, VALUES))
                labels.append("abcd"[label])
                numbers.append(take * CLASSES + label)
    X = np.array(rows, np.float32)
    return X / np.linalg.norm(X, axis=1, keepdims=True), np.array(labels), np.array(numbers)


def fitted(name: str, X: np.ndarray, y: np.ndarray, takes: np.ndarray) -> tuple[object, Confidence]:
    """A head and what its probabilities are worth."""
    head = make_head(name).fit(X, y, takes)
    return head, Confidence().fit(lambda: make_head(name), head, TaughtRows.check(X, y, takes))


def split(seed: int, **settings: float) -> tuple[tuple[np.ndarray, ...], np.ndarray, np.ndarray]:
    """What is taught (rows, labels, takes), and fresh rows of the same scenes with their labels."""
    X, y, takes = scenes(seed, **settings)
    fresh = np.arange(len(y)) % FRAMES >= FRAMES - 3
    return (X[~fresh], y[~fresh], takes[~fresh]), X[fresh], y[fresh]


@pytest.mark.parametrize("name", HEADS)
def test_it_is_sure_where_it_was_taught(name: str) -> None:
    """A fresh frame of a scene just taught is named with 90 % at least, however little another scene is known."""
    (X, y, takes), asked, truth = split(3, apart=0.2)
    head, sure = fitted(name, X, y, takes)
    proba = sure(head.predict_proba(asked), asked)
    np.testing.assert_array_equal(head.classes_[proba.argmax(axis=1)], truth)
    assert np.median(proba.max(axis=1)) >= 0.9
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("name", HEADS)
def test_it_is_honest_elsewhere(name: str) -> None:
    """In scenes that were not taught, confidence is as near to being right as the head's own, or nearer."""
    errors = np.zeros((8, 2))
    for seed in range(len(errors)):
        (X, y, takes), _, _ = split(seed, apart=0.5)
        head, sure = fitted(name, X, y, takes)
        elsewhere, truth, _ = scenes(seed + 99, takes=4, apart=0.5)
        before = head.predict_proba(elsewhere)
        after = sure(before, elsewhere)
        right = head.classes_[before.argmax(axis=1)] == truth
        errors[seed] = [reliability(proba.max(axis=1).clip(0, 1), right).error for proba in (before, after)]
    before_, after_ = errors.mean(axis=0)
    assert after_ <= before_ + 0.03
    assert after_ <= 0.3


def test_nothing_gets_surer_far_away() -> None:
    """Far from all that was taught a ridge head's probabilities stay what takes left out made of them."""
    (X, y, takes), _, _ = split(5)
    head, sure = fitted("ridge", X, y, takes)
    far = np.random.default_rng(1).normal(0, 1, (20, VALUES)).astype(np.float32)
    before = head.predict_proba(far)
    np.testing.assert_allclose(sure(before, far), before, atol=1e-3)


@pytest.mark.parametrize("name", HEADS)
def test_the_same_after_a_restart(name: str) -> None:
    """What `from_state` gives back answers bit for bit as before; its state is JSON and arrays of half precision."""
    (X, y, takes), asked, _ = split(7)
    head, sure = fitted(name, X, y, takes)
    meta, arrays = sure.state()
    again = Confidence.from_state(json.loads(json.dumps(meta)), arrays)
    np.testing.assert_array_equal(again(head.predict_proba(asked), asked), sure(head.predict_proba(asked), asked))
    assert all(array.dtype == np.float16 for array in arrays.values())


def test_one_temperature_is_that_of_elsewhere() -> None:
    """`elsewhere` gives at any distance what is said far away."""
    (X, y, takes), asked, _ = split(7)
    head, sure = fitted("ridge", X, y, takes)
    np.testing.assert_array_equal(sure.elsewhere()(head.predict_proba(asked), asked), head.predict_proba(asked))


def test_views_of_a_recording_are_no_moments() -> None:
    """Where the rows of a take do not follow each other in time, no half of one speaks for the other."""
    X, y, takes = scenes(3, takes=3, apart=0.5)
    head = RidgeHead().fit(X, y, takes)
    sure = Confidence().fit(RidgeHead, head, TaughtRows.check(X, y, takes), in_time=False)
    assert sure.near_ == sure.far_ == 1.0
    np.testing.assert_array_equal(sure(head.predict_proba(X), X), head.predict_proba(X))


def test_sessions_say_how_it_is_elsewhere() -> None:
    """Where sessions are known, the far temperature is that of sessions left out, and another take counts as near."""
    one, two = scenes(1, takes=3, apart=0.3), scenes(2, takes=3, apart=0.3)
    X, y = np.concatenate([one[0], two[0]]), np.concatenate([one[1], two[1]])
    takes = np.concatenate([one[2], two[2] + 100])
    head = RidgeHead().fit(X, y, takes)
    sessions = (takes >= 100).astype(np.int64)
    sure = Confidence().fit(RidgeHead, head, TaughtRows.check(X, y, takes), sessions)
    assert sure.near_ < sure.far_


def test_a_case_that_cannot_be_sure_is_said() -> None:
    """A class with one take, takes that nothing can be learned from, and equal examples each have their sentence."""
    X, y, takes = scenes(4, apart=0.0)
    _, sure = fitted("ridge", X, y, takes)
    assert any("no better than chance" in line for line in cautions(TaughtRows.check(X, y, takes), sure))
    single = np.where(y == "a", 0, takes)
    said = cautions(TaughtRows.check(X, y, single), Confidence())
    assert [line for line in said if line.startswith("a: one take only") and "'none of these' is off for it" in line]
    assert not any("none of these" in line for line in cautions(TaughtRows.check(X, y, single), sure, rejects=False))
    same = np.ones_like(X)
    head, sure = fitted("ridge", same, y, takes)
    assert "are the same" in cautions(TaughtRows.check(same, y, takes), sure)[0]
    assert np.isfinite(head.predict_proba(same)).all()


def test_enough_takes_need_no_word() -> None:
    """Where takes tell the classes apart there is nothing to be said."""
    X, y, takes = scenes(3, takes=4, apart=3.0)
    _, sure = fitted("ridge", X, y, takes)
    assert cautions(TaughtRows.check(X, y, takes), sure) == ()


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 5))
def test_halves_of_takes_are_halves(seed: int, count: int, most: int) -> None:
    """Each take is cut into two parts in time of equal length, one of them longer by one at most; none is mixed."""
    random = np.random.default_rng(seed)
    takes, y = np.sort(random.integers(0, most, count)), np.full(count, "a")
    folds = half_takes(y, takes)
    for take in np.unique(takes):
        own = folds.index[takes == take]
        parts = np.unique(own)
        assert len(parts) == min(2, len(own))
        assert (np.diff(own) != 0).sum() == len(parts) - 1
        assert abs((own == parts[0]).sum() - (own == parts[-1]).sum()) <= 1 or len(parts) == 1
        assert not np.isin(parts, folds.index[takes != take]).any()


@pytest.mark.parametrize("name", HEADS)
def test_with_one_example_a_class_nothing_is_claimed(name: str) -> None:
    """Where nothing can be left out, answers are less sure than they are right, and what was taught is not certain."""
    said, right = [], []
    for seed in range(8):
        X, y, takes = scenes(seed)
        one = np.arange(len(y)) % FRAMES == 0
        some = one & (takes < CLASSES)
        head, sure = fitted(name, X[some], y[some], takes[some])
        other = one & (takes >= CLASSES)
        proba = sure(head.predict_proba(X[other]), X[other])
        said += proba.max(axis=1).tolist()
        right += (head.classes_[proba.argmax(axis=1)] == y[other]).tolist()
        assert sure(head.predict_proba(X[some]), X[some]).max(axis=1).mean() < 0.93
    assert 1 / CLASSES < np.mean(said) <= np.mean(right) + 0.05
    assert cautions(TaughtRows.check(X[some], y[some], takes[some]), sure)


def test_one_vote_of_one_neighbour_is_little() -> None:
    """A single vote counts as one of two: with four classes it says 2 of 5."""
    head, sure = fitted("knn", np.eye(4, dtype=np.float32), np.array(list("abcd")), np.arange(4))
    proba = sure(head.predict_proba(np.eye(4)), np.eye(4))
    np.testing.assert_allclose(proba, 0.2 + 0.2 * np.eye(4), atol=1e-9)
    again = Confidence.from_state(*sure.state())
    np.testing.assert_array_equal(again(head.predict_proba(np.eye(4)), np.eye(4)), proba)


def test_many_rows_are_measured_some_at_a_time_and_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """In strips it is the same; measured on a part of the rows it claims nearly the same, near by and elsewhere."""
    X, y, takes = scenes(5, takes=24)
    elsewhere = scenes(6)[0]
    head, whole = fitted("ridge", X, y, takes)
    monkeypatch.setattr("edge_tl.judge.confidence.STRIP", 37)
    np.testing.assert_array_equal(
        fitted("ridge", X, y, takes)[1](head.predict_proba(X), X), whole(head.predict_proba(X), X)
    )
    monkeypatch.setattr("edge_tl.judge.confidence.MAX_PAIRS", 1000)
    monkeypatch.setattr("edge_tl.heads.base.TaughtRows.part", lambda of: np.arange(0, len(of.y), 3))
    part = fitted("ridge", X, y, takes)[1]
    for asked in (X, elsewhere):
        sure = [one(head.predict_proba(asked), asked).max(axis=1).mean() for one in (whole, part)]
        assert abs(sure[0] - sure[1]) < 0.05
