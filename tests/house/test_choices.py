"""What a person chooses among is one list, in the library or with the sources; all that shows it shows this one."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from places import ROOT

from device.cli.arguments import CAMERA_HELP
from device.cli.grammar import build_parser
from device.screens.ways import ABOUT
from device.sources.choose import GRAMMAR, MIC_GRAMMAR, Kind
from device.sources.rotated import DEGREES
from edge_tl.embedders.look.choices import HANDS, MODELS, NEEDS, WAYS
from edge_tl.embedders.look.models import ALL, PARTS
from edge_tl.heads import HEADS, OF_MOVEMENTS, WITH_BASE

COMMANDS = (ROOT / "docs" / "commands.md").read_text()
SERVICE = (ROOT / "docs" / "service.md").read_text()
CONSOLE = (ROOT / "device" / "serve" / "console" / "pipeline.js").read_text()


@pytest.mark.parametrize(
    ("option", "choices"),
    [
        ("--look", WAYS),
        ("--hands", HANDS),
        ("--head", (*HEADS, *WITH_BASE, *OF_MOVEMENTS)),
        ("--rotate", map(str, DEGREES)),
        ("--camera", [GRAMMAR]),
        ("--mic", [MIC_GRAMMAR]),
    ],
)
def test_the_table_of_options_has_every_choice(option: str, choices: list[str]) -> None:
    """docs/commands.md shows the words that an option takes, all of them and in their order."""
    words = "|".join(choices).replace("|", r"\|")
    assert f"\n| `{option} {words}` |" in COMMANDS, words


def test_every_other_table_of_choices_is_whole() -> None:
    """The table of ways to look, the configuration's comments, and the help of `--camera` leave no choice out."""
    table = COMMANDS.partition("| `--look` | what is used")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"^\| `([\w-]+)`", table, re.MULTILINE)) == WAYS
    (ways,) = re.findall(r"^look = .*# for a new profile: ([\w, -]+);", SERVICE, re.MULTILINE)
    assert ways.split(", ") == [way for way in WAYS if way != "box"]
    (degrees,) = re.findall(r"^rotate = 0 +# ([\d, ]+):", SERVICE, re.MULTILINE)
    assert degrees == ", ".join(map(str, DEGREES))
    (camera,) = re.findall(r'^camera = "auto" +# (.*)', SERVICE, re.MULTILINE)
    for kind in get_args(Kind):
        assert kind in camera.lower()
        assert kind in CAMERA_HELP.lower()


def test_screen_and_console_have_words_for_every_choice() -> None:
    """The teach screen and the console say of each way to look, and the console of each head, what it is."""
    assert tuple(ABOUT) == WAYS
    for name, choices in (("WAYS", WAYS), ("HEADS", tuple(HEADS))):
        (words,) = re.findall(rf"^const {name} = \{{.*\n((?:  .*\n)+)\}};", CONSOLE, re.MULTILINE)
        assert tuple(re.findall(r'(?:^|[,{]) *"?([a-z-]+)"?: "', words, re.MULTILINE)) == choices


def test_models_are_named_as_their_files_are() -> None:
    """`edge-tl model get` offers the models that there are, and each way that needs some needs one of them."""
    assert (*PARTS, ALL) == MODELS
    assert set(NEEDS.values()) == set(PARTS)
    assert set(NEEDS) < set(WAYS)


def test_the_parser_takes_every_choice() -> None:
    """`teach` takes each way, head and turn, and no other word."""
    parser = build_parser()
    for option, choices in (("--look", WAYS), ("--head", (*HEADS, *WITH_BASE)), ("--rotate", DEGREES)):
        for choice in choices:
            parser.parse_args(["teach", option, str(choice)])
        with pytest.raises(SystemExit):
            parser.parse_args(["teach", option, "other"])
