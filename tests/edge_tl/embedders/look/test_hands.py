"""Real hands in real rooms: found, and found where they are."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_tl.embedders.embedder import Embedder
from edge_tl.embedders.look.embedders import HandEmbedder
from edge_tl.media.image import decode


@pytest.fixture(scope="session")
def hands(look_models: Path) -> HandEmbedder:
    """The hand embedder with the models of the published wheel, on one thread."""
    return HandEmbedder.load(look_models, threads=1)


def test_hands_are_found_where_they_are(hands: HandEmbedder, data: Callable[[str], Path]) -> None:
    """In nine of ten pictures a hand is found, its landmarks' middle inside the box that a person drew."""
    folder = data("hands_sessions")
    with (folder / "boxes.csv").open() as file:
        rows = list(csv.DictReader(file))[::25]
    inside = 0
    for row in rows:
        hands.embed(decode(folder / row["file"]))
        if hands.seen is not None:
            x, y = hands.seen.points[:, :2].mean(axis=0)
            inside += float(row["left"]) < x < float(row["right"]) and float(row["top"]) < y < float(row["bottom"])
    assert inside >= 0.9 * len(rows)


def test_a_picture_of_nothing_gives_none_and_loses_the_hand(hands: HandEmbedder) -> None:
    """Grey and noise hold no hand, found or followed, and it is an Embedder like any other."""
    assert isinstance(hands, Embedder)
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    for following in (False, True):
        hands.following = following
        for picture in (np.full((240, 320, 3), 127, np.uint8), noise):
            assert hands.embed(picture) is None
    hands.following = False
