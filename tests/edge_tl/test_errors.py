"""What an error says to do can be done: the command that installs what is missing."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest
from places import ROOT

from edge_tl import errors
from edge_tl.errors import to_install


def test_an_extra_is_installed_from_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By the interpreter that runs, from wherever somebody stands; short where they stand in the checkout."""
    monkeypatch.chdir(tmp_path)
    assert shlex.split(to_install("[web]")) == [sys.executable, "-m", "pip", "install", "-e", f"{ROOT}[web]"]
    monkeypatch.chdir(ROOT)
    python, *rest = shlex.split(to_install("[web]", "numpy<2"))
    assert os.path.samefile(python, sys.executable)
    assert rest == ["-m", "pip", "install", "-e", ".[web]", "numpy<2"]
    if Path(sys.executable).is_relative_to(ROOT):
        assert not os.path.isabs(python)


def test_without_a_checkout_the_packages_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of an installed wheel an extra is what its metadata says, quoted for a shell."""
    monkeypatch.setattr(errors, "__file__", str(tmp_path / "edge_tl" / "errors.py"))
    words = shlex.split(to_install("[mqtt]"))
    assert words[1:4] == ["-m", "pip", "install"]
    assert [word.partition(">")[0] for word in words[4:]] == ["paho-mqtt"]
