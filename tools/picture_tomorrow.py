"""Draws docs/tomorrow.png: the simulated hand today and tomorrow, with the landmarks that were found over it.

Run from the checkout, after `edge-tl model get hands`: python tools/picture_tomorrow.py [DATA_DIR]
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from device.cli.grammar import data_dir  # noqa: E402
from device.cli.model_places import folder_of_models  # noqa: E402
from edge_tl.embedders.look.embedders import HandEmbedder  # noqa: E402
from edge_tl.embedders.look.marks import marks  # noqa: E402
from edge_tl.media.image import fit, marked, save_png  # noqa: E402
from edge_tl.sources.simulated import POSES, SimulatedPlayer  # noqa: E402

SEED = 5
TILE = (150, 200)
GAP_PX = 4


def main() -> None:
    """A row for each of two days, a column for each sign."""
    models = folder_of_models(Path(sys.argv[1] if len(sys.argv) > 1 else data_dir()), "hands")
    embedder = HandEmbedder.load(models, threads=1)
    rows = []
    with SimulatedPlayer(SEED, clock=lambda: 0.0, subject="hand") as player:
        for day in range(2):
            if day:
                player.new_day()
            rows.append(np.concatenate([tile(player, pose, embedder) for pose in POSES], axis=1))
    save_png(ROOT / "docs" / "tomorrow.png", np.concatenate(rows)[:-GAP_PX, :-GAP_PX])


def tile(player: SimulatedPlayer, pose: str, embedder: HandEmbedder) -> np.ndarray:
    """The hand in a pose as it was found, small, with a white edge below and to the right."""
    player.pose = pose
    player.new_session()
    # Without the grain of a camera, which no PNG can make small.
    player._look = dataclasses.replace(player._look, noise=np.zeros_like(player._look.noise))
    picture = player.read().data
    embedder.embed(picture)
    # Fewer shades make a smaller file.
    small = fit(picture, TILE, "stretch") & 0xF8
    for mark in marks(embedder, picture.shape):
        points = mark.points * (TILE[1] / picture.shape[1])
        fingers = [np.concatenate([points[:1], points[first : first + 4]]) for first in range(1, 21, 4)]
        # There and back, because an outline ends where it begins.
        small = marked(small, [np.concatenate([finger, finger[::-1]]) for finger in fingers], [])
        small = marked(small, [], [(points + offset) for offset in np.ndindex(2, 2)])
    return np.pad(small, ((0, GAP_PX), (0, GAP_PX), (0, 0)), constant_values=255)


if __name__ == "__main__":
    main()
