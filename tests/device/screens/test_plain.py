"""`--plain`: lines instead of pictures, one a change, in any terminal; the keys are the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT
from terminal_pty import Pty

from device.pacman.game import Game, State
from device.pacman.maze import pick_maze
from device.screens.plain import nearest, standing
from edge_tl.store.examples import ExampleStore

COMMAND = "import sys; from device.commands.main import main; sys.exit(main())"


def spawn(data: Path, *arguments: str) -> Pty:
    """The real command in a terminal that can do nothing but show lines."""
    words = [*arguments, "--plain", "--data-dir", str(data)]
    return Pty.spawn([sys.executable, "-c", COMMAND, *words], rows=100, columns=120, env={"TERM": "dumb"})


def test_teaching_in_lines(tmp_path: Path) -> None:
    """What to do, each take, its count and a new class are lines; nothing else is sent, and all is on disk."""
    with spawn(tmp_path, "teach", "--camera", "sim", "--look", "frame", "--labels", "up", "left") as pty:
        pty.wait_for("1 up  2 left")
        pty.wait_for("hold a number key and move")
        pty.send(" ")
        pty.wait_for("recording up")
        pty.wait_for("up: 5 so far")
        pty.send(" ")
        pty.wait_for("in 1 take")
        pty.send("n", "\x1b[200~thumb\x1b[201~", "enter")
        pty.wait_for("3 thumb")
        pty.send("q")
        assert pty.wait_exit() == 0
        assert b"\x1b" not in pty.raw
        assert pty.same_modes()
        lines = pty.plain().splitlines()
        assert len(lines) == len([line for line in lines if line])
    with ExampleStore(tmp_path / "profiles" / "default" / "examples.sqlite", writable=False) as store:
        assert f"up: {store.counts()['up'].examples} in 1 take" in lines


def test_playing_in_lines(tmp_path: Path) -> None:
    """How the game stands is told as it changes; p pauses, r asks and restarts."""
    with spawn(tmp_path, "play", "--no-camera") as pty:
        pty.wait_for("level 1, 3 lives")
        pty.send("p")
        pty.wait_for("paused")
        pty.send("r")
        pty.wait_for("r again restarts, p plays on")
        pty.send("r", "q")
        assert pty.wait_exit() == 0
        assert b"\x1b" not in pty.raw


def test_how_a_game_stands_and_which_ghost_is_near() -> None:
    """Paused, over and won are said; the nearest ghost has its colour and where it is, unless it is harmless."""
    game = Game(pick_maze(24, 80), seed=0)
    game.state = State.PLAYING
    assert (standing(game), nearest(game)) == ("go", "")
    row, column = game.player.row, game.player.column
    game.ghosts[0].put((row // 12, column // 12))
    game.ghosts[0].column = column + 30
    game.ghosts[0].row = row
    assert nearest(game) == "red ghost near, right"
    game.ghosts[0].frighten()
    assert nearest(game) == ""
    game.stand_still()
    assert standing(game) == "paused"
    game.reset()
    game.state = State.LOST
    assert standing(game) == "game over: 0 points; r restarts"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("play", "--no-camera"), "--plain needs a terminal for its keys, but input or output is not one"),
        (("teach", "--boxes"), "a box is drawn over a picture, which --plain has not"),
    ],
)
def test_where_it_cannot_be_one_line_says_so(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """Without a terminal for the keys, and with boxes, which are drawn."""
    argv = [sys.executable, "-c", COMMAND, *words, "--plain", "--data-dir", str(tmp_path)]
    ended = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=ROOT)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"edge-tl: {said}")
    assert ended.stderr.count("\n") == 1
