"""A terminal at the end of a slow line, or one that takes nothing at all: what is drawn waits, nothing else does."""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

import pytest
from terminal_pty import Pty

from device.screens.tty import GONE_READS, Tty
from edge_tl.store.examples import ExampleStore

COMMAND = "import sys; from device.commands.main import main; sys.exit(main())"
BUSY = """
    import numpy as np
    from device.screens.terminal import Terminal
    rng = np.random.default_rng(0)
    with Terminal() as term:
        for turn in range(150):
            if turn < 2 or term.ready:
                term.clear()
                term.put(0, 0, f"turn {turn}")
                term.picture(1, 0, rng.integers(0, 256, (90, 100, 3), np.uint8), 40, 100)
                term.show()
            term.keys(0.005)
        open(%r, "w").write("all turns")
"""


def program(code: str) -> list[str]:
    """The command that runs a piece of Python."""
    return [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]


def teach(data: Path, rate: float, *, answers: bool = True) -> Pty:
    """`edge-tl teach` with two classes and the simulated player."""
    words = ["teach", "--camera", "sim", "--look", "frame", "--labels", "up", "left", "--data-dir", str(data)]
    return Pty.spawn([sys.executable, "-c", COMMAND, *words], rate=rate, answers=answers)


def examples(data: Path) -> int:
    """How many are on disk."""
    with ExampleStore(data / "profiles" / "default" / "examples.sqlite", writable=False) as store:
        return sum(count.examples for count in store.counts().values())


def shown(pty: Pty) -> int:
    """The number of examples of `up` that the screen shows."""
    for line in pty.screen():
        if found := re.search(r"1 up +(\d+) in", line):
            return int(found[1])
    return 0


def test_a_terminal_that_takes_nothing_holds_nothing_up(tmp_path: Path) -> None:
    """Nobody reads a byte of a screen that is drawn again and again: every turn of its loop is done, and it ends."""
    done = tmp_path / "done"
    with Pty.spawn(program(BUSY % str(done)), rows=50, columns=120, answers=False) as pty:
        assert pty.process.wait(timeout=60) == 0
        assert done.read_text() == "all turns"
        assert pty.same_modes()


@pytest.mark.parametrize("rate", [3000, 10_000])
def test_frames_are_recorded_whatever_the_terminal_takes(tmp_path: Path, rate: float) -> None:
    """At 3 and at 10 kB/s the newest counts are on the screen as on disk; q leaves no answer behind for the shell."""
    with teach(tmp_path, rate) as pty:
        pty.wait_for("1 up")
        pty.send(" ")
        pty.wait_until(lambda pty: shown(pty) >= 20, what="20 examples")
        pty.send(" ")
        pty.wait_said("20 more of left")
        pty.wait_until(lambda pty: shown(pty) == examples(tmp_path), what="the newest count")
        pty.send("q")
        assert pty.wait_exit() == 0
        assert pty.restored()
        assert pty.typed_ahead() == 0


def test_a_slow_terminal_is_said_to_be_slow(tmp_path: Path) -> None:
    """At 1 kB/s one sentence says how often the picture comes, in the place of the frames a second."""
    with teach(tmp_path, 1000) as pty:
        pty.wait_until(
            lambda pty: any(re.search("slow terminal: (a picture every|picture at)", line) for line in pty.screen()),
            what="the sentence",
        )
        pty.send("q")
        assert pty.wait_exit() == 0


def test_a_terminal_that_never_answers_works(tmp_path: Path) -> None:
    """A serial line with a simple terminal answers no question: the screen is drawn and keys are taken all the same."""
    with teach(tmp_path, 20_000, answers=False) as pty:
        pty.wait_for("1 up")
        pty.send(" ")
        pty.wait_until(lambda pty: shown(pty) >= 5, what="five examples")
        pty.send("q")
        assert pty.wait_exit() == 0
        assert pty.restored()


def test_an_empty_read_is_no_hang_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell that changes the modes lets one read end without anything: only where all do is the terminal gone."""
    reads = [b"", b"a", *[b""] * GONE_READS]
    monkeypatch.setattr("device.screens.tty.select.select", lambda *_: ([0], [], []))
    monkeypatch.setattr("device.screens.tty.os.read", lambda *_: reads.pop(0))
    tty = Tty()
    assert [tty.read(0.0) for _ in range(2)] == [b"", b"a"]
    assert [tty.read(0.0) for _ in range(GONE_READS)] == [b""] * (GONE_READS - 1) + [None]
