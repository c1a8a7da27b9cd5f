"""`edge-tl completion SHELL`: the script with which a shell completes commands and options, made of the grammar."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from device.cli.grammar import build_parser
from edge_tl.errors import MissingDependency, to_install

FOLDERS = ("DIR", "FOLDER")
"""What an option that takes a folder calls it."""


def run(arguments: Namespace) -> int:
    """Print the script on stdout; MissingDependency where the library that makes it is not installed."""
    try:
        import shtab
    except ImportError as error:
        said = f"completion needs shtab, which is not installed: {to_install('[completion]')}"
        raise MissingDependency(said) from error
    parser = build_parser()
    for action in all_actions(parser):
        if action.type is Path:
            # An attribute that shtab reads: which of its own completions serves this argument.
            action.complete = shtab.DIRECTORY if action.metavar in FOLDERS else shtab.FILE  # type: ignore[attr-defined]
    print(shtab.complete(parser, arguments.shell))
    return 0


def all_actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every argument of a parser and of all commands below it."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from all_actions(below)
