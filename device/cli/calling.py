"""Commands in hints, as whoever reads them can type them: with this program's path, this profile and this folder."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PROGRAM = "edge-tl"
OPTIONS = ("--profile", "--data-dir", "--config")
"""What the commands in a hint take over from the one that says it: which profile it spoke of."""
_HINT = re.compile(f"`{PROGRAM} ([^`]*)`")
LISTENING = ("listen", "count", "type")
"""Commands and actions that only profiles of words know."""
_given: dict[str, str] = {}
_words = False
_parser: argparse.ArgumentParser | None = None


def remember(parser: argparse.ArgumentParser, given: Mapping[str, object]) -> None:
    """Take over from a command what its hints need: the profile, the folder and the configuration, where they are not
    the usual ones, and whether words are meant."""
    global _parser, _words
    _parser = parser
    _words = given["command"] in LISTENING or given.get("action") in LISTENING
    _words = _words or (given.get("mic") is not None and given.get("mic_profile") is None)
    _given.clear()
    taken = _taken([str(given["command"]), str(given.get("action", ""))])
    for option in OPTIONS:
        value = given.get(option[2:].replace("-", "_"))
        if option in taken and value is not None and value != taken[option].default:
            _given[option] = str(value)


def of_words() -> None:
    """What is said from here on is of a profile of words: it is taught with the microphone."""
    global _words
    _words = True


@contextmanager
def speaking_of(profile: str) -> Iterator[None]:
    """What fails within is of another profile than the command's, one of words, and so are its hints."""
    global _words
    before = dict(_given), _words
    _given["--profile"], _words = profile, True
    yield  # an error goes on to whoever says it, and finds this profile
    _given.clear()
    _given.update(before[0])
    _words = before[1]


def as_called(text: str, *, elsewhere: bool = False) -> str:
    """A message whose commands, in backticks, call edge-tl as whoever reads it can: `.venv/bin/edge-tl train`.

    Each takes over the profile and the folder of the command that runs. Where the shell finds this program by its name,
    or it was started in another way, it is called edge-tl. elsewhere: it is read later, in whatever folder, as a page.
    """
    if f"`{PROGRAM} " not in text:
        return text
    called = _called(elsewhere)
    return _HINT.sub(lambda hint: f"`{called} {_completed(hint[1], elsewhere)}`", text)


def _called(elsewhere: bool) -> str:
    """How this program is called from here."""
    program = Path(sys.argv[0])
    if program.name != PROGRAM or not program.is_file():
        return PROGRAM
    found = shutil.which(PROGRAM)
    if found is not None and os.path.samefile(found, program):
        return PROGRAM
    here = program.absolute()
    return shlex.quote(os.path.relpath(here) if here.is_relative_to(Path.cwd()) and not elsewhere else str(here))


def _completed(command: str, elsewhere: bool) -> str:
    """A command with the options that were given, where it takes them and does not name them itself."""
    if _words and re.match(r"teach\b(?!.* --(?:mic|boxes|movements|camera|model|mirrored)\b)", command):
        command = command.replace("teach", "teach --mic", 1)
    taken = _taken(command.split()) if _given else {}
    for name, value in _given.items():
        if name in taken and name not in command:
            path = elsewhere and name != "--profile"
            command += f" {name} {shlex.quote(os.path.abspath(value) if path else value)}"
    return command


def _taken(words: list[str]) -> dict[str, argparse.Action]:
    """The options of the command that words begin with."""
    assert _parser is not None
    return dict(parser_at(_parser, words)._option_string_actions)


def parser_at(parser: argparse.ArgumentParser, words: list[str]) -> argparse.ArgumentParser:
    """The parser of the command that words begin with, `parser` itself where they begin with none."""
    for word in words:
        below = [one.choices for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
        if not below or word not in below[0]:
            break
        parser = below[0][word]
    return parser
