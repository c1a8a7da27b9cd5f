"""Which way to look is found out from the first frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from device.teach.recommend import EVERY, FRAMES, MOST, Recommending, finders
from edge_tl.media.image import decode

GREY = np.full((120, 160, 3), 127, np.uint8)


def said(ways: Recommending, pictures: list[np.ndarray]) -> tuple[str | None, int]:
    """What is recommended of pictures shown in turn, and after how many of them."""
    for number in range(EVERY * FRAMES + 1):
        if (text := ways(pictures[number % len(pictures)])) is not None:
            return text, number + 1
    return None, 0


def test_what_is_seen_most_is_recommended() -> None:
    """One in four of the first sixty frames is looked at; the way that finds something in most of them is named."""
    looked = []

    def hand(picture: np.ndarray) -> bool:
        looked.append(1)
        return len(looked) > FRAMES * (1 - MOST) - 1

    text, after = said(Recommending({"hand": hand, "face": lambda picture: False}), [GREY])
    assert after == EVERY * FRAMES
    assert len(looked) == FRAMES
    assert text == "a hand is in 10 of 15 frames: taught by `teach --look hand` it works tomorrow too"


def test_what_is_seldom_seen_is_not_recommended() -> None:
    """A find in half of the frames may be a mistake: nothing is said, and nothing is looked for any more."""
    turns = iter(range(1000))
    text, after = said(Recommending({"hand": lambda picture: next(turns) % 2 == 0}), [GREY])
    assert (text, after) == ("", EVERY * FRAMES)


def test_without_models_they_are_recommended(tmp_path: Path) -> None:
    """Where no models are installed, the command that gets them is told with the first frame."""
    text, after = said(Recommending(finders(tmp_path, 1)), [GREY])
    assert after == 1
    assert text is not None
    assert "edge-tl model get hands" in text


def test_a_real_hand_is_recommended(look_models: Path, data: Callable[[str], Path]) -> None:
    """Frames with a hand before the camera recommend `hand`, though a face is in them too."""
    paths = sorted((data("hands_sessions") / "session_15").glob("*/*.jpg"))
    text, _ = said(Recommending(finders(look_models, 1)), [decode(path) for path in paths])
    assert text is not None
    assert "teach --look hand" in text
