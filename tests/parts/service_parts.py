"""A service that was taught, and `edge-tl` beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.serving import CODE, LONG_S, ROOT, Serving


def command(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """`edge-tl` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", CODE, *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        timeout=LONG_S,
        check=False,
    )


def taught(serving: Serving) -> None:
    """Two classes in two takes each, trained."""
    for label in ("up", "down"):
        serving.teach(label, 6)
        serving.teach(label, 6)
    serving.act("train")
