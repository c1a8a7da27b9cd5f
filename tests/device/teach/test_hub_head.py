"""A hub's head becomes a generation, where it does as well on what was recorded here as the one in use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from device.teach.hub_head import save_hub_head
from device.teach.training import teach_all
from edge_tl.core.answers import SavedHead
from edge_tl.errors import ConfigError
from edge_tl.fleet.head import FleetHead, HeadHeader, new_head
from edge_tl.fleet.keys import DeviceKey
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile
from edge_tl.testing import FakeEmbedder

pytest.importorskip("cryptography", reason="cryptography is not installed (extra fleet)")
EMBEDDER = FakeEmbedder()


def rows(label: str, count: int, seed: int) -> np.ndarray:
    """Embeddings of a class."""
    away = 3.0 * np.array([label == "up", label == "down", label == "left"], np.float32)
    noise = np.abs(np.random.default_rng(seed).normal(size=(count, EMBEDDER.embedding_dim))).astype(np.float32)
    noise[:, :3] += away
    return noise


def trained(labels: dict[str, str]) -> Recognizer:
    """A recognizer that was taught rows of some classes, each under a name."""
    made = Recognizer(EMBEDDER, "ridge", reject=False)
    for at, (label, name) in enumerate(labels.items()):
        for take in range(2):
            for row in rows(label, 8, 10 * at + take):
                made.add(row, name, 2 * at + take)
    made.learn()
    return made


def head_of(recognizer: Recognizer, **more: object) -> FleetHead:
    """It, as the hub sends it."""
    header = HeadHeader("hub", EMBEDDER.fingerprint, 5, "set", 12)
    saved = recognizer.save(examples=12)
    return new_head(DeviceKey(bytes(32)), replace(header, **more), SavedHead(saved.meta, saved.arrays))  # type: ignore[arg-type]


@pytest.fixture
def device(tmp_path: Path) -> Iterator[tuple[Profile, Recognizer]]:
    """One that recorded two classes and was trained."""
    with Profile(tmp_path / "profile", writable=True) as profile:
        for at, label in enumerate(("up", "down")):
            take = profile.store.new_take(label)
            for row in rows(label, 10, 50 + at):
                profile.store.add(take, None, row, EMBEDDER.fingerprint)
        profile.store.flush()
        recognizer = Recognizer(EMBEDDER, "ridge", reject=False)
        teach_all(profile, recognizer)
        recognizer.learn()
        profile.save(recognizer.save(listening={"threshold": 0.5}))
        yield profile, recognizer


def test_it_becomes_a_generation(device: tuple[Profile, Recognizer]) -> None:
    """It knows the hub's classes bit for bit, says whose it is, and how one listens here stays."""
    profile, recognizer = device
    hub = trained({"up": "up", "down": "down", "left": "left"})
    assert save_hub_head(profile, recognizer, head_of(hub), "teacher") == 2
    saved = profile.load()
    assert saved is not None
    assert saved.meta["hub"] == {"device": "teacher", "number": 5, "lessons": 12}
    assert saved.meta["listening"] == {"threshold": 0.5}
    made = Recognizer.restore(saved, EMBEDDER)
    for row in rows("left", 5, 99):
        np.testing.assert_array_equal(made.recognize(row).probabilities, hub.recognize(row).probabilities)


@pytest.mark.parametrize(
    ("labels", "more", "why"),
    [
        ({"up": "up", "down": "down"}, {"fingerprint": "cd" * 32}, "another model"),
        ({"up": "up", "left": "left"}, {}, "does not know down"),
        ({"up": "down", "down": "up"}, {}, "of 20 examples of this device rightly, and the one in use"),
    ],
)
def test_what_would_be_worse_here_is_not_used(
    device: tuple[Profile, Recognizer], labels: dict[str, str], more: dict[str, object], why: str
) -> None:
    """Another model's, one that lacks a class recorded here, and one that names what was recorded here wrongly."""
    profile, recognizer = device
    with pytest.raises(ConfigError, match=why):
        save_hub_head(profile, recognizer, head_of(trained(labels), **more), "teacher")
    assert profile.generations()[0].number == 1


def test_a_head_that_cannot_be_restored_is_one_line(device: tuple[Profile, Recognizer]) -> None:
    """Signed, and without its weights."""
    profile, recognizer = device
    saved = trained({"up": "up", "down": "down"}).save()
    header = HeadHeader("hub", EMBEDDER.fingerprint, 5, "set", 12)
    empty = new_head(DeviceKey(bytes(32)), header, SavedHead(saved.meta, {}))
    with pytest.raises(ConfigError, match="the head of teacher cannot be used"):
        save_hub_head(profile, recognizer, empty, "teacher")


def test_a_device_on_its_first_day_takes_it(tmp_path: Path) -> None:
    """Where nothing was recorded nothing speaks against it."""
    with Profile(tmp_path / "new", writable=True) as profile:
        made = save_hub_head(
            profile, Recognizer(EMBEDDER, "ridge"), head_of(trained({"up": "up", "down": "down"})), "hub"
        )
        assert made == 1
