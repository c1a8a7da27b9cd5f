"""How far long work is, where no terminal shows a bar."""

from __future__ import annotations

import json

import pytest

from device.cli.output import LINE_S, Progress, print_json, say, warn
from device.screens.live import LiveCurve


class Hands:
    """A clock that is set by hand, in seconds."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_long_work_says_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing in the first seconds, then one line each time they have passed again; short work says nothing."""
    clock = Hands()
    with Progress("embedding", clock=clock) as progress:
        for done in range(1, 31):
            clock.now_s += 1.0
            progress.of(done, 30)
    assert capsys.readouterr().err.splitlines() == [f"edge-tl: embedding: {done} of 30" for done in (10, 20, 30)]
    with Progress("embedding", clock=clock) as progress:
        progress.of(30, 30)
    assert capsys.readouterr() == ("", "")


def test_a_training_says_its_epochs(capsys: pytest.CaptureFixture[str]) -> None:
    """The same of a training, whose end nobody knows."""
    clock = Hands()
    with LiveCurve(clock) as live:
        for epoch in range(1, 4):
            clock.now_s += LINE_S
            live(epoch, 0.5, 0.75)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"edge-tl: training: epoch {epoch}, loss 0.5000, accuracy 75.0%" for epoch in (1, 2, 3)]


def test_nothing_that_is_printed_moves_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    """Names with control characters, a line's direction turned, half a character: told by their numbers."""
    name = "a\x1b[2J\x9b1m\u202eb\r\ud800"
    for speak in (warn, say):
        speak(f"the file {name} is none")
        out, err = capsys.readouterr()
        assert (out + err).rstrip("\n").isprintable()
        assert "\\x1b[2J" in out + err
    warn("two\nlines, and an emoji 🙂 and a family 👨\u200d👩")
    err = capsys.readouterr().err
    assert err == "edge-tl: two\\nlines, and an emoji 🙂 and a family 👨\u200d👩\n"
    print_json({"name": name})
    out = capsys.readouterr().out
    assert not set(out) & set("\x1b\x9b\u202e\ud800\r")
    assert json.loads(out) == {"name": name}
