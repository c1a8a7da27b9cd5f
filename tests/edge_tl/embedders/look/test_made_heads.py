"""Heads that nobody showed lie between and beyond the taught ones; unknown poses are refused, other people are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_tl.embedders.look.embedders import FaceEmbedder
from edge_tl.embedders.look.made_heads import BETWEEN, BEYOND, HEADS, MADE, PEOPLE, PLACES, other_heads, other_people
from edge_tl.heads.rejection import Rejector
from edge_tl.heads.ridge import RidgeHead
from edge_tl.media.image import decode


def test_made_heads_lie_on_lines_through_two_poses() -> None:
    """Each is between two taught poses or beyond the second, never near one; the same rows give the same heads."""
    rows = np.zeros((6, PLACES + 3), np.float32)
    rows[3:, 0] = 1
    made = other_heads(rows, np.repeat(["left", "right"], 3))
    assert made.shape == (MADE, PLACES)
    assert not made[:, 1:].any()
    place = np.where(made[:, 0] > 0.5, made[:, 0], 1 - made[:, 0])  # as seen from the pose that is farther away
    low, high = BETWEEN
    between = (place >= 1 - high - 1e-6) & (place <= high + 1e-6)
    beyond = (place >= BEYOND[0] - 1e-6) & (place <= BEYOND[1] + 1e-6)
    assert (between | beyond).all()
    assert between.mean() == pytest.approx(1 / 3, abs=0.06)
    assert (low, high) == (1 - high, 1 - low)
    assert (made == other_heads(rows, np.repeat(["left", "right"], 3))).all()
    assert other_heads(rows, np.repeat("left", 6)).shape == (0, PLACES)


def test_other_people_differ_as_people_do() -> None:
    """The deviations of made people have the measured covariance, in lengths of the row; turn 0 changes nothing."""
    random = np.random.default_rng(0)
    rows = np.tile(random.normal(size=PLACES + 2).astype(np.float32), (4000, 1))
    length = np.linalg.norm(rows[0, :PLACES])
    assert (other_people(rows, 0) == rows[:, :PLACES]).all()
    off = (other_people(rows, 1) - rows[:, :PLACES]) / length
    assert off.T @ off / len(off) == pytest.approx(PEOPLE.T @ PEOPLE, abs=2e-4)
    assert (other_people(rows, 2) != other_people(rows, 1)).any()


def test_other_people_pass_and_unknown_poses_do_not(data: Callable[[str], Path], look_models: Path) -> None:
    """One person teaches three poses; more of what other people show passes than before, and fewer unknown poses do."""
    embedder = FaceEmbedder.load(look_models, threads=1)
    people = ("boland", "cheyer", "karyadi", "megak")  # of whom PEOPLE is not
    found: dict[str, list[tuple[np.ndarray, str, str]]] = {}
    for path in sorted(data("cmu_faces").glob("*/*.png")):
        if path.parent.name not in people:
            continue
        embedding = embedder.embed(decode(path))
        if embedding is not None:
            pose, _, eyes = path.stem.split("_")
            row = embedder.features(embedding, embedder.embedding_shape)
            found.setdefault(path.parent.name, []).append((row, pose, eyes))
    passed: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for teacher in list(found)[:3]:
        taught = [one for one in found[teacher] if one[1] != "up"]
        X, y = np.stack([one[0] for one in taught]), np.array([one[1] for one in taught])
        takes = np.unique([one[1] + one[2] for one in taught], return_inverse=True)[1]
        head = RidgeHead().fit(X, y, takes)
        others = [one for who, seen in found.items() if who != teacher for one in seen]
        rows, poses = np.stack([one[0] for one in others]), np.array([one[1] for one in others])
        right = head.predict(rows) == poses
        for making, rates in passed.items():
            rejector = Rejector().fit(X, y, takes, head=head, strangers=HEADS if making else None)
            known = rejector.known(rows)
            rates.append((float(known[right].mean()), float(known[poses == "up"].mean())))
    (pass_made, strange_made), (pass_before, strange_before) = (np.mean(passed[kind], axis=0) for kind in (True, False))
    assert pass_made >= max(0.8, pass_before)
    assert strange_made <= max(0.1, strange_before)
