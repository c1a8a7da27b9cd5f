"""Build the documentation as a site, strictly, and follow every link in it; what is wrong is a line each.

    make site

The pages are those of the checkout, gathered in build/site-pages in the same folders, so that a link means the same on
GitHub and on the site. Programs and models that pages link to become pages; the reference is made of the docstrings of
what `edge_tl` makes public. mkdocs.yml has the menu; a page that it does not name is a mistake.
"""

from __future__ import annotations

import logging
import posixpath
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import edge_tl

ROOT = Path(__file__).resolve().parents[1]
PATTERNS = ("*.md", "docs/**/*.md", "examples/*.md", "exercises/*.md", "benchmarks/*.md")
PICTURES = ("docs/**/*.svg", "docs/**/*.png")
LINK = re.compile(r"(?<=\]\()(?!https?:|#)([^)\s#]+)")
ROW_CODE = re.compile(r"`[^`]*`")
MODELS = "edge_tl/models"
REFERENCE = {
    "recognizing": ("Teaching and recognizing", ("recognizer", "core", "judge")),
    "sources": ("Sources and frames", ("frames", "sources", "media")),
    "embedders": ("Embedders and models", ("embedders", "tflite", "models")),
    "heads": ("Heads", ("heads",)),
    "steady": ("Steady labels and words", ("controller", "listener")),
    "profiles": ("Profiles", ("store",)),
    "errors": ("Errors", ("errors",)),
}
"""Page of the reference → its title, and the rooms of `edge_tl` whose public names stand there."""
EXTENDING = (
    *("edge_tl.testing", "edge_tl.heads.base", "edge_tl.line"),
    *("edge_tl.store.layouts.tree", "device.serve.event"),
)
"""What one needs beside the public names to add a source, embedder, head, importer or output (ARCHITECTURE.md)."""


def gather(into: Path) -> None:
    """All pages and pictures, links to programs and folders turned to their pages."""
    shutil.rmtree(into, ignore_errors=True)
    for pattern in PICTURES:
        for path in ROOT.glob(pattern):
            write(into, path.relative_to(ROOT).as_posix(), path.read_bytes())
    programs: set[str] = set()
    for pattern in PATTERNS:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            text, linked = adapted(path.read_text(), posixpath.dirname(name))
            programs |= linked
            write(into, name, text.encode())
    for program in sorted(programs):
        code = (ROOT / program).read_text()
        write(into, f"{program}.md", f"# {posixpath.basename(program)}\n\n````python\n{code}````\n".encode())
    cards = [path.read_text().strip() for path in sorted((ROOT / MODELS).glob("*/CARD.md"))]
    write(into, f"{MODELS}/index.md", ("# Model cards\n\n" + "\n\n".join(f"#{card}" for card in cards)).encode())
    for name, text in reference().items():
        write(into, f"reference/{name}.md", text.encode())


def write(into: Path, name: str, data: bytes) -> None:
    """A file of the site's pages."""
    (into / name).parent.mkdir(parents=True, exist_ok=True)
    (into / name).write_bytes(data)


def adapted(text: str, folder: str) -> tuple[str, set[str]]:
    """A page as MkDocs wants it, and the programs that it links to; folder: where it lies in the checkout."""
    programs = set()

    def turned(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, match[1]))
        if target.endswith(".py"):
            programs.add(target)
            return f"{match[1]}.md"
        return f"{match[1].rstrip('/')}/index.md" if target == MODELS else match[1]

    lines = text.split("\n")
    for at, line in enumerate(lines):
        if line.startswith("|"):  # a bar in code ends no cell here, and a stroke before it would be shown
            lines[at] = ROW_CODE.sub(lambda code: code[0].replace(r"\|", "|"), line)
    return LINK.sub(turned, "\n".join(lines)), programs


def reference() -> dict[str, str]:
    """Page → its text: the public names, each on the page of its room, what one may add to, and a list of all."""
    made, rows = {}, []
    homes = [(home, name) for home, names in edge_tl._HOMES.items() for name in names.split()]
    for page, (title, rooms) in REFERENCE.items():
        listed = [f"{home}.{name}" for room in rooms for home, name in homes if home.split(".")[1] == room]
        made[page] = named(title, listed)
        rows += [f"| [`{one.rpartition('.')[2]}`]({page}.md#{one}) | {sentence(one)} |" for one in listed]
    if len(rows) != len(homes):
        sys.exit("a public name of edge_tl is in a room without a page: see REFERENCE in tools/docs_site.py")
    table = "\n".join(sorted(rows, key=str.lower))
    head = "# Everything public\n\n`from edge_tl import …`\n\n| name | what it is |\n|---|---|\n"
    return made | {"extending": named("For what you add", EXTENDING, whole=True), "index": f"{head}{table}\n"}


def named(title: str, listed: Iterable[str], whole: bool = False) -> str:
    """A page with what these names say of themselves; whole: headings are whole names, as of modules."""
    more = "\n    options:\n      show_root_full_path: true" if whole else ""
    return f"# {title}\n\n" + "\n\n".join(f"::: {one}{more}" for one in listed) + "\n"


def sentence(name: str) -> str:
    """The first paragraph of what a public name says of itself; `HEADS` is a table and says nothing."""
    value = getattr(edge_tl, name.rpartition(".")[2])
    if isinstance(value, dict):
        return "the heads by name"
    return " ".join((value.__doc__ or "").strip().split("\n\n")[0].split()).replace("|", r"\|")


class Page(HTMLParser):
    """What a page of the site links to, what it loads, and what can be linked to in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what a tag points to."""
        told = {name: value for name, value in attrs if value}
        self.places |= {told[key] for key in ("id", "name") if key in told}
        if tag in ("script", "img", "source", "iframe") and "src" in told:
            self.loaded.append(told["src"])
        elif tag == "link" and told.get("rel") not in ("canonical", "prev", "next"):
            self.loaded.append(told.get("href", ""))
        elif "href" in told:
            self.links.append(told["href"])


def broken(site: Path) -> Iterator[str]:
    """A line for each link that leads nowhere, and for each thing that a browser would fetch from elsewhere."""
    pages = {path: Page(path.read_text()) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        name = path.relative_to(site)
        if path.name == "404.html":  # its links begin at the root of wherever it is put
            continue
        for target in (*page.links, *page.loaded):
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                if target in page.loaded and parts.scheme != "data":
                    yield f"{name}: is fetched from elsewhere: {target}"
                continue
            found = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            found = found / "index.html" if found.is_dir() else found
            if not found.is_file():
                yield f"{name}: leads nowhere: {target}"
            elif parts.fragment and found in pages and unquote(parts.fragment) not in pages[found].places:
                yield f"{name}: no such place: {target}"


def build(place: Path) -> list[str]:
    """Gather into `place`/site-pages and build `place`/site; what is wrong, a line each."""
    from mkdocs.commands.build import build as build_site
    from mkdocs.config import load_config
    from mkdocs.exceptions import Abort

    gather(place / "site-pages")
    said: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(" ".join(record.getMessage().split()))  # type: ignore[method-assign]
    log = logging.getLogger("mkdocs")
    log.addHandler(handler)
    try:
        config = load_config(str(ROOT / "mkdocs.yml"), docs_dir=str(place / "site-pages"), site_dir=str(place / "site"))
        build_site(config)
    except Abort:
        return said or ["mkdocs gave up, and did not say why"]
    finally:
        log.removeHandler(handler)
    return [*said, *broken(place / "site")]


def main(place: Path = ROOT / "build") -> int:
    """Build it into a folder, and say where it begins."""
    wrong = build(place)
    for line in wrong:
        print(line, file=sys.stderr)
    if not wrong:
        print(f"{place / 'site' / 'index.html'}: every link in it leads somewhere")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:2])))
