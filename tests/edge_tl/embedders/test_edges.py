"""What is heard beside a recording: a hiss where a word needs it, and nothing where a room or a speech goes on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from made_words import RATE_HZ, room, spoken

from edge_tl.embedders.stream import CLIP_S, after_it, before_it

EMBEDDER: Any = SimpleNamespace(rate_hz=RATE_HZ, window_samples=RATE_HZ, hop_samples=1280, word_at=0.6)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
def test_a_clip_is_heard_from_before_its_beginning(rate_hz: int) -> None:
    """So long that a word at its beginning lies where words are taught; a long recording begins as it is."""
    assert len(before_it(EMBEDDER, rate_hz, CLIP_S)) == round(0.6 * rate_hz)
    assert len(before_it(EMBEDDER, rate_hz, CLIP_S + 0.1)) == 0


def test_a_word_at_the_end_is_heard_to_its_end() -> None:
    """After a word that ends the recording, or one shorter than a window, it goes on; after a room it does not."""
    until_s = 0.4 + 0.08
    word = np.concatenate((room(3.0), spoken("hum", 1, room_s=0.1)))
    assert len(after_it(EMBEDDER, word, RATE_HZ)) >= until_s * RATE_HZ
    assert len(after_it(EMBEDDER, room(0.5), RATE_HZ)) >= until_s * RATE_HZ
    assert len(after_it(EMBEDDER, room(3.0), RATE_HZ)) == 0
    assert len(after_it(EMBEDDER, np.concatenate((word, room(1.0))), RATE_HZ)) == 0
    quieter = np.concatenate((np.zeros(RATE_HZ, np.float32), word, room(1.0)))
    assert len(after_it(EMBEDDER, quieter, RATE_HZ)) == 0
