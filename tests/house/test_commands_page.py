"""docs/commands.md says of every command what the parser says: its tables are made of it, and are as it is now."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from places import ROOT

from device.cli.grammar import build_parser
from tools.commands_page import BLOCK, OVERVIEW, SHARED, commands, written

PAGE = ROOT / "docs" / "commands.md"


def test_the_page_is_as_the_parser() -> None:
    """What stands between the marks is what `make docs-commands` writes there, a place for each command."""
    page = PAGE.read_text()
    assert written(page, build_parser()) == page, "docs/commands.md is not as the parser: make docs-commands"
    names = {match["name"] for match in BLOCK.finditer(page)}
    assert names == {OVERVIEW, SHARED, *(command.prog for command in commands(build_parser()))}


def test_it_is_the_same_wherever_the_home_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No folder of the machine that writes the page comes into it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert written(PAGE.read_text(), build_parser()) == PAGE.read_text()


def test_another_option_changes_it_and_another_command_gets_a_section() -> None:
    """An option that the parser gets comes into its command's table, a command to the end, and no prose is lost."""
    parser = build_parser()
    (teach,) = (command for command in commands(parser) if command.prog == "edge-tl teach")
    teach.add_argument("--left-handed", choices=("yes", "no"), help="who teaches")
    (subparsers,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    subparsers.add_parser("dance", help="dance", description="Dance.").add_argument("steps", nargs="+", help="which")
    old, new = PAGE.read_text().splitlines(), written(PAGE.read_text(), parser).splitlines()
    added = [line for line in new if line not in old]
    assert "| `--left-handed yes\\|no` | who teaches |" in added
    assert added[-4:] == ["## edge-tl dance", "<!-- from the parser: edge-tl dance -->", *added[-2:]]
    assert added[-2:] == ["**`edge-tl dance STEPS …`**: Dance.", "| `STEPS …` | which |"]
    assert [line for line in old if line not in new] == []


@pytest.mark.parametrize("name", ["edge-tl fly", "edge-tl teach"])
def test_a_place_of_no_command_is_refused(name: str) -> None:
    """A place of a command that is gone, or a second one of the same, is named and nothing is written."""
    page = PAGE.read_text() + f"\n<!-- from the parser: {name} -->\n<!-- end -->\n"
    with pytest.raises(SystemExit, match=name):
        written(page, build_parser())
