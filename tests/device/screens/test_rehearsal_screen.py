"""`edge-tl demo` in a real terminal: what is taught and asked is seen while it happens, and the end stands whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from terminal_pty import Pty
from tiny_profile import model_folder

COMMAND = "import sys; from device.commands.main import main; sys.exit(main())"


@pytest.fixture
def demo(tmp_path: Path) -> list[str]:
    """The command line of a short demo with the tiny model, which looks at the whole picture."""
    model_folder(tmp_path / "model")
    more = ["--seconds", "0.5", "--model", str(tmp_path / "model"), "--data-dir", str(tmp_path / "data")]
    return [sys.executable, "-c", COMMAND, "demo", "--look", "frame", *more]


def test_teaching_and_asking_are_seen(demo: list[str]) -> None:
    """The picture, a bar a class and how far it is are drawn while it teaches; then what it answers; then it plays."""
    with Pty.spawn(demo) as pty:
        pty.wait_for("of 240")
        screen = pty.screen()
        assert "edge-tl demo  teaching" in screen[0]
        assert any("▀" in line or "▄" in line for line in screen)
        assert all(any(f"  {label} " in line for line in screen) for label in ("up", "down", "left", "right"))
        pty.wait_for("240 of 240")
        pty.wait_for("answered: ")
        pty.wait_for("edge-tl play")
        assert pty.wait_exit() == 0
        lines = pty.screen()
        end = "\n".join(lines[next(at for at, line in enumerate(lines) if line.startswith("simulated player,")) :])
        assert "tomorrow, in a new session" in end
        assert "…" not in end
        assert max(map(len, pty.screen())) <= 80
        assert pty.restored()


def test_the_bars_are_of_what_they_name(demo: list[str]) -> None:
    """The class that is said to be answered has the largest bar: names and shares belong together."""

    def asked(pty: Pty) -> bool:
        return any("answered: " in line for line in pty.screen()) and not pty.read(0)

    with Pty.spawn(demo) as pty:
        pty.wait_until(asked, what="an answer")
        screen = pty.screen()
        answered = next(line.split("answered: ")[1].strip() for line in screen if "answered: " in line)
        shares = {
            label: int(line.rpartition("%")[0].split()[-1])
            for label in ("up", "down", "left", "right", "neutral")
            for line in screen
            if f" {label} " in line and line.endswith("%")
        }
        assert len(shares) == 5
        assert shares[answered] == max(shares.values())


def test_q_ends_it_while_it_teaches(demo: list[str]) -> None:
    """`q` ends the demo at once and leaves the terminal as it was, with nothing of it kept."""
    with Pty.spawn(demo) as pty:
        pty.wait_for("of 240")
        pty.send("q")
        assert pty.wait_exit() == 130
        assert pty.restored()
        assert "Traceback" not in pty.plain()


def test_without_a_terminal_nothing_is_drawn(demo: list[str]) -> None:
    """In a pipe the demo prints its summary and no escape sequence."""
    done = subprocess.run(demo, capture_output=True, text=True, check=True)
    assert "\x1b" not in done.stdout + done.stderr
    assert "today, on held-out takes" in done.stdout
