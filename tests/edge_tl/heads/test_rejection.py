"""“None of these”: strangers are refused, the known pass, and it is off until it can know."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_tl.core.features import FeatureMap
from edge_tl.core.metrics import roc
from edge_tl.core.strangers import Strangers
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ConfigError, NotFittedError, ShapeError
from edge_tl.heads.rejection import SURELY, Rejector, far, next_of_take, thinned, unclear
from edge_tl.heads.ridge import RidgeHead
from edge_tl.media.image import decode
from edge_tl.models import default_model

pytestmark = pytest.mark.exact

RNG = np.random.default_rng(0)
CENTRES = RNG.uniform(0, 1, (5, 80))


def rows(classes: int = 3, takes: int = 4, frames: int = 8, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Rows around the first centres, all values positive as behind a relu; labels; takes."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(classes), takes * frames)
    groups = np.repeat(np.arange(classes * takes), frames)
    drift = 0.2 * rng.normal(size=(classes * takes, 80))
    X = np.abs(CENTRES[codes] + drift[groups] + 0.1 * rng.normal(size=(len(codes), 80)))
    return X.astype(np.float32), np.array(list("abcde"))[codes], groups


def strangers(kind: str, n: int = 60) -> np.ndarray:
    """Rows of classes that were not taught, of noise, of blank pictures, of halves of two known classes."""
    rng = np.random.default_rng(7)
    if kind == "other classes":
        X, y, _ = rows(classes=5, seed=3)
        return X[(y == "d") | (y == "e")]
    if kind == "noise":
        return rng.uniform(0, 1, (n, 80)).astype(np.float32)
    if kind == "between":
        middle = 0.5 * (CENTRES[0] + CENTRES[1])
        return np.abs(middle + 0.05 * rng.normal(size=(n, 80))).astype(np.float32)
    return np.zeros((3, 80), np.float32)


@pytest.mark.parametrize("kind", ["other classes", "noise", "between", "blank"])
def test_strangers_are_refused(kind: str) -> None:
    """Other classes, noise, mixtures of two classes and an all-zero row do not pass."""
    rejector = Rejector().fit(*rows())
    known, _, _ = rows(seed=1)
    assert roc(rejector.novelty(known), rejector.novelty(strangers(kind))).area > 0.97
    assert rejector.known(strangers(kind)).mean() < 0.1


def test_the_known_pass() -> None:
    """Frames of new takes of the taught classes pass about as often as was asked for, and 95 of 100 taught ones."""
    rejector = Rejector().fit(*rows(takes=10))
    known, _, _ = rows(takes=10, seed=1)
    assert rejector.known(known).mean() > 0.85
    assert rejector.held_out_known_.mean() == pytest.approx(0.95, abs=0.01)
    assert Rejector(accept=0.5).fit(*rows()).held_out_known_.mean() == pytest.approx(0.5, abs=0.02)


def test_every_example_is_judged_without_its_take() -> None:
    """An example's held-out novelty is that of a rejector that never met its take, up to the scale of the spread."""
    X, y, takes = rows()
    whole = Rejector().fit(X, y, takes)
    out = takes == 5
    part = Rejector().fit(X[~out], y[~out], takes[~out])
    part._centre, part._spread = whole._centre, whole._spread
    np.testing.assert_allclose(whole.held_out_[out], part.novelty(X[out]), atol=0.5)
    assert whole.held_out_[out].mean() > whole.novelty(X[out]).mean() + 0.5


def first_takes(*labels: str) -> tuple[np.ndarray, ...]:
    """The rows without all takes but the first of some classes."""
    X, y, takes = rows()
    kept = np.ones(len(y), bool)
    for label in labels:
        kept &= (y != label) | (takes == takes[y == label].min())
    return X[kept], y[kept], takes[kept]


def test_a_class_with_one_take_passes_and_the_others_refuse() -> None:
    """Answers of it are never refused, others by a threshold that it did not choose; `off` says for which and why."""
    rejector = Rejector().fit(*first_takes("c"))
    assert (rejector.ready, rejector.free) == (True, ("c",))
    assert rejector.off == " for c: a second take is needed"
    odd = strangers("noise")
    assert rejector.known(odd, np.repeat("c", len(odd))).all()
    assert rejector.familiar(odd, np.repeat("c", len(odd))).min() > 0.99
    for best in (None, np.repeat("a", len(odd))):
        assert not rejector.known(odd, best).any()
    X, y, _ = rows(seed=1)
    assert rejector.known(X, y).mean() > 0.8
    X, y, takes = first_takes("c")
    c = y == "c"
    alone = Rejector().fit(X, y, takes, head=RidgeHead().fit(X, y, takes))
    assert alone.held_out_known_[c].all()
    assert alone.held_out_known_[~c].mean() == pytest.approx(0.95, abs=0.02)


def test_it_is_off_until_a_class_has_two_takes() -> None:
    """Before that everything passes, and the reason says whose take is missing."""
    X, y, takes = rows()
    rejector = Rejector()
    assert not rejector.ready
    rejector.fit(*first_takes("a", "b", "c"))
    assert not rejector.ready
    assert rejector.off == ": a second take is needed of a, b, c"
    assert rejector.known(strangers("noise")).all()
    with pytest.raises(NotFittedError, match="off: a second take is needed of a, b, c"):
        rejector.novelty(X)
    assert rejector.fit(X, y, takes).ready
    assert not rejector.known(strangers("noise")).any()
    assert rejector.fit(X, y).reason == "the takes of the examples are not known"
    assert not rejector.ready
    one = y == "a"
    assert rejector.fit(X[one], y[one], takes[one]).reason == "two classes are needed"


@pytest.mark.parametrize("ready", [True, False])
def test_a_restored_rejector_answers_the_same(ready: bool) -> None:
    """State through JSON and npz without pickle gives the same novelty, bit for bit, in half the space of the rows."""
    X, y, takes = first_takes("b")
    rejector = Rejector(accept=0.9).fit(X, y, takes if ready else None)
    meta, arrays = rejector.state()
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    file.seek(0)
    with np.load(file, allow_pickle=False) as saved:
        back = Rejector.from_state(json.loads(json.dumps(meta)), dict(saved))
    assert (back.ready, back.off) == (ready, rejector.off)
    np.testing.assert_array_equal(back.known(strangers("other classes")), rejector.known(strangers("other classes")))
    if ready:
        np.testing.assert_array_equal(back.novelty(X), rejector.novelty(X))
        assert arrays["rows"].nbytes == X.nbytes // 2
        assert back.state()[0] == meta


def test_a_head_at_hand_is_used() -> None:
    """A ridge head fitted on the same examples gives the same rejector; a restored one is fitted anew."""
    X, y, takes = rows()
    head = RidgeHead().fit(X, y, takes)
    plain = Rejector().fit(X, y, takes).novelty(X)
    np.testing.assert_allclose(Rejector().fit(X, y, takes, head=head).novelty(X), plain)
    restored = RidgeHead.from_state(*head.state())
    np.testing.assert_allclose(Rejector().fit(X, y, takes, head=restored).novelty(X), plain)


def test_distance_is_the_mean_to_the_three_nearest() -> None:
    """Cosines become lengths of chords; the nearest three count, or as many as there are."""
    np.testing.assert_allclose(far(np.array([[1.0, 0.5, 0.0, -1.0]])), (0 + 1 + np.sqrt(2)) / 3)
    np.testing.assert_allclose(far(np.array([[-1.0], [1.0]])), [2, 0])


def test_doubt_is_the_distance_to_the_nearest_indicator() -> None:
    """Scores equal to an indicator leave no doubt; others their squared distance to it."""
    scores = np.array([[0, 1, 0], [0.5, 0.5, 0], [0, 0, 0]])
    np.testing.assert_allclose(unclear(scores), [0, 0.5, 1])


def test_many_rows_are_thinned_evenly() -> None:
    """Of large classes rows from the first to the last are kept, of small ones all."""
    codes = np.repeat([0, 1], [1000, 5])
    kept = np.asarray(thinned(codes, 100))
    assert len(kept) == 55
    assert kept[0] == 0
    assert set(range(1000, 1005)) < set(kept.tolist())
    assert 999 in kept
    assert np.ptp(np.diff(kept[kept < 1000])) <= 1
    np.testing.assert_array_equal(thinned(codes, 2000), np.arange(1005))


def test_a_thinned_rejector_still_judges_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """With few rows kept strangers are still refused and every example has its held-out novelty."""
    monkeypatch.setattr("edge_tl.heads.rejection.VALUES", 80 * 40)
    X, y, takes = rows(takes=6)
    rejector = Rejector().fit(X, y, takes)
    assert len(rejector.state()[1]["rows"]) <= 40
    assert len(rejector.held_out_) == len(y)
    assert rejector.known(strangers("noise")).mean() < 0.1


def test_many_rows_are_judged_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """In strips each example is judged as among all of them."""
    X, y, takes = rows()
    whole = Rejector().fit(X, y, takes)
    monkeypatch.setattr("edge_tl.heads.rejection.STRIP", 7)
    strips = Rejector().fit(X, y, takes)
    np.testing.assert_allclose(strips.held_out_, whole.held_out_, atol=1e-3)
    assert strips.threshold == pytest.approx(whole.threshold, abs=1e-3)


def test_bad_questions_and_settings() -> None:
    """A row of another length and an impossible share are each one clear line; a failed fit changes nothing."""
    X, y, takes = rows()
    rejector = Rejector().fit(X, y, takes)
    with pytest.raises(ShapeError, match="rows have 79 values; this head was taught rows of 80"):
        rejector.known(X[:, 1:])
    with pytest.raises(ShapeError, match="NaN"):
        rejector.fit(X * np.nan, y, takes)
    assert rejector.ready
    for accept in (0, 1, 95):
        with pytest.raises(ConfigError, match="between 0 and 1"):
            Rejector(accept)


def test_real_hands_pass_and_faces_do_not(data: Callable[[str], Path]) -> None:
    """Taught four digits shown by hands, new hands are named and pass; faces, noise and a blank picture do not pass."""
    embedder = TFLiteEmbedder.load(default_model(), threads=1)
    features = FeatureMap()

    def rows_of(pictures: list[np.ndarray]) -> np.ndarray:
        return features(np.stack([embedder.embed(picture) for picture in pictures]), embedder.embedding_shape)

    hands = [sorted((data("sign_digits") / digit).iterdir())[::2][:24] for digit in "0123"]
    X = rows_of([decode(path) for paths in hands for path in paths])
    y, takes = np.repeat(list("0123"), 24), np.arange(96) // 4
    faces = [sorted(person.iterdir())[5] for person in sorted(data("cmu_faces").iterdir()) if person.is_dir()]
    noise = [np.random.default_rng(i).integers(0, 256, (96, 96, 3)).astype(np.uint8) for i in range(6)]
    strange = rows_of([decode(path) for path in faces] + noise + [np.zeros((96, 96, 3), np.uint8)])
    taught = takes % 3 != 0
    head = RidgeHead().fit(X[taught], y[taught], takes[taught])
    assert head.score(X[~taught], y[~taught]) > 0.8
    rejector = Rejector().fit(X[taught], y[taught], takes[taught], head=head)
    assert rejector.known(X[~taught]).mean() > 0.8
    assert not rejector.known(strange).any()
    assert roc(rejector.novelty(X[~taught]), rejector.novelty(strange)).area > 0.99


def test_made_strangers_are_what_is_refused() -> None:
    """Where strangers can be made, what resembles them is refused and the known pass; restored it answers the same."""
    X, y, takes = rows()
    beyond, _, _ = rows(classes=5, seed=3)

    def made(taught: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
        assert len(taught) == len(labels)
        return beyond[-60::2] if seed else beyond[-59::2]

    rejector = Rejector().fit(X, y, takes, strangers=Strangers(made, passing=0.02, width=0.15))
    known, _, _ = rows(seed=1)
    assert rejector.ready
    assert rejector.known(known).mean() > 0.7
    assert rejector.known(strangers("other classes")).mean() < 0.05
    assert rejector.held_out_known_.mean() == pytest.approx(SURELY, abs=0.03)
    meta, arrays = rejector.state()
    restored = Rejector.from_state(json.loads(json.dumps(meta)), arrays)
    assert (restored.novelty(known) == rejector.novelty(known)).all()
    with pytest.raises(ShapeError):
        rejector.novelty(known[:, :5])


def test_without_strangers_it_asks_as_before() -> None:
    """A maker that makes none, and a class of which no example is found, leave the two questions."""
    X, y, takes = rows()
    plain = Rejector().fit(X, y, takes)
    for odd in (y, np.where(np.isin(takes, (8, 9, 10, 11)), np.array(list("cd"))[takes % 2], y)):
        empty = Rejector().fit(X, odd, takes, strangers=Strangers(lambda taught, labels, seed: taught[:0], 0.02, 0.15))
        assert (empty.novelty(X) == Rejector().fit(X, odd, takes).novelty(X)).all()
    assert plain.ready


def test_an_example_that_is_not_kept_is_no_less_strange_than_the_next_of_its_take() -> None:
    """Beside each example stands the nearest kept one of its own take, and none where nothing of it was kept."""
    folds = np.array([0, 0, 0, 1, 1, 2, 2, 0])
    assert next_of_take(np.array([0, 4, 7]), folds).tolist() == [0, 0, 0, 1, 1, -1, -1, 2]
