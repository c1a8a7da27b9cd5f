"""How time and memory grow with the number of examples, 100 to 30 000, one thread: CPU seconds, a process each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pictures import ROOT, Embedded
from benchmarks.record import table
from edge_tl.core.features import FeatureMap

COUNTS = (100, 300, 1000, 3000, 10_000, 30_000)
HEADS = ("ridge", "knn")
GOALS_S = {"ridge": 12.0, "knn": 2.0}
"""At 10 000 examples, of learning (which leaves takes out, where the head is a ridge)."""
GOAL_MB = 700
TAKE = 5


def measure(digits: Embedded, faces: Embedded) -> dict[str, Any]:
    """Train and judge each head on so many examples, made of the pictures of two sets."""
    every = [np.concatenate(parts) for parts in ((digits.X, faces.X), (digits.y, faces.y))]
    takes = np.concatenate([np.arange(len(one.y)) // TAKE + 10_000 * i for i, one in enumerate((digits, faces))])
    rows = FeatureMap()(every[0], digits.shape)
    found: dict[str, list[dict[str, Any]]] = {head: [] for head in HEADS}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npz"
        np.savez(path, X=rows, y=every[1], takes=takes)
        for head in HEADS:
            for n in COUNTS:
                found[head].append({"examples": n} | run(head, n, path))
                print(f"{head}, {n}: {found[head][-1]['learn_s']:.2f} s", file=sys.stderr, flush=True)
    for curve in found.values():
        for key in ("learn_s", "judge_s"):
            for one, other in pairwise(curve):
                other[f"{key}_exponent"] = log(other[key] / one[key]) / log(other["examples"] / one["examples"])
    return {"columns": rows.shape[1], "classes": len(np.unique(every[1])), "heads": found}


def run(head: str, n: int, path: Path) -> dict[str, Any]:
    """One training in a process of its own, one thread."""
    one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-m", "benchmarks.many_child", head, str(n), str(path)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | one, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def report(result: dict[str, Any]) -> str:
    """One row for each number of examples and head."""
    lines: list[list[object]] = []
    for head, curve in result["heads"].items():
        for one in curve:
            goal = f"≤ {GOALS_S[head]:g} s, ≤ {GOAL_MB} MB" if one["examples"] == 10_000 else ""
            lines.append(
                [
                    head,
                    one["examples"],
                    f"{one['learn_s']:.3f}",
                    exponent(one, "learn_s"),
                    f"{one['judge_s']:.3f}",
                    exponent(one, "judge_s"),
                    f"{one['peak_mb']:.0f}",
                    goal,
                ]
            )
    head = ["head", "examples", "learn, CPU s", "∝ Nˣ", "judge, CPU s", "∝ Nˣ", "peak MB", "goal"]
    return table(head, lines)


def exponent(one: dict[str, Any], key: str) -> str:
    """With which power of the number of examples it grew since the row above."""
    value = one.get(f"{key}_exponent")
    return "" if value is None else f"{value:.1f}"
