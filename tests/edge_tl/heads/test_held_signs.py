"""Signs and movements in one head: each row says which of both it is, and both are learned, kept and refused."""

from __future__ import annotations

import numpy as np
import pytest
from shown_signs import SIGNS, both_taught, shown_rows

from edge_tl.embedders.look.made_hands import other_hands
from edge_tl.errors import ShapeError
from edge_tl.heads import head_from_state
from edge_tl.heads.movement import MovementHead
from edge_tl.labels import ORDINARY
from edge_tl.movements.demonstration import VIEWS
from edge_tl.movements.held import SIGN_VALUES, sign_rows


def test_a_hand_that_is_held_is_a_sign_and_a_window_a_movement() -> None:
    """Of hands that nobody taught each sign is named rightly, each movement too, and none is taken for the other."""
    head = both_taught().head
    assert isinstance(head, MovementHead)
    assert head.classes_.tolist() == sorted([*SIGNS, "circle", "left", ORDINARY])
    assert head.reported == ["circle", "left"]
    assert head.moving == ("circle", "left", ORDINARY)
    for seed in (60, 61):
        for label in (*SIGNS, "circle", "left"):
            rows = shown_rows(label, seed)
            proba = head.predict_proba(rows)
            np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-5)
            assert head.predict(rows)[VIEWS // 2] == label  # all of it; a sign at all times
            assert label not in SIGNS or (head.predict(rows) == label).all()
            others = SIGNS if label not in SIGNS else head.moving
            assert not proba[:, np.isin(head.classes_, others)].any()


def test_signs_beside_movements_change_nothing_of_them() -> None:
    """The movements' scores are to the bit those of a head that was taught them alone."""
    recognizer = both_taught()
    X, y, takes = recognizer.rows
    moving = ~np.isin(y, SIGNS)
    alone = MovementHead().fit(X[moving], y[moving], takes[moving])
    asked = shown_rows("left", 60)
    head = recognizer.head
    assert isinstance(head, MovementHead)
    assert (alone.scores(asked) == head.scores(asked)).all()
    assert (alone.threshold_, alone.lengths_s) == (head.threshold_, head.lengths_s)


def test_what_is_like_no_sign_is_none_of_these() -> None:
    """Hands with some fingers put otherwise are refused mostly, those that were taught are known mostly."""
    head = both_taught().head
    assert isinstance(head, MovementHead)
    assert head.signs is not None
    known = np.concatenate([shown_rows(label, seed) for label in SIGNS for seed in range(70, 75)])
    assert head.signs.known(known).mean() > 0.8
    made = sign_rows(np.pad(other_hands(known[:, :SIGN_VALUES], np.zeros(len(known))), ((0, 0), (0, 1))))
    assert head.signs.known(made).mean() < 0.3


def test_it_is_restored_with_both() -> None:
    """What was saved answers bit for bit, of signs and of movements."""
    head = both_taught().head
    assert isinstance(head, MovementHead)
    again = head_from_state(*head.state())
    assert isinstance(again, MovementHead)
    assert again.signs is not None
    assert head.signs is not None
    for label in ("fist", "left"):
        rows = shown_rows(label, 62)
        assert (again.predict_proba(rows) == head.predict_proba(rows)).all()
        assert (again.signs.known(rows) == head.signs.known(rows)).all()


def test_of_one_sign_alone_nothing_is_told() -> None:
    """It is named, for nothing else may be, and known to be no answer; signs without movements are signs."""
    recognizer = both_taught()
    X, y, takes = recognizer.rows
    one = MovementHead().fit(*(part[~np.isin(y, SIGNS[1:])] for part in (X, y, takes)))
    asked = shown_rows(SIGNS[0], 60)
    assert (one.predict(asked) == SIGNS[0]).all()
    assert one.signs is not None
    assert one.signs.reported == ()
    assert not one.signs.known(asked).any()
    only = MovementHead().fit(*(part[np.isin(y, SIGNS)] for part in (X, y, takes)))
    assert only.reported == []
    assert (only.predict(asked) == SIGNS[0]).all()
    again = head_from_state(*only.state())
    assert (again.predict_proba(asked) == only.predict_proba(asked)).all()
    with pytest.raises(ShapeError, match="only one class"):
        MovementHead().fit(*(part[y == SIGNS[0]] for part in (X, y, takes)))
    beside = MovementHead().fit(*(part[np.isin(y, (*SIGNS, "left"))] for part in (X, y, takes)))
    assert (beside.predict(asked) == SIGNS[0]).all()
    assert (beside.predict(shown_rows("left", 60)) == "left").all()
    assert np.isfinite(beside.predict_proba(shown_rows("left", 60))).all()
