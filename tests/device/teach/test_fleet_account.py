"""How a fleet does: looked into by the service only as long as it may stand still."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from device.teach.fleet_account import QUICK_S, fleet_account, quick_account
from edge_tl.recognizer import Recognizer
from edge_tl.testing import FakeEmbedder


@pytest.fixture
def learned() -> tuple[Recognizer, np.ndarray]:
    """Two classes, each shown on three devices, and whose each example is."""
    recognizer = Recognizer(FakeEmbedder(), "ridge", reject=False)
    rng = np.random.default_rng(0)
    devices = np.repeat(["", "desk", "hall"], 8)
    for take, label in enumerate(["up", "down"] * 12):
        row = np.abs(rng.normal(size=recognizer.embedder.embedding_dim)) + 3.0 * (label == "up")
        recognizer.add(row.astype(np.float32), label, take)
    recognizer.learn()
    return recognizer, devices


def test_what_is_quick_is_the_same(learned: tuple[Recognizer, np.ndarray]) -> None:
    """On a clock that stands still the service has what `evaluate` has, and beats after each head."""
    beats: list[None] = []
    made = quick_account(*learned, lambda: beats.append(None), lambda: 0.0)
    assert made == fleet_account(*learned)
    assert made is not None
    assert len(beats) >= 3


def test_what_takes_too_long_is_left(learned: tuple[Recognizer, np.ndarray]) -> None:
    """Once two seconds are over the service goes on with its work, and has no account."""
    beats: list[None] = []
    clock = itertools.count(step=QUICK_S * 0.75)
    assert quick_account(*learned, lambda: beats.append(None), lambda: float(next(clock))) is None
    assert len(beats) == 2
