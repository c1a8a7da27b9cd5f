"""The command line as a test calls it, on a data folder of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from device.commands.main import main

Run = Callable[..., tuple[int, Any, str]]
"""Calls the command: (exit code, stdout as JSON or text, stderr)."""


def run_on(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command on a data folder."""

    def call(*arguments: object) -> tuple[int, Any, str]:
        capsys.readouterr()
        code = main([*map(str, arguments), "--data-dir", str(data_dir)])
        out, err = capsys.readouterr()
        return code, json.loads(out) if "--json" in arguments and out else out, err

    return call
