"""What is odd about a picture is said in a line: nobody there, several, or too dark."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from device.teach.notice import EVERY, PictureNotice
from edge_tl.embedders.look.choices import Look
from edge_tl.embedders.look.ways import open_look
from edge_tl.sources.simulated import SimulatedPlayer
from edge_tl.testing import FakeEmbedder

GREY = np.full((240, 320, 3), 127, np.uint8)
BLACK = np.zeros((240, 320, 3), np.uint8)


def shown(subject: str) -> np.ndarray:
    """A simulated head or hand, uint8 (240, 320, 3)."""
    with SimulatedPlayer(1, subject=subject) as player:
        return player.read().data


def test_whole_pictures_are_only_too_dark() -> None:
    """An embedder that looks for nothing misses nothing; a dark picture is said."""
    noticing, embedder = PictureNotice(), FakeEmbedder()
    assert noticing(embedder, GREY, then="nothing steers") == ""
    assert noticing(embedder, BLACK, then="nothing steers") == "it is dark: more light helps"


def test_what_leaves_is_said_and_what_that_means(look_models: Path) -> None:
    """A face that is away: what becomes of answers then, or which class it is; in the dark that is said too."""
    noticing, embedder = PictureNotice(), open_look(Look("face"), look_models, FakeEmbedder, 1)
    for picture, nobody, line in (
        (shown("head"), None, ""),
        (GREY, None, "no face: nothing steers"),
        (GREY, "nobody", "no face: that is nobody"),
        (BLACK, None, "no face, it is dark: nothing steers"),
    ):
        embedder.embed(picture)
        assert noticing(embedder, picture, nobody=nobody, then="nothing steers") == line


def test_two_people_are_counted(look_models: Path) -> None:
    """Two faces side by side, or two hands: it is said which of them counts, and no more once one has gone."""
    for way, subject, plural in (("face", "head", "faces"), ("hand", "hand", "hands")):
        noticing, embedder = PictureNotice(), open_look(Look(way), look_models, FakeEmbedder, 1)
        one = shown(subject)
        two = np.concatenate([one, one], axis=1)
        embedder.embed(two)
        assert noticing(embedder, two, then="") == f"2 {plural}: the one with the frame is used"
        said = []
        for _ in range(EVERY):
            embedder.embed(one)
            said.append(noticing(embedder, one, then=""))
        assert said[-1] == ""
