"""What a newcomer gets without an option: `edge-tl demo`, five simulated players, each taught today and asked tomorrow.

Tomorrow is another person, elsewhere, nearer or farther, leaning. Beside the way to look that the demo chooses by
itself stands the whole picture, which was its default before; both are taught the same pictures. Nothing was chosen on
these players: the way to look was chosen on real hands and faces (proof_look.py).
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from benchmarks.pictures import ROOT
from benchmarks.record import table

SEEDS = (1, 2, 3, 4, 5)
PLAYED_S = 10
RUN = "import sys; from device.commands.main import main; sys.exit(main(sys.argv[1:]))"


def measure(seeds: tuple[int, ...] = SEEDS) -> dict[str, Any]:
    """What `edge-tl demo --json` says, seed by seed."""
    players = {}
    for seed in seeds:
        command = [sys.executable, "-c", RUN, "demo", "--json", "--seed", str(seed), "--seconds", str(PLAYED_S)]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        players[str(seed)] = json.loads(done.stdout)
    return {"played_s": PLAYED_S, "players": players}


def report(result: dict[str, Any]) -> str:
    """A row a player, and the mean."""
    rows: list[list[object]] = []
    for seed, said in result["players"].items():
        rows.append(
            [
                f"{seed}, by {said['look']}",
                float(said["beside"]["accuracy"]),
                float(said["accuracy"]),
                float(said["beside"]["accuracy_tomorrow"]),
                float(said["accuracy_tomorrow"]),
                float(said["passed_over"]),
                said["pellets_eaten"],
            ]
        )
    mean = [sum(float(row[i]) for row in rows) / len(rows) for i in range(1, 7)]  # type: ignore[arg-type]
    rows.append(["**mean**", *mean[:-1], f"{mean[-1]:.0f}"])
    head = ["player", "frame: today", "default: today", "frame: tomorrow", "default: tomorrow", "of these skipped"]
    return table([*head, f"pellets in {result['played_s']} s"], rows)
