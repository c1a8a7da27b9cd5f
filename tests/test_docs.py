"""What the documents promise is there: the README's code runs, and every option of the command line is documented."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.cli import build_parser

ROOT = Path(__file__).resolve().parents[1]


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and all those below it."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield from parsers(child)


def test_the_readme_code_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """The Python of the README's first screen teaches, learns, and names the pose it was shown."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(code.splitlines()) <= 16
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.splitlines()[-1] == "left"


def test_every_option_is_documented() -> None:
    """Each option and each command of `edge-tl` stands in docs/commands.md."""
    text = (ROOT / "docs" / "commands.md").read_text()
    for parser in parsers(build_parser()):
        assert parser.prog.split()[-1] in text, parser.prog
        for action in parser._actions:
            for option in action.option_strings:
                if option != "-h":
                    assert option in text, f"{parser.prog} {option} is not in docs/commands.md"


def test_every_option_has_help() -> None:
    """Each option and argument of `edge-tl` says in its help what it does."""
    for parser in parsers(build_parser()):
        assert parser.description, parser.prog
        for action in parser._actions:
            assert action.help or isinstance(action, argparse._SubParsersAction), f"{parser.prog}: {action.dest}"


def test_the_tree_in_the_readme_exists() -> None:
    """Every folder that the README's tree names is there."""
    for name in re.findall(r"^(\w+/) ", (ROOT / "README.md").read_text(), re.MULTILINE):
        assert (ROOT / name).is_dir(), name
