"""The contract of all heads, one check a promise."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest

from edge_tl.errors import ConfigError, NotFittedError, ShapeError
from edge_tl.heads import HEADS, Head, head_from_state, make_head

pytestmark = pytest.mark.exact

CARRIES_ON = {"knn", "prototype"}
"""Heads that hold what `partial_fit` needs in their state, and that work from one class."""

every_head = pytest.mark.parametrize("name", HEADS)


def rows(n: int = 10, columns: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """n examples each of three classes as float32 rows like those of a feature map, labels, and takes of five."""
    rng = np.random.default_rng(seed)
    y = np.repeat(["left", "right", "stop ✋"], n)
    centres = rng.uniform(0, 1, (3, columns))
    X = np.abs(centres[np.repeat(np.arange(3), n)] + 0.25 * rng.normal(size=(3 * n, columns)))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    order = rng.permutation(3 * n)
    return X.astype(np.float32)[order], y[order], (np.arange(3 * n) // 5)[order]


@every_head
def test_it_is_a_head(name: str) -> None:
    """Each name makes a head that has every member of the protocol and bears the name."""
    head = make_head(name)
    assert {member for member in vars(Head) if not member.startswith("_")} <= set(dir(type(head)))
    assert head.name == name


@every_head
def test_it_learns_clusters(name: str) -> None:
    """New rows of the clusters it was taught are told apart, in the shapes and dtypes of the contract."""
    X, y, takes = rows()
    head = make_head(name).fit(X, y, takes)
    new, truth, _ = rows(seed=0, n=40)
    assert head.score(new, truth) > 0.95
    assert head.classes_.tolist() == ["left", "right", "stop ✋"]
    proba = head.predict_proba(new)
    assert proba.shape == (120, 3)
    assert (proba >= 0).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(head.predict(new), head.classes_[proba.argmax(axis=1)])
    assert head.score(new, truth) == np.mean(head.predict(new) == truth)


@every_head
def test_labels_may_come_as_a_list_and_rows_as_integers(name: str) -> None:
    """Plain lists and integer pixels are taken as they are meant."""
    X, y, takes = rows()
    whole = (X * 1000).astype(np.int32)
    a = make_head(name).fit(whole, y.tolist(), takes.tolist())
    b = make_head(name).fit(whole.astype(np.float32), y, takes)
    np.testing.assert_allclose(a.predict_proba(whole), b.predict_proba(whole), atol=1e-6)


@every_head
def test_the_same_examples_give_the_same_head(name: str) -> None:
    """Training is deterministic: twice the same rows, twice the same probabilities, bit for bit."""
    X, y, takes = rows()
    a, b = make_head(name).fit(X, y, takes), make_head(name).fit(X, y, takes)
    np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(X))


@every_head
def test_fit_forgets_what_was_before(name: str) -> None:
    """A head fitted again is as a new one."""
    X, y, takes = rows()
    other, labels, _ = rows(seed=9)
    again = make_head(name).fit(other, np.char.add("old ", labels)).fit(X, y, takes)
    np.testing.assert_array_equal(again.predict_proba(X), make_head(name).fit(X, y, takes).predict_proba(X))


@every_head
@pytest.mark.parametrize("with_takes", [False, True], ids=["no takes", "takes"])
def test_more_examples_and_new_classes_one_after_another(name: str, with_takes: bool) -> None:
    """`partial_fit` in parts, the third class in the last one, is `fit` on all rows so far."""
    X, y, takes = rows()
    order = np.argsort(y, kind="stable")
    X, y, takes = X[order], y[order], takes[order]
    head = make_head(name)
    for part in (slice(0, 14), slice(14, 15), slice(15, 30)):
        head.partial_fit(X[part], y[part], takes[part] if with_takes else None)
        whole = make_head(name).fit(X[: part.stop], y[: part.stop], takes[: part.stop] if with_takes else None)
        np.testing.assert_array_equal(head.classes_, whole.classes_)
        np.testing.assert_allclose(head.predict_proba(X), whole.predict_proba(X), atol=2e-4)


@every_head
def test_the_gram_matrix_changes_nothing(name: str) -> None:
    """`fit` with the Gram matrix at hand and without it give the same head, and both can go on."""
    X, y, takes = rows()
    plain, given = make_head(name).fit(X, y, takes), make_head(name).fit(X, y, takes, gram=X @ X.T)
    np.testing.assert_allclose(given.predict_proba(X), plain.predict_proba(X), atol=1e-4)
    for head in (plain, given):
        head.partial_fit(X[:3] * 0.5, ["new"] * 3, takes[:3] + 100)
    np.testing.assert_allclose(given.predict_proba(X), plain.predict_proba(X), atol=1e-4)


@every_head
def test_a_class_can_be_removed(name: str) -> None:
    """Removing a class is as if it had never been taught; an unknown one is named and changes nothing."""
    X, y, takes = rows()
    head = make_head(name).fit(X, y, takes)
    with pytest.raises(ShapeError, match="no class 'up'"):
        head.remove_class("up")
    head.remove_class("right")
    keep = y != "right"
    never = make_head(name).fit(X[keep], y[keep], takes[keep])
    assert head.classes_.tolist() == ["left", "stop ✋"]
    np.testing.assert_allclose(head.predict_proba(X), never.predict_proba(X), atol=1e-5)


@every_head
def test_a_removed_class_can_be_taught_anew(name: str) -> None:
    """A class that was removed comes back with new examples only."""
    X, y, takes = rows()
    head = make_head(name).fit(X, y, takes)
    head.remove_class("right").partial_fit(X[y == "right"], y[y == "right"], takes[y == "right"])
    assert head.classes_.tolist() == ["left", "right", "stop ✋"]
    assert head.score(X, y) == 1.0


@every_head
def test_one_class_only(name: str) -> None:
    """kNN and prototype answer with the one class they know; the others ask for a second one and stay as they were."""
    X, y, _ = rows()
    head = make_head(name)
    one = y == "left"
    if name in CARRIES_ON:
        head.fit(X[one], y[one])
        assert set(head.predict(X)) == {"left"}
        np.testing.assert_array_equal(head.predict_proba(X), 1)
        return
    with pytest.raises(ShapeError, match=r"only one class, 'left'.*two or more"):
        head.fit(X[one], y[one])
    with pytest.raises(NotFittedError):
        head.predict(X)
    two = y != "stop ✋"
    head.fit(X[two], y[two])
    before = head.predict_proba(X)
    with pytest.raises(ShapeError, match="only one class"):
        head.remove_class("right")
    np.testing.assert_array_equal(head.predict_proba(X), before)


@every_head
def test_asked_before_it_was_taught(name: str) -> None:
    """Every question to a new head is NotFittedError, one line that says what to do."""
    X, y, _ = rows()
    head = make_head(name)
    questions: list[Any] = [
        lambda: head.predict(X),
        lambda: head.predict_proba(X),
        lambda: head.score(X, y),
        lambda: head.classes_,
        lambda: head.state(),
        lambda: head.remove_class("left"),
    ]
    for question in questions:
        with pytest.raises(NotFittedError, match=f"this {name} head was taught nothing yet; call fit first") as caught:
            question()
        assert "\n" not in str(caught.value)


def bad_examples() -> dict[str, tuple[Any, ...]]:
    """What cannot be learned from, and a part of the line that says so."""
    X, y, takes = rows()
    nan, infinite = X.copy(), X.copy()
    nan[3, 1], infinite[7, 2] = np.nan, np.inf
    return {
        "NaN": (nan, y, None, "NaN or infinity in 1 row, first in row 3"),
        "infinity": (infinite, y, None, "NaN or infinity in 1 row, first in row 7"),
        "no rows": (X[:0], y[:0], None, "X is empty"),
        "no columns": (X[:, :0], y, None, "at least one value a row"),
        "one row, flat": (X[0], y[:1], None, "wanted (examples, values)"),
        "three axes": (X.reshape(30, 6, 10), y, None, "wanted (examples, values)"),
        "text": (y.reshape(-1, 1), y, None, "wanted numbers"),
        "a label missing": (X, y[1:], None, "one label for each of the 30 rows"),
        "two labels a row": (X, np.stack([y, y], axis=1), None, "one label for each of the 30 rows"),
        "a take missing": (X, y, takes[1:], "one whole number for each of the 30 rows"),
        "takes of text": (X, y, y, "one whole number for each of the 30 rows"),
    }


@every_head
@pytest.mark.parametrize("case", bad_examples())
def test_bad_examples_are_refused_in_one_line(name: str, case: str) -> None:
    """Each kind of bad input is ShapeError in one line, and a taught head is as it was before."""
    X, y, takes, message = bad_examples()[case]
    good, labels, _ = rows()
    head = make_head(name).fit(good, labels)
    before = head.predict_proba(good)
    for learn in (head.fit, head.partial_fit):
        with pytest.raises(ShapeError) as caught:
            learn(X, y, takes)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
    np.testing.assert_array_equal(head.predict_proba(good), before)


@every_head
def test_questions_of_another_shape_are_refused(name: str) -> None:
    """Rows of another length, flat rows and NaN are refused by `predict`, `predict_proba` and `partial_fit`."""
    X, y, _ = rows()
    head = make_head(name).fit(X, y)
    for ask in (head.predict, head.predict_proba):
        with pytest.raises(ShapeError, match="rows have 59 values; this head was taught rows of 60"):
            ask(X[:, 1:])
        with pytest.raises(ShapeError, match="reshape"):
            ask(X[0])
        with pytest.raises(ShapeError, match="NaN"):
            ask(np.full((1, 60), np.nan, np.float32))
    with pytest.raises(ShapeError, match="rows have 59 values"):
        head.partial_fit(X[:, 1:], y)
    assert head.predict(X[:0]).shape == (0,)
    assert head.predict_proba(X[:0]).shape == (0, 3)


@every_head
def test_a_gram_matrix_of_another_set_is_refused(name: str) -> None:
    """A Gram matrix of the wrong size is one clear line."""
    X, y, _ = rows()
    with pytest.raises(ShapeError, match=r"wanted finite X @ X\.T"):
        make_head(name).fit(X, y, gram=np.eye(29))


@every_head
def test_takes_are_given_always_or_never(name: str) -> None:
    """Examples with takes after examples without are refused, because nobody could split them."""
    X, y, takes = rows()
    head = make_head(name).fit(X, y)
    with pytest.raises(ShapeError, match="always or never"):
        head.partial_fit(X, y, takes)


@every_head
def test_a_restored_head_predicts_bit_for_bit(name: str) -> None:
    """State through JSON and npz without pickle gives back every probability exactly, and every label."""
    X, y, takes = rows()
    head = make_head(name).fit(X, y, takes)
    meta, arrays = head.state()
    file = io.BytesIO()
    np.savez(file, **arrays)
    file.seek(0)
    with np.load(file, allow_pickle=False) as saved:
        back = head_from_state(json.loads(json.dumps(meta)), dict(saved))
    assert type(back) is type(head)
    np.testing.assert_array_equal(back.classes_, head.classes_)
    np.testing.assert_array_equal(back.predict_proba(X), head.predict_proba(X))
    np.testing.assert_array_equal(back.predict_proba(X[:1]), head.predict_proba(X[:1]))
    np.testing.assert_array_equal(back.predict(X), head.predict(X))
    assert back.state()[0] == meta


@every_head
def test_a_restored_head_says_what_it_needs_to_go_on(name: str) -> None:
    """Restored kNN and prototype heads learn on; the others ask for all examples, and `fit` then works."""
    X, y, _ = rows()
    head = make_head(name).fit(X, y)
    back = head_from_state(*head.state())
    if name in CARRIES_ON:
        back.partial_fit(X[:3], ["new"] * 3)
        head.partial_fit(X[:3], ["new"] * 3)
        np.testing.assert_array_equal(back.predict_proba(X), head.predict_proba(X))
        assert back.remove_class("new").classes_.tolist() == ["left", "right", "stop ✋"]
        return
    with pytest.raises(NotFittedError, match="restored without its examples; call fit with all of them"):
        back.partial_fit(X, y)
    with pytest.raises(NotFittedError, match="restored without its examples"):
        back.remove_class("left")
    np.testing.assert_array_equal(back.predict_proba(X), head.predict_proba(X))
    assert back.fit(X, y).partial_fit(X[:2], y[:2]).score(X, y) > 0.9


@every_head
def test_the_state_is_a_copy_of_no_later_change(name: str) -> None:
    """What `state` gave stays what it was when the head learns on."""
    X, y, _ = rows()
    head = make_head(name).fit(X, y)
    meta, arrays = head.state()
    before = head.predict_proba(X)
    head.partial_fit(-X, ["other"] * len(X)).remove_class("left")
    np.testing.assert_array_equal(head_from_state(meta, arrays).predict_proba(X), before)


def test_unknown_heads_and_parameters_are_named() -> None:
    """A head that does not exist, or a parameter it does not know, is ConfigError with the choice."""
    with pytest.raises(ConfigError, match=r"no head 'svm'; choose one of ridge"):
        make_head("svm")
    with pytest.raises(ConfigError, match="depth"):
        make_head("ridge", depth=3)
    with pytest.raises(ConfigError, match="no head 'svm'"):
        head_from_state({"name": "svm"}, {})
