"""A hint names what there is: every option and every command that a message says is one of the parser's."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator

from places import ROOT

from device.cli.grammar import build_parser
from host_tools.cli import parser as build_host_parser

ROOMS = ("edge_tl", "device", "host_tools")
OTHERS = {
    "edge_tl/embedders/look/models.py": "--no-deps --only-binary --python-version --platform --dest",  # pip
    "device/teach/voices.py": "--setf --voices --length-scale",  # flite, espeak-ng, piper
    "edge_tl/embedders/speech.py": "--force-reinstall",  # pip
    "device/cli/fetch_models.py": "--retries --timeout --quiet --no-cache-dir --disable-pip-version-check --no-input",
    "device/report/style.py": "--ink --soft --paper --card --line --good --bad --mark",  # CSS
    "device/serve/install.py": "--system --home-dir --no-create-home --shell --user-group --groups --now "  # systemd's
    "--system-site-packages --disable-pip-version-check --clear --no-deps --force-reinstall "
    "--require-hashes --only-binary --no-build-isolation --no-index --find-links",  # venv, pip
    "device/serve/phone_words.py": "--list",  # rpicam-hello
    "device/sources/picamera.py": "--list",
    "host_tools/push.py": "--delete",  # rsync
    "host_tools/shipped.py": "--no-deps --disable-pip-version-check",  # pip
}
"""Options of other programs, by the file that names them."""
CALLED = re.compile(r"`(edge-tl(?:-host)?)((?: [^`]*)?)`")


def texts() -> Iterator[tuple[str, str]]:
    """Every text in the packages with its file; what is put into an f-string as `…`."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                parts: list[ast.expr] = []
                if isinstance(node, ast.JoinedStr):
                    parts = node.values
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    parts = [node]
                said = [str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts]
                if said:
                    yield path.relative_to(ROOT).as_posix(), "".join(said)


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    """Its own options."""
    return {option for action in parser._actions for option in action.option_strings}


def below(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Its commands."""
    found: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found |= action.choices
    return found


def every_option(parser: argparse.ArgumentParser) -> set[str]:
    """Those of its commands too."""
    return options_of(parser).union(*map(every_option, below(parser).values()))


def test_an_option_that_is_named_exists() -> None:
    """No text names an option that nothing has; those of other programs are listed above, none in vain."""
    own = every_option(build_parser()) | every_option(build_host_parser())
    strange: dict[str, set[str]] = {}
    for file, text in texts():
        if missing := set(re.findall(r"(?<![\w…-])--[a-z][a-z-]*", text)) - own:
            strange.setdefault(file, set()).update(missing)
    assert strange == {file: set(named.split()) for file, named in OTHERS.items()}


def test_a_command_that_is_named_exists_with_its_options() -> None:
    """What stands in backticks as a call of edge-tl is a command that there is, and takes the options beside it."""
    roots = {"edge-tl": build_parser(), "edge-tl-host": build_host_parser()}
    wrong, right = [], 0
    for file, text in texts():
        if file == "device/serve/phone_words.py":  # patterns of what others say
            continue
        for program, rest in CALLED.findall(text):
            parser, words = roots[program], rest.replace("…", " … ").split()
            while words and words[0] in below(parser):
                parser = below(parser)[words.pop(0)]
            named = set(re.findall(r"(?<!\S)--[a-z][a-z-]*", " ".join(words)))
            incomplete = below(parser) and words and words[0] != "…" and not words[0].startswith("-")
            if incomplete or not named <= options_of(parser):
                wrong.append(f"{file}: {program}{rest}")
            right += 1
    assert not wrong
    assert right > 50
