"""How fast the line is and what it is sent, against lines that are simulated: no clock but a faked one."""

from __future__ import annotations

from collections import deque

import pytest

from device.screens.link import MAX_A_SECOND, SILENT_S, Link, Pictures
from edge_tl.testing import FakeClock

LOOP_S = 1 / 30


def run(
    rate: float, seconds: float, *, delay_s: float = 0.0, text: int = 150, picture: int = 6000, answers: bool = True
) -> tuple[Link, Pictures, list[float], list[float]]:
    """A screen with a picture before a line of so many bytes a second; the bytes of texts a screen, of a whole picture.

    Result: the link and the pictures at the end, when screens were sent, and how long each was under way.
    """
    clock = FakeClock()
    link, pictures = Link(clock), Pictures(clock)
    arrives: deque[float] = deque()
    sent_s: list[float] = []
    lags_s: list[float] = []
    free_s, left, going = 0.0, 0, False
    link.sent(60, asked=True)  # the terminal is opened
    arrives.append(60 / rate + delay_s)
    while clock() < seconds:
        clock.sleep(LOOP_S)
        link.poll()
        come = sum(at_s <= clock() for at_s in arrives)
        for _ in range(come):
            arrives.popleft()
        if answers:
            link.answered(come)
        if not link.ready:
            pictures.wait()
            continue
        if not left and going:
            pictures.end(slow=link.slow)
            going = False
        if not left:
            left, going = round(picture / (pictures.level + 1) ** 2), True
            pictures.begin()
        part = min(left, max(0, link.most - text))
        left -= part
        size = text + part
        free_s = max(free_s, clock()) + size / rate
        arrives.append(free_s + delay_s)
        link.sent(size, asked=True)
        sent_s.append(clock())
        lags_s.append(free_s + delay_s - clock())
    return link, pictures, sent_s, lags_s


@pytest.mark.parametrize(("rate", "most_lag_s"), [(1000, 1.5), (3000, 0.6), (10_000, 0.5), (100_000, 0.3)])
def test_a_screen_is_never_long_under_way(rate: float, most_lag_s: float) -> None:
    """Whatever the line carries, what a person sees is young once the first screens have told how fast it is."""
    _, _, sent_s, lags_s = run(rate, 30)
    assert max(lag for at, lag in zip(sent_s, lags_s, strict=True) if at > 10) < most_lag_s
    assert sum(at > 10 for at in sent_s) >= 20 * (2 if rate < 3000 else 4)


def test_a_fast_line_is_sent_no_more_than_is_fair() -> None:
    """However fast it is, fifteen screens a second and 40 kB a second are not passed, and nobody calls it slow."""
    link, pictures, sent_s, _ = run(10e6, 20, picture=20_000)
    assert len(sent_s) <= 20 * 15 + 1
    assert link.most <= 0.08 * MAX_A_SECOND
    assert pictures.words(slow=link.slow) == ""


def test_a_long_line_is_no_slow_one() -> None:
    """From another continent, 250 ms there and back, several screens are under way, and it is not called slow."""
    link, pictures, sent_s, _ = run(100_000, 20, delay_s=0.25, picture=2000)
    assert sum(at > 10 for at in sent_s) >= 60
    assert pictures.words(slow=link.slow) == ""


def test_a_slow_line_gets_a_smaller_picture_and_a_sentence() -> None:
    """At 3 kB/s the picture is drawn smaller and the sentence tells its pace; when the line is fast again both go."""
    link, pictures, _, _ = run(3000, 30)
    assert pictures.level == 2
    assert link.slow
    pictures.each_s = 0.5
    assert pictures.words(slow=True) == "slow terminal: picture at 2 a second"
    pictures.each_s = 3.1
    assert pictures.words(slow=True) == "slow terminal: a picture every 3 seconds"
    assert run(10e6, 30)[1].level == 0


def test_a_terminal_that_never_answers_is_sent_screens_all_the_same() -> None:
    """The second screen waits for an answer as long as one may take; those after it for nothing but their time."""
    _, _, sent_s, _ = run(10e6, 10, answers=False)
    assert sent_s[0] < 0.1
    assert sent_s[1] >= SILENT_S
    assert len(sent_s) > 60


def test_what_is_not_taken_tells_how_fast_the_line_is() -> None:
    """Before a terminal that answers nothing the time in which what waited was taken says how much it carries."""
    clock = FakeClock()
    link = Link(clock)
    for _ in range(20):
        link.sent(2000, asked=False)
        link.moved(500, 1500)
        assert not link.ready
        for left in (1000, 500, 0):
            clock.sleep(0.5)
            link.moved(500, left)
        clock.sleep(2.0)
        assert link.ready
    assert 700 < link.rate < 1100


def test_a_stall_of_the_program_is_not_the_lines() -> None:
    """Where nobody looked for ten seconds, an answer that waited there does not make the line slow."""
    clock = FakeClock()
    link = Link(clock)
    for _ in range(5):
        link.sent(1000, asked=True)
        clock.sleep(0.1)
        link.poll()
        link.answered(1)
    before = link.rate
    link.sent(1000, asked=True)
    clock.sleep(10.0)
    link.poll()
    link.answered(1)
    assert link.rate >= before
    assert link.ready
