"""A long recording in which a word is said again and again becomes recordings of the word."""

from __future__ import annotations

import numpy as np
import pytest
from made_words import RATE_HZ, room, spoken

from edge_tl.embedders.windows import word_centre
from edge_tl.media.sound import Sound
from edge_tl.words.cutting import spoken_in


def recording(*parts: np.ndarray) -> Sound:
    """Parts of a recording, one after the other."""
    return Sound(np.concatenate(parts), RATE_HZ)


def test_each_time_a_word_is_said_is_found() -> None:
    """Eight words a second and a half apart: where they are, how long, and each alone in what is kept of it."""
    words = [spoken("hum", number) for number in range(8)]
    starts = np.cumsum([0, *map(len, words[:-1])]) / RATE_HZ + 0.5
    found = spoken_in(recording(*words))
    assert len(found) == 8
    for one, start_s, word in zip(found, starts, words, strict=True):
        long_s = len(word) / RATE_HZ - 1.0
        assert one.reason == ""
        assert one.start_s == pytest.approx(start_s, abs=0.1)
        assert long_s / 2 < one.length_s < long_s + 0.1
        assert one.sound is not None
        assert one.sound.duration_s < 1.9
        assert word_centre(one.sound.samples, RATE_HZ) is not None
        assert len([part for part in spoken_in(one.sound) if not part.reason]) == 1


def test_what_is_no_word_is_left_out_with_its_reason() -> None:
    """A click, four seconds of talk without a pause, and a breath far below the words; the word stays."""
    rng = np.random.default_rng(1)
    click = np.where(np.arange(400) < 200, 0.3 * rng.normal(0, 1, 400), 0).astype(np.float32)
    talk = (0.1 * rng.normal(0, 1, 4 * RATE_HZ)).astype(np.float32)
    breath = (0.006 * rng.normal(0, 1, RATE_HZ // 3)).astype(np.float32)
    found = spoken_in(
        recording(spoken("hum", 1), click, room(3.0), talk, room(3.0), breath, spoken("hum", 2), spoken("hum", 3))
    )
    long, quieter = "too long for a word, without a pause", "much quieter than the others"
    assert [one.reason for one in found] == ["", "too short for a word", long, quieter, "", ""]
    assert [one.sound is None for one in found] == [bool(one.reason) for one in found]


def test_pauses_that_a_recorder_mutes_are_no_words() -> None:
    """Between words only zeros: what is 40 dB below the loudest is quiet."""
    quiet = np.zeros(RATE_HZ, np.float32)
    hiss = (1e-4 * np.random.default_rng(2).normal(0, 1, RATE_HZ)).astype(np.float32)
    word = np.clip(spoken("hiss", 3, room_s=0.0), -1, 1)
    found = spoken_in(recording(quiet, word, quiet, hiss, quiet, word, quiet))
    assert [one.reason for one in found] == ["", ""]


def test_a_quiet_room_holds_nothing() -> None:
    """In room noise alone nothing stands out."""
    assert not [one for one in spoken_in(Sound(room(8.0), RATE_HZ)) if not one.reason]
