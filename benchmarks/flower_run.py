"""Flower's own programs in processes of their own: a SuperLink, SuperNodes, runs of the app of `edge-tl-host fleet`.

They are taken from the environment that `EDGE_TL_FLOWER` names, e.g. .venv-flower, which `make check-flower` makes, or
else from PATH.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Self

from host_tools.flower import make_fleet_app

START_S, RUN_S = 120.0, 900.0
"""A program is waited for so long, and a run."""


def flower_folder() -> Path | None:
    """Where Flower's programs are; None where there are none."""
    named = os.environ.get("EDGE_TL_FLOWER")
    found = shutil.which("flower-superlink", path=str(Path(named) / "bin") if named else None)
    return None if found is None else Path(found).parent


def free_port() -> int:
    """One that nobody listens at just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def ends(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started, at once."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def resident_mib(process: subprocess.Popen[bytes]) -> list[float]:
    """What a process and each that it started hold in memory, the largest first; shared pages count in each."""
    pages = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            words = stat.read_text().rpartition(")")[2].split()
            if int(words[2]) == process.pid:  # its process group
                pages.append(int(words[21]))
    return [count * os.sysconf("SC_PAGE_SIZE") / 2**20 for count in sorted(pages, reverse=True)]


class Flower:
    """A SuperLink on loopback and the app; `with` ends it and all of its nodes.

    programs: as of `flower_folder`. simulation: the SuperLink plays the nodes itself.
    """

    def __init__(self, folder: Path, programs: Path, *, simulation: bool = False) -> None:
        self.folder, self._programs, self._simulation = folder, programs, simulation
        self.port = free_port()
        self.nodes: list[subprocess.Popen[bytes]] = []
        self._link: subprocess.Popen[bytes] | None = None
        self._environment = os.environ | {
            "FLWR_HOME": str(folder / "home"),
            "FLWR_TELEMETRY_ENABLED": "0",
            "FLWR_DISABLE_UPDATE_CHECK": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}",
        }
        self._environment.pop("PYTHONPATH", None)  # nothing of edge-tl is seen by it

    def __enter__(self) -> Self:
        (self.folder / "home").mkdir(parents=True)
        link = f'[superlink]\ndefault = "here"\n[superlink.here]\naddress = "127.0.0.1:{self.port}"\ninsecure = true\n'
        (self.folder / "home" / "config.toml").write_text(link)
        make_fleet_app(self.folder / "app")
        words = ["--insecure", "--port", str(self.port), "--disable-runtime-dependency-installation"]
        self._link = self._started("flower-superlink", *words, *(["--simulation"] if self._simulation else []))
        self._wait_for("link", "Starting Flower SuperExec")
        return self

    def __exit__(self, *_: object) -> None:
        for one in (*self.nodes, *([self._link] if self._link is not None else [])):
            ends(one)

    def node(self, place: Path, *more: str) -> float:
        """Start a node of the service whose socket is there; after so many seconds it is ready."""
        begun_s, number = time.monotonic(), len(self.nodes)
        words = ["--insecure", "--superlink", f"127.0.0.1:{self.port}", "--port", str(free_port())]
        config = " ".join([f'socket="{place}"', *more])
        self.nodes.append(self._started("flower-supernode", *words, "--node-config", config, log=f"node {number}"))
        self._wait_for(f"node {number}", "Starting Flower SuperExec")
        return time.monotonic() - begun_s

    def begin(self, name: str, config: str, federation: str = "") -> subprocess.Popen[bytes]:
        """Begin a run of the app with this run configuration; what it reports is in `report(name)` once it ended."""
        config += f' report="{self.folder / name}.json"'
        more = ["--federation-config", federation] if federation else []
        return self._started("flwr", "run", "app", "here", "--stream", "--run-config", config, *more, log=f"run {name}")

    def report(self, name: str, run: subprocess.Popen[bytes]) -> dict[str, Any]:
        """What became of a run; RuntimeError with the end of its log where nothing did."""
        run.wait(RUN_S)
        place = self.folder / f"{name}.json"
        if not place.exists():
            raise RuntimeError((self.folder / f"run {name}").read_text()[-2000:])
        return dict(json.loads(place.read_text()))

    def _started(self, program: str, *words: str, log: str = "link") -> subprocess.Popen[bytes]:
        with (self.folder / log).open("ab") as said:
            return subprocess.Popen(
                [str(self._programs / program), *words],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env=self._environment,
                cwd=self.folder,
                start_new_session=True,
            )

    def _wait_for(self, log: str, words: str) -> None:
        end_s = time.monotonic() + START_S
        while words not in (text := (self.folder / log).read_text()):
            if time.monotonic() > end_s:
                raise RuntimeError(f"{log} did not start: {text[-2000:]}")
            time.sleep(0.1)
