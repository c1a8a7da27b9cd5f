"""The real `edge-tl serve` in a process of its own, as systemd would run it: ready when it says so."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[1]
CODE = "import sys; from device.commands.main import main; sys.exit(main())"
LONG_S = 60.0
"""Far longer than anything takes; what is waited for comes as an event, never after a time."""


class Serving:
    """Starts the service with a configuration and waits for READY=1; `with` ends it.

    more: the TOML beside data_dir. web: whether a console on a free port is asked for. within: a command that runs
    the one behind it, e.g. with another host name. module: what is run in the place of `edge-tl`.
    """

    def __init__(
        self,
        folder: Path,
        more: str = "",
        *,
        web: bool = True,
        watchdog_s: float | None = None,
        within: Sequence[str] = (),
        module: str = "",
    ) -> None:
        self.within, self.module = within, module
        self.folder, self.data = folder, folder / "state"
        self.config, self.log_path = folder / "edge-tl.toml", folder / "log"
        folder.mkdir(parents=True, exist_ok=True)
        console = "" if not web or "[web]" in more else "[web]\nport = 0\n"
        pipelines = "" if "[pipelines" in more else '[pipelines.signs]\ncamera = "sim"\nlook = "frame"\n'
        self.config.write_text(f'data_dir = "{self.data}"\nthreads = 1\n{more}\n{pipelines}{console}')
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        # A short name: a Unix address holds 107 bytes.
        self._address = f"\0edge-tl-test-{os.getpid()}-{id(self)}"
        self._listener.bind(self._address)
        self._listener.settimeout(LONG_S)
        self.watchdog_s = watchdog_s
        self.at = ""
        """Where the console is asked; empty for the address that the log names."""
        self.told: list[str] = []
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *flags: str) -> Self:
        """Start it and wait until it is ready."""
        environment = os.environ | {
            "NOTIFY_SOCKET": "@" + self._address[1:],
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "GPIOZERO_PIN_FACTORY": "mock",
        }
        environment.pop("WATCHDOG_USEC", None)
        if self.watchdog_s is not None:
            environment["WATCHDOG_USEC"] = str(int(1e6 * self.watchdog_s))
        program = ["-m", self.module] if self.module else ["-c", CODE]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.within, sys.executable, *program, "serve", "--config", str(self.config), *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self.folder,
            )
        self.wait_for("READY=1")
        return self

    def wait_for(self, word: str) -> None:
        """Wait until systemd would have been told a word; fails with the log where the process ended before."""
        assert self.process is not None
        self._listener.settimeout(1.0)
        end_s = time.monotonic() + LONG_S
        while time.monotonic() < end_s:
            try:
                self.told.append(self._listener.recv(4096).decode())
            except TimeoutError:
                assert self.process.poll() is None, self.log
                continue
            if self.told[-1].startswith(word):
                return
        raise AssertionError(f"no {word} within {LONG_S} s: {self.told[-3:]}\n{self.log}")

    def drain(self) -> None:
        """Forget what systemd was told until now."""
        self._listener.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self._listener.recv(4096)

    @property
    def log(self) -> str:
        """What it wrote to stderr so far."""
        return self.log_path.read_text()

    @property
    def address(self) -> str:
        """Of the console."""
        if self.at:
            return self.at
        return (
            re.findall(r"console at (\S+)", self.log)[-1]
            .rstrip("/")
            .replace("0.0.0.0", "127.0.0.1")
            .replace("[::]", "127.0.0.1")
        )

    def ask(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """GET, or POST of JSON: status and what came, as JSON where it is that."""
        data = None if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._asked(urllib.request.Request(self.address + path, data, kind | named))

    def give(self, path: str, data: bytes, kind: str = "application/octet-stream", **given: object) -> tuple[int, Any]:
        """A POST of a file, with what else is given in the address: status and what came, as JSON where it is that."""
        query = urllib.parse.urlencode(given)
        return self._asked(urllib.request.Request(f"{self.address}{path}?{query}", data, {"Content-Type": kind}))

    @staticmethod
    def _asked(request: urllib.request.Request) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(request, timeout=LONG_S) as response:
                status, answer, kind_of = response.status, response.read(), response.headers["Content-Type"]
        except urllib.error.HTTPError as error:
            with error:
                status, answer, kind_of = error.code, error.read(), error.headers["Content-Type"]
        return status, json.loads(answer) if kind_of == "application/json" else answer

    def act(self, action: str, pipeline: str = "signs", **given: Any) -> dict[str, Any]:
        """A POST that must succeed."""
        status, answer = self.ask(f"/api/pipelines/{pipeline}/{action}", given)
        assert status == 200, answer
        return answer

    def teach(self, label: str, examples: int) -> int:
        """Hold the button of a class until so many more examples of it are on disk; how many there are."""
        before = self.act("release")["counts"].get(label, [0])[0]
        while True:
            count = self.act("record", label=label)["counts"].get(label, [0])[0]
            if count >= before + examples:
                return int(self.act("release")["counts"][label][0])

    def state(self) -> dict[str, Any]:
        """What the console gets."""
        status, answer = self.ask("/api/state")
        assert status == 200, answer
        return answer["pipelines"]

    def state_by(self, token: str) -> dict[str, Any]:
        """The same of a service that asks for a token."""
        status, answer = self.ask("/api/state", Authorization=f"Bearer {token}")
        assert status == 200, answer
        return answer["pipelines"]

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LONG_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
            self.process.kill()
            self.process.wait()
        self._listener.close()
