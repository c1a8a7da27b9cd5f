"""The proof of hands, short: fewer people and draws than `make prove`, the same code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks import proof_hands
from benchmarks.look_ways import see
from benchmarks.pictures import digits
from benchmarks.proof_few import signers
from benchmarks.proof_hands import AsBefore, from_the_back, people
from edge_tl.embedders.look.embedders import HandEmbedder

pytestmark = pytest.mark.exact


def test_other_peoples_hands_are_known_from_the_back(
    look_models: Path, data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten people's palms teach, ten others are asked: turned over they are named as before, and were not so before."""
    monkeypatch.setattr(proof_hands, "DRAWS", 3)
    every = digits(data("sign_digits").parent)
    hand = HandEmbedder.load(look_models, threads=1)
    seen = see(every.where(signers(every) < 20), {"hand": hand})["hand"]
    asked = {"plain": seen.X, "back": from_the_back(seen.X)}
    now, before = (people(finder, seen, asked, "reported", 5) for finder in (hand, AsBefore(hand.tracker)))
    assert now["plain"] >= 0.9
    assert now["back"] >= now["plain"] - 0.03
    assert before["back"] <= 0.6
    assert 0 <= now["worst"] <= now["plain"]
    assert np.isfinite(list(now.values())).all()
