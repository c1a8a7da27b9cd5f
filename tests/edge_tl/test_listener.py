"""Windows' probabilities become words, each told once; thresholds are chosen by a budget of false alarms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_tl.errors import ConfigError, ShapeError
from edge_tl.labels import NOISE
from edge_tl.listener import (
    Listener,
    ListeningConfig,
    ThresholdOutcome,
    WindowScores,
    choose,
    reported_words,
    tried,
    within_budget,
)

CLASSES = ("go", "stop", NOISE)
STEP_S = 0.08


def windows(*rows: tuple[float, ...], familiar: float = 1.0, start_s: float = 0.0) -> WindowScores:
    """Windows 80 ms apart."""
    count = len(rows)
    return WindowScores(np.array(rows), np.full(count, familiar), start_s + STEP_S * np.arange(count))


GO, STOP, QUIET, UNSURE = (0.95, 0.02, 0.03), (0.02, 0.95, 0.03), (0.01, 0.01, 0.98), (0.7, 0.2, 0.1)


def test_a_word_is_told_once() -> None:
    """A word that is heard in six windows is told with the first that is sure, and not again."""
    said = reported_words(windows(*[QUIET] * 5, UNSURE, *[GO] * 6, *[QUIET] * 5), CLASSES, ListeningConfig())
    assert said == [("go", pytest.approx(6 * STEP_S))]


def test_the_next_word_is_told_after_the_suppression() -> None:
    """What is said within a second after a word is skipped, what is said later is told."""
    soon = [*[GO] * 5, *[QUIET] * 3, *[STOP] * 3, *[QUIET] * 20]
    late = [*[GO] * 5, *[QUIET] * 12, *[STOP] * 4]
    assert [label for label, _ in reported_words(windows(*soon), CLASSES, ListeningConfig())] == ["go"]
    assert [label for label, _ in reported_words(windows(*late), CLASSES, ListeningConfig())] == ["go", "stop"]


@pytest.mark.parametrize("rows", [[QUIET] * 30, [UNSURE] * 30])
def test_noise_and_what_is_unsure_are_not_told(rows: list[tuple[float, ...]]) -> None:
    """Background noise is a class that is never told, and no number of unsure windows makes a word."""
    assert reported_words(windows(*rows), CLASSES, ListeningConfig()) == []


def test_an_unknown_word_is_not_told() -> None:
    """Windows that are none of the taught classes count for nothing, however sure the head is."""
    assert reported_words(windows(*[GO] * 20, familiar=0.2), CLASSES, ListeningConfig()) == []


def test_a_new_stream_remembers_nothing() -> None:
    """After `reset` no suppression is left from before."""
    listener = Listener(CLASSES)
    said = [listener.update(np.array(GO), number * STEP_S) for number in range(3)]
    assert [one.label for one in said] == ["go", None, None]
    assert [one.steers for one in said] == [True, False, False]
    listener.reset()
    assert listener.update(np.array(GO), 0.0).label == "go"


def test_what_makes_no_sense_is_refused() -> None:
    """Thresholds outside 0 to 1 and probabilities of another number of classes are one line."""
    for threshold in (0.0, 1.01, float("nan")):
        with pytest.raises(ConfigError, match="threshold"):
            ListeningConfig(threshold)
    with pytest.raises(ConfigError, match="suppression"):
        ListeningConfig(suppression_s=-1)
    with pytest.raises(ShapeError, match=r"\(3,\)"):
        Listener(CLASSES).update(np.ones(2), 0.0)


@given(st.lists(st.sampled_from([GO, STOP, QUIET, (0.6, 0.3, 0.1)]), max_size=80), st.floats(0.05, 1.0))
def test_words_never_come_closer_than_the_suppression(rows: list[tuple[float, ...]], threshold: float) -> None:
    """Whatever is heard, what is told are taught words, a second and more apart."""
    said = reported_words(windows(*rows) if rows else windows(QUIET), CLASSES, ListeningConfig(threshold))
    assert {label for label, _ in said} <= {"go", "stop"}
    assert all(gap >= 1.0 - 1e-9 for gap in np.diff([time_s for _, time_s in said]))


@given(
    st.lists(st.sampled_from([GO, STOP, QUIET, (0.6, 0.3, 0.1), (0.5, 0.0, 0.5)]), max_size=80),
    st.floats(0.05, 1.0),
    st.sampled_from([0.0, 0.1, 0.3, 1.0]),
    st.integers(0, 9),
)
def test_a_recording_is_told_as_a_stream_is(
    rows: list[tuple[float, ...]], threshold: float, suppression_s: float, seed: int
) -> None:
    """Heard at once or window by window: the same words at the same times, whatever the settings."""
    heard = windows(*rows) if rows else windows(QUIET)
    heard = WindowScores(heard.probabilities, np.random.default_rng(seed).random(len(heard.times_s)), heard.times_s)
    config = ListeningConfig(threshold, suppression_s)
    listener, said = Listener(CLASSES, config), []
    for row, time_s, familiar in zip(heard.probabilities, heard.times_s.tolist(), heard.familiar.tolist(), strict=True):
        steady = listener.update(row, time_s, familiar)
        if steady.label is not None:
            said.append((steady.label, time_s))
    assert reported_words(heard, CLASSES, config) == said


def test_a_threshold_trades_missed_words_for_false_alarms() -> None:
    """Each threshold's false alarms and missed words are counted; a budget picks the lowest that keeps it."""
    words = [("go", windows(*[(p, 0.0, 1 - p)] * 5)) for p in (0.5, 0.7, 0.9)] + [("stop", windows(*[GO] * 5))]
    hour = windows(*[QUIET] * 1000, *[(0.6, 0.0, 0.4)] * 4, *[QUIET] * 1000)
    made = tried(CLASSES, words, [hour], ListeningConfig(), (0.4, 0.65, 0.8))
    assert [one.alarms for one in made] == [1, 0, 0]
    assert [one.heard for one in made] == [3, 2, 1]
    assert [one.confused for one in made] == [1, 1, 1]
    assert [one.missed for one in made] == [0, 0.25, 0.5]
    assert made[0].delay_s == 0.0
    assert made[0].alarms_per_hour == pytest.approx(1 / made[0].hours)
    assert within_budget(made, 1.0).threshold == 0.65
    assert within_budget(made, 1e6).threshold == 0.4
    assert np.isnan(tried(CLASSES, words, [], ListeningConfig(), (0.5,))[0].alarms_per_hour)


def test_a_threshold_is_chosen_with_room_on_both_sides() -> None:
    """Between the lowest that keeps the budget and the highest at which no further word is lost."""
    made = [ThresholdOutcome(t, alarms, 1.0, heard, 0, 9) for t, alarms, heard in
            ((0.3, 5, 9), (0.4, 0, 8), (0.5, 0, 8), (0.6, 0, 8), (0.7, 0, 8), (0.8, 0, 8), (0.9, 0, 4))]  # fmt: skip
    assert choose(made, 0.5).threshold == 0.6
    assert choose(made, 9.0).threshold == 0.3
    assert choose(made[:1], 0.0).threshold == 0.3


def test_a_budget_that_nothing_keeps_takes_the_highest() -> None:
    """Where every threshold has too many alarms the highest is taken: it has the fewest."""
    made = [ThresholdOutcome(t, 9, 1.0, 1, 0, 1) for t in (0.5, 0.7, 0.9)]
    assert within_budget(made, 0.5).threshold == 0.9
