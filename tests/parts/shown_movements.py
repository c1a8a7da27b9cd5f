"""A profile of movements as the simulated hand shows them, from its joints: no picture is drawn and no model asked.

Signs beside them are as a tracker sees them: it sees fingers a little otherwise than they are drawn.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from device.commands.main import main
from edge_tl.embedders.embedder import Tracker
from edge_tl.embedders.look.hand import Hand
from edge_tl.sources import moving_hand
from edge_tl.sources.moving_hand import MovingHand

DEMONSTRATIONS, ABOUT_S = 4, 40
HOLDS, HOLD_FRAMES = 3, 30


def taught_by_joints(
    folder: Path,
    data: Path,
    labels: tuple[str, ...] = ("circle", "left"),
    signs: tuple[str, ...] = (),
    hands: Tracker[Hand] | None = None,
) -> Path:
    """The data folder with the profile `default`, imported and trained; folder: for what is imported.

    signs: what is held beside the movements, as `hands` sees it.
    """
    if hands is not None:
        for label in signs:
            for number in range(HOLDS):
                hold(hands, label, number, folder / label / f"{number}.npz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moving_hand, "draw", lambda *_: np.zeros((2, 2, 3), np.uint8))
        hand = MovingHand(3, lambda: 0.0)
        hand.open()
        for label in labels:
            for number in range(DEMONSTRATIONS):
                hand.perform(label)
                keep(hand, folder / label / f"{number}.npz", 100)
        hand.about()
        keep(hand, folder / "nothing" / "about.npz", 30 * ABOUT_S)
    assert main(["examples", "import", str(folder), "--data-dir", str(data)]) == 0
    assert main(["train", "--data-dir", str(data)]) == 0
    return data


def keep(hand: MovingHand, path: Path, most: int) -> None:
    """So many frames at most of what a hand does, as a file of landmarks; fewer where it is done before."""
    frames = []
    while len(frames) < most and (not frames or hand.busy or most > 100):
        frame = hand.read()
        frames.append((hand.joints.copy(), frame.time_s))
    save(path, frames)


def hold(hands: Tracker[Hand], label: str, seed: int, path: Path) -> None:
    """A sign as it is seen while it is held, as a file of landmarks."""
    hand, frames = MovingHand(seed, lambda: 0.0), []
    hand.open()
    hand.perform(label)
    hands.lose()
    while len(frames) < HOLD_FRAMES + 5:
        frame = hand.read()
        if frame.truth == label:
            seen = hands.follow(frame.data)
            assert seen is not None
            frames.append((seen.points[:, :2], frame.time_s))
    save(path, frames[5:])  # it has just become the sign


def save(path: Path, frames: list[tuple[np.ndarray, float]]) -> None:
    """Landmarks and times as whoever has them writes them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, landmarks=np.array([at for at, _ in frames]), times_s=np.array([at for _, at in frames]))
