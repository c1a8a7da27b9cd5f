"""Hands that nobody showed: possible ones, none of the taught, and what they are good for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_tl.core.metrics import roc
from edge_tl.embedders.look.any_side import HAND_VALUES
from edge_tl.embedders.look.embedders import HandEmbedder
from edge_tl.embedders.look.made_hands import (
    APART,
    BENDS,
    HANDS,
    MADE,
    NEAREST,
    PAIRS,
    apart,
    drawn_finger,
    fingers,
    in_palms,
    other_hands,
    other_pairs,
)
from edge_tl.heads.rejection import Rejector
from edge_tl.media.image import decode

pytestmark = pytest.mark.exact


@pytest.fixture(scope="module")
def signs(data: Callable[[str], Path], look_models: Path) -> tuple[np.ndarray, np.ndarray]:
    """Rows of hands that show 0 to 5 fingers, many people's, and their labels."""
    embedder = HandEmbedder.load(look_models, threads=1)
    rows, labels = [], []
    for path in sorted(data("sign_digits").glob("*/*.JPG"))[::5]:
        embedding = embedder.embed(decode(path))
        if embedding is not None:
            rows.append(embedder.features(embedding, embedder.embedding_shape)[:HAND_VALUES])
            labels.append(path.parent.name)
    return np.stack(rows), np.array(labels)


def test_made_hands_are_other_hands(signs: tuple[np.ndarray, np.ndarray]) -> None:
    """Each keeps its palm, differs from the taught ones in a finger, and bends as a finger can; always the same."""
    rows, labels = signs
    made = other_hands(rows, labels)
    assert MADE / 4 < len(made) <= MADE
    assert np.linalg.norm(made, axis=1) == pytest.approx(1, abs=1e-5)
    far = apart(*fingers(in_palms(made)), *fingers(in_palms(rows)))
    assert np.sort(far, axis=1)[:, NEAREST - 1].min() > APART - 1e-3
    taught, new = fingers(in_palms(rows))[0][:, :, 0], fingers(in_palms(made))[0][:, :, 0]
    distance = np.linalg.norm(new[:, None] - taught[None], axis=3).max(axis=2).min(axis=1)
    assert distance.max() < 1e-3  # where fingers begin is a taught hand's
    bends = in_palms(rows)[:, BENDS]
    assert np.abs(in_palms(made)[:, BENDS]).max() <= max(0.4, np.abs(bends).max()) + 1e-3
    assert (made == other_hands(rows, labels)).all()


def test_drawn_fingers_are_straight_and_bent() -> None:
    """A straight finger reaches farther than a bent one, and its bones go on where the last one went."""
    for finger in range(5):
        (straight, bent), (on, back) = drawn_finger(finger)
        assert np.linalg.norm(straight[3]) > 1.3 * np.linalg.norm(bent[3])
        assert on[-1] > 0.2 > back[-1]


def test_an_unknown_sign_is_refused(signs: tuple[np.ndarray, np.ndarray]) -> None:
    """With made hands beside what was taught, a sign that was not taught is told from those that were."""
    rows, labels = signs
    half = np.arange(len(rows)) % 2 == 0
    areas: dict[bool, list[float]] = {True: [], False: []}
    for sign in "0125":
        taught, known, strange = half & (labels != sign), ~half & (labels != sign), ~half & (labels == sign)
        for making, found in areas.items():
            strangers = HANDS if making else None
            takes = np.arange(taught.sum()) // 2
            rejector = Rejector().fit(rows[taught], labels[taught], takes, strangers=strangers)
            found.append(roc(rejector.novelty(rows[known]), rejector.novelty(rows[strange])).area)
    assert np.mean(areas[True]) >= 0.9
    assert np.mean(areas[True]) >= np.mean(areas[False]) - 0.02


def test_a_single_hand_makes_others_too(signs: tuple[np.ndarray, np.ndarray]) -> None:
    """One taught example is enough to make others of it; they are finite numbers."""
    rows, labels = signs
    made = other_hands(rows[:1], labels[:1])
    assert len(made) > MADE / 4
    assert np.isfinite(made).all()


def test_one_hand_of_a_made_pair_is_another_hand(signs: tuple[np.ndarray, np.ndarray]) -> None:
    """Of two hands one is as it was taught, a missing one missing, and the other one is none of its side's."""
    rows, labels = signs
    one, two = rows[labels == "2"], rows[labels == "5"]
    pairs = np.concatenate([np.hstack([one, np.zeros_like(one)]), np.hstack([one[:5], two[:5]])]).astype(np.float32)
    made = other_pairs(pairs, np.array(["left"] * len(one) + ["both"] * 5))
    assert MADE / 4 < len(made) <= MADE
    assert np.linalg.norm(made, axis=1) == pytest.approx(1, abs=1e-5)
    other = []
    for hands, taught in ((made[:, :60], one), (made[:, 60:], two[:5])):
        seen = hands.any(axis=1)
        far = np.full((len(made), len(taught)), np.inf)
        far[seen] = apart(*fingers(in_palms(hands[seen])), *fingers(in_palms(taught)))
        other.append(np.sort(far, axis=1)[:, 2] > APART - 1e-3)
        assert (far[seen & ~other[-1]].min(axis=1) < 1e-3).all()
    assert (other[0] | other[1]).all()
    assert not made[:, 60:].any(axis=1).all()


def test_unknown_signs_of_two_hands_are_refused_better(signs: tuple[np.ndarray, np.ndarray]) -> None:
    """Of two hands, pairs with a sign that was not taught are told from those that were, better than by distance."""
    rows, labels = signs
    half = np.arange(len(rows)) % 2 == 0
    random = np.random.default_rng(0)

    def shown(left: str, right: str, mask: np.ndarray) -> np.ndarray:
        pick = [random.choice(np.flatnonzero(mask & (labels == sign)), 12) for sign in (left, right)]
        return np.hstack([rows[chosen] for chosen in pick]) / np.float32(np.sqrt(2))

    pairs = ("00", "50", "05", "55")
    X = np.concatenate([shown(*pair, half) for pair in pairs])
    known = np.concatenate([shown(*pair, ~half) for pair in pairs])
    strange = np.concatenate([shown(*pair, ~half) for pair in ("20", "13", "33", "02")])
    areas = []
    for strangers in (None, PAIRS):
        rejector = Rejector().fit(X, np.repeat(pairs, 12), np.arange(len(X)) // 3, strangers=strangers)
        areas.append(roc(rejector.novelty(known), rejector.novelty(strange)).area)
    assert areas[1] >= 0.9
    assert areas[1] >= areas[0]
