"""The world on disk: what is gathered comes back, what ships fits the base, damage is one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from edge_tl.embedders.world import ABOUT, NUMBERS, STRETCH, gathered, known_world, read_world, world_of, write_world
from edge_tl.errors import ModelError, ShapeError
from edge_tl.models import default_model
from edge_tl.testing import FakeEmbedder

pytest.importorskip("pyopen_wakeword", reason="pyopen-wakeword is not installed: pip install -e .[speech]")

from edge_tl.embedders.speech import SpeechEmbedder

SHIPPED = default_model().parent / "world-speech"
MAX_BYTES = 1_500_000


@pytest.fixture(scope="module")
def base() -> SpeechEmbedder:
    """The embedded base, on one thread."""
    return SpeechEmbedder.load(1)


def sounds(base: SpeechEmbedder, count: int = 3, seed: int = 0) -> list[np.ndarray]:
    """Embeddings of the windows of sounds of made runs, which overlap as those of a stream do."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        runs = rng.normal(0, 5, (2 * STRETCH + 7, 96)).astype(np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(runs, 8, axis=0).transpose(0, 2, 1)
        made.append(np.ascontiguousarray(windows).reshape(len(windows), -1))
    return made


def about() -> dict[str, object]:
    """What a card says."""
    return {"made_by": "a test", "sources": [{"name": "noise", "hours": 0.01, "licence": "CC0"}]}


def test_a_world_that_was_written_is_read(base: SpeechEmbedder, tmp_path: Path) -> None:
    """Mean, covariance, hours and the bank come back, as exact as half precision and bytes are; the card names all."""
    world, bank = gathered(base, sounds(base))
    assert bank.shape == (6, STRETCH, 96)
    for _ in range(2):  # what is there is replaced
        write_world(tmp_path, base, world, bank, about())
    again = read_world(tmp_path, base)
    assert again.count == world.count == 3 * (2 * STRETCH)
    assert again.hours == pytest.approx(world.count * 0.08 / 3600)
    assert np.allclose(again.mean, world.mean, atol=1e-6)
    assert np.abs(again.covariance - world.covariance).max() < 1e-3 * np.square(world.spread).max()
    assert again.bank.shape == world.bank.shape
    assert np.abs(again.bank - world.bank).max() < 0.02
    card = (tmp_path / "CARD.md").read_text()
    assert all(text in card for text in ("noise", "CC0", "a test", base.fingerprint))


def test_the_world_that_ships_is_the_base_s_own(base: SpeechEmbedder) -> None:
    """It is found by the base's fingerprint, is as small as was promised, and says what it was made of."""
    world = world_of(base)
    assert world is not None
    assert world.hours > 2
    assert (SHIPPED / NUMBERS).stat().st_size <= MAX_BYTES
    described = json.loads((SHIPPED / ABOUT).read_text())
    assert all(one["licence"] in ("CC BY 4.0", "CC0-1.0") for one in described["sources"])
    assert all(one["name"] in (SHIPPED / "CARD.md").read_text() for one in described["sources"])
    assert (SHIPPED / "LICENSES.txt").read_text().count("Creative Commons Attribution 4.0")
    assert world_of(FakeEmbedder()) is None


def test_what_was_heard_here_is_added(base: SpeechEmbedder) -> None:
    """The shipped world and one's own are one; without a shipped one there is none."""
    own, _ = gathered(base, sounds(base))
    shipped, both = world_of(base), known_world(base, own)
    assert shipped is not None
    assert both is not None
    assert both.count == shipped.count + own.count
    assert known_world(FakeEmbedder(), own) is None


def test_damage_is_one_line(base: SpeechEmbedder, tmp_path: Path) -> None:
    """Another model's world, a changed byte, a missing file and an unknown format are each refused with what helps."""
    folder = shutil.copytree(SHIPPED, tmp_path / "world")
    described = json.loads((folder / ABOUT).read_text())
    for change, said in (
        ({"embedder": {"name": "x", "fingerprint": "0" * 64}}, "of another model"),
        ({"sha256": "0" * 64}, "check sum"),
        ({"format": 9}, "upgrade edge-tl"),
        ({"embedder": 3}, "no whole world.json"),
    ):
        (folder / ABOUT).write_text(json.dumps(described | change))
        with pytest.raises(ModelError, match=said):
            read_world(folder, base)
    (folder / ABOUT).write_text(json.dumps(described))
    (folder / NUMBERS).unlink()
    with pytest.raises(ModelError, match="is damaged"):
        read_world(folder, base)


def test_sounds_that_are_too_short_are_refused(base: SpeechEmbedder) -> None:
    """A few seconds make no world, and pictures have none."""
    with pytest.raises(ShapeError, match="too short"):
        gathered(base, [one[:20] for one in sounds(base, 1)])
