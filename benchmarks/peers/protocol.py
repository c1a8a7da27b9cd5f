"""Talking to a peer's process: a line of JSON each way, with a limit in time; what fails is one line of reason."""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

from benchmarks.pictures import ROOT

ONE_THREAD = dict.fromkeys(
    (
        "OPENBLAS_NUM_THREADS",
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
    ),
    "1",
)
"""Each contender computes on one thread: what several give depends on the machine, and not equally for all."""


class PeerError(RuntimeError):
    """A peer did not do what was asked; one line says why."""


class Peer:
    """A process that answers requests; ends with the block."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str] = ONE_THREAD) -> None:
        self.name, self._left = name, b""
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        everything = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
        try:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=everything, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said
            )
        except OSError as error:
            self._said.close()
            raise PeerError(f"{name} could not be started: {error.strerror}") from error

    def ask(self, do: str, limit_s: float = 300.0, **values: Any) -> dict[str, Any]:
        """The answer to a request; PeerError where it fails, ends or takes longer."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **values}).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise PeerError(f"{self.name} has ended: {self._last_words()}") from error
        answer: dict[str, Any] = json.loads(self._line(do, limit_s))
        if "error" in answer:
            raise PeerError(f"{self.name}, {do}: {answer['error']}")
        return answer

    def _line(self, do: str, limit_s: float) -> bytes:
        assert self._process.stdout is not None
        descriptor, until_s = self._process.stdout.fileno(), time.monotonic() + limit_s
        while b"\n" not in self._left:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, until_s - time.monotonic()))
            if not ready:
                self._process.kill()
                raise PeerError(f"{self.name}, {do}: no answer in {limit_s:.0f} s")
            more = os.read(descriptor, 1 << 20)
            if not more:
                raise PeerError(f"{self.name} has ended: {self._last_words()}")
            self._left += more
        line, _, self._left = self._left.partition(b"\n")
        return line

    def _last_words(self) -> str:
        code = self._process.wait()
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else f"exit code {code}"

    def close(self) -> None:
        """End the process; may be called twice."""
        if self._process.stdin is not None:
            with suppress(OSError):  # it has ended, with a request unread
                self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._said.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
