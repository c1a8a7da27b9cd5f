"""What was measured, on disk and on the screen: JSON with date, commit and machine, and tables."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pictures import ROOT

RESULTS = ROOT / "benchmarks" / "results"
BUSY = "EDGE_TL_BENCHMARKS_BUSY"
"""Set by `benchmarks.anew` to the load of a machine that did not become quiet."""
PACKAGES = ("numpy", "pillow", "ai-edge-litert", "tflite-runtime", "scikit-learn", "tensorflow", "keras")


def write(name: str, result: dict[str, Any], folder: Path = RESULTS, **about: Any) -> Path:
    """Write results/<name>.json, with what else is said about it; floats keep five digits. The path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(words_of({"name": name, **circumstances(), **about, "result": result}))
    return path


def amend(name: str, part: str, values: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Put some of results/<name>.json anew, and when and on what that part was measured. The path."""
    path = folder / f"{name}.json"
    whole = json.loads(path.read_text())
    later = {**whole["result"].get("later", {}), part: circumstances()}
    whole["result"] |= {**values, "later": later}
    path.write_text(words_of(whole))
    return path


def anew(result: dict[str, Any]) -> list[str]:
    """A line about each part that `amend` put in later than the rest was measured."""
    return [
        f"{part}: measured alone {at['date'][:10]} at {at['commit'][:7]}, load {at['machine']['load_average'][0]:.1f}."
        for part, at in result.get("later", {}).items()
    ]


def words_of(whole: dict[str, Any]) -> str:
    """As JSON; floats keep five digits."""
    # A list of numbers on one line, or a curve is longer than all the rest.
    text = json.dumps(plain(whole), indent=1)
    return re.sub(r"\[[-+\d.,eE\s]*\]", lambda found: re.sub(r"\s+", " ", found[0]), text) + "\n"


def circumstances() -> dict[str, Any]:
    """When, on which commit, on what machine and with which packages."""
    busy = os.environ.get(BUSY)
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        **({"busy": float(busy)} if busy else {}),
        "machine": {
            "processor": processor(),
            "cores": len(os.sched_getaffinity(0)),
            "architecture": platform.machine(),
            "system": platform.system(),
            "load_average": [round(load, 2) for load in os.getloadavg()],
        },
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := installed(name))},
    }


def commit() -> str:
    """The commit of the checkout, with `-dirty` where tracked files of the product differ from it."""
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
        changes = ["git", "status", "--porcelain", "--", "edge_tl", "device", "host_tools", "benchmarks/*.py"]
        changed = subprocess.run(changes, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + ("-dirty" if changed.stdout.strip() else "")


def processor() -> str:
    """What Linux calls the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith(("model name", "Model"))]
    return names[0] if names else platform.processor()


def installed(name: str) -> str | None:
    """The version of a distribution, None where it is not there."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def plain(value: Any) -> Any:
    """JSON-able: arrays as lists, NumPy's numbers as Python's, floats with five significant digits, NaN as null."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return None if not np.isfinite(value) else float(f"{value:.5g}")
    return value


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table, its columns aligned so that it reads in a terminal too."""
    lines = [[str(cell) for cell in head], *[[shown(cell) for cell in row] for row in rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    return "\n".join([text[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *text[1:]])


def shown(cell: object) -> str:
    """A cell: floats with three significant decimals."""
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell)
