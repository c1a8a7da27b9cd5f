"""The head for movements: what it learns from few, what it keeps, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from made_movements import PATHS, performed, rest
from sklearn.linear_model import Ridge

from edge_tl.errors import ConfigError, NotFittedError, ShapeError
from edge_tl.heads import head_from_state, make_head
from edge_tl.heads.movement import MAX_PROTOTYPES, PENALTY, MovementHead, asked_lengths
from edge_tl.labels import ORDINARY
from edge_tl.movements.convolutions import FEATURES
from edge_tl.movements.demonstration import VIEWS, movement_in, ordinary_windows, taught_windows, whole_window
from edge_tl.movements.warping import warped_distances
from edge_tl.movements.windows import VALUES, rows_of


def shown(count: int, first: int = 0) -> tuple[np.ndarray, list[str], list[int]]:
    """So many demonstrations of every made movement: windows, labels, takes."""
    X, y, takes = [], [], []
    for number, label in enumerate(PATHS):
        for seed in range(first, first + count):
            X.append(taught_windows(movement_in(performed(label, seed))))
            y += [label] * VIEWS
            takes += [100 * number + seed] * VIEWS
    return np.concatenate(X), y, takes


def asked(count: int, first: int = 20) -> tuple[np.ndarray, list[str]]:
    """Other demonstrations, each as a whole."""
    labels = [label for label in PATHS for _ in range(count)]
    seeds = [*range(first, first + count)] * len(PATHS)
    whole = [whole_window(movement_in(performed(label, seed))) for label, seed in zip(labels, seeds, strict=True)]
    return np.stack(whole), labels


@pytest.mark.parametrize("count", [1, 3])
def test_few_demonstrations_are_enough_for_five_movements(count: int) -> None:
    """From one demonstration of each of five made movements, and from three, others are named rightly."""
    head = make_head("movement").fit(*shown(count))
    X, y = asked(4)
    assert head.score(X, y) == 1.0
    proba = head.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-5)
    assert head.classes_.tolist() == sorted(PATHS)


def test_its_weights_are_those_of_scikit_learn() -> None:
    """Without `nothing` and with as many of each class it is scikit-learn's ridge on the same features."""
    X, y, takes = shown(3)
    head = MovementHead().fit(X, y, takes)
    assert head._convolutions is not None
    assert head._ridge is not None
    rows = rows_of(X)
    by_fingers = warped_distances(rows.moments, head._prototypes)
    by_landmarks = warped_distances(rows.plain, head._plain_prototypes)
    apart = np.stack([by_landmarks, by_fingers], axis=1)
    features = head._ridge.features(head._convolutions(rows.moments), apart)
    assert features.shape == (len(X), FEATURES + 2 * len(head._prototypes))
    Y = (np.array(y)[:, np.newaxis] == np.array(head.reported)).astype(float)
    weights = np.full(len(y), 1 / VIEWS)
    finding = features[:, : -len(head._prototypes)]
    for of, scores in ((finding, head.scores(X)), (features, head._named(X))):
        reference = Ridge(alpha=PENALTY, fit_intercept=False).fit(of, Y, sample_weight=weights)
        np.testing.assert_allclose(scores, reference.predict(of), atol=2e-3)


def test_a_restored_head_answers_bit_for_bit() -> None:
    """What is saved names windows exactly as before, thresholds and all."""
    X, y, takes = shown(2)
    windows = ordinary_windows(rest(1, 12))
    X, y = np.concatenate([X, windows]), [*y, *[ORDINARY] * len(windows)]
    takes = [*takes, *(9000 + np.arange(len(windows)) // 60)]
    head = MovementHead(false_alarms=1).fit(X, y, takes)
    again = head_from_state(*head.state())
    assert isinstance(again, MovementHead)
    np.testing.assert_array_equal(again.predict_proba(X), head.predict_proba(X))
    np.testing.assert_array_equal(again.judged(X), head.judged(X))
    assert again.predict(X[:0]).shape == (0,)
    assert again.threshold_ == head.threshold_
    assert again.false_alarms == 1


def test_a_head_of_one_kernel_is_trained_again() -> None:
    """What was saved before there were two kernels says so, in one line, instead of answering differently."""
    meta, arrays = MovementHead().fit(*shown(2)).state()
    del arrays["naming"]
    with pytest.raises(ValueError, match="earlier edge-tl"):
        head_from_state(meta, arrays)


def test_nothing_is_the_answer_to_moving_about() -> None:
    """Where moving about was taught it has a class, which other moving about gets; movements keep theirs."""
    X, y, takes = shown(3)
    windows = ordinary_windows(rest(1, 20))
    taken = [9000 + at // 60 for at in range(len(windows))]
    head = MovementHead().fit(np.concatenate([X, windows]), y + [ORDINARY] * len(windows), takes + taken)
    assert ORDINARY in head.classes_
    assert ORDINARY not in head.reported
    assert (head.predict(ordinary_windows(rest(2, 20))) == ORDINARY).mean() > 0.8
    assert head.score(*asked(3)) > 0.9


def test_no_more_prototypes_than_are_fast() -> None:
    """Many demonstrations cost no more when asked: prototypes are limited, and of every class there are some."""
    head = MovementHead().fit(*shown(12))
    assert len(head._prototypes) <= MAX_PROTOTYPES
    assert head.score(*asked(3)) == 1.0


def test_windows_are_asked_that_are_as_long_as_what_was_taught() -> None:
    """Swipes of half a second want short windows, a few odd ones change nothing, and there is one window at least."""
    assert asked_lengths(np.array([0.5, 0.6, 0.7])) == (0.4, 0.55, 0.75)
    assert asked_lengths(np.array([0.5, *[1.3] * 18, 5.9])) == (1.0, 1.4)
    assert asked_lengths(np.array([6.0])) == (2.6,)


def test_what_takes_much_longer_is_no_such_movement() -> None:
    """The same way gone twice as slowly, as a hand is taken back, scores the same and is not reported."""
    X, y, takes = shown(3)
    head = MovementHead().fit(X, y, takes)
    own = X[[at for at, label in enumerate(y) if label == "left"][VIEWS // 2 :: VIEWS]]
    slow = own.copy()
    slow[:, -1] *= 2
    np.testing.assert_array_equal(head.scores(slow), head.scores(own))
    column = head.reported.index("left")
    assert np.isfinite(head.judged(own)[:, column]).all()
    assert np.isneginf(head.judged(slow)[:, column]).all()


def test_what_it_cannot_learn_is_one_line() -> None:
    """Rows that are no windows, NaN, one class, and settings that make no sense are refused; unfitted it says so."""
    X, y, takes = shown(1)
    with pytest.raises(ShapeError, match=f"{VALUES}"):
        MovementHead().fit(X[:, :60], y, takes)
    with pytest.raises(ShapeError, match="NaN"):
        MovementHead().fit(np.where(X[0, 0] == X, np.nan, X), y, takes)
    with pytest.raises(ShapeError, match="only one class"):
        MovementHead().fit(X[:VIEWS], y[:VIEWS], takes[:VIEWS])
    with pytest.raises(ConfigError, match="penalty"):
        make_head("movement", penalty=0.0)
    with pytest.raises(NotFittedError):
        MovementHead().scores(X)
