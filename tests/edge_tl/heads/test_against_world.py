"""Words told from the world: exact without a take, a familiarity that is a rate, and the way to disk and back."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from edge_tl.core.answers import Variations
from edge_tl.core.world import World, WorldSums, kept_world, world_kept
from edge_tl.errors import NotFittedError, ShapeError
from edge_tl.heads.against_world import CLOSED, OPEN, AgainstWorld, against_world, rejector_from_state, shared
from edge_tl.heads.base import TaughtRows
from edge_tl.heads.one_word import left_out
from edge_tl.heads.ridge import RidgeHead
from edge_tl.labels import NOISE

pytestmark = pytest.mark.exact

COLUMNS, HOP_S = 24, 0.08


def heard(minutes: float, seed: int) -> np.ndarray:
    """Rows of a world whose values hang together and change slowly, as those of speech do."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(5).normal(size=(COLUMNS, COLUMNS))
    count = round(60 * minutes / HOP_S)
    steps = rng.normal(size=(count + 8, COLUMNS))
    smooth = sum(steps[shift : shift + count] for shift in range(8)) / np.sqrt(8)
    return np.asarray(smooth @ mixing / 5, np.float32)


def made_world(seed: int = 0) -> World:
    """Two hours of it, of which ten minutes are the bank."""
    adding = WorldSums(COLUMNS)
    rows = heard(120, seed)
    adding.add(rows[:40000])
    adding.add(rows[40000:])
    bank = rows[:7500]
    return adding.world(2.0, bank, np.arange(len(bank)) // 75)


def words(takes: int = 6, views: int = 3, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows around the places of two words, labels and takes."""
    rng = np.random.default_rng(seed)
    places = 3.0 * np.random.default_rng(6).normal(size=(2, COLUMNS))
    codes = np.repeat([0, 1], takes * views)
    X = places[codes] + 0.7 * rng.normal(size=(len(codes), COLUMNS))
    return X.astype(np.float32), np.array(["ant", "bee"])[codes], np.repeat(np.arange(2 * takes), views)


def test_what_is_left_out_is_what_a_fit_without_the_take_says() -> None:
    """The block formula is a weighted ridge with an intercept, fitted again without the rows of a take."""
    rng = np.random.default_rng(0)
    X, y, takes = rng.normal(size=(30, 5)), np.tile([1.0, -1.0], 15), np.repeat(np.arange(10), 3)
    w = np.repeat(rng.uniform(0.5, 1.5, 15), 2) / 30
    w /= w.sum()
    mean = w @ X
    rows = X - mean
    inverse = np.linalg.inv((rows * w[:, None]).T @ rows + 0.1 * np.eye(5))
    found = left_out(rows, inverse, np.sqrt(w), y - rows @ (inverse @ (rows.T @ (w * y))), takes)
    wide = np.column_stack([X, np.ones(30)])
    for take in (0, 4):
        rest = takes != take
        A = (wide[rest] * w[rest, None]).T @ wide[rest] + np.diag([0.1] * 5 + [0.0])
        again = np.linalg.solve(A, wide[rest].T @ (w[rest] * y[rest]))
        assert np.allclose(found[~rest], (y - wide @ again)[~rest])


def test_a_take_that_is_like_no_other_is_judged_by_the_others_alone() -> None:
    """A strange recording is familiar to the head that was taught it, and not to the one that was not."""
    X, y, takes = words()
    X[takes == 0] = heard(1, 9)[300:303]
    rejector = AgainstWorld(made_world()).fit(X, y, takes)
    out = takes == 0
    assert rejector.held_out_odds_[out, 0].max() < 0
    without = AgainstWorld(made_world()).fit(X[~out], y[~out], takes[~out])
    assert np.abs(without.odds(X[out])[:, 0] - rejector.held_out_odds_[out, 0]).max() < 4


def test_familiarity_is_how_rarely_the_world_sounds_so() -> None:
    """At ½ the world tells about 2.8 words an hour, as the odds of .85 at half a time an hour have it; twice the odds,
    half as often; what has thinner tails than an exponential, as this, even less."""
    X, y, takes = words()
    rejector = AgainstWorld(made_world()).fit(X, y, takes)
    rows = heard(600, 3)
    odds = rejector.odds(rows)[:, 0]
    moments = odds[: len(odds) // 12 * 12].reshape(-1, 12).max(axis=1)
    for times in (1, 10, 100):
        expected = 10 * times * 0.5 * 0.85 / 0.15
        assert expected / 10 < (moments > -np.log(times)).sum() < expected * 2
    assert rejector.familiar(X, y).min() > 0.9


def test_commands_may_be_taken_for_one_more_often() -> None:
    """Closed, the same row is more familiar, by the ratio of the two rates."""
    X, y, takes = words()
    strict, lenient = (AgainstWorld(made_world(), listens).fit(X, y, takes) for listens in (OPEN, CLOSED))
    unsure = strict.odds(X) < 0
    assert unsure.any()
    assert np.allclose((lenient.odds(X) - strict.odds(X))[unsure], np.log(40))


@pytest.mark.parametrize(("count", "listens"), [(3, OPEN), (4, CLOSED)])
def test_the_number_of_words_says_which(count: int, listens: str) -> None:
    """Up to three words are told from everything, more are commands; noise is no word, and what is said counts."""
    X, _, takes = words()
    y = np.array([f"word {number % count}" for number in range(len(X) - 2)] + [NOISE, NOISE])
    taught, typed = TaughtRows(X, y, takes), np.zeros(len(y), bool)
    assert against_world(made_world(), "", taught, None, 1, typed).listens == listens
    assert against_world(made_world(), CLOSED, taught, None, 1, typed).listens == CLOSED


def test_typed_takes_teach_less_than_recordings() -> None:
    """However many there are, they are .3 of a word that was recorded too; alone they are all of it."""
    labels = np.array(["ant"] * 8 + ["bee"] * 4)
    typed = np.arange(12) >= 2
    weights = shared(labels, typed, np.ones(12, bool))
    assert weights[:2].sum() == pytest.approx(0.7)
    assert weights[2:8].sum() == pytest.approx(0.3)
    assert (weights[8:] == 1).all()


def test_one_word_alone_is_told_from_the_world() -> None:
    """A single class is enough, with three recordings; noise and an empty head are not."""
    X, y, takes = words(takes=3)
    only = y == "ant"
    rejector = AgainstWorld(made_world()).fit(X[only], y[only], takes[only])
    assert rejector.words == ("ant",)
    assert rejector.known(X[only], y[only]).all()
    nothing = AgainstWorld(made_world()).fit(X[only], np.array([NOISE] * only.sum()), takes[only])
    assert not nothing.ready
    with pytest.raises(NotFittedError, match="no word was taught"):
        nothing.odds(X)


def test_each_word_is_named_by_its_own_odds() -> None:
    """Open, the chances among the words come from their odds, and noise has none; closed, from the head alone."""
    X, y, takes = words()
    X, y = np.append(X[:-3], heard(1, 4)[100:103], axis=0), np.append(y[:-3], [NOISE] * 3)
    head = RidgeHead().fit(X, y, takes)
    classes = [str(label) for label in head.classes_]
    rejector = AgainstWorld(made_world()).fit(X, y, takes, head=head)
    said = rejector.named(head.predict_proba(X), X, classes)
    assert np.allclose(said.sum(axis=1), 1)
    spoken = y != NOISE
    assert not said[spoken, classes.index(NOISE)].any()
    assert (np.array(classes)[said.argmax(axis=1)] == y)[spoken].all()
    lenient = AgainstWorld(made_world(), CLOSED).fit(X, y, takes, head=head)
    assert np.array_equal(lenient.named(head.predict_proba(X), X, classes), head.predict_proba(X))
    assert len(rejector.named_held_out(head.loo_proba_, classes)[1]) == len(y)


def test_it_comes_back_from_disk_as_it_was() -> None:
    """JSON and arrays give the same odds; a list of words that does not fit is refused."""
    X, y, takes = words()
    rejector = AgainstWorld(made_world(), CLOSED).fit(X, y, takes)
    meta, arrays = rejector.state()
    file = io.BytesIO()
    np.savez(file, **arrays)
    file.seek(0)
    again = rejector_from_state(json.loads(json.dumps(meta)), dict(np.load(file)))
    assert isinstance(again, AgainstWorld)
    assert np.array_equal(again.odds(X), rejector.odds(X))
    assert again.listens == CLOSED
    with pytest.raises(ValueError, match="do not fit together"):
        rejector_from_state(meta | {"words": ["ant"]}, arrays)


def test_what_was_trained_before_distances_counted_answers_as_it_did() -> None:
    """Without a distance the scores are what the directions give; with one of other rows it is refused."""
    X, y, takes = words()
    meta, arrays = AgainstWorld(made_world()).fit(X, y, takes).state()
    before = rejector_from_state(meta, {name: arrays[name] for name in ("coef", "intercept")})
    assert isinstance(before, AgainstWorld)
    scores = X @ arrays["coef"].T + arrays["intercept"]
    assert np.array_equal(before.odds(X)[:, 0], before.tails[0].odds(scores[:, 0], before.per_hour))
    with pytest.raises(ValueError, match="distance does not fit"):
        rejector_from_state(meta, arrays | {"spread": arrays["spread"][1:]})


def test_worlds_are_joined_as_if_heard_at_once() -> None:
    """Half an hour here and an hour there have the moments of both together; other rows cannot be joined."""
    rows = heard(90, 2)
    whole, first, second = WorldSums(COLUMNS), WorldSums(COLUMNS), WorldSums(COLUMNS)
    whole.add(rows)
    first.add(rows[:20000])
    second.add(rows[20000:])
    joined = first.world(0.5).joined(second.world(1.0))
    assert joined.count == len(rows)
    assert joined.hours == 1.5
    assert np.allclose(joined.covariance, whole.world(1.5).covariance, atol=1e-4)
    assert np.allclose(joined.mean, whole.world(1.5).mean, atol=1e-6)
    with pytest.raises(ShapeError, match="cannot be joined"):
        joined.joined(World(1, 1.0, np.zeros(3), np.eye(3), np.empty((0, 3)), np.empty(0)))
    with pytest.raises(ShapeError, match="no sound"):
        WorldSums(3).world(1.0)


def test_a_kept_world_is_half_as_exact() -> None:
    """float16 correlations give the covariance back within a thousandth of the spreads; damage is a ValueError."""
    world = made_world()
    again = world_kept(kept_world(world))
    assert np.abs(again.covariance - world.covariance).max() < 1e-3 * world.spread.max() ** 2
    assert again.count == world.count
    with pytest.raises(ValueError, match="none"):
        world_kept(kept_world(world) | {"count": np.array([0])})


def test_variations_are_heard_too_and_teach_no_word_that_was_recorded_alone() -> None:
    """A word in noise, as its variations are, is likelier with them than without; what was never varied stays."""
    X, y, takes = words()
    of_ant = y == "ant"
    noise = 2.0 * np.random.default_rng(9).normal(size=COLUMNS).astype(np.float32) - 1.3 * X[of_ant].mean(axis=0)
    more = Variations(X[of_ant] + noise, y[of_ant], takes[of_ant])
    taught, world = TaughtRows(X, y, takes), made_world()
    plain, varied = (against_world(world, OPEN, taught, None, 3, frozenset(), one) for one in (None, more))
    asked, _, _ = words(seed=8)
    shift = varied.odds(asked[of_ant] + noise)[:, 0] - plain.odds(asked[of_ant] + noise)[:, 0]
    assert shift.mean() > 0.5
    assert np.array_equal(varied.odds(asked)[:, 1], plain.odds(asked)[:, 1])  # no bee was varied
    assert varied.held_out_odds_.shape == (len(X), 2)
    assert (varied.held_out_odds_[of_ant, 0] > 0).mean() > 0.9
