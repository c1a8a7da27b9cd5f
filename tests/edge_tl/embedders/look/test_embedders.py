"""The embedders that look for something first, on real pictures: what changes their answer, and what does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_tl.embedders.embedder import Embedder
from edge_tl.embedders.look.embedders import (
    BoxEmbedder,
    FaceEmbedder,
    HandAndCropEmbedder,
    HandCropEmbedder,
    HandEmbedder,
    crop_region,
)
from edge_tl.errors import ConfigError
from edge_tl.media.image import decode
from edge_tl.testing import FakeEmbedder, check_embedder

pytestmark = pytest.mark.exact


@pytest.fixture(scope="module")
def hands(look_models: Path) -> HandEmbedder:
    """The hand embedder on one thread."""
    return HandEmbedder.load(look_models, threads=1)


@pytest.fixture(scope="module")
def faces(look_models: Path) -> FaceEmbedder:
    """The face embedder on one thread."""
    return FaceEmbedder.load(look_models, threads=1)


@pytest.fixture(scope="module")
def shown(data: Callable[[str], Path]) -> list[np.ndarray]:
    """A dozen pictures of hands, of every session and class."""
    return [decode(path) for path in sorted(data("hands_sessions").glob("session_*/*/*.jpg"))[::80]]


def alike(one: np.ndarray, other: np.ndarray) -> float:
    """The cosine between two embeddings; 0 where one is zeros."""
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths else 0.0


@pytest.mark.parametrize("way", ["hand", "hand-crop", "hand-and-crop", "face", "box"])
def test_every_way_to_look_keeps_the_contract(
    way: str, hands: HandEmbedder, faces: FaceEmbedder, shown: list[np.ndarray], data: Callable[[str], Path]
) -> None:
    """With a real hand or face, with noise and with a single pixel, each is an Embedder like any other."""
    inner = FakeEmbedder()
    ways: dict[str, Embedder] = {
        "hand": hands,
        "hand-crop": HandCropEmbedder(hands.tracker, inner),
        "hand-and-crop": HandAndCropEmbedder(hands.tracker, inner),
        "face": faces,
        "box": BoxEmbedder(inner, (0.25, 0.1, 0.75, 0.9)),
    }
    face = decode(data("cmu_faces") / "an2i" / "straight_neutral_open.png")
    check_embedder(ways[way], [face] if way == "face" else shown[1:3])
    assert len({embedder.fingerprint for embedder in ways.values()} | {inner.fingerprint}) == 6


@pytest.mark.parametrize("change", ["mirrored", "turned", "upside down", "darker", "elsewhere"])
def test_a_hand_is_the_same_however_it_is_held(change: str, hands: HandEmbedder, shown: list[np.ndarray]) -> None:
    """Mirrored, turned by a quarter or a half, in less light or elsewhere in the picture its shape stays."""
    changes: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "mirrored": lambda picture: picture[:, ::-1],
        "turned": np.rot90,
        "upside down": lambda picture: picture[::-1, ::-1],
        "darker": lambda picture: (picture * 0.6).astype(np.uint8),
        "elsewhere": lambda picture: np.pad(picture, ((0, 40), (80, 0), (0, 0))),
    }
    found = [alike(hands.embed(picture), hands.embed(changes[change](picture))) for picture in shown]
    assert np.median(found) >= 0.99
    assert np.mean(np.array(found) >= 0.9) >= 0.8


def test_the_hand_crop_is_the_upright_right_hand(hands: HandEmbedder, shown: list[np.ndarray]) -> None:
    """What is embedded is the crop around the hand that was seen, and a picture and its mirror image look alike."""
    crops = HandCropEmbedder(hands.tracker, FakeEmbedder(8))
    found = []
    for picture in shown:
        embedding = crops.embed(picture)
        assert crops.seen is not None
        assert (embedding == crops.inner.embed(crop_region(crops.seen).crop(picture, 224))).all()
        found.append(alike(embedding, crops.embed(np.ascontiguousarray(picture[:, ::-1]))))
    assert np.median(found) >= 0.98


def test_a_face_says_where_it_looks(faces: FaceEmbedder, data: Callable[[str], Path]) -> None:
    """The nose of everyone who looks to one side is on that side of the eyes, and on the other in a mirror."""
    for person in sorted(data("cmu_faces").iterdir())[::2]:
        for pose, side in (("left", 1), ("right", -1)):
            picture = decode(person / f"{pose}_neutral_open.png")
            for seen, way in ((picture, side), (np.ascontiguousarray(picture[:, ::-1]), -side)):
                faces.embed(seen)
                assert faces.seen is not None, person.name
                right_eye, left_eye, nose = faces.seen.points[:3]
                turned = way * (nose[0] - (right_eye[0] + left_eye[0]) / 2) / faces.seen.side_px
                assert turned > 0.05, person.name


def test_no_face_gives_none(faces: FaceEmbedder, shown: list[np.ndarray]) -> None:
    """Grey holds no face: no embedding, and nothing seen from the picture before."""
    assert faces.embed(np.full((120, 128, 3), 127, np.uint8)) is None
    assert faces.seen is None


def test_a_box_is_that_part_of_the_picture(shown: list[np.ndarray]) -> None:
    """It embeds what is inside and nothing else, of any picture's size, down to a single pixel."""
    inner = FakeEmbedder()
    box = BoxEmbedder(inner, (0.25, 0.5, 0.75, 1.0))
    picture = shown[0]
    rows, columns = picture.shape[:2]
    embedding = box.embed(picture)
    assert (embedding == inner.embed(picture[rows // 2 :, columns // 4 : columns - columns // 4])).all()
    changed = picture.copy()
    changed[: rows // 2] = 0
    assert (box.embed(changed) == embedding).all()
    assert box.embed(picture[:1, :1]).shape == (inner.embedding_dim,)


@pytest.mark.parametrize(
    "box", [(0.5, 0, 0.5, 1), (0, 0.6, 1, 0.4), (-0.1, 0, 1, 1), (0, 0, 1, 1.1), (0, 0, np.nan, 1)]
)
def test_an_empty_box_is_refused(box: tuple[float, float, float, float]) -> None:
    """A box without area, beyond the picture or of no number is a ConfigError."""
    with pytest.raises(ConfigError, match="left < right"):
        BoxEmbedder(FakeEmbedder(), box)
