"""What the documents promise is there: the code of the pages runs, and every option is documented."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from places import ROOT

from device.cli.grammar import build_parser
from host_tools.cli import parser as build_host_parser


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and all those below it."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield from parsers(child)


def test_the_code_of_the_library_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """The Python of the page about the library teaches, learns, and names the pose it was shown."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "library.md").read_text(), re.DOTALL)
    assert len(code.splitlines()) <= 16
    exec(compile(code, "library.md", "exec"), {})
    assert capsys.readouterr().out.splitlines()[-1] == "left"


def test_the_code_about_heads_runs() -> None:
    """The Python of the page about heads runs, each block by itself, and what it asserts is so."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "heads.md").read_text(), re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, "heads.md", "exec"), {})


@pytest.mark.parametrize(("page", "build"), [("commands.md", build_parser), ("host.md", build_host_parser)])
def test_every_option_is_documented(page: str, build: Callable[[], argparse.ArgumentParser]) -> None:
    """Each option and each command of `edge-tl` and `edge-tl-host` stands on its page in docs."""
    text = (ROOT / "docs" / page).read_text()
    for parser in parsers(build()):
        assert parser.prog.split()[-1] in text, parser.prog
        for action in parser._actions:
            for option in action.option_strings:
                if option != "-h":
                    assert option in text, f"{parser.prog} {option} is not in docs/{page}"


def test_every_option_has_help() -> None:
    """Each option and argument of `edge-tl` says in its help what it does."""
    for parser in parsers(build_parser()):
        assert parser.description, parser.prog
        for action in parser._actions:
            assert action.help or isinstance(action, argparse._SubParsersAction), f"{parser.prog}: {action.dest}"


PAGES = (
    "README.md",
    *(f"docs/{name}.md" for name in ("host", "commands", "tomorrow", "transfer", "fine_tuning", "words")),
    *(f"docs/tutorials/{name}.md" for name in ("pi_camera", "script", "service")),
)


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_in_the_documents_parse(page: str) -> None:
    """Each command line that a document shows in a code block is one that the parsers take."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
    for line in "".join(block for language, block in fenced if language in ("", "sh")).splitlines():
        if "edge-tl" not in line:
            continue
        words = shlex.split(line, comments=True)
        words = words[1:] if words[:1] == ["sudo"] else words
        if words and Path(words[0]).name in ("edge-tl", "edge-tl-host"):
            build = build_parser if Path(words[0]).name == "edge-tl" else build_host_parser
            build().parse_args(words[1:])


def test_the_tree_exists() -> None:
    """Every folder that the library's page names is there."""
    named = re.findall(r"^(\w+/) ", (ROOT / "docs" / "library.md").read_text(), re.MULTILINE)
    assert len(named) >= 6
    for name in named:
        assert (ROOT / name).is_dir(), name


def test_the_readme_is_read_in_three_minutes() -> None:
    """It has at most 95 lines and one table of five rows; everything else stands on a page that it links to."""
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) <= 95
    assert sum(line.startswith("| ") for line in lines) == 1 + 5
    named = set(re.findall(r"\]\((docs/\w+\.md)\)", "\n".join(lines)))
    assert named == {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")}


LINKING = [path for pattern in ("*.md", "docs/**/*.md", "e*/*.md") for path in ROOT.glob(pattern)]


@pytest.mark.parametrize("page", sorted(path.relative_to(ROOT) for path in LINKING))
def test_every_link_leads_somewhere(page: Path) -> None:
    """What a document links to in the checkout is there, and a picture is small enough for everybody's checkout."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / page).read_text()):
        path = (ROOT / page).parent / target
        assert path.exists(), f"{page} links to {target}"
        assert path.suffix != ".png" or path.stat().st_size <= 150_000, target
