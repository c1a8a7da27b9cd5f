"""What mediapipe itself says of a few pictures (tests/data/mediapipe.json, by check_mediapipe.py), and what we say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from places import DATA

from edge_tl.embedders.look.embedders import load_tracker
from edge_tl.embedders.look.hand import palm_region
from edge_tl.embedders.look.models import FACE, PALM, load_part
from edge_tl.embedders.look.palm_and_face import Detector
from edge_tl.media.image import decode

GOLDEN: dict[str, Any] = json.loads((DATA / "mediapipe.json").read_text())
NEAR = 0.015
"""Of the longer side of the box around mediapipe's points, of the mean distance."""


def distance(ours: np.ndarray, theirs: list[list[float]]) -> float:
    """The mean distance of points, as a part of the size of theirs."""
    wanted = np.array(theirs)
    return float(np.linalg.norm(ours[:, :2] - wanted, axis=1).mean() / np.ptp(wanted, axis=0).max())


def test_hands_are_mediapipes(look_models: Path, data: Callable[[str], Path]) -> None:
    """At the first look, from the palm, and at the second, from the landmarks, they are where mediapipe has them."""
    tracker = load_tracker(look_models, threads=1)
    palms = Detector(load_part(look_models, PALM, 1), PALM.scaling, 0.5)
    folder = data("hands_sessions").parent
    compared = 0
    for entry in GOLDEN["hands"]:
        picture = decode(folder / entry["file"])
        if not entry["first"]:
            continue
        first = [tracker.look(picture, palm_region(palm)) for palm in palms(picture)]
        assert min(distance(hand.points, entry["first"][0]) for hand in first if hand is not None) <= NEAR
        second = tracker.find(picture)
        assert second is not None
        assert distance(second.points, entry["second"][0]) <= NEAR
        compared += 1
    assert compared >= 10


def test_faces_are_mediapipes(look_models: Path, data: Callable[[str], Path]) -> None:
    """The surest face's box and key points are where mediapipe has them, and nowhere where it sees none."""
    faces = Detector(load_part(look_models, FACE, 1), FACE.scaling, 0.5)
    folder = data("cmu_faces").parent
    for entry in GOLDEN["faces"]:
        found = max(faces(decode(folder / entry["file"])), key=lambda face: face.score, default=None)
        if entry["points"] is None:
            assert found is None
        else:
            assert found is not None
            points = np.concatenate([found.box.reshape(2, 2), found.points])
            assert distance(points, entry["points"]) == pytest.approx(0, abs=NEAR)
