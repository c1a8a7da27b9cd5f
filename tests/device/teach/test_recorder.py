"""Holding: which key is held, in a terminal that sends no key-up."""

from __future__ import annotations

from device.teach.recorder import FIRST_S, REPEAT_S, KeyHold


def held_until(presses: list[float], step_s: float = 0.01) -> float:
    """Feed presses of "a" at the given times and return when the hold ends."""
    holding, now_s, left = KeyHold(), 0.0, list(presses)
    while True:
        while left and left[0] <= now_s + 1e-9:
            holding.press("a", left.pop(0))
        if holding.held(now_s) is None and not left:
            return now_s
        now_s = round(now_s + step_s, 6)


def test_one_press_is_held_while_the_keyboard_waits_to_repeat() -> None:
    """A single press counts as held for the first 0.7 seconds."""
    assert abs(held_until([0.0]) - FIRST_S) < 0.02


def test_repeats_keep_the_key_held() -> None:
    """A repeat that begins after 0.66 s and comes every 0.2 s is one unbroken hold, ended 0.25 s after the last."""
    repeats = [0.0, *(0.66 + 0.2 * i for i in range(10))]
    assert abs(held_until(repeats) - (repeats[-1] + REPEAT_S)) < 0.02


def test_quick_repeats_do_not_shorten_the_first_hold() -> None:
    """A second press within the first 0.7 s never ends the hold earlier than one press alone."""
    assert held_until([0.0, 0.1]) >= FIRST_S - 0.02


def test_another_key_takes_over_at_once() -> None:
    """Pressing another key ends the first hold and starts its own."""
    holding = KeyHold()
    holding.press("a", 0.0)
    holding.press("b", 0.1)
    assert holding.held(0.2) == "b"


def test_toggle_holds_without_repeats_until_toggled_again() -> None:
    """A toggled key is held for as long as it takes, and the next toggle ends it."""
    holding = KeyHold()
    holding.toggle("a", 0.0)
    assert holding.held(60.0) == "a"
    holding.toggle("a", 61.0)
    assert holding.held(61.0) is None


def test_a_press_ends_a_toggle() -> None:
    """Pressing a key while another is toggled records the new one, as an ordinary hold."""
    holding = KeyHold()
    holding.toggle("a", 0.0)
    holding.press("b", 5.0)
    assert holding.held(5.1) == "b"
    assert holding.held(5.0 + FIRST_S + 0.01) is None
