"""`teach` and `play` over a real SSH connection on links of so many bytes a second."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.bench_screens import GOAL_SHARE, ROOT, SIM, WARM_S, Screens, quit_screen
from benchmarks.interleaved import spread, words
from benchmarks.record import table
from benchmarks.slow_terminal import SlowTerminal, command
from benchmarks.ssh_link import SshLink
from edge_tl.store.profile import Profile

RATES = (None, 100_000, 10_000, 3_000)
ROUNDS = 3
HELD_S = 4.0
SIZE = (24, 80)


def measure() -> dict[str, Any]:
    """Examples of a key held, frames recognized in play, and how long `q` takes, link by link in turns."""
    found: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        screens = Screens(Path(folder), ROOT)
        for turn in range(ROUNDS):
            for rate in RATES:
                one = found.setdefault(str(rate), {"examples": [], "frames": [], "kept_s": [], "quit_s": []})
                with SshLink(rate) as link:
                    examples, kept_s = recorded(screens, link, Path(folder) / f"{turn}-{rate}")
                    frames, quit_s = played(screens, link)
                for name, value in (("examples", examples), ("kept_s", kept_s), ("frames", frames), ("quit_s", quit_s)):
                    one[name].append(value)
    for one in found.values():
        for what in ("examples", "frames"):
            one[f"{what}_share"] = spread([a / b for a, b in zip(one[what], found["None"][what], strict=True)])
    return {"links": found, "load": os.getloadavg()[0]}


def opened(screens: Screens, link: SshLink, arguments: tuple[str | Path, ...], size: tuple[int, int]) -> SlowTerminal:
    """A command there, before a terminal of so many rows and columns here."""
    there = link.command(command(arguments, screens.counts), screens.root, screens.environment | {"LC_ALL": "C.UTF-8"})
    return SlowTerminal(there, *size, None, {}, screens.root)


def recorded(screens: Screens, link: SshLink, data: Path) -> tuple[int, float]:
    """How many examples a key makes that is held for four seconds, and after how long the screen shows the last."""
    with opened(screens, link, ("teach", *SIM, "--look", "frame", "--data-dir", data), SIZE) as term:
        term.wait_for("neutral")
        time.sleep(WARM_S)
        term.hold("1", HELD_S)
        ended_s = time.monotonic()
        term.wait_for("still")  # what is wanted next is said when a take has ended
        kept_s = time.monotonic() - ended_s
        quit_screen(term)
    with Profile(data / "profiles" / "default") as profile:
        return profile.store.counts()["up"].examples, kept_s


def played(screens: Screens, link: SshLink) -> tuple[float, float]:
    """Recognized frames a second of `play`, and seconds until `q` has ended it."""
    taken = screens.sent_by(opened(screens, link, screens.arguments["play"], SIZE))
    return taken["frames"], taken["quit_s"]


def report(result: dict[str, Any]) -> str:
    """A row a link."""
    rows = [
        [
            "all that comes" if rate == "None" else f"{int(rate) / 1000:g} kB/s",
            "/".join(str(round(count)) for count in one["examples"]),
            words(one["examples_share"], 2),
            f"{max(one['kept_s']):.1f}",
            "/".join(f"{frames:.1f}" for frames in one["frames"]),
            words(one["frames_share"], 2),
            f"{max(one['quit_s']):.1f}",
        ]
        for rate, one in result["links"].items()
    ]
    head = ["the link carries", "examples, key held 4 s", f"share (goal ≥ {GOAL_SHARE})", "s until that is shown"]
    head += ["play: frames/s recognized", "share", "s to quit"]
    return f"{table(head, rows)}\n\nLoad of the machine: {result['load']:.1f}."
