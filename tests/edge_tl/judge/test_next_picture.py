"""The picture whose name helps most is suggested, and the class of which most is missed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge_tl.core.features import unit_rows
from edge_tl.errors import ShapeError
from edge_tl.heads.base import TaughtRows
from edge_tl.heads.ridge import RidgeHead
from edge_tl.judge.evidence import RecordedEvidence
from edge_tl.judge.next_picture import covariance, expected_gains, weakest_class, worth_naming
from edge_tl.nn.losses import softmax


def rows(count: int, seed: int, classes: int = 3, drift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Noisy examples of classes; drift: how far another place moves them all."""
    random = np.random.default_rng(seed)
    y = np.arange(count) % classes
    X = np.eye(12)[y] + 0.25 * random.normal(size=(count, 12)) + drift * np.eye(12)[5]
    return unit_rows(X.astype(np.float32)), np.array([f"class {one}" for one in y])


def test_what_is_moved_by_a_name_is_what_training_moves() -> None:
    """With λ as it is, the head that learned the name says of all others what was reckoned without learning it."""
    X, y = rows(30, 0)
    seen, names = rows(8, 1, drift=0.4)
    head = RidgeHead([0.1], balance=False).fit(X, y)
    taught = TaughtRows.check(X, y)
    open_ = covariance(taught, seen.astype(np.float64), head.lambda_)
    scores = head.scores(seen).astype(np.float64)
    code = int(np.searchsorted(head.classes_, names[0]))
    moved = scores + np.outer(open_[:, 0] / (open_[0, 0] + head.lambda_), np.eye(3)[code] - scores[0])
    again = RidgeHead([1.0], balance=False)
    more, labels = np.concatenate([X, seen[:1]]), np.append(y, names[0])
    again.lambdas = np.array([head.lambda_ / RidgeHead([1.0], balance=False).fit(more, labels).lambda_])
    np.testing.assert_allclose(moved, again.fit(more, labels).scores(seen), atol=2e-3)


def test_the_gain_is_how_much_surer_the_head_is_expected_to_be() -> None:
    """Of one picture it is what its own name brings: the sum over the classes, each as likely as it is."""
    scores, lambda_, temperature = np.array([[0.6, 0.3]]), 0.5, 0.2
    chances = softmax(scores / temperature)[0]
    wanted = -chances.max()
    for c in range(2):
        then = scores + 2.0 / 2.5 * (np.eye(2)[c] - scores)
        wanted += chances[c] * softmax(then / temperature).max()
    assert expected_gains(scores, np.array([[2.0]]), lambda_, temperature) == pytest.approx([wanted])


def test_ten_suggested_pictures_teach_more_than_ten_at_random() -> None:
    """Of another place, by the mean of some draws."""
    errors: dict[str, list[float]] = {"suggested": [], "random": []}
    for seed in range(6):
        X, y = rows(24, seed)
        may, names = rows(60, 100 + seed, drift=1.2)
        asked, truth = rows(120, 200 + seed, drift=1.2)
        for how in errors:
            taught, labels, left = X, y, list(range(60))
            random = np.random.default_rng(seed).permutation(60)
            for turn in range(6):
                best = worth_naming(TaughtRows.check(taught, labels), may[left])[0].index if how == "suggested" else 0
                at = left.pop(best) if how == "suggested" else int(random[turn])
                taught, labels = np.concatenate([taught, may[[at]]]), np.append(labels, names[at])
            errors[how].append(float((RidgeHead().fit(taught, labels).predict(asked) != truth).mean()))
    assert np.mean(errors["suggested"]) <= np.mean(errors["random"])


def test_suggestions_are_in_order_and_bounded() -> None:
    """The best first, at most as many as asked for, of many that were seen a part; none where nothing can be said."""
    X, y = rows(30, 0)
    seen, _ = rows(500, 1, drift=0.5)
    found = worth_naming(TaughtRows.check(X, y), seen, 5)
    assert len(found) == 5
    assert [one.gain for one in found] == sorted((one.gain for one in found), reverse=True)
    assert all(0 <= one.index < 500 and one.likely in set(y) for one in found)
    assert worth_naming(TaughtRows.check(X, y), seen[:0]) == []
    assert worth_naming(TaughtRows.check(X[y == "class 0"], y[y == "class 0"]), seen) == []
    with pytest.raises(ShapeError, match=r"rows of \(5,\) were seen"):
        worth_naming(TaughtRows.check(X, y), seen[:, :5])


def test_the_class_of_which_most_is_missed_is_to_be_shown() -> None:
    """By takes left out, and by sessions where there are two; nothing where nothing is missed."""
    X, y = rows(60, 3)
    takes = np.arange(60) // 3 % 5 * 3 + np.arange(60) % 3
    wrong = X.copy()
    wrong[y == "class 1"] = rows(60, 4)[0][y == "class 2"]  # a class that looks like another
    told = weakest_class(RecordedEvidence(wrong, y, takes))
    assert told.startswith("show class ")
    assert "in takes that taught nothing" in told
    assert weakest_class(RecordedEvidence(np.eye(12, dtype=np.float32)[np.arange(60) % 3], y, takes)) == ""
    sessions = np.arange(60) // 30
    assert "in a session that taught nothing" in weakest_class(
        RecordedEvidence(wrong, y, takes + 15 * sessions, sessions)
    )
    one_class = RecordedEvidence(X[y == "class 0"], y[y == "class 0"], takes[y == "class 0"])
    assert weakest_class(one_class) == ""
    assert weakest_class(replace(one_class, minimum=1)) == ""
