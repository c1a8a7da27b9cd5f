"""`edge-tl completion`: what each shell is given completes commands, options and choices, in that very shell."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from device.cli.grammar import build_parser
from device.commands.completion import all_actions
from device.commands.main import main

BASH = """
source "$0"
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_shtab_edge_tl
printf '%s\\n' "${COMPREPLY[@]}"
"""
ZSH = 'autoload -U compinit; compinit -D; eval "$(<$0)"; print ${_comps[edge-tl]}; whence -w ${_comps[edge-tl]}'


def script(shell: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The script of a shell, in a file."""
    pytest.importorskip("shtab", reason="shtab is not installed: pip install -e .[completion]")
    assert main(["completion", shell]) == 0
    path = folder / f"edge-tl.{shell}"
    path.write_text(capsys.readouterr().out)
    return path


def asked(argv: Sequence[str | Path]) -> list[str]:
    """The lines that a shell prints, which must not complain; the test is skipped where there is no such shell."""
    if shutil.which(str(argv[0])) is None:
        pytest.skip(f"{argv[0]} is not installed")
    ended = subprocess.run([*argv], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.split("\n")


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("edge-tl", "te"), {"teach"}),
        (("edge-tl", "play", "--st"), {"--steer"}),
        (("edge-tl", "teach", "--look", "hand-"), {"hand-crop", "hand-and-crop"}),
        (("edge-tl", "examples", "re"), {"remove", "rename", "re-embed"}),
    ],
)
def test_bash_completes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], wanted: set[str]
) -> None:
    """Commands, commands below them, options and choices are completed by bash itself."""
    assert {line for line in asked(["bash", "-c", BASH, script("bash", tmp_path, capsys), *words]) if line} == wanted


def test_fish_completes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """fish offers the commands with what each is for."""
    path = script("fish", tmp_path, capsys)
    lines = asked(["fish", "--no-config", "-c", f"source {path}; complete -C 'edge-tl te'"])
    assert [line.split("\t")[0] for line in lines if line] == ["teach"]


def test_zsh_takes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """zsh reads it as the completion of edge-tl."""
    lines = asked(["zsh", "-f", "-c", ZSH, script("zsh", tmp_path, capsys)])
    assert lines[:2] == ["_shtab_edge_tl", "_shtab_edge_tl: function"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_option_is_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str], shell: str) -> None:
    """No option of any command is missing."""
    text = script(shell, tmp_path, capsys).read_text()
    options = {option for action in all_actions(build_parser()) for option in action.option_strings}
    assert [option for option in options if option.lstrip("-") not in text] == []


def test_without_the_library_one_line_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where shtab is not installed, the command says which extra brings it."""
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("edge-tl: completion needs shtab, which is not installed: ")
    assert "[completion]" in said
