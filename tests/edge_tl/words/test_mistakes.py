"""What was told lately: its sound for a minute, its words by number, and the one that was missed."""

from __future__ import annotations

import numpy as np
import pytest
from made_words import RATE_HZ, room, spoken

from edge_tl.errors import ExampleError
from edge_tl.frames import Frame
from edge_tl.line import Word
from edge_tl.words.mistakes import KEPT_S, LATE_S, MAX_EVENTS, WHOLE_S, Mistakes, ReportedMoment

BLOCK = RATE_HZ // 25


def hear(mistakes: Mistakes, samples: np.ndarray, begun_s: float = 100.0) -> float:
    """Let it hear a sound in blocks; when that is over."""
    for first in range(0, len(samples), BLOCK):
        block = samples[first : first + BLOCK]
        mistakes.take(Frame(block, begun_s + first / RATE_HZ, rate_hz=RATE_HZ))
    return begun_s + len(samples) / RATE_HZ


def tell(mistakes: Mistakes, time_s: float) -> ReportedMoment:
    """A word is told with a block so short that it changes nothing."""
    moment = mistakes.take(Frame(np.zeros(1, np.float32), time_s, rate_hz=RATE_HZ), Word("hum", 0.9, time_s))
    assert moment is not None
    return moment


def test_a_word_that_was_told_has_its_sound() -> None:
    """As long as what is taught, with the word in it; cut out once what follows is there."""
    mistakes = Mistakes()
    now_s = hear(mistakes, np.concatenate([room(3.0), spoken("hum", 1)]))
    moment = tell(mistakes, now_s)
    assert moment.heard is None
    hear(mistakes, room(1.0), now_s)
    sound = mistakes.sound(moment.number)
    assert sound.duration_s == pytest.approx(WHOLE_S, abs=0.01)
    assert np.abs(sound.samples).max() > 0.2
    assert np.abs(sound.samples[-round(LATE_S * RATE_HZ / 2) :]).max() < 0.1


def test_a_sound_may_be_asked_for_before_it_is_whole() -> None:
    """Whoever is quick, or where the recording is over, gets what there is."""
    mistakes = Mistakes()
    now_s = hear(mistakes, np.concatenate([room(3.0), spoken("hum", 1)]))
    tell(mistakes, now_s)
    assert WHOLE_S - LATE_S - 0.05 < mistakes.sound(1).duration_s <= WHOLE_S


def test_after_a_minute_the_sound_is_gone() -> None:
    """The line stays, the sound does not, and it is said."""
    mistakes = Mistakes()
    now_s = hear(mistakes, np.concatenate([room(3.0), spoken("hum", 1)]))
    tell(mistakes, now_s)
    now_s = hear(mistakes, room(KEPT_S + 1.0), now_s)
    assert [one.label for one in mistakes.moments] == ["hum"]
    assert mistakes.moments[0].heard is None
    with pytest.raises(ExampleError, match="its sound is gone"):
        mistakes.sound(1)


def test_fifty_are_kept_by_their_numbers() -> None:
    """The oldest go; what was marked is not marked again; a number that nobody has is said."""
    mistakes = Mistakes()
    with pytest.raises(ExampleError, match="no word was reported yet"):
        mistakes.moment(None)
    now_s = hear(mistakes, room(3.0))
    for _ in range(MAX_EVENTS + 3):
        tell(mistakes, now_s)
    assert [one.number for one in mistakes.moments] == list(range(4, MAX_EVENTS + 4))
    assert mistakes.moment(None).number == MAX_EVENTS + 3
    with pytest.raises(ExampleError, match="no word with the number 3"):
        mistakes.moment(3)
    mistakes.moment(10).marked = "nothing"
    with pytest.raises(ExampleError, match="corrected already, as nothing"):
        mistakes.moment(10)


def test_a_missed_word_is_cut_out_of_the_last_seconds() -> None:
    """As a recorded one is; of a quiet room nothing is; what lies before a gap is no part of it."""
    mistakes = Mistakes()
    with pytest.raises(ExampleError, match="nothing was heard yet"):
        mistakes.missed()
    now_s = hear(mistakes, np.concatenate([room(4.0), spoken("hum", 1), room(1.0)]))
    sound = mistakes.missed()
    assert sound.duration_s == pytest.approx(WHOLE_S, abs=0.3)
    assert np.abs(sound.samples).max() > 0.2
    mistakes.take(Frame(room(1.0), now_s + 9, dropped=3, rate_hz=RATE_HZ))
    with pytest.raises(ExampleError, match="no word was heard"):
        mistakes.missed()
