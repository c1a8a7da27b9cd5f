"""From the start of the process to the first prediction, and the most memory it ever held; fresh processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.interleaved import spread, words
from benchmarks.pictures import ROOT, Embedded
from benchmarks.record import table
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.models import default_model
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile

ROUNDS = 12
GOAL_S, GOAL_MB = 0.3, 90.0

COMPILED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""pip compiles what it installs, the peers' packages too; this checkout is compiled by the first turn, which does not
count. Where the variable is set, each start would compile our 120 files anew: .16 s that no user waits for."""

# VmHWM is of the program that runs now; ru_maxrss would count what the process held before exec, that is ours.
TAIL = """
import json, time
now_s = time.monotonic()
with open("/proc/self/status") as status:
    peak = next(line for line in status if line.startswith("VmHWM"))
print(json.dumps({"now_s": now_s, "peak_mb": int(peak.split()[1]) / 1024}))
"""
LIBRARY = """
import sys
from pathlib import Path
from edge_tl import Profile, Recognizer, TFLiteEmbedder, decode, default_model
with Profile(Path(sys.argv[1])) as profile:
    recognizer = Recognizer.restore(profile.load(), TFLiteEmbedder.load(default_model()))
    assert recognizer.observe(decode(Path(sys.argv[2]))).best
"""
COMMAND = """
import sys
from device.commands.main import main
assert main(["predict", sys.argv[2], "--json", "--data-dir", sys.argv[3]]) == 0
"""
PROGRAMS = {
    "nothing (python -c pass)": "",
    "import numpy": "import numpy",
    "import numpy and the LiteRT interpreter": "import numpy\nfrom ai_edge_litert.interpreter import Interpreter",
    "library: load profile, read a picture, predict": LIBRARY,
    "edge-tl predict FILE": COMMAND,
}
JUDGED = ("library: load profile, read a picture, predict", "edge-tl predict FILE")


def measure(faces: Embedded) -> dict[str, Any]:
    """Seconds and MiB of each program, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profiles" / "default"
        profile.mkdir(parents=True)
        train(profile, faces)
        picture = faces.pictures.paths[-1]
        seconds: dict[str, list[float]] = {name: [] for name in PROGRAMS}
        peaks: dict[str, list[float]] = {name: [] for name in PROGRAMS}
        for turn in range(ROUNDS + 1):
            for name, code in PROGRAMS.items():
                elapsed_s, peak_mb = run(code + TAIL, str(profile), str(picture), folder)
                if turn:
                    seconds[name].append(elapsed_s)
                    peaks[name].append(peak_mb)
        return {name: {"s": spread(seconds[name]), "peak_mb": spread(peaks[name])} for name in PROGRAMS} | {
            "imports": slowest_imports()
        }


def train(folder: Path, faces: Embedded) -> None:
    """A profile taught head poses."""
    recognizer = Recognizer(TFLiteEmbedder.load(default_model()))
    for x, label, take in zip(faces.X, faces.y, faces.takes(), strict=True):
        recognizer.add(x, str(label), int(take))
    recognizer.learn()
    with Profile(folder, writable=True) as profile:
        profile.save(recognizer.save())


def run(code: str, *arguments: str, python: str = sys.executable) -> tuple[float, float]:
    """Seconds from before the process until its code came to the end, and its peak in MiB."""
    command = [python, "-c", code, *arguments]
    start_s = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=COMPILED, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the measured program failed: {done.stderr.strip().splitlines()[-1:]}")
    said = json.loads(done.stdout.splitlines()[-1])
    return said["now_s"] - start_s, said["peak_mb"]


def slowest_imports(most: int = 14) -> list[dict[str, Any]]:
    """The modules whose own code took longest, of three runs the middle one, and what they pulled in."""
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(3):
        code = "import device.commands.main, edge_tl, PIL.Image, ai_edge_litert.interpreter"
        command = [sys.executable, "-X", "importtime", "-c", code]
        done = subprocess.run(command, cwd=ROOT, env=COMPILED, capture_output=True, text=True, check=True)
        for line in done.stderr.splitlines():
            parts = line.removeprefix("import time:").split("|")
            if len(parts) == 3 and parts[0].strip().isdecimal():
                found.setdefault(parts[2].strip(), []).append((int(parts[0]) / 1000, int(parts[1]) / 1000))
    middle = {name: np.median(np.array(times), axis=0) for name, times in found.items()}
    order = sorted(middle, key=lambda name: -middle[name][1])
    return [
        {"module": name, "own_ms": middle[name][0], "with_what_it_imports_ms": middle[name][1]} for name in order[:most]
    ]


def report(result: dict[str, Any]) -> str:
    """One row a program, then the slowest imports."""
    rows: list[list[object]] = [
        [
            name,
            words(one["s"], 3),
            f"≤ {GOAL_S}" if name in JUDGED else "",
            words(one["peak_mb"], 1),
            f"≤ {GOAL_MB:.0f}" if name in JUDGED else "",
        ]
        for name, one in result.items()
        if name != "imports"
    ]
    imports: list[list[object]] = [
        [one["module"], f"{one['own_ms']:.1f}", f"{one['with_what_it_imports_ms']:.1f}"] for one in result["imports"]
    ]
    text = table(["fresh process", "s to the end", "goal", "peak MiB", "goal"], rows)
    return text + "\n\n" + table(["import", "own, ms", "with what it imports, ms"], imports)
