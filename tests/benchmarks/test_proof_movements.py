"""The proof of movements, short: fewer draws and looser bounds than `make prove movements`, the same code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.movement_sets import words
from benchmarks.proof_movements import by_head, by_nearest, drawn, signed_words


def test_signed_words_are_named_from_three_demonstrations(data: Callable[[str], Path]) -> None:
    """Fourteen signed words, three of each from one recording: 93 of 100 others of it are named, 85 of another."""
    clips = words(data("movements") / "words_mit.npz")
    assert len(np.unique(clips.labels)) == 14
    found = signed_words(clips, counts=(3,), draws=1)["3"]
    assert found["same"] >= 0.93
    assert found["other"] >= 0.85


def test_the_head_is_not_behind_the_nearest_demonstration(data: Callable[[str], Path]) -> None:
    """From one of each word the head names other recordings' about as well as warping alone, or better."""
    clips = words(data("movements") / "words_mit.npz")
    shown = drawn(np.random.default_rng(1), clips, np.flatnonzero(clips.groups == 0), 1)
    asked = np.flatnonzero(clips.groups != 0)
    right = {
        names: float((names(clips, shown, asked) == clips.labels[asked]).mean()) for names in (by_head, by_nearest)
    }
    assert right[by_head] >= right[by_nearest] - 0.02
