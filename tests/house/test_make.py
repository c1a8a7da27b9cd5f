"""`make test` as a person or CI runs it: nothing that fails hides what comes after it, and what is lacking is told."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from lacking import HOW, lacking
from places import ROOT
from terminal_pty import Pty

PROGRAMS = ("edge-tl", "ruff", "mypy", "python")


def environment(folder: Path, failing: str) -> Path:
    """A folder that looks to make like a ready environment; its programs write their names, and one of them fails."""
    (folder / "bin").mkdir(parents=True)
    for name in PROGRAMS:
        program = folder / "bin" / name
        program.write_text(f'#!/bin/sh\necho "ran {folder.name} {name}"\nexit {3 if name == failing else 0}\n')
        program.chmod(0o755)
    for stage in ("ready", "dev", "host"):  # in this order, as make compares their times
        (folder / stage).touch()
    return folder


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("", "", None),
        ("ruff", "", "make test: failed: lint"),
        ("python", "", "make test: failed: tests"),
        ("", "python", "make test: failed: test-tflite"),
        ("mypy", "python", "make test: failed: lint test-tflite"),
    ],
)
def test_a_failure_hides_nothing_that_comes_after_it(first: str, second: str, said: str | None, tmp_path: Path) -> None:
    """Linters, tests and tests on tflite-runtime all run whichever of them fails, and any failure is make's."""
    one, two = environment(tmp_path / "one", first), environment(tmp_path / "two", second)
    command = ["make", "test", f"VENV={one}", f"TFLITE={two}", f"PYTHON={sys.executable}", "PYTHON311=python3.11"]
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    ran = subprocess.run(command, cwd=ROOT, env=plain, capture_output=True, text=True, check=False)
    names = [line for line in ran.stdout.splitlines() if line.startswith("ran ")]
    linted = ["ran one ruff", "ran one ruff", "ran one mypy"]
    assert names == ["ran one edge-tl", *linted, "ran one python", "ran two python"]
    assert (ran.returncode != 0) == (said is not None), ran.stderr
    assert (said is None) or ran.stdout.splitlines()[-1] == said


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_says_what_skipped_tests_lacked(workers: str, tmp_path: Path) -> None:
    """Without the data the last lines name each data set, how many tests lacked it, and where it is to be had."""
    some = "test_a_file_recorded_in_a_browser or test_real_hands_pass"
    command = [sys.executable, "-m", "pytest", "-n", workers, "-p", "no:cacheprovider", "-k", some]
    files = ["tests/edge_tl/media/test_tfjsscds.py", "tests/edge_tl/heads/test_rejection.py"]
    env = os.environ | {"EDGE_TL_DATA": str(tmp_path)}
    ran = subprocess.run([*command, *files], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = ran.stdout.partition("what skipped tests lacked")[2]
    assert "EDGE_TL_DATA" in told.splitlines()[0]
    for name in ("tfjsscds_sample.bin", "sign_digits"):
        assert f"{name}  (1 test)\n    {HOW[name]}\n" in told
    assert told.count(" test)") == 2


def test_whatever_a_test_asks_for_has_a_row() -> None:
    """Each data set that any test names, and each thing for want of which one is skipped, says how it is to be had."""
    asked = set()
    for path in sorted((ROOT / "tests").rglob("*.py")):
        asked |= set(re.findall(r"""\b(?:data|lacking)\(f?"([^"]+)"\)""", path.read_text()))
    assert len(asked) > 15
    assert {lacking(name).removeprefix("lacking: ") for name in asked} == set(HOW)
    with pytest.raises(KeyError, match="no row"):
        lacking(str(Path("speech", "elvish")))


def test_installing_is_seen_by_whoever_watches_and_brings_the_web(tmp_path: Path) -> None:
    """In a terminal pip shows what it brings with its bars, in a pipe it is quiet; the console and MQTT come along."""
    words = ["make", "-n", "venv", f"VENV={tmp_path}/venv", f"PYTHON={sys.executable}"]
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    piped = subprocess.run(words, cwd=ROOT, env=plain, capture_output=True, text=True, check=True).stdout
    assert re.search(r"pip --disable-pip-version-check -q install .*-e '\.\[web,mqtt\]'", piped)
    with Pty.spawn([*words, "-C", str(ROOT)], 24, 200) as pty:
        assert pty.wait_exit() == 0
        assert re.search(r"pip --disable-pip-version-check install .*-e '\.\[web,mqtt\]'", pty.plain())
