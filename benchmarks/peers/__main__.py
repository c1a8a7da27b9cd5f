"""`python -m benchmarks.peers [PART ...]`: measure the parts, each kept in results/bench_peers.json once it is done.

Without a name the parts that are not of this commit are measured, so that what was interrupted goes on; `all` measures
each. `--prepare` makes the environments that are not there first (`make bench-peers` does), which needs the packages'
registries; what cannot be installed is left out, and the record says why.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.anew import wait_for_quiet
from benchmarks.peers import parts
from benchmarks.peers.environments import ENVIRONMENTS, describe
from benchmarks.peers.rounds import say
from benchmarks.pictures import DATA
from benchmarks.record import BUSY, RESULTS, circumstances, commit, write

NAME = "bench_peers"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; the exit code: 0 done, 1 without the data, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description="Measure beside the peers.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(parts.PARTS)}, all (default: missing)")
    parser.add_argument("--prepare", action="store_true", help="make the environments of the peers first")
    arguments = parser.parse_args(argv)
    if unknown := [name for name in arguments.parts if name not in (*parts.PARTS, "all")]:
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(parts.PARTS)}, all")
    if not (DATA / "cmu_faces").is_dir():
        print(f"no pictures in {DATA}: set EDGE_TL_DATA to the folder of the shared data", file=sys.stderr)
        return 1
    if arguments.prepare:
        prepare()
    chosen = list(parts.PARTS) if "all" in arguments.parts else arguments.parts or missing()
    load = wait_for_quiet(0)
    if load and BUSY not in os.environ:
        os.environ[BUSY] = f"{load:.2f}"
        say(f"the machine is busy (load {load:.1f}), which the record says")
    for name in chosen:
        result = parts.PARTS[name].measure()
        path = keep(name, result)
        print(f"\n{name}: {path.name}\n\n{parts.PARTS[name].report(result)}", flush=True)
    if not chosen:
        print("every part is of this commit: name one to measure it again")
    return 0


def prepare() -> None:
    """Make what is not there, and say what could not be made."""
    for environment in ENVIRONMENTS.values():
        if environment.absent() is not None:
            say(f"installing {', '.join(environment.packages)}")
            reason = environment.make()
            if reason is not None:
                say(f"{environment.name} is left out: {reason}")


def missing(folder: Path = RESULTS) -> list[str]:
    """The parts that are not of this commit; all where the tree has changes."""
    here, path = commit(), folder / f"{NAME}.json"
    if not path.exists():
        return list(parts.PARTS)
    measured = json.loads(path.read_text())["result"]
    return [
        name for name in parts.PARTS if name not in measured or measured[name]["at"]["commit"] != here or "-" in here
    ]


def keep(name: str, result: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Put a part into the record, with when, where and on which versions of the peers it was measured. The path."""
    path = folder / f"{NAME}.json"
    whole = json.loads(path.read_text())["result"] if path.exists() else {}
    about = {one: describe(one) for one in parts.PARTS[name].ENVIRONMENTS}
    whole[name] = {"at": circumstances(), "environments": about, **result}
    return write(NAME, {one: whole[one] for one in parts.PARTS if one in whole}, folder)


if __name__ == "__main__":
    sys.exit(main())
