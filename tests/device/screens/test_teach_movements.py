"""Movements in a real terminal: taught by the simulated hand, kept at once, undone, trained and told; in lines too."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from terminal_pty import Pty

from edge_tl.store.examples import ExampleStore
from edge_tl.store.settings import read_mirrored

CODE = "import sys; from device.commands.main import main; sys.exit(main())"


def spawn(data: Path, models: Path, *arguments: str, rows: int = 24, columns: int = 80) -> Pty:
    """The real command in a real pseudo-terminal, with the models of hands."""
    given = [sys.executable, "-c", CODE, *arguments, "--data-dir", str(data)]
    # Threads of the arithmetic that wait for each other on a busy machine are slower than one.
    return Pty.spawn(given, rows, columns, {"EDGE_TL_MODELS": str(models), "OPENBLAS_NUM_THREADS": "1"})


@pytest.fixture
def teach(tmp_path: Path, look_models: Path) -> Iterator[Pty]:
    """`edge-tl teach --movements` of two movements by the simulated hand."""
    arguments = ("teach", "--movements", "--camera", "sim", "--labels", "left", "circle")
    with spawn(tmp_path, look_models, *arguments) as pty:
        pty.wait_for("1 left")
        pty.wait_for("3 nothing")
        pty.wait_said("3 demonstrations of each movement are needed, 5 are better")
        yield pty


def stored(data: Path) -> list[str]:
    """The labels of what is on disk."""
    with ExampleStore(data / "profiles" / "default" / "examples.sqlite", writable=False) as store:
        return [one.label for one in store.list()]


def show(pty: Pty, key: str, label: str, number: int) -> None:
    """One demonstration: the key, and the screen says that it is kept, and counts it."""

    def shown(pty: Pty) -> bool:
        said = " ".join(pty.screen())
        if not any(waits in said for waits in (f"do {label}", f"{label} …", f"kept {label}")):
            pty.send(key)  # for the first time, or because a machine that stood still has missed it
        return counted(pty, label) == number

    pty.send(key)
    pty.wait_until(shown, what=f"demonstration {number} of {label}")
    pty.wait_said(f"kept {label}, ")


def counted(pty: Pty, label: str) -> int:
    """The number of examples that the screen shows for a class."""
    found = [re.search(rf"\d {label} +(\d+) in", line) for line in pty.screen()]
    return next((int(one[1]) for one in found if one), 0)


def test_a_movement_is_taught_undone_and_trained(teach: Pty, tmp_path: Path) -> None:
    """Kept demonstrations are on disk, u forgets the last one, t says what is missing, trains, and says for whom."""
    teach.send("t")
    teach.wait_said("still needed: a demonstration of a movement")
    show(teach, "1", "left", 1)
    teach.wait_said("u deletes it; left has 1: 3 are needed, 5 are better, one is for this person only")
    assert stored(tmp_path) == ["left"]
    teach.send("t")
    teach.wait_said("still needed: a second movement, or nothing")
    show(teach, "2", "circle", 1)
    show(teach, "2", "circle", 2)
    teach.send("u", "u")
    teach.wait_said("deleted 1 example of circle")
    assert stored(tmp_path) == ["left", "circle"]
    teach.send("3")
    teach.wait_said("move your hand about, but do none of the movements: 55 s more")
    teach.send(" ")
    teach.wait_said("of nothing; u deletes it")
    assert counted(teach, "nothing") > 1
    teach.send("t")
    teach.wait_said("trained on 2 demonstrations and")
    teach.wait_said("the accuracy cannot be measured with one demonstration")
    teach.wait_said("for this person only")
    teach.send("q")
    assert teach.wait_exit() == 0
    assert teach.restored()


def test_what_was_kept_survives_a_kill(teach: Pty, tmp_path: Path, look_models: Path) -> None:
    """After kill -9 each demonstration that was said to be kept is there, and the profile is one of movements."""
    show(teach, "1", "left", 1)
    teach.send("3")
    teach.wait_until(lambda pty: counted(pty, "nothing") >= 2, what="two pieces")
    os.kill(teach.process.pid, signal.SIGKILL)
    assert teach.wait_exit() == -signal.SIGKILL
    kept = stored(tmp_path)
    assert kept[0] == "left"
    assert kept.count("nothing") >= 2
    # By itself: nothing says --movements any more.
    with spawn(tmp_path, look_models, "teach", "--camera", "sim", rows=40, columns=120) as pty:
        pty.wait_said("press a number key, do the movement, and stop")
        assert counted(pty, "left") == 1
        pty.send("m")
        pty.wait_said("the camera mirrors its pictures, and this is undone: m changes it")
        pty.send("q")
        assert pty.wait_exit() == 0
    assert read_mirrored(tmp_path / "profiles" / "default")


def test_movements_are_taught_in_lines(tmp_path: Path, look_models: Path) -> None:
    """With --plain what to do, what was kept and what is missing are lines, without an escape sequence."""
    arguments = ("teach", "--movements", "--plain", "--camera", "sim", "--labels", "up", "--no-mirrored")
    with spawn(tmp_path, look_models, *arguments) as pty:
        pty.wait_until(lambda pty: "3 demonstrations of each movement" in pty.plain(), what="the guide")
        pty.send("1")
        pty.wait_until(lambda pty: "kept up, " in pty.plain(), what="a demonstration")
        assert "hold still at its end" in pty.plain()
        pty.wait_until(lambda pty: "up: 1 in 1 take" in pty.plain(), what="the count")
        pty.send("q")
        assert pty.wait_exit() == 0
        assert b"\x1b" not in pty.raw


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--movements", "--look", "hand"), "leave --look out"),
        (("--movements", "--boxes"), "leave --boxes out"),
        (("--mirrored",), "--mirrored goes with movements"),
        (("--movements", "--no-camera"), "teach needs a camera"),
        (("--movements", "--mic"), "--movements goes with a camera"),
    ],
)
def test_options_that_do_not_go_together_are_a_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    """What movements are not taught by is named, before anything is opened."""
    with Pty.spawn([sys.executable, "-c", CODE, "teach", *arguments, "--data-dir", str(tmp_path)]) as pty:
        assert pty.wait_exit() == 1
        assert said in " ".join(" ".join(pty.screen()).split())
    assert not (tmp_path / "profiles").exists()
