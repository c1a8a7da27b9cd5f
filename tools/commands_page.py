"""Write the tables of options in docs/commands.md from the parser; the prose around them is written by hand.

    make docs-commands

Between `<!-- from the parser: edge-tl teach -->` and `<!-- end -->` stands what the parser says of that command, and
everything else on the page stays as it is. A command that has no such place yet gets a section at the end of the page:
move it where it belongs. Options that three commands or more have, word for word, stand in one table for all of them.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from device.cli.grammar import build_parser, data_dir

PAGE = Path(__file__).resolve().parents[1] / "docs" / "commands.md"
BLOCK = re.compile(
    r"(?P<begin><!-- from the parser: (?P<name>[^>]+) -->\n)(?P<old>.*?)(?P<end><!-- end -->)", re.DOTALL
)
OVERVIEW = "all commands"
SHARED = "options of many commands"
SHARED_LINK = "[As everywhere](#options-that-mean-the-same-everywhere)"
MANY = 3
"""So many commands share an option before it stands in the table for all."""


def below(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands of a parser, by name."""
    found: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found |= action.choices
    return found


def commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parsers of all that can be run, those without commands below them, in their order."""
    children = below(parser)
    if not children:
        yield parser
    for child in children.values():
        yield from commands(child)


def arguments_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """What a command takes, arguments before options, without `--help`."""
    taken = [action for action in parser._actions if "--help" not in action.option_strings]
    return sorted(taken, key=lambda action: bool(action.option_strings))


def typed(action: argparse.Action) -> str:
    """An argument or option as it is typed: `--labels LABEL …`, `[FILE]`."""
    value = str(action.metavar or "|".join(map(str, action.choices or ())) or action.dest.upper())
    many = {0: "", "+": f"{value} …", "?": f"[{value}]", "*": f"[{value} …]"}
    value = value if action.nargs is None else many.get(action.nargs, value)
    return " ".join([*action.option_strings, value]).strip()


def row(action: argparse.Action, *remarks: str) -> str:
    """A row of a table: what is typed, and the help, with its defaults as on any machine."""
    told = (action.help or "") % vars(action)
    told = "; ".join([told.replace(str(data_dir()), "~/.local/share/edge-tl"), *remarks])
    return "| `{}` | {} |\n".format(*(text.replace("|", r"\|") for text in (typed(action), told)))


def table(rows: list[str]) -> str:
    """Rows under a head; nothing where there are none."""
    return "\n".join(["", "| argument or option | meaning |", "|---|---|", "".join(rows)]) if rows else ""


def many(parser: argparse.ArgumentParser) -> list[str]:
    """The rows of options that many commands have, in the order in which they first come."""
    taken = [action for command in commands(parser) for action in arguments_of(command)]
    rows = [row(action) for action in taken if action.option_strings and not action.required]
    return [one for one, count in Counter(rows).items() if count >= MANY]


def rivals(parser: argparse.ArgumentParser, action: argparse.Action) -> list[str]:
    """What is to be said of an option's place among others: needed, or only in the place of another."""
    said = ["needed"] if action.option_strings and action.required else []
    for group in parser._mutually_exclusive_groups:
        others = [f"`{one.option_strings[0]}`" for one in group._group_actions if one is not action]
        if action in group._group_actions and others:
            said.append(f"{'one of this and' if group.required else 'not with'} {', '.join(others)}")
    return said


def section(parser: argparse.ArgumentParser, shared: list[str]) -> str:
    """A command: how it is called, what it does, and a table of what it takes; shared: rows that stand elsewhere."""
    own, elsewhere = [], []
    for action in arguments_of(parser):
        if row(action) in shared:
            elsewhere.append(f"`{action.option_strings[0]}`")
        else:
            own.append(row(action, *rivals(parser, action)))
    words = [parser.prog, *(typed(action) for action in arguments_of(parser) if not action.option_strings)]
    text = f"**`{' '.join(words)}`**: {parser.description}\n" + table(own)
    return text + (f"\n{SHARED_LINK}: {', '.join(elsewhere)}.\n" if elsewhere else "")


def sections(parser: argparse.ArgumentParser) -> dict[str, str]:
    """What stands between the marks, by their names."""
    shared = many(parser)
    helps = {
        choice.dest: choice.help or ""
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for choice in action._choices_actions
    }
    overview = "".join(f"| `{parser.prog} {name}` | {text} |\n" for name, text in helps.items())
    found = {
        OVERVIEW: f"| command | what it does |\n|---|---|\n{overview}",
        SHARED: table([*shared, *map(row, (one for one in arguments_of(parser) if one.option_strings))]).lstrip("\n"),
    }
    return found | {command.prog: section(command, shared) for command in commands(parser)}


def written(page: str, parser: argparse.ArgumentParser) -> str:
    """The page with its tables as the parser is now; SystemExit where it has a place for a command that is none."""
    made = sections(parser)
    places = [match["name"] for match in BLOCK.finditer(page)]
    if strange := sorted({name for name in places if name not in made or places.count(name) > 1}):
        sys.exit(f"docs/commands.md has places that belong to no command, or two for one: {', '.join(strange)}")
    for name in made:
        if name not in places:
            page = f"{page.rstrip()}\n\n## {name}\n\n<!-- from the parser: {name} -->\n<!-- end -->\n"
    return BLOCK.sub(lambda match: f"{match['begin']}\n{made[match['name']]}\n{match['end']}", page)


def main() -> int:
    """Write the page anew, and say whether anything changed."""
    old = PAGE.read_text()
    new = written(old, build_parser())
    PAGE.write_text(new)
    print(f"docs/commands.md {'is as the parser already' if new == old else 'was written anew from the parser'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
