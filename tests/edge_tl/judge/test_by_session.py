"""Evaluation across sessions: what another place or day would give, exact, and honest about what nobody can know."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneGroupOut

from device.commands.account import accuracy_lines
from edge_tl.core.folds import whole_sessions
from edge_tl.errors import ShapeError
from edge_tl.heads import make_head
from edge_tl.heads.base import TaughtRows
from edge_tl.heads.rejection import Rejector
from edge_tl.heads.ridge import RidgeHead
from edge_tl.judge.validation import evaluate, leave_one_session_out
from edge_tl.nn.losses import softmax

pytestmark = pytest.mark.exact

LABELS = np.array(["left", "right", "up"])


def days(
    sessions: int = 4, takes: int = 3, frames: int = 5, columns: int = 60, seed: int = 0
) -> tuple[np.ndarray, ...]:
    """X, y, takes, sessions: each session adds a shift of its own to every class, each take a smaller one."""
    rng = np.random.default_rng(seed)
    shape = (sessions, 3, takes, frames)
    session, code, take, _ = (axis.ravel() for axis in np.indices(shape))
    number = (session * 3 + code) * takes + take
    X = rng.normal(size=(3, columns))[code] + 2.5 * rng.normal(size=(3 * sessions, columns))[session * 3 + code]
    X += 0.5 * rng.normal(size=(number.max() + 1, columns))[number] + 0.1 * rng.normal(size=(len(code), columns))
    return X, LABELS[code], number, session


@pytest.mark.parametrize(("columns", "exact_rows"), [(400, 1500), (60, 1500), (60, 30), (400, 30)])
def test_sessions_are_left_out_as_by_fitting_anew(columns: int, exact_rows: int) -> None:
    """Without fitting anew, each session's answers are those of scikit-learn's ridge fitted on the other sessions."""

    def make() -> RidgeHead:
        return RidgeHead(exact_rows=exact_rows)

    X, y, takes, sessions = days(columns=columns)
    whole = make().fit(X, y, takes)
    scores = np.empty((len(y), 3))
    for train, test in LeaveOneGroupOut().split(X, y, sessions):
        fitted = Ridge(alpha=whole.lambda_).fit(X[train], (y[train, None] == LABELS).astype(float))
        scores[test] = fitted.predict(X[test])
    came = leave_one_session_out(make, X, y, sessions, takes)
    np.testing.assert_allclose(came.proba, softmax(scores / whole.temperature_), atol=1e-6)
    assert came.method == "leave-one-session-out"
    assert came.judged.all()


def test_another_day_is_the_headline() -> None:
    """With two sessions or more the figure across them leads; it is below that across takes, and the random claim."""
    X, y, takes, sessions = days()
    found = evaluate(RidgeHead, X, y, takes, sessions, names={1: "kitchen"})
    across = found.by_session
    assert across is not None
    assert across.accuracy < found.accuracy <= found.random_split_accuracy
    assert (found.headline.kind, found.headline.accuracy) == ("session", across.accuracy)
    assert [(one.session, one.name, one.examples) for one in across.sessions][:2] == [(0, "", 45), (1, "kitchen", 45)]
    assert np.mean([one.accuracy for one in across.sessions]) == pytest.approx(across.accuracy)
    assert across.confusion.sum() == across.examples == len(y)
    assert across.interval95[0] < across.accuracy < across.interval95[1]
    assert across.effective_examples < found.effective_examples
    plain = json.loads(json.dumps(found.as_dict()))
    assert plain["headline"]["accuracy"] == plain["by_session"]["accuracy"] == across.accuracy
    assert plain["by_session"]["sessions"][1]["name"] == "kitchen"
    assert evaluate(RidgeHead, X, y, takes, np.zeros(len(y), int)).by_session is None
    assert evaluate(RidgeHead, X, y, takes).headline.kind == "take"


@pytest.mark.parametrize("name", ["ridge", "knn", "prototype"])
def test_a_class_of_one_session_teaches_but_is_not_judged(name: str) -> None:
    """A class that only one session has is named; its examples count neither as right nor as wrong."""
    X, y, takes, sessions = days()
    keep = (y != "up") | (sessions == 2)
    X, y, takes, sessions = X[keep], y[keep], takes[keep], sessions[keep]
    found = evaluate(lambda: make_head(name), X, y, takes, sessions).by_session
    assert found is not None
    assert found.unjudged == ("up",)
    assert "in one session only, so not judged: up" in found.method
    assert found.examples == (y != "up").sum()
    assert np.isnan(found.recall["up"])
    assert found.confusion[2].sum() == 0
    came = leave_one_session_out(lambda: make_head(name), X, y, sessions, takes)
    assert np.isnan(came.proba[y == "up"]).all()


@pytest.mark.parametrize("name", ["ridge", "knn"])
def test_where_every_class_has_a_session_of_its_own(name: str) -> None:
    """Where no class was shown in two sessions, nothing is claimed across them and the takes lead."""
    X, y, takes, _ = days(sessions=1)
    sessions = np.searchsorted(LABELS, y)
    found = evaluate(lambda: make_head(name), X, y, takes, sessions)
    assert found.by_session is not None
    assert np.isnan(found.by_session.accuracy)
    assert all(np.isnan(one.accuracy) for one in found.by_session.sessions)
    assert found.headline.kind == "take"
    assert "record every class in each" in "\n".join(accuracy_lines(found))
    json.dumps(found.as_dict(), allow_nan=False)


def test_one_session_is_refused() -> None:
    """Leaving the only session out would leave nothing to learn from: one line."""
    X, y, takes, _ = days(sessions=1)
    with pytest.raises(ShapeError, match="wanted two or more"):
        leave_one_session_out(RidgeHead, X, y, np.zeros(len(y), int), takes)
    assert whole_sessions(np.array([]), np.array([], int)).count == 0


def test_the_text_leads_with_another_day() -> None:
    """A person reads the figure across sessions first, each session by name, then takes, then the naive claim."""
    X, y, takes, sessions = days()
    lines = accuracy_lines(evaluate(RidgeHead, X, y, takes, sessions, names={1: "kitchen"}))
    text = "\n".join(lines)
    assert "on held-out sessions" in lines[0]
    places = [text.index(word) for word in ("leave-one-session-out", "1 kitchen", "leave-one-take-out", "naive random")]
    assert places == sorted(places)
    assert "works only in the places" in text
    assert "works only in the places" not in "\n".join(accuracy_lines(evaluate(RidgeHead, X, y, takes), "hand"))
    assert "key s" in accuracy_lines(evaluate(RidgeHead, X, y, takes))[-1]


def test_what_a_user_gets_of_another_day() -> None:
    """Each session is let through or refused by a rejector that never saw it, as by hand; what is asked adds up."""
    X, y, takes, sessions = days(sessions=4)

    def fitted(of: TaughtRows) -> Rejector:
        return Rejector().fit(of.X, of.y, of.takes)

    known = fitted(TaughtRows.check(X, y, takes)).held_out_known_
    found = evaluate(RidgeHead, X, y, takes, sessions, known=known, make_rejector=fitted)
    across = leave_one_session_out(RidgeHead, X, y, sessions, takes)
    lets = np.zeros(len(y), bool)
    for number in np.unique(sessions):
        out = sessions == number
        lets[out] = fitted(TaughtRows.check(X[~out], y[~out], takes[~out])).known(X[out], across.y_pred[out])
    answers = found.headline.answers
    assert answers is not None
    right = across.y_true == across.y_pred
    assert (answers.right, answers.wrong) == (
        pytest.approx((right & lets).mean()),
        pytest.approx((~right & lets).mean()),
    )
    assert answers.examples == len(y)
    assert answers.right_interval95[0] <= answers.right <= answers.right_interval95[1]
    assert found.answers is not None
    assert answers.right <= found.answers.right  # another day is harder than another take
    lines = accuracy_lines(found)
    assert lines[0].startswith(f"answered correctly {answers.right:.1%} on held-out sessions")
    assert f"  'none of these' for {answers.refused:.1%}, a wrong answer for {answers.wrong:.1%}" in lines
    assert any("these sessions only" in line for line in lines)
    assert found.by_session is not None
    for one in found.by_session.sessions:  # each session's line is what a user gets there, as the first line is
        share = (right & lets)[sessions == one.session].mean()
        assert one.answered == pytest.approx(share)
        assert any(f"session {one.session} " in line and f"{share:.1%} answered correctly" in line for line in lines)
    here = f"  answered correctly {found.answers.right:.1%} on held-out takes of sessions that are in the training data"
    assert any(line.startswith(here) for line in lines)


def test_many_sessions_are_asked_in_part() -> None:
    """Each rejector takes as long as a training: of many sessions eight are left out, the first and last among them."""
    X, y, takes, sessions = days(sessions=12)
    asked = []

    def fitted(of: TaughtRows) -> Rejector:
        asked.append(len(of.y))
        return Rejector().fit(of.X, of.y, of.takes)

    found = evaluate(RidgeHead, X, y, takes, sessions, make_rejector=fitted)
    assert found.headline.answers is not None
    assert (len(asked), found.headline.answers.examples) == (8, len(y) * 8 // 12)
    assert found.by_session is not None
    assert sum(one.answered is None for one in found.by_session.sessions) == 4
    assert sum("if it always answered, of" in line for line in accuracy_lines(found)) == 4
