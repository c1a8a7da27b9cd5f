"""The documentation as a site: every page is in its menu, every link leads somewhere, and a browser fetches nothing."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

import edge_tl
from tools.docs_site import REFERENCE, Page, adapted, broken, gather, reference

NEEDED = ("mkdocs", "material", "mkdocstrings")


def test_the_site_is_built_strictly_and_no_link_is_broken(tmp_path: Path) -> None:
    """What `make site` runs says nothing is wrong, and the names of the API are found in it, with what they say."""
    if lacking := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        pytest.skip(f"the extra docs is not installed: {', '.join(lacking)}")
    command = [sys.executable, str(ROOT / "tools" / "docs_site.py"), str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-4000:]
    assert ran.stdout.endswith("every link in it leads somewhere\n")
    pages = {path.relative_to(tmp_path / "site").as_posix(): path.read_text() for path in tmp_path.rglob("*.html")}
    assert {"index.html", "docs/commands.html", "docs/tutorials/script.html", "reference/index.html"} <= set(pages)
    assert "Name a picture or a word" in pages["reference/recognizing.html"]
    assert r"--rotate 0|90|180|270" in pages["docs/commands.html"]
    places = set().union(*(Page(text).places for name, text in pages.items() if name.startswith("reference/")))
    assert {f"{home}.{name}" for home, names in edge_tl._HOMES.items() for name in names.split()} <= places


def test_what_is_wrong_is_found(tmp_path: Path) -> None:
    """A page that is not there, a place that is not there and a script from elsewhere are a line each; others none."""
    (tmp_path / "other.html").write_text('<h2 id="here">Here</h2><a href="https://example.org/">elsewhere</a>')
    (tmp_path / "index.html").write_text(
        '<a href="other.html#here">a</a><a href="other.html#there">b</a><a href="gone.html">c</a><a href="#top">d</a>'
        '<script src="https://example.org/x.js"></script><img src="data:image/png;base64,AAAA"><b id="top"></b>'
    )
    assert [*broken(tmp_path)] == [
        "index.html: no such place: other.html#there",
        "index.html: leads nowhere: gone.html",
        "index.html: is fetched from elsewhere: https://example.org/x.js",
    ]


def test_a_page_is_the_same_page_on_the_site() -> None:
    """Links to programs lead to their pages, bars in a table's code lose their stroke, and nothing else changes."""
    page = "| `--a x\\|y` | one \\| two |\n\nSee [it](own.py), [cards](../edge_tl/models/), [b](b.md#c) and `x\\|y`.\n"
    text, programs = adapted(page, "examples")
    assert text == (
        "| `--a x|y` | one \\| two |\n\n"
        "See [it](own.py.md), [cards](../edge_tl/models/index.md), [b](b.md#c) and `x\\|y`.\n"
    )
    assert programs == {"examples/own.py"}


def test_the_menu_names_every_page(tmp_path: Path) -> None:
    """mkdocs.yml has a line for each page, and none for a page that is not there."""
    gather(tmp_path)
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md")}
    menu = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2]
    named = [line.rpartition(": ")[2] for line in menu.splitlines() if line.endswith(".md")]
    assert sorted(named) == sorted(page for page in there if not page.endswith(".py.md"))
    assert set(reference()) == {*REFERENCE, "extending", "index"}
