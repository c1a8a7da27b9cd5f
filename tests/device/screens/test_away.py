"""What nobody sees does not go on: Ctrl-Z and a window that is too small end a take and pause the game."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from terminal_pty import Pty

from edge_tl.store.examples import ExampleStore

COMMAND = "import sys; from device.commands.main import main; sys.exit(main())"


def words(data: Path, *arguments: str) -> list[str]:
    """The command line of `edge-tl`."""
    return [sys.executable, "-c", COMMAND, *arguments, "--data-dir", str(data)]


def teach(data: Path) -> list[str]:
    """`edge-tl teach` with two classes and the simulated player."""
    return words(data, "teach", "--camera", "sim", "--look", "frame", "--labels", "up", "left")


def examples(data: Path) -> int:
    """How many are on disk."""
    with ExampleStore(data / "profiles" / "default" / "examples.sqlite", writable=False) as store:
        return sum(count.examples for count in store.counts().values())


def record(pty: Pty) -> None:
    """Switch recording on, and wait until it does."""
    pty.wait_for("1 up")
    pty.send(" ")
    pty.wait_until(lambda pty: not any("up      0" in line for line in pty.screen()), what="an example")


def test_ctrl_z_ends_the_take_and_fg_shows_the_screen_again(tmp_path: Path) -> None:
    """Under a shell the program stops, the terminal given back and the take on disk; after `fg` none is recorded."""
    with Pty.spawn(["bash", "--norc", "--noprofile", "-i"], env={"PS1": "$ ", "HISTFILE": None}) as pty:
        pty.send(shlex.join(teach(tmp_path)), "enter")
        record(pty)
        pty.send("\x1a")
        pty.wait_for("Stopped")
        assert pty.left()
        assert pty.raw.rfind(b"\x1b[?2004l") > 0
        kept = examples(tmp_path)
        assert kept
        pty.send("fg", "enter")
        pty.wait_for("recording ended because the screen was hidden")
        pty.send("q")
        pty.wait_until(Pty.left, what="the end")
        assert examples(tmp_path) == kept
        pty.send("exit 0", "enter")
        assert pty.wait_exit() == 0


def test_ctrl_z_where_no_shell_could_go_on_stops_nothing(tmp_path: Path) -> None:
    """Started by SSH without a shell nobody could say `fg`: the take ends, and the screen is there again."""
    with Pty.spawn(teach(tmp_path)) as pty:
        record(pty)
        pty.send("\x1a")
        pty.wait_for("recording ended because the screen was hidden")
        pty.send("q")
        assert pty.wait_exit() == 0
        assert pty.restored()


def test_a_window_too_small_records_nothing(tmp_path: Path) -> None:
    """The take ends when the window shrinks; the keys of classes are dropped until it is large again."""
    with Pty.spawn(teach(tmp_path)) as pty:
        record(pty)
        pty.resize(5, 20)
        pty.wait_for("larger")
        kept = examples(tmp_path)
        pty.send("1", "1", "2")
        pty.resize(24, 80)
        pty.wait_for("recording ended because the screen was hidden")
        assert examples(tmp_path) == kept
        pty.send("q")
        assert pty.wait_exit() == 0


def test_a_window_too_small_pauses_the_game_and_r_restarts_it(tmp_path: Path) -> None:
    """The game stands still until p; r asks first, and what is pasted or typed with Alt is no key of it."""
    with Pty.spawn(words(tmp_path, "play", "--no-camera")) as pty:
        pty.wait_for("p pause  r restart")
        pty.resize(10, 40)
        pty.wait_for("larger")
        pty.resize(24, 80)
        pty.wait_for("PAUSED")
        pty.send("\x1bq", "\x1b[200~p\nq\nq\x1b[201~", "r")
        pty.wait_for("r again restarts, p plays on")
        pty.send("r")
        pty.wait_gone("PAUSED")
        pty.send("Q")
        assert pty.wait_exit() == 0
        assert pty.restored()


def test_a_paste_is_no_command(tmp_path: Path) -> None:
    """Pasted text forgets and adds nothing; where a name is typed it is the name. Undoing asks, and may be declined."""
    with Pty.spawn(teach(tmp_path)) as pty:
        record(pty)
        pty.send("\x1b1", "\x1bq", "\x1b[200~u\nu\ng down now\nd y\x1b[201~")
        pty.wait_for("pasted text is not a command")
        pty.send("u")
        pty.wait_for("delete the last take")
        pty.send("x")
        pty.wait_for("the last take is kept")
        kept = examples(tmp_path)
        assert kept
        pty.send("n", "\x1b[200~thumb up\nq\x1b[201~", "enter")
        pty.wait_for("3 thumb up")
        pty.send("U", "U")
        pty.wait_for("deleted")
        assert examples(tmp_path) == 0
        pty.send("日")
        pty.wait_for("switch the keyboard to a Latin layout")
        pty.send("й")
        assert pty.wait_exit() == 0
