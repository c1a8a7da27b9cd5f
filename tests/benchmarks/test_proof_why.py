"""The proof of why an answer was wrong, short: whole pictures of faces, fewer draws and changes, the same code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks import proof_why
from benchmarks.look_ways import see
from benchmarks.picture_changes import Change
from benchmarks.pictures import faces
from benchmarks.proof_why import Seen, changed_on_purpose, planted, right_of, take_each, ten
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.models import default_model

SHORT = {"brightness": 0.25, "rotation": 90.0, "blur": 5.0, "noise": 40.0}


def test_suggestions_suspects_and_causes_hold(data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten suggested pictures of somebody else halve the errors and do no worse than ten at random; nine in ten wrong
    labels are in the first tenth of the suspects; six in ten causes are what was changed."""
    pictures = faces(data("cmu_faces").parent)
    pictures = pictures.where(np.isin(pictures.groups, np.unique(pictures.groups)[1::2]))
    embedder = TFLiteEmbedder.load(default_model(), threads=1)
    takes = take_each(pictures.groups, pictures.labels)
    one = Seen.of("faces", embedder, see(pictures, {"frame": embedder})["frame"].X, pictures, takes)
    monkeypatch.setattr(Seen, "half", lambda self, half: np.unique(self.who))
    shown = ten(one, "reported", 4)
    assert shown["before"] > 0.1
    assert shown["suggested"] <= 0.5 * shown["before"]
    assert shown["suggested"] <= shown["random"] + 0.05
    assert planted(one, "reported", 4)["suspects"] >= 0.9
    short = [
        Change(change.name, change.unit, (SHORT[change.name],), change.apply)
        for change in proof_why.CHANGES
        if change.name in SHORT
    ]
    monkeypatch.setattr(proof_why, "CHANGES", short)
    found = changed_on_purpose("faces", embedder, pictures, takes, "chosen", each=2, tries=6)
    first, two, count = right_of(found["plain"])
    assert count >= 4
    assert first >= 0.6 * count
    assert first <= two <= count
