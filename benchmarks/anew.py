"""Makes the records anew that are not of this commit: `python -m benchmarks.anew [NAME ...]`.

It can be ended and begun again: what is made is not made twice. One record after the other in a process of its own,
each once the machine is quiet; where it does not become quiet in time the record is made all the same and says so. A
tree with changes is refused: nobody could get at what was measured.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import prove, run
from benchmarks.pictures import ROOT
from benchmarks.record import BUSY, RESULTS, commit

QUIET = 0.25
"""Of a core each, over the last minute: below it a machine counts as quiet."""
LOOK_S = 15.0
LONG_S = 6 * 3600.0
"""A record that takes longer is given up."""
NAMES = {
    **{f"bench_{name}": ("benchmarks.run", name) for name in run.PARTS},
    "bench_peers": ("benchmarks.peers", "all"),
    **{f"prove_{name}": ("benchmarks.prove", name) for name in prove.PROOFS},
}
"""A record → the module and the part that make it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Make what is missing; the exit code: 0 all there, 1 something could not be made, 2 wrong usage or changes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.anew", description="Make records of this commit.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)} (default: all)")
    parser.add_argument("--wait", type=float, default=10.0, metavar="MINUTES", help="for a quiet machine (default: 10)")
    arguments = parser.parse_args(argv)
    if unknown := [name for name in arguments.names if name not in NAMES]:
        parser.error(f"no record {', '.join(unknown)}; there are {', '.join(NAMES)}")
    here = commit()
    if here.endswith("-dirty") or here == "unknown":
        parser.error(
            "the tree has changes, or is no checkout: commit them first, so that what is measured can be found"
        )
    failed = []
    for name in missing(arguments.names or list(NAMES), here):
        load = wait_for_quiet(60 * arguments.wait)
        print(f"{name}{f': the machine is busy (load {load:.1f}), which the record says' if load else ''}", flush=True)
        module, part = NAMES[name]
        environment = {**os.environ, **({BUSY: f"{load:.2f}"} if load else {})}
        subprocess.run([sys.executable, "-m", module, part], cwd=ROOT, env=environment, timeout=LONG_S, check=False)
        if missing([name], here):
            failed.append(name)
    if failed:
        print(f"not made: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


def missing(names: Sequence[str], here: str, folder: Path = RESULTS) -> list[str]:
    """The records among these that are not there, or are of another commit than this."""

    def made(name: str) -> bool:
        path = folder / f"{name}.json"
        return path.exists() and json.loads(path.read_text())["commit"] == here

    return [name for name in names if not made(name)]


def wait_for_quiet(
    most_s: float,
    load: Callable[[], float] = lambda: os.getloadavg()[0],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> float:
    """Wait until little else runs; 0, or the load that there still is after so many seconds."""
    until_s = clock() + most_s
    while (now := load()) > QUIET * len(os.sched_getaffinity(0)):
        if clock() >= until_s:
            return now
        sleep(LOOK_S)
    return 0.0


if __name__ == "__main__":
    sys.exit(main())
