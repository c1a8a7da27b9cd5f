"""Labels that are whole numbers or truth values: taught, compared and removed by their text, wherever labels meet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.core.absent import nobody_class, teaching_rows
from edge_tl.core.metrics import accuracy, confusion, suspects
from edge_tl.errors import ShapeError
from edge_tl.finetune.adaptation import indicators
from edge_tl.heads import HEADS, make_head
from edge_tl.heads.rejection import Rejector
from edge_tl.judge.evidence import RecordedEvidence
from edge_tl.judge.guide import advise
from edge_tl.judge.learning_curve import learning_curve
from edge_tl.judge.validation import evaluate, leave_one_session_out, leave_one_take_out, random_split
from edge_tl.labels import few_of, label_texts

every_head = pytest.mark.parametrize("name", HEADS)

whole = st.integers(-(2**40), 2**40)
words = st.text(st.characters(categories=["L", "N", "S"]), min_size=1, max_size=8)
names = st.one_of(
    st.lists(whole, min_size=3, max_size=3, unique=True),
    st.lists(words, min_size=3, max_size=3, unique=True),
    st.just([False, True]),
    st.just(["left", 7, True]),
)
KINDS: dict[str, Any] = {
    "list": list,
    "array": np.array,
    "object": lambda labels: np.array(labels, object),
    "text": lambda labels: np.array([str(label) for label in labels]),
    "scalars": lambda labels: [np.asarray(label)[()] for label in labels],
}


def corners(labels: list[Any]) -> tuple[np.ndarray, list[Any], list[int]]:
    """Four rows about one direction for each label, in two takes each."""
    rng = np.random.default_rng(0)
    X = np.repeat(np.eye(len(labels), 6), 4, axis=0) + rng.uniform(0, 0.2, (4 * len(labels), 6))
    return X.astype(np.float32), [label for label in labels for _ in range(4)], [i // 2 for i in range(len(X))]


@given(labels=names, kinds=st.tuples(*[st.sampled_from(sorted(KINDS))] * 3), head=st.sampled_from(sorted(HEADS)))
@settings(max_examples=150, deadline=None)
def test_every_kind_of_label_is_known_by_its_text(labels: list[Any], kinds: tuple[str, str, str], head: str) -> None:
    """Taught as one kind, asked, taught more and removed as another: the same as with text throughout."""
    if any(kind == "array" for kind in kinds) and len({type(label) for label in labels}) > 1:
        labels = [str(label) for label in labels]  # such an array holds text anyway
    X, y, _ = corners(labels)
    teach, ask, more = (KINDS[kind] for kind in kinds)
    texts = [str(label) for label in y]
    mine = make_head(head).fit(X, teach(y))
    plain = make_head(head).fit(X, texts)
    assert mine.score(X, ask(y)) == plain.score(X, texts) == 1.0
    assert mine.classes_.tolist() == plain.classes_.tolist() == sorted({*texts})
    assert mine.predict(X).tolist() == texts
    np.testing.assert_array_equal(
        mine.partial_fit(X[:2], more(y[:2])).predict_proba(X), plain.partial_fit(X[:2], texts[:2]).predict_proba(X)
    )
    if len(labels) > 2:
        assert mine.remove_class(ask(y[:1])[0]).classes_.tolist() == sorted({*texts} - {texts[0]})


@every_head
def test_numbers_and_truth_values_score(name: str) -> None:
    """Taught numbers or truth values, a head scores by them, removes them, and names one that it does not know."""
    X, y, _ = corners([0, 1, 10])
    head = make_head(name).fit(X, y)
    assert head.score(X, y) == head.score(X, np.array(y)) == head.score(X, ["0"] * 4 + ["1"] * 4 + ["10"] * 4) == 1.0
    with pytest.raises(ShapeError, match="no class '7' was taught; there are 0, 1, 10"):
        head.remove_class(7)
    assert head.remove_class(np.int64(10)).classes_.tolist() == ["0", "1"]
    truth = make_head(name).fit(X[:8], [False] * 4 + [True] * 4)
    assert truth.score(X[:8], np.repeat([False, True], 4)) == 1.0
    assert truth.predict(X[:8]).tolist() == ["False"] * 4 + ["True"] * 4


def test_a_label_is_known_by_itself() -> None:
    """The text of a label does not depend on what stands beside it in a list, and text stays the array it is."""
    assert label_texts([1, 2.5]).tolist() == ["1", "2.5"]
    assert label_texts([0, True]).tolist() == ["0", "True"]
    assert label_texts(np.array([1, 2], np.uint8)).tolist() == ["1", "2"]
    assert label_texts([]).dtype.kind == label_texts(np.array(["a"], object)).dtype.kind == "U"
    text = np.array(["a", "b"])
    assert label_texts(text) is text


def test_judgements_compare_labels_of_every_kind() -> None:
    """Accuracy, confusion and suspects of numbers are those of their text; classes need not be sorted as text."""
    truth, said, classes = [2, 10, 10, 2], ["2", "10", "2", "2"], np.array([2, 10])
    assert accuracy(np.array(truth), np.array(said)) == 0.75
    assert confusion(truth, said, classes).tolist() == [[2, 0], [1, 1]]
    proba = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]])
    (found,) = suspects(np.array(truth), proba, classes)
    assert (found.index, found.label, found.likely) == (2, "10", "2")
    with pytest.raises(ShapeError, match="label '3' is not among the classes 2, 10"):
        suspects(np.array([3, 2, 2, 2]), proba, classes)
    np.testing.assert_array_equal(indicators([10, 2], ["2", "10"]), [[0, 1], [1, 0]])


@every_head
def test_validation_of_numbers(name: str) -> None:
    """Evaluation, learning curve and refusal of numbers say what they say of their text."""
    X, y, takes = corners([3, 20, 100])
    texts, takes, sessions = [str(label) for label in y], np.array(takes), np.arange(len(y)) % 2

    def make() -> Any:
        return make_head(name)

    assert evaluate(make, X, y, takes, sessions).as_dict() == evaluate(make, X, texts, takes, sessions).as_dict()
    assert learning_curve(make, X, y, takes, draws=2) == learning_curve(make, X, texts, takes, draws=2)
    assert leave_one_take_out(make, X, y, takes).accuracy == leave_one_take_out(make, X, texts, takes).accuracy
    assert leave_one_session_out(make, X, y, sessions).accuracy == 1.0
    assert random_split(make, X, y).accuracy == 1.0
    assert Rejector().fit(X, y, takes).threshold == Rejector().fit(X, texts, takes).threshold


def test_nobody_may_be_a_number() -> None:
    """The class that means "nothing there" is found by number as by name, and the guide advises the same."""
    X, y, takes = corners([0, 1, 2])
    X[:4], X[3] = 0, 1  # of 0 nothing was found, but once by mistake
    found, takes = X.any(axis=1), np.array(takes)
    texts = np.array([str(label) for label in y])
    assert nobody_class(np.array(y), found) == "0"
    np.testing.assert_array_equal(teaching_rows(np.array(y), takes, found), teaching_rows(texts, takes, found))
    assert not teaching_rows(np.array(y), takes, found)[3]
    numbers, named = (RecordedEvidence(X, labels, takes, finds=found) for labels in (np.array(y), texts))
    assert numbers.real.tolist() == named.real.tolist() == ["1", "2"]
    assert advise(numbers) == advise(named)


def test_of_many_names_a_few_are_said() -> None:
    """A line with a hundred and fifty names of classes is one that nobody reads; six are all said."""
    names = [f"c{number}" for number in range(150)]
    assert few_of(names[:6]) == "c0, c1, c2, c3, c4, c5"
    assert few_of(names) == "c0, c1, c2, c3, c4, c5 and 144 more"
    assert few_of(["a"]) == "a"
