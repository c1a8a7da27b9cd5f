"""What check_newcomer.sh runs in its bare root as a user who is not root: the README's first lines, each step timed.

The first game within two minutes of work, the first sign of one's own that steers within three; an AssertionError ends
the check. Nothing but what the README asks for is installed; only to look at the terminal, and untimed, pyte is.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

HOME = Path.home()
CHECKOUT = HOME / "edge-tl"
PYTHON = CHECKOUT / ".venv" / "bin" / "python"
LABELS = ("up", "down", "left", "right", "neutral")
PLAYED_S = 20.0
"""How long `make demo` plays: no work."""
FIRST_GAME_S, FIRST_SIGN_S = 120.0, 180.0
LONG_S = 180.0


def timed(what: str, *command: str) -> float:
    """Run a step in the checkout, print how long it took and its last line; seconds."""
    start_s = time.monotonic()
    done = subprocess.run(command, cwd=CHECKOUT if CHECKOUT.is_dir() else HOME, capture_output=True, text=True)
    took_s = time.monotonic() - start_s
    lines = (done.stdout + done.stderr).strip().splitlines() or [""]
    print(f"{took_s:6.1f} s  {what}: {lines[-1]}", flush=True)
    assert done.returncode == 0, "\n".join(lines[-20:])
    assert "Traceback" not in done.stdout + done.stderr, "\n".join(lines[-20:])
    return took_s


def newcomer() -> None:
    """Clone and `make demo`, then teach in a terminal."""
    took_s = timed("git clone", "git", "clone", "-q", "/t/edge-tl.bundle", "edge-tl")
    took_s += timed("make demo", "make", "demo") - PLAYED_S
    print(f"{took_s:6.1f} s  until the first game (wanted {FIRST_GAME_S:.0f})", flush=True)
    assert took_s <= FIRST_GAME_S
    quiet = ("-m", "pip", "install", "-q", "--disable-pip-version-check", "pyte")
    subprocess.run([PYTHON, *quiet], check=True, cwd=CHECKOUT)
    subprocess.run([PYTHON, __file__, "teach"], check=True, cwd=CHECKOUT)


def lesson() -> None:
    """Two takes of each class, t, p: until the first pellets are eaten."""
    sys.path.insert(0, str(CHECKOUT / "tests" / "parts"))
    from terminal_pty import Pty  # type: ignore[import-not-found]

    def count(pty: Pty, label: str) -> int:
        found = re.search(rf"\d {label} +(\d+) in (\d+)", "\n".join(pty.screen()))
        return int(found[1]) if found else 0

    def score(pty: Pty) -> int:
        found = re.search(r"SCORE +(\d+)", "\n".join(pty.screen()))
        return int(found[1]) if found else 0

    start_s = time.monotonic()
    with Pty.spawn([str(CHECKOUT / ".venv/bin/edge-tl"), "teach", "--camera", "sim"], 24, 80) as pty:
        pty.wait_said("the first take decides", LONG_S)
        for label in 2 * LABELS:
            key, before = str(LABELS.index(label) + 1), count(pty, label)

            def more(pty: Pty, key: str = key, label: str = label, before: int = before) -> bool:
                pty.send(key)
                return count(pty, label) >= before + 20

            pty.wait_until(more, LONG_S, f"20 examples of {label}")
            row, column = next(
                (row, line.index(label)) for row, line in enumerate(pty.screen()) if f" {label} " in line
            )
            pty.wait_until(
                lambda pty, at=(row, column): pty.colour_at(*at)[0] != "ff5f5f", LONG_S, "the end of the take"
            )
        pty.send("t")
        pty.wait_said("p plays", LONG_S)
        print(f"{time.monotonic() - start_s:6.1f} s  two takes of five signs, trained", flush=True)
        pty.send("p")
        pty.wait_until(lambda pty: score(pty) >= 100, LONG_S, "ten eaten pellets")
        took_s = time.monotonic() - start_s
        pty.send("q")
        pty.wait_for("edge-tl teach", LONG_S)
        pty.send("q")
        assert pty.wait_exit() == 0
    print(f"{took_s:6.1f} s  until the own signs have eaten ten pellets (wanted {FIRST_SIGN_S:.0f})", flush=True)
    assert took_s <= FIRST_SIGN_S


if __name__ == "__main__":
    lesson() if "teach" in sys.argv[1:] else newcomer()
