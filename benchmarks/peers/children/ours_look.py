"""edge-tl's hands on a stream of pictures: milliseconds a frame, and where the landmarks are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.child import serve, timed
from edge_tl.embedders.look.embedders import load_tracker
from edge_tl.embedders.look.hand import HandTracker
from edge_tl.media.image import decode

pictures: list[np.ndarray] = []
tracker: HandTracker | None = None


def load(paths: list[str], models: str) -> dict[str, Any]:
    """Decode the pictures, and open the models on one thread."""
    global tracker
    pictures[:] = [decode(Path(path)) for path in paths]
    tracker = load_tracker(Path(models), threads=1)
    return {"pictures": len(pictures)}


def begin() -> dict[str, Any]:
    """A stream begins."""
    assert tracker is not None
    tracker.lose()
    return {}


def frame(at: int) -> dict[str, Any]:
    """The landmarks in pixels, or none."""
    assert tracker is not None
    follow, picture = tracker.follow, pictures[at]
    hand, took = timed(lambda: follow(picture))
    return {**took, "points": None if hand is None else hand.points[:, :2].tolist()}


if __name__ == "__main__":
    serve({"load": load, "begin": begin, "frame": frame})
