"""The kNN and prototype heads against brute force and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.preprocessing import normalize

from edge_tl.errors import ConfigError, NotFittedError, ShapeError
from edge_tl.heads.knn import KNNHead
from edge_tl.heads.prototype import PrototypeHead

pytestmark = pytest.mark.exact


def cloud(n: int = 60, columns: int = 30, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random positive rows with labels that depend on them."""
    X = np.random.default_rng(seed).uniform(0, 1, (n, columns)).astype(np.float32)
    return X, np.array(["a", "b", "c"])[np.argmax(X[:, :3], axis=1)]


@pytest.mark.parametrize("k", [1, 3, 7])
def test_votes_are_those_of_scikit_learn(k: int) -> None:
    """Labels and confidences are those of a cosine nearest-neighbour classifier with uniform weights."""
    X, y = cloud()
    new, _ = cloud(seed=1)
    head = KNNHead(k).fit(X, y)
    reference = KNeighborsClassifier(k, metric="cosine", algorithm="brute").fit(X, y)
    np.testing.assert_allclose(head.predict_proba(new), reference.predict_proba(new))
    np.testing.assert_array_equal(head.predict(new), reference.predict(new))


rows_with_ties = hnp.arrays(np.float32, st.tuples(st.integers(1, 25), st.just(3)), elements=st.integers(-2, 2)).filter(
    lambda rows: rows.any(axis=1).all()
)


@given(rows_with_ties, st.integers(1, 6), st.integers(0, 99))
@settings(max_examples=150)
def test_neighbours_are_those_of_the_definition(X: np.ndarray, k: int, seed: int) -> None:
    """With many exact ties, the earlier of equals comes first, k' rows vote, and shares are votes over that."""
    rng = np.random.default_rng(seed)
    y = rng.choice(["x", "y", "z"], len(X))
    smallest = min(y.tolist().count(label) for label in set(y.tolist()))
    voters = k if k <= smallest else smallest - (k % 2 == 1 and smallest % 2 == 0)
    question = rng.integers(1, 3, (4, 3)).astype(np.float32)
    head = KNNHead(k).fit(X, y)
    directions = head.rows_.astype(np.float64), KNNHead().fit(question, list("abcd")).rows_.astype(np.float64)
    np.testing.assert_allclose(directions[0], normalize(X.astype(np.float64)), atol=1e-6)
    similar = np.round(directions[1] @ directions[0].T, 12)
    for i in range(4):
        order = sorted(range(len(X)), key=lambda j, i=i: (-similar[i, j], j))[:voters]
        assert head.neighbours(question)[i].tolist() == order
        votes = [y[j] for j in order]
        shares = [votes.count(label) / len(order) for label in head.classes_]
        np.testing.assert_allclose(head.predict_proba(question)[i], shares)


def test_one_question_is_answered_as_in_a_batch() -> None:
    """Twice the same example, far apart in a long list, ties to the earlier one, alone or in a batch."""
    X, y = cloud(n=500, columns=1001)
    X[437] = X[12]
    head = KNNHead(2).fit(X, y)
    assert head.neighbours(X[12:13]).tolist() == [[12, 437]]
    assert head.neighbours(X)[437].tolist() == [12, 437]


def test_no_more_vote_than_the_smallest_class_has() -> None:
    """Of one example a class, and of two (an odd k stays odd), one votes; what is added or removed counts."""
    X = np.array([[1, 0], [0, 1], [0.9, 0.1], [0.1, 0.9], [0.8, 0.2]])
    head = KNNHead(3).fit(X[:2], ["b", "a"])
    np.testing.assert_allclose(head.predict_proba(np.array([[1.0, 0.1]])), [[0, 1]])
    assert head.neighbours(X[:1]).tolist() == [[0]]
    head.partial_fit(X[2:4], ["b", "a"])
    assert head.neighbours(X[:1]).tolist() == [[0]]
    assert KNNHead(4).fit(X[:4], list("baba")).neighbours(X[:1]).tolist() == [[0, 2]]
    head.partial_fit(np.concatenate([X[4:], X[3:4]]), ["b", "a"])
    assert head.neighbours(X[:1]).tolist() == [[0, 2, 4]]
    assert head.remove(np.array([1, 3])).neighbours(X[:1]).tolist() == [[0]]
    assert head.remove_class("a").neighbours(X[:1]).tolist() == [[0, 1, 2]]


def test_a_head_saved_before_answers_as_before() -> None:
    """A state that does not say that the smallest class bounds k is one of min(k, N) votes; a new one is bounded."""
    meta, arrays = KNNHead(3).fit(np.eye(2), ["a", "b"]).state()
    asked = np.array([[0.1, 1.0]])
    np.testing.assert_allclose(KNNHead.from_state(meta, arrays).predict_proba(asked), [[0, 1]])
    old = KNNHead.from_state({name: value for name, value in meta.items() if name != "bounded"}, arrays)
    np.testing.assert_allclose(old.predict_proba(asked), [[0.5, 0.5]])
    assert old.predict(asked).tolist() == ["a"]  # a tie: the first in sorted order
    np.testing.assert_allclose(KNNHead.from_state(*old.state()).predict_proba(asked), [[0.5, 0.5]])


def test_length_does_not_matter() -> None:
    """Rows are compared by direction, from the tiniest to the largest float32."""
    X, y = cloud()
    head = KNNHead().fit(X, y)
    for scale in (1e-30, 1e30):
        np.testing.assert_allclose(KNNHead().fit(X * np.float32(scale), y).rows_, head.rows_, atol=1e-6)
        np.testing.assert_allclose(head.predict_proba(X * np.float32(scale)), head.predict_proba(X))


def test_a_row_of_zeros_is_an_error() -> None:
    """A zero vector is refused by its row when taught and when asked, and changes nothing."""
    X, y = cloud()
    head = KNNHead().fit(X, y)
    zero = np.vstack([X[:2], np.zeros((1, 30), np.float32)])
    for ask in (
        lambda: head.predict(zero),
        lambda: head.partial_fit(zero, ["a"] * 3),
        lambda: head.fit(zero, ["a"] * 3),
    ):
        with pytest.raises(ShapeError, match="row 2 is all zeros"):
            ask()
    assert len(head.rows_) == 60


def test_examples_come_and_go_at_once() -> None:
    """An added example answers the next question, a removed one no longer; the storage moves seldom."""
    X, y = cloud()
    head = KNNHead(1).fit(X, y)
    head.partial_fit(X[:1] * 2 + np.eye(30)[:1] * 9, ["new"])
    assert head.predict(X[:1] * 2 + np.eye(30)[:1] * 9).tolist() == ["new"]
    head.remove([60])
    assert "new" not in head.classes_
    np.testing.assert_array_equal(head.rows_, KNNHead().fit(X, y).rows_)
    head.remove([0, 5])
    np.testing.assert_array_equal(head.rows_, KNNHead().fit(np.delete(X, [0, 5], axis=0), y[2:]).rows_)
    with pytest.raises(ShapeError, match="no example 58; there are 58"):
        head.remove([58])
    moves, place = 0, 0
    for i in range(600):
        head.partial_fit(X[i % 60 : i % 60 + 1], [y[i % 60]])
        now = head.rows_.__array_interface__["data"][0]
        moves, place = moves + (now != place), now
    assert moves < 12


@pytest.mark.parametrize("make", [KNNHead, PrototypeHead])
def test_after_the_last_class_the_head_is_as_new(make: type) -> None:
    """Removing every class leaves a head that says that it was taught nothing, and that can be taught."""
    X, y = cloud()
    head = make().fit(X, y)
    for label in "abc":
        head.remove_class(label)
    with pytest.raises(NotFittedError):
        head.predict(X)
    assert head.partial_fit(X[:, :9], y).predict(X[:, :9]).shape == (60,)


def test_prototypes_are_class_means_of_directions() -> None:
    """The nearest prototype by cosine is the nearest centroid of unit rows, and its direction is their mean's."""
    X, y = cloud()
    new, _ = cloud(seed=1)
    head = PrototypeHead().fit(X, y)
    centres = NearestCentroid().fit(normalize(X), y).centroids_
    np.testing.assert_allclose(head.prototypes_, normalize(centres), atol=1e-6)
    wanted = cosine_similarity(new, centres)
    np.testing.assert_array_equal(head.predict(new), head.classes_[wanted.argmax(axis=1)])
    odds = np.log(head.predict_proba(new).astype(np.float64))
    np.testing.assert_allclose(odds[:, 0] - odds[:, 1], 80 * (wanted[:, 0] - wanted[:, 1]), atol=1e-3)


def test_one_example_a_class_is_enough() -> None:
    """One example of each of two classes makes a prototype head that names them, and a row of zeros divides evenly."""
    head = PrototypeHead().fit(np.eye(2), ["on", "off"])
    assert head.predict(np.eye(2)).tolist() == ["on", "off"]
    np.testing.assert_allclose(head.predict_proba(np.zeros((1, 2))), 0.5)


def test_settings_out_of_range() -> None:
    """k below 1 or broken, and a sharpness of zero or infinity, are each one clear line."""
    for k in (0, -1, 2.5):
        with pytest.raises(ConfigError, match="whole number of neighbours"):
            KNNHead(k)
    for sharpness in (0, -1, float("inf"), float("nan")):
        with pytest.raises(ConfigError, match="above 0"):
            PrototypeHead(sharpness)
