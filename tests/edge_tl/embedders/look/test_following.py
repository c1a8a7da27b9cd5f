"""A hand followed from picture to picture: the same as found anew, lost where it goes, found where it comes back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_tl.embedders.look.embedders import HandEmbedder, load_tracker
from edge_tl.embedders.look.hand import TURNS_RAD, Hand, HandTracker
from edge_tl.embedders.look.region import Region
from edge_tl.media.image import decode

pytestmark = pytest.mark.exact

GREY = np.full((240, 320, 3), 127, np.uint8)


@pytest.fixture
def tracker(look_models: Path) -> HandTracker:
    """A tracker that has seen nothing yet, on one thread."""
    return load_tracker(look_models, threads=1)


@pytest.fixture(scope="module")
def stream(data: Callable[[str], Path]) -> list[np.ndarray]:
    """Pictures of one open hand that follow each other."""
    return [decode(path) for path in sorted((data("hands_sessions") / "session_2" / "5").glob("*.jpg"))[:12]]


def apart(one: Hand, other: Hand) -> float:
    """The mean distance of their landmarks, as a part of the hand's size."""
    size = np.ptp(other.points[:, :2], axis=0).max()
    return float(np.linalg.norm(one.points[:, :2] - other.points[:, :2], axis=1).mean() / size)


def test_a_hand_is_followed_to_where_it_is_found(tracker: HandTracker, data: Callable[[str], Path]) -> None:
    """Over streams of every session, following sees a hand where searching does, nearly always in the same place."""
    same, distances = [], []
    for session in ("session_2", "session_3", "session_5", "session_15"):
        tracker.lose()
        for path in sorted((data("hands_sessions") / session / "5").glob("*.jpg"))[:12]:
            picture = decode(path)
            followed, found = tracker.follow(picture), tracker.find(picture)
            same.append((followed is None) == (found is None))
            if followed is not None and found is not None:
                distances.append(apart(followed, found))
    assert np.mean(same) >= 0.95
    assert np.median(distances) <= 0.02
    assert np.mean(np.array(distances) <= 0.06) >= 0.85


def test_a_still_hand_is_followed_by_one_network(
    tracker: HandTracker, stream: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the hand stays, palms are not searched; when it is gone they are, in every picture until it is back."""
    searches = 0
    search = tracker._palms.__call__

    def counted(picture: np.ndarray, region: Region) -> list[object]:
        nonlocal searches
        searches += 1
        return list(search(picture, region))

    monkeypatch.setattr(tracker, "_palms", counted)
    for _ in range(4):
        assert tracker.follow(stream[0]) is not None
    assert searches == 1
    for _ in TURNS_RAD:
        assert tracker.follow(GREY) is None
    assert searches == 1 + len(TURNS_RAD)
    back = tracker.follow(stream[0])
    assert searches == 2 + len(TURNS_RAD)
    assert back is not None
    found = tracker.find(stream[0])
    assert found is not None
    assert (back.points == found.points).all()


def test_a_hand_that_jumps_is_found_in_the_same_picture(tracker: HandTracker, stream: list[np.ndarray]) -> None:
    """A hand that is suddenly elsewhere is not missed once: where it was is nothing, so it is searched at once."""
    picture = stream[0]
    wide = np.concatenate([picture, np.zeros_like(picture)], axis=1)
    jumped = np.concatenate([np.zeros_like(picture), picture], axis=1)
    before, after = tracker.follow(wide), tracker.follow(jumped)
    assert before is not None
    assert after is not None
    moved = after.points[:, 0].mean() - before.points[:, 0].mean()
    assert moved == pytest.approx(picture.shape[1], rel=0.05)


def test_a_hand_that_lies_badly_is_found_in_the_turned_picture(
    tracker: HandTracker, data: Callable[[str], Path]
) -> None:
    """What the upright picture does not show is found in the turned one: at once alone, and soon in a stream."""
    picture = decode(data("hands_sessions") / "session_5" / "3" / "pic00019.jpg")
    assert not tracker.palms(picture)
    assert tracker.find(picture) is not None
    assert any(tracker.follow(picture) is not None for _ in TURNS_RAD)
    assert tracker.follow(picture) is not None


def test_after_lose_a_stream_begins_anew(tracker: HandTracker, stream: list[np.ndarray]) -> None:
    """After `lose` the next picture is searched as if it were the first, whatever was followed before."""
    for picture in stream[:3]:
        tracker.follow(picture)
    tracker.lose()
    again, found = tracker.follow(stream[5]), tracker.find(stream[5])
    assert again is not None
    assert found is not None
    assert (again.points == found.points).all()


def test_an_embedder_follows_only_when_told(look_models: Path, stream: list[np.ndarray]) -> None:
    """Alone, a picture's embedding depends on nothing before it; with `following` it is near that of the search."""
    hands = HandEmbedder.load(look_models, threads=1)
    alone = [hands.embed(picture) for picture in stream]
    for picture, embedding in zip(reversed(stream), reversed(alone), strict=True):
        assert (hands.embed(picture) == embedding).all()
    hands.following = True
    followed = [hands.embed(picture) for picture in stream]
    cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in zip(alone, followed, strict=True)]
    assert np.median(cosines) >= 0.99
