"""What a head sees of a hand: palm and back, left and right, and how it points."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_tl.core.features import FeatureMap, as_taught
from edge_tl.embedders.look.any_side import HAND_VALUES, TURN, AnySide, side_seen
from edge_tl.embedders.look.embedders import HandAndCropEmbedder, HandEmbedder, load_tracker
from edge_tl.errors import ShapeError
from edge_tl.media.image import decode
from edge_tl.recognizer import Recognizer
from edge_tl.testing import FakeEmbedder


def hands(count: int, seed: int = 0) -> np.ndarray:
    """Shapes (count, 60) of palms: the index right of the little finger, all else at random."""
    shapes = np.random.default_rng(seed).normal(size=(count, HAND_VALUES)).astype(np.float32)
    shapes[:, 8:10], shapes[:, 32:34] = (0.4, -0.9), (-0.4, -0.8)
    return shapes


def from_the_back(shapes: np.ndarray) -> np.ndarray:
    """The same hands turned over."""
    turned = shapes.copy()
    turned[:, :40:2] *= -1
    return turned


def test_palm_and_back_are_one_shape_and_the_side_stays_beside() -> None:
    """Turned over only the value of the side changes, and its sign says which side it is."""
    palms = hands(5)
    rows, backs = (AnySide()(shapes, (60,)) for shapes in (palms, from_the_back(palms)))
    assert rows.shape == (5, 61)
    assert (rows[:, :60] == backs[:, :60]).all()
    assert (rows[:, 60] == -backs[:, 60]).all()
    assert (side_seen(palms) == 1).all()
    assert np.linalg.norm(rows[:, :60], axis=1) == pytest.approx(1, abs=1e-6)
    assert (AnySide()(palms[2], (60,)) == rows[2]).all()


def test_nothing_found_stays_zeros_and_edge_on_has_no_side() -> None:
    """Zeros give zeros; where index and little finger lie in one line neither side is said."""
    edge_on = hands(1)
    edge_on[:, 32:34] = edge_on[:, 8:10]
    assert side_seen(edge_on)[0] == pytest.approx(0, abs=1e-6)
    assert not AnySide()(np.zeros((1, 60), np.float32), (60,)).any()
    assert not AnySide(hands=2)(np.zeros((1, 120), np.float32), (120,)).any()


def test_one_of_two_hands_is_the_same_in_either_place() -> None:
    """A hand that is alone gives one shape wherever it is, and which hand it was beside it; two hands stay in place."""
    one, two = hands(1, 1), hands(1, 2)
    none = np.zeros_like(one)
    left, right, both = (
        AnySide(hands=2)(np.hstack(pair), (120,))[0] for pair in ((one, none), (none, one), (one, two))
    )
    assert left.shape == (123,)
    assert (left[:122] == right[:122]).all()
    assert left[122] == -right[122] != 0
    assert both[:120].reshape(2, 60).any(axis=1).all()
    assert both[122] == 0


def test_how_a_hand_points_and_its_crop_come_after_the_shape() -> None:
    """Both are weighed, and leave the shape's values alone."""
    kept = np.hstack([hands(2), [[1, 0, 3], [0, 1, 4]]]).astype(np.float32)
    rows = AnySide(crop=True)(kept, (63,))
    assert (rows[:, :61] == AnySide()(kept[:, :60], (60,))).all()
    assert rows[:, 61:63] == pytest.approx(TURN * kept[:, 60:62])
    assert (rows[:, 63] > 0).all()


def test_embeddings_of_another_shape_are_refused() -> None:
    """Too few values, or a map of a picture, are one clear line."""
    for kept, shape in ((np.zeros((1, 59), np.float32), (59,)), (np.zeros((1, 64), np.float32), (4, 4, 4))):
        with pytest.raises(ShapeError, match=r"60\) or more"):
            AnySide()(kept, shape)


class Shapes(HandEmbedder):
    """`hand` without a picture: its embeddings are given."""

    def __init__(self) -> None:
        self.fingerprint, self.embedding_shape, self.embedding_dim = "shapes", (HAND_VALUES,), HAND_VALUES


def taught(signs: np.ndarray, features: FeatureMap | AnySide | None = None) -> Recognizer:
    """Four signs (4, 60), five shaken examples each."""
    recognizer = Recognizer(Shapes(), features=features, reject=False)
    random = np.random.default_rng(3)
    for label, sign in zip("abcd", signs, strict=True):
        for take in range(5):
            shaken = sign + random.normal(0, 0.05, HAND_VALUES) * (np.arange(HAND_VALUES) > 33)
            recognizer.add(shaken.astype(np.float32), label, take)
    recognizer.learn()
    return recognizer


def test_a_sign_taught_with_the_palm_is_known_from_the_back() -> None:
    """Every sign is named from the back though only palms were taught; palm and back are two signs where both were."""
    signs = hands(4, 7)
    recognizer = taught(signs)
    assert [recognizer.recognize(sign).label for sign in from_the_back(signs)] == list("abcd")
    sides = taught(np.concatenate([signs[:2], from_the_back(signs[:2])]))
    asked = np.concatenate([signs[:2], from_the_back(signs[:2])])
    assert [sides.recognize(sign).label for sign in asked] == list("abcd")


def test_a_head_taught_before_goes_on_as_it_was() -> None:
    """A profile of before kept the three values of a FeatureMap: its head is given the rows that it learned."""
    before = FeatureMap(root=False)
    old = taught(hands(4, 7), before)
    restored = Recognizer.restore(old.save(), Shapes(), reject=False)
    assert restored.features == before
    assert (restored.recognize(hands(4, 7)[1]).probabilities == old.recognize(hands(4, 7)[1]).probabilities).all()
    assert as_taught(AnySide().saved(), AnySide()) == AnySide()
    new = taught(hands(4, 7))
    assert Recognizer.restore(new.save(), Shapes(), reject=False).features == AnySide()


@pytest.mark.exact
def test_shape_and_crop_are_one_embedding(look_models: Path, data: Callable[[str], Path]) -> None:
    """A mirrored picture has the same shape and crop; how the hand points is the angle of the one that is seen."""
    embedder = HandAndCropEmbedder(load_tracker(look_models, 1), FakeEmbedder(8))
    alike = []
    for path in sorted(data("hands_sessions").glob("session_*/*/*.jpg"))[::110]:
        picture = decode(path)
        kept, turned = embedder.embed(picture), embedder.embed(np.ascontiguousarray(picture[:, ::-1]))
        assert kept is not None
        assert turned is not None
        assert kept.shape == embedder.embedding_shape
        assert np.hypot(*kept[60:62]) == pytest.approx(1, abs=1e-6)
        assert kept[60] == pytest.approx(-turned[60], abs=0.2)
        alike.append(float(kept[62:] @ turned[62:]))
    assert np.median(alike) >= 0.95
