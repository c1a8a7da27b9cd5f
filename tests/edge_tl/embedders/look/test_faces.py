"""A face found and followed: where others miss it, where none is, and which of two."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_tl.embedders.look.embedders import FaceCropEmbedder, load_face_tracker
from edge_tl.embedders.look.face import SURE_FACE, VALUES, FaceTracker, same, windows
from edge_tl.embedders.look.region import Region, whole
from edge_tl.media.image import decode
from edge_tl.testing import FakeEmbedder, check_embedder

GREY = np.full((240, 320, 3), 127, np.uint8)


@pytest.fixture
def tracker(look_models: Path) -> FaceTracker:
    """A tracker that has seen nothing yet, on one thread."""
    return load_face_tracker(look_models, threads=1)


@pytest.fixture(scope="module")
def faces(data: Callable[[str], Path]) -> list[np.ndarray]:
    """Each person of cmu_faces once in each direction."""
    poses = ("left", "right", "straight", "up")
    return [
        decode(sorted(who.glob(f"{pose}_*.png"))[0]) for who in sorted(data("cmu_faces").iterdir()) for pose in poses
    ]


def test_faces_are_found_however_they_look(tracker: FaceTracker, faces: list[np.ndarray]) -> None:
    """Small faces that look up or to the side are found in nearly all pictures, with their points within the box."""
    found = [tracker.find(picture) for picture in faces]
    there = [face for face in found if face is not None]
    assert len(there) >= 0.95 * len(found)
    for face in there:
        left, top, right, bottom = face.box
        wide, high = right - left, bottom - top
        x, y = face.points.T
        assert (left - 0.3 * wide <= x).all()
        assert (x <= right + 0.3 * wide).all()
        assert (top - 0.3 * high <= y).all()
        assert (y <= bottom + 0.3 * high).all()


def test_hands_are_no_faces(tracker: FaceTracker, data: Callable[[str], Path]) -> None:
    """A look at a hand may see a face in it; several looks around it rarely agree."""
    signs = [decode(path) for path in sorted(data("sign_digits").glob("*/*.JPG"))[::12]]
    assert np.mean([tracker.find(picture) is not None for picture in signs]) <= 0.25


def test_a_face_is_followed_to_where_it_is_found(
    tracker: FaceTracker, faces: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A face that stays is followed without a search, in the place where a search finds it; gone, it is searched."""
    picture = next(one for one in faces if (face := tracker.find(one)) is not None and face.score >= SURE_FACE)
    searches = 0
    search = tracker._search

    def counted(picture: np.ndarray, through: list[Region]) -> object:
        nonlocal searches
        searches += 1
        return search(picture, through)

    monkeypatch.setattr(tracker, "_search", counted)
    for _ in range(4):
        followed = tracker.follow(picture)
        assert followed is not None
    assert searches == 1
    found = search(picture, [])
    assert found is not None
    assert same([found], followed)
    assert np.linalg.norm(found.points - followed.points, axis=1).max() <= 0.1 * found.side_px
    assert tracker.follow(GREY) is None
    assert tracker.follow(GREY) is None
    assert searches == 3
    assert tracker.follow(picture) is not None
    tracker.lose()
    assert tracker.follow(picture) is not None
    assert searches == 5


def test_of_two_people_the_nearer_one_counts(tracker: FaceTracker, faces: list[np.ndarray]) -> None:
    """Of two faces in a picture the larger one is taken, whichever side it is on."""
    near = np.repeat(np.repeat(faces[2], 2, axis=0), 2, axis=1)
    far = np.pad(faces[6], ((0, near.shape[0] - faces[6].shape[0]), (0, 0), (0, 0)))
    for left, right in ((near, far), (far, near)):
        face = tracker.find(np.concatenate([left, right], axis=1))
        assert face is not None
        middle = (face.box[0] + face.box[2]) / 2
        assert (middle > left.shape[1]) == (right is near)


def test_windows_cover_the_picture() -> None:
    """Every pixel of a wide, a high and a square picture is in a window of each size; none is looked at twice."""
    for shape in ((240, 320, 3), (640, 360, 3), (100, 100, 3)):
        picture = np.zeros(shape, np.uint8)
        chosen = list(windows(picture))
        assert len(set(chosen)) == len(chosen)
        for side in {window.side_px for window in chosen}:
            assert side < whole(picture).side_px
            seen = np.zeros(shape[:2], bool)
            for window in chosen:
                if window.side_px == side:
                    left, top = window.x_px - side / 2, window.y_px - side / 2
                    rows, columns = (np.arange(size) + 0.5 for size in shape[:2])
                    inside = (
                        ((rows >= top) & (rows <= top + side))[:, None] & (columns >= left) & (columns <= left + side)
                    )
                    seen |= inside
            assert seen.all()


def test_key_points_and_crop_weigh_alike(tracker: FaceTracker, faces: list[np.ndarray]) -> None:
    """The face crop's embedding holds two parts of unit length; where no face is there is none."""
    embedder = FaceCropEmbedder(tracker, FakeEmbedder(8))
    check_embedder(embedder, faces[:3])
    embedding = embedder.embed(faces[2])
    assert embedding is not None
    assert np.linalg.norm(embedding[:VALUES]) == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm(embedding[VALUES:]) == pytest.approx(1, abs=1e-5)
    assert embedder.embed(GREY) is None
    assert embedder.seen is None
