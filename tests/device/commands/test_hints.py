"""What messages tell one to type is found by the shell that they are read in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT
from terminal_pty import Pty

from device.cli import calling
from device.cli.calling import as_called, remember
from device.cli.grammar import build_parser

TEXT = "nothing was recorded yet: run `edge-tl teach`, or `edge-tl examples import FOLDER`"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program called edge-tl, as pip makes it, in an environment that nobody activated."""
    path = tmp_path / "checkout" / ".venv" / "bin" / "edge-tl"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!{sys.executable}\nimport sys\nfrom device.commands.main import main\nsys.exit(main())\n")
    path.chmod(0o755)
    return path


def said(words: list[str], folder: Path, path: str = "/usr/bin:/bin") -> str:
    """What the command says on stderr."""
    env = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(folder / "data")}
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False).stderr


def test_a_hint_names_the_program_as_it_was_called(program: Path) -> None:
    """Below the folder at hand by its relative path, elsewhere by its whole one, by its name where that is found."""
    checkout = program.parents[2]
    assert "run `.venv/bin/edge-tl teach` first" in said([".venv/bin/edge-tl", "train"], checkout)
    elsewhere = checkout.parent / "elsewhere"
    elsewhere.mkdir()
    assert f"run `{program} teach` first" in said([str(program), "train"], elsewhere)
    assert "run `edge-tl teach` first" in said(["edge-tl", "train"], checkout, f"{program.parent}:/usr/bin:/bin")


def test_another_program_of_that_name_is_not_meant(program: Path, tmp_path: Path) -> None:
    """Where the shell finds another edge-tl first, the hint names the one that runs."""
    other = tmp_path / "other" / "edge-tl"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\nexit 3\n")
    other.chmod(0o755)
    text = said([".venv/bin/edge-tl", "train"], program.parents[2], f"{other.parent}:/usr/bin:/bin")
    assert "run `.venv/bin/edge-tl teach` first" in text


def test_a_name_with_a_space_can_be_typed(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that a shell would take apart is quoted; a program of another name changes nothing."""
    spaced = tmp_path / "my pi" / "edge-tl"
    spaced.parent.mkdir()
    program.rename(spaced)
    monkeypatch.setattr(sys, "argv", [str(spaced), "train"])
    monkeypatch.chdir(tmp_path)
    assert "run `'my pi/edge-tl' teach`, or `'my pi/edge-tl' examples import FOLDER`" in as_called(TEXT)
    assert f"run `'{spaced}' teach`" in as_called(TEXT, elsewhere=True)  # of a page, which is read in any folder
    monkeypatch.setattr(sys, "argv", ["pytest"])
    assert as_called(TEXT) == TEXT


def test_a_hint_is_of_the_profile_that_it_spoke_of(program: Path, tmp_path: Path) -> None:
    """Profile and folder are taken over by commands that take them, and by no other; what is usual is left out."""
    where = tmp_path / "my data"
    begun = ["edge-tl", "train", "--profile", "words", "--data-dir", str(where)]
    text = said(begun, tmp_path, f"{program.parent}:/usr/bin:/bin")
    more = f"--profile words --data-dir '{where}'"
    assert f"run `edge-tl teach {more}` first, or `edge-tl examples import FOLDER {more}`" in text
    remember(build_parser(), vars(build_parser().parse_args(["model", "generations", "--profile", "b"])))
    hint = "`edge-tl model generations --use 3`, `edge-tl model get all`, `edge-tl train --profile c`"
    assert as_called(hint) == hint.replace("--use 3`", "--use 3 --profile b`")
    remember(build_parser(), vars(build_parser().parse_args(["doctor"])))
    assert as_called(TEXT) == TEXT


def test_a_hint_has_the_configuration_and_a_page_whole_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    """`fleet status` after `status --config FILE` reads the same file; what is read later, elsewhere, finds it too."""
    monkeypatch.setattr(calling, "OPTIONS", ("--profile", "--data-dir", "--config"))
    words = ["status", "--config", "a.toml", "--data-dir", "b"]
    remember(build_parser(), vars(build_parser().parse_args(words)))
    both = "`edge-tl fleet status`, `edge-tl train`"
    assert as_called(both) == "`edge-tl fleet status --data-dir b --config a.toml`, `edge-tl train --data-dir b`"
    here = Path.cwd()
    assert as_called("`edge-tl train`", elsewhere=True) == f"`edge-tl train --data-dir {here / 'b'}`"


def test_a_hint_of_the_words_of_a_game_is_of_their_profile(program: Path) -> None:
    """What `play` says of `--mic-profile` is not to be done to the profile of the camera."""
    env = {"PATH": "/usr/bin:/bin", "XDG_DATA_HOME": str(program.parents[2] / "data")}
    play = "edge-tl play --profile signs --mic auto --mic-profile spoken"
    with Pty.spawn(["/bin/sh", "-c", f"cd {program.parents[2]} && .venv/bin/{play}"], 40, 200, env) as pty:
        assert pty.wait_exit() == 1
        said = " ".join(pty.plain().split())
    assert "edge-tl teach --mic --profile spoken`" in said, said


@pytest.mark.parametrize(
    "words", [["listen"], ["count", "x.wav"], ["play", "--mic", "auto"], ["examples", "type", "word"]], ids=" ".join
)
def test_words_are_taught_with_the_microphone(words: list[str]) -> None:
    """Where a command is about words, so is the `teach` that it names: without --mic that would open the camera."""
    remember(build_parser(), vars(build_parser().parse_args([*words, "--profile", "spoken"])))
    assert "run `edge-tl teach --mic --profile spoken`, or" in as_called(TEXT)
    for other in ("`edge-tl teach --boxes --profile b`", "`edge-tl teach --mic --profile b`"):
        assert as_called(other) == other


def test_a_screen_says_it_too(program: Path) -> None:
    """`doctor` in a terminal: what gets the models is called as it was."""
    env = {"PATH": "/usr/bin:/bin", "XDG_DATA_HOME": str(program.parents[2] / "data")}
    with Pty.spawn(["/bin/sh", "-c", f"cd {program.parents[2]} && .venv/bin/edge-tl doctor"], 40, 200, env) as pty:
        pty.wait_exit()
        assert "→ .venv/bin/edge-tl model get hands" in pty.plain()
