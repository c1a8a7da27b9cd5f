"""The six exercises in full: how long each takes here, and whether it says what its page says."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import time
from typing import Any

from benchmarks.pictures import ROOT
from benchmarks.record import table

FOLDER = ROOT / "exercises"
WITH_KERAS = (1, 4)
"""Those whose page has a row of Keras."""


def quoted(number: int, *, keras: bool = False) -> list[str]:
    """What the page quotes of an exercise, in our own row or in Keras'."""
    rows = (FOLDER / "README.md").read_text().split(f"| [0{number}_")[1].split("\n| [")[0].split("\n| | ")
    return re.findall("`([^`]+)`", rows[-1] if keras else rows[0])


def line_of(text: str, sentence: str) -> str:
    """The line of a text that is such a sentence, `…` for anything within a line; empty where none is."""
    found = re.search(".*?".join(map(re.escape, sentence.split("…"))), text)
    return "" if found is None else text[text.rfind("\n", 0, found.start()) + 1 :].partition("\n")[0]


def measure() -> dict[str, Any]:
    """By number: seconds, the sentences that the page quotes as they came, and those that did not come."""
    result: dict[str, Any] = {}
    keras = importlib.util.find_spec("tensorflow") is not None
    for path in sorted(FOLDER.glob("0*.py")):
        number = int(path.name[:2])
        began_s = time.perf_counter()
        ended = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, cwd=ROOT, check=False)
        wall_s = time.perf_counter() - began_s
        wanted = quoted(number) + (quoted(number, keras=True) if keras and number in WITH_KERAS else [])
        came = {one: line_of(ended.stdout, one) for one in wanted}
        result[str(number)] = {
            "exit": ended.returncode,
            "wall_s": wall_s,
            "says": [line for line in came.values() if line],
            "missing": [one for one, line in came.items() if not line],
            "stderr": ended.stderr[-500:] if ended.returncode else "",
        }
    return result


def report(result: dict[str, Any]) -> str:
    """A row an exercise, then what they said."""
    rows = [
        [number, one["exit"], one["wall_s"], len(one["says"]), len(one["missing"])] for number, one in result.items()
    ]
    lines = [f"* {number}: {line}" for number, one in result.items() for line in one["says"]]
    return "\n".join([table(["exercise", "exit", "seconds", "said", "missing"], rows), "", *lines])
