"""A Pi without a clock: the real service is taught while the network sets the wall clock, and `evaluate` is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import benchmarks.serving
from benchmarks.serving import CODE, LONG_S, ROOT, Serving

pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")

LABELS = ("up", "down", "left")
SINCE_1970_S, A_DAY_S = 1_790_000_000.0, 86_400.0
SET_WALL = """import time
from pathlib import Path
true, ahead = time.time, Path({path!r})
time.time = lambda: true() + float(ahead.read_text())
"""
"""The wall clock of a process, ahead of the machine's by what stands in a file; its other clocks run on."""
LOST_BOOT = """import edge_tl.store.moments as moments
moments._boot = lambda: ""
"""
"""A machine that does not say which boot it is: nothing but the wall clock tells a pause there, as once everywhere."""


def evaluated(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    behind_s: float,
    before: str = "",
    labels: Sequence[str] = LABELS,
    examples: int = 6,
) -> dict[str, Any]:
    """What `evaluate` tells of a lesson of two takes a class, the wall clock behind by so much, and two when it is set.

    before: what the service's program does first.
    """
    folder.mkdir()
    ahead = folder / "ahead"
    ahead.write_text(str(-behind_s))
    monkeypatch.setattr(benchmarks.serving, "CODE", SET_WALL.format(path=str(ahead)) + before + CODE)
    with Serving(folder / "s") as serving:
        serving.start()
        for behind in (behind_s, 0.0):
            ahead.write_text(str(-behind))
            for label in 2 * tuple(labels):
                serving.teach(label, examples)
        assert serving.stop() == 0
    done = subprocess.run(
        [sys.executable, "-c", CODE, "evaluate", "--data-dir", str(serving.data), "--json"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        timeout=LONG_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("behind_s", [SINCE_1970_S, A_DAY_S], ids=["from 1970", "from where it was switched off"])
def test_a_clock_that_is_set_during_a_lesson_makes_no_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behind_s: float
) -> None:
    """Same chair, same minute: what `evaluate` leads with is of takes."""
    said = evaluated(tmp_path / "s", monkeypatch, behind_s)
    assert (said["headline"]["kind"], said["by_session"]) == ("take", None)


def test_the_wall_clock_alone_would_make_a_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing else tells the time the same lesson has two sessions: what the clock of the boot is good for."""
    said = evaluated(tmp_path / "s", monkeypatch, A_DAY_S, LOST_BOOT)
    assert said["headline"]["kind"] == "session"
