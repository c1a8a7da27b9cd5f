"""ARCHITECTURE.md is true: what it names is there, and its worked examples run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

TEXT = (ROOT / "ARCHITECTURE.md").read_text()
ROOMS = ("edge_tl", "device", "host_tools")
EXAMPLES = dict(re.findall(r"^### An? (\w+)\n\n(.*?\n```python\n.*?)^```", TEXT, re.DOTALL | re.MULTILINE))
MAX_LINES = 40
"""Of code; blank ones are not counted."""


def test_there_is_an_example_for_each_thing_that_is_added() -> None:
    """A head, an embedder, a source, an output and an importer."""
    assert [*EXAMPLES] == ["head", "embedder", "source", "output", "importer"]


@pytest.mark.parametrize("what", EXAMPLES)
def test_a_worked_example_runs(what: str, tmp_path: Path) -> None:
    """It has at most 40 lines of code, and runs in a process of its own, with what it asserts of itself."""
    code = EXAMPLES[what].partition("```python\n")[2]
    assert len([line for line in code.splitlines() if line]) <= MAX_LINES
    assert "check_" in code or "assert " in code
    file = tmp_path / "example.py"
    file.write_text(code)
    command = [sys.executable, "-W", "error", str(file)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]


def test_a_new_file_would_be_new_and_its_neighbours_are_there() -> None:
    """What an example would be called is no file yet; every other file that the page names is one."""
    new = {file for text in EXAMPLES.values() for file in re.findall(r"`((?:edge_tl|device)/[\w/]+\.py)`", text)[:1]}
    new |= {"device/sources/raw_pipe.py"}
    named = set(re.findall(r"`((?:edge_tl|device|tests)/[\w/]+\.py)`", TEXT)) - new
    assert len(named) > 10
    assert [file for file in sorted(named) if not (ROOT / file).is_file()] == []
    assert [file for file in sorted(new) if (ROOT / file).exists()] == []


def test_every_rule_names_a_test_that_is_there() -> None:
    """The tests of the table of rules are in tests/house, and the names of their tables in them."""
    table = TEXT.partition("\n## Rules\n")[2].partition("\n## ")[0]
    files = set(re.findall(r"`(test_\w+\.py)`", table))
    assert len(files) >= 5
    assert [name for name in sorted(files) if not (ROOT / "tests" / "house" / name).is_file()] == []
    walls = (ROOT / "tests" / "house" / "test_walls.py").read_text()
    assert all(name in walls for name in re.findall(r"`([A-Z_]{4,})`", table))
