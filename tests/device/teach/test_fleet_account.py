"""How a fleet does: looked into by the service only as long as it may stand still."""

from __future__ import annotations

import numpy as np
import pytest

from device.teach.fleet_account import LATER_S, QUICK_S, RESTS, RunningAccount, fleet_account
from edge_tl.heads import Head, make_head
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


def test_between_frames_it_is_the_same(learned: tuple[Recognizer, np.ndarray]) -> None:
    """A service comes to the account of `evaluate`, though examples are undone meanwhile; and not before the time."""
    now_s = 0.0
    account = RunningAccount(lambda: now_s)
    whole = fleet_account(*learned)
    account.begin(*learned)
    learned[0].forget()
    account.step()
    assert account.made is None
    now_s = LATER_S
    account.step()
    assert account.made == whole
    assert whole is not None
    account.begin(learned[0], None)
    assert account.made is None


def test_what_takes_too_long_is_left(learned: tuple[Recognizer, np.ndarray]) -> None:
    """It is worked on for a moment at a time; once it is plain that all of it takes more than two seconds there is no
    more work, and the next one waits twenty times as long as that took."""
    now_s, step_s, fits = [0.0], 0.15 * QUICK_S, 0
    account = RunningAccount(lambda: now_s[0])

    def slow_head() -> Head:
        nonlocal fits
        fits += 1
        now_s[0] += step_s if fits > 1 else 0.0  # the first one is asked for what it is
        return make_head("prototype")

    learned[0].new_head = slow_head  # type: ignore[method-assign]
    account.begin(*learned)
    now_s[0] += LATER_S
    account.step()
    assert (account.made, account.working) == (None, False)
    assert fits == 2
    account.begin(*learned)
    now_s[0] += LATER_S
    account.step()
    assert fits == 2
    now_s[0] += RESTS * step_s
    account.step()
    assert fits > 2
