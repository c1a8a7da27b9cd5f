"""Between full looks: what a glance costs, keeps, and how near it comes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge_tl.embedders.look.embedders import FaceCropEmbedder, HandEmbedder, load_face_tracker
from edge_tl.embedders.look.face import VALUES, FaceTracker
from edge_tl.media.image import decode
from edge_tl.testing import FakeEmbedder

GREY = np.full((240, 320, 3), 127, np.uint8)


def a_face(data: Callable[[str], Path]) -> np.ndarray:
    """Somebody who looks straight."""
    return decode(sorted(next(iter(sorted(data("cmu_faces").iterdir()))).glob("straight_*.png"))[0])


def test_a_hand_is_glanced_at_without_a_network(look_models: Path, data: Callable[[str], Path]) -> None:
    """Between two full looks the hand is what it was; gone, it is gone until the next full look."""
    picture = decode(sorted(data("sign_digits").glob("5/*.JPG"))[0])
    embedder = HandEmbedder.load(look_models, threads=1)
    embedder.following = True
    full = embedder.embed(picture)
    assert full is not None
    embedder.sparing = True
    kept = embedder.embed(GREY)
    assert kept is not None
    assert kept is not full
    assert np.array_equal(kept, full)
    embedder.sparing = False
    assert embedder.embed(GREY) is None
    embedder.sparing = True
    assert embedder.embed(picture) is None
    assert embedder.seen is None


def test_a_face_is_glanced_at_by_one_look(look_models: Path, data: Callable[[str], Path]) -> None:
    """One run of the detector where a full look takes three, and of a face that stays the same answer."""
    tracker, picture = load_face_tracker(look_models, threads=1), a_face(data)
    runs = counting(tracker)
    full = tracker.follow(picture)
    assert full is not None
    before = len(runs)
    full = tracker.follow(picture)
    assert full is not None
    assert len(runs) - before == 3
    glanced = tracker.glance(picture)
    assert glanced is not None
    assert len(runs) - before == 4
    assert np.abs(glanced.points - full.points).max() <= 0.03 * full.side_px
    tracker.lose()
    assert tracker.glance(picture) is None
    assert len(runs) - before == 4


def test_a_face_that_a_glance_does_not_see_is_searched(look_models: Path, data: Callable[[str], Path]) -> None:
    """Gone from where it was, it is looked for at once: a glance costs more then, and tells that nobody is there."""
    tracker = load_face_tracker(look_models, threads=1)
    assert tracker.follow(a_face(data)) is not None
    assert tracker.glance(GREY) is None
    assert tracker.glance(GREY) is None


def test_a_glance_keeps_the_crop_and_sees_the_pose(look_models: Path, data: Callable[[str], Path]) -> None:
    """The face's crop is embedded once between full looks, where it looks is seen in each picture."""
    picture = a_face(data)
    embedder = FaceCropEmbedder(load_face_tracker(look_models, threads=1), FakeEmbedder())
    embedder.following = True
    full = embedder.embed(picture)
    assert full is not None
    embedder.sparing = True
    glanced = embedder.embed(np.roll(picture, 3, axis=1))
    assert glanced is not None
    assert np.array_equal(glanced[VALUES:], full[VALUES:])
    assert not np.array_equal(glanced[:VALUES], full[:VALUES])


def counting(tracker: FaceTracker) -> list[int]:
    """A list that grows with each run of a tracker's detector."""
    runs: list[int] = []
    detector = tracker._faces

    def counted(*asked: object) -> object:
        runs.append(1)
        return detector(*asked)  # type: ignore[arg-type]

    tracker._faces = counted  # type: ignore[assignment]
    return runs
