"""Fine-tuning: two phases from a base's own layers, whole takes held out, the best epoch kept."""

from __future__ import annotations

import numpy as np
import pytest

from edge_tl.core.folds import in_parts
from edge_tl.errors import ConfigError, ShapeError
from edge_tl.heads import head_from_state, make_head
from edge_tl.heads.base import TaughtRows
from edge_tl.heads.tuned import TunedHead, held_out
from edge_tl.nn import Conv2D, Flatten, Network, ReLU
from edge_tl.nn.network import Upper

pytestmark = pytest.mark.exact

INPUTS, UNITS = 12, 24


def upper(seed: int = 0) -> Upper:
    """A small base of random layers."""
    rng = np.random.default_rng(seed)
    shapes = ((INPUTS, UNITS), (UNITS,), (UNITS, 3), (3,))
    return Upper(*(rng.normal(0, 0.3, shape).astype(np.float32) for shape in shapes))


def examples(takes: int = 8, views: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three classes of recordings, some views each."""
    rng = np.random.default_rng(1)
    middles = rng.normal(0, 1, (3, INPUTS))
    X, y, groups = [], [], []
    for take in range(3 * takes):
        own = middles[take % 3] + rng.normal(0, 0.6, INPUTS)
        X += [own + rng.normal(0, 0.1, INPUTS) for _ in range(views)]
        y += ["abc"[take % 3]] * views
        groups += [take] * views
    return np.array(X, np.float32), np.array(y), np.array(groups)


def test_both_phases_learn() -> None:
    """The top alone learns the classes, and going on with the dense layer lowers the loss further."""
    X, y, takes = examples()
    head = TunedHead(upper(), epochs=(15, 15), rates=(0.02, 0.01)).fit(X, y, takes)
    assert head.score(X, y) > 0.9
    assert (len(head.curve_), head.kink_) == (30, 15)
    assert [number for number, _, _ in head.curve_] == list(range(1, 31))
    assert head.curve_[-1][1] < head.curve_[14][1] < head.curve_[0][1]
    np.testing.assert_allclose(head.predict_proba(X).sum(axis=1), 1, atol=1e-6)


def test_phase_one_leaves_the_base_bit_for_bit() -> None:
    """With no epoch of phase 2 the dense layer is the base's own; with some it is not, and the base itself never is."""
    X, y, takes = examples()
    base = upper()
    before = base.dense.copy()
    top_only = TunedHead(base, epochs=(5, 0)).fit(X, y, takes)
    both = TunedHead(base, epochs=(5, 5)).fit(X, y, takes)
    assert np.array_equal(top_only.state()[1]["dense"], before)
    assert not np.array_equal(both.state()[1]["dense"], before)
    assert np.array_equal(base.dense, before)


def test_recordings_are_held_out_whole() -> None:
    """One take in four of each class, with all its views; a class with one take is taught and not held out."""
    X, y, takes = examples()
    X, y, takes = np.vstack([X, X[:1]]), np.append(y, "alone"), np.append(takes, 99)
    held = held_out(TaughtRows.check(X, y, takes), np.random.default_rng(0))
    for label in "abc":
        assert len(np.unique(takes[held & (y == label)])) == 2
    assert not held[-1]
    assert not set(takes[held]) & set(takes[~held])


def test_the_kept_epoch_is_the_best_on_what_was_held_out() -> None:
    """The head predicts as it did after the epoch with the least loss on the takes held out."""
    X, y, takes = examples()
    head = TunedHead(upper(), epochs=(30, 30), rates=(0.05, 0.05)).fit(X, y, takes)
    losses = [epoch.validation_loss for epoch in head.epochs_[head.kink_ :]]
    proba = head.predict_proba(X[head.held_out_])
    own = np.searchsorted(head.classes_, y[head.held_out_])
    loss = -np.log(proba[np.arange(len(own)), own]).mean()
    assert loss == pytest.approx(min(value for value in losses if value is not None), rel=1e-4)


def test_a_training_that_is_stopped_keeps_the_best_so_far() -> None:
    """Whoever stops it in the first phase gets a head that answers, and no second phase."""
    X, y, takes = examples()
    head = TunedHead(upper(), epochs=(20, 20), rates=(0.02, 0.01)).fit(
        X, y, takes, progress=lambda epoch, loss, accuracy: epoch == 4
    )
    assert len(head.curve_) == 4
    assert head.score(X, y) > 1 / 3


def test_it_is_the_same_every_time_and_comes_back() -> None:
    """The same examples and seed give the same weights; a saved head predicts bit for bit, without its base."""
    X, y, takes = examples()
    first, again = (make_head("tuned", upper=upper(), epochs=(4, 4)).fit(X, y, takes) for _ in range(2))
    meta, arrays = first.state()
    restored = head_from_state(meta, arrays)
    for other in (again, restored):
        assert np.array_equal(other.predict_proba(X), first.predict_proba(X))
    more = make_head("tuned", upper=upper(), epochs=(4, 4)).fit(X[:36], y[:36], takes[:36])
    assert np.array_equal(more.partial_fit(X[36:], y[36:], takes[36:]).predict_proba(X), first.predict_proba(X))
    assert more.remove_class("c").classes_.tolist() == ["a", "b"]


def test_what_cannot_be_trained_is_one_line() -> None:
    """No base, rows of another base, one class, and senseless settings."""
    X, y, takes = examples()
    with pytest.raises(ConfigError, match="--base DIR"):
        TunedHead().fit(X, y, takes)
    with pytest.raises(ShapeError, match="base's convolutions give 12"):
        TunedHead(upper()).fit(X[:, :5], y, takes)
    with pytest.raises(ShapeError, match="only one class"):
        TunedHead(upper()).fit(X[:3], y[:3], takes[:3])
    for settings in ({"epochs": (0, 5)}, {"epochs": (1, -1)}, {"rates": (0.0, 1.0)}):
        with pytest.raises(ConfigError, match="epochs"):
            TunedHead(upper(), **settings)  # type: ignore[arg-type]


def test_whole_takes_make_four_parts() -> None:
    """For the evaluation of a head that trains for seconds the takes of a class are put together in four."""
    _, y, takes = examples()
    parts = in_parts(y, takes)
    for label in "abc":
        assert len(np.unique(parts[y == label])) == 4
    assert all(len(np.unique(parts[takes == take])) == 1 for take in np.unique(takes))


def convolution() -> Network:
    """A small convolution that takes rows of 2×4×2 values and gives 12."""
    rng = np.random.default_rng(2)
    W, b = rng.normal(0, 0.5, (1, 2, 2, 2)).astype(np.float32), rng.normal(0, 0.1, 2).astype(np.float32)
    return Network([Conv2D(W, b), ReLU(), Flatten()])


def test_the_convolution_below_is_trained_too() -> None:
    """Phase 1 leaves it bit for bit, phase 2 changes the head's copy alone, and a saved head answers bit for bit."""
    rng = np.random.default_rng(3)
    X, y = rng.normal(0, 1, (48, 16)).astype(np.float32), np.tile(["a", "b", "c"], 16)
    X += 1.5 * rng.normal(0, 1, (3, 16)).astype(np.float32)[np.arange(48) % 3]
    lower = convolution()
    before = [array.copy() for array in lower.learning()]
    heads = [
        make_head("tuned", upper=upper(), lower=lower, shape=(2, 4, 2), epochs=epochs, rates=(0.02, 0.01)).fit(X, y)
        for epochs in ((10, 0), (10, 20))
    ]
    first, both = (head.state()[1] for head in heads)
    assert np.array_equal(first["lower.0.W"], before[0])
    assert np.array_equal(first["lower.0.b"], before[1])
    assert not np.array_equal(both["lower.0.W"], before[0])
    assert all(np.array_equal(now, was) for now, was in zip(lower.learning(), before, strict=True))
    assert heads[1].score(X, y) > 0.9
    again = head_from_state(*heads[1].state())
    assert np.array_equal(again.predict_proba(X), heads[1].predict_proba(X))
    with pytest.raises(ShapeError, match="base's convolutions give 16"):
        make_head("tuned", upper=upper(), lower=lower, shape=(2, 4, 2)).fit(X[:, :12], y)


LABELS = ("b", "z", "a")


def test_a_base_answers_as_it_was_published() -> None:
    """`of_base` gives the base's own probabilities, its labels sorted."""
    X, _, _ = examples()
    base = upper()
    head = TunedHead.of_base(base, LABELS)
    assert head.classes_.tolist() == ["a", "b", "z"]
    theirs = base.words(base.units(X))[:, [LABELS.index(label) for label in head.classes_]]
    np.testing.assert_allclose(head.predict_proba(X), theirs, atol=1e-5)


def test_an_adapted_base_keeps_its_words() -> None:
    """Adapted to some of its words it names these better, and knows all the others and a new one besides."""
    X, y, takes = examples()
    before = TunedHead.of_base(upper(), LABELS)
    head = TunedHead(upper(), epochs=(15, 15), rates=(0.02, 0.01), labels=LABELS).fit(X, y, takes)
    assert head.classes_.tolist() == ["a", "b", "c", "z"]
    old = np.isin(y, ["a", "b"])
    assert head.score(X[old], y[old]) > before.score(X[old], y[old])
    untouched = TunedHead(upper(), epochs=(1, 0), rates=(1e-12, 1e-12), labels=LABELS).fit(X[old], y[old], takes[old])
    np.testing.assert_allclose(untouched.predict_proba(X), before.predict_proba(X), atol=1e-5)
