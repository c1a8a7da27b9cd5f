"""`edge-tl report`: one page that needs nothing else, says the same each time, and escapes what a user typed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_profile import fill, make_all, picture, refused, runner

from device.cli import calling
from device.commands.main import main
from edge_tl.store.profile import Profile

HOSTILE = "<script>alert('1')</script>\"&'"
DAY = "2025-06-30"
VOID = {"meta", "br", "img", "link", "hr", "input"}


class Reader(HTMLParser):
    """Reads a page strictly: every element that opens is closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element opens."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element without content."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        """The innermost element closes."""
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text."""
        self.words.append(data)

    @property
    def text(self) -> str:
        """All text of the page."""
        return " ".join(self.words)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model, and a profile taught and trained with it."""
    return make_all(tmp_path_factory.mktemp("report"))


@pytest.fixture
def report(made: Path, tmp_path: Path) -> Callable[..., Reader]:
    """Writes the report of a data folder, and reads it."""

    def call(data: Path, *more: str) -> Reader:
        out = tmp_path / "out.html"
        words = ["--data-dir", str(data), "--model", str(made / "model"), "--date", DAY, "--out", str(out), *more]
        assert main(["report", *words]) == 0
        return Reader(out.read_text(encoding="utf-8"))

    return call


def imported(made: Path, root: Path, data: Path, *more: str) -> Path:
    """A profile of the pictures in a folder."""
    words = ["--model", str(made / "model"), "--data-dir", str(data), *more]
    assert main(["examples", "import", str(root), *words]) == 0
    return data


def test_the_page_says_all_there_is(made: Path, report: Callable[..., Reader]) -> None:
    """Accuracy, confusion, reliability, learning curve, map, counts, pictures, guide and model card are all there."""
    page = report(made / "data")
    for words in (
        "on held-out takes",
        "a random split would claim",
        "What to do next",
        "Confusion matrix",
        "expected calibration error",
        "Would more takes help?",
        "Why was it wrong? The surest mistakes",
        "Map of the examples",
        "24 examples of 2 classes in 6 takes",
        "Model card",
        "generation 1",
        DAY,
    ):
        assert words in page.text, words
    pictures = [value for name, value in page.attributes if name == "href"]
    assert 12 <= len(pictures) <= 42  # of the classes, the suspects, and mistakes with what is beside them
    assert page.tags.count("circle") > 10


def test_the_page_needs_nothing_from_elsewhere(made: Path, report: Callable[..., Reader]) -> None:
    """No script, no link, no address: whatever is shown stands in the page."""
    page = report(made / "data")
    assert not {"script", "link", "iframe", "object", "img"} & set(page.tags)
    for name, value in page.attributes:
        assert not name.startswith("on")
        if name in ("href", "src"):
            assert value.startswith("data:image/jpeg;base64,")
        else:
            assert "//" not in value
    assert "url(" not in page.text
    assert "@import" not in page.text


def test_the_same_profile_and_date_give_the_same_page(made: Path, tmp_path: Path) -> None:
    """Two reports are equal to the byte, and replace each other whole."""
    words = ["--data-dir", str(made / "data"), "--model", str(made / "model"), "--date", DAY]
    out = tmp_path / "a.html"
    assert main(["report", *words, "--out", str(out)]) == 0
    first = out.read_bytes()
    out.write_text("something older")
    assert main(["report", *words, "--out", str(out)]) == 0
    assert out.read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def test_what_a_user_typed_is_text(made: Path, tmp_path: Path, report: Callable[..., Reader]) -> None:
    """Labels and profile names that are HTML are shown as they are and do nothing."""
    data = imported(made, made / "pictures", tmp_path / "data", "--profile", HOSTILE)
    assert main(["examples", "rename", "dark", HOSTILE, "--data-dir", str(data), "--profile", HOSTILE]) == 0
    page = report(data, "--profile", HOSTILE)
    assert "script" not in page.tags
    assert page.text.count(HOSTILE) > 5
    assert "not trained" in page.text or "nothing was trained" in page.text


def test_swapped_labels_are_shown_with_the_command_that_forgets_them(
    made: Path, tmp_path: Path, report: Callable[..., Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A light picture among the dark ones is shown by its number, and the command shown forgets it."""
    monkeypatch.setattr(calling, "OPTIONS", ("--profile", "--data-dir"))
    root = fill(tmp_path / "pictures", takes=6)
    picture("light", 77).save(root / "dark" / "take1" / "zz.png")
    data = imported(made, root, tmp_path / "data")
    page = report(data)
    assert "9" in re.findall(r"(\d+): labelled dark, looks like light", page.text)
    command = re.search(
        rf"edge-tl (examples remove --id [\d ]*\b9 [\d ]*--data-dir {re.escape(str(data))})\b", page.text
    )
    assert command
    assert main(shlex.split(command[1])) == 0  # as it stands there, it forgets them in this very profile
    with Profile(data / "profiles" / "default") as profile:
        assert 9 not in [one.id for one in profile.store.list()]
    assert 'class="ring"' in (tmp_path / "out.html").read_text()


def test_sessions_lead_where_there_are_two(made: Path, tmp_path: Path, report: Callable[..., Reader]) -> None:
    """With two sessions the first figure is that of a session that was not taught, and each has a line by its name."""
    data = imported(made, made / "pictures", tmp_path / "data")
    with Profile(data / "profiles" / "default", writable=True) as profile:
        store = profile.store
        examples = store.matrix(store.list()[0].fingerprint)
        kitchen = store.new_session("kitchen & garden")
        for take in np.unique(examples.takes):
            rows = np.flatnonzero(examples.takes == take)
            again = store.new_take(str(examples.y[rows[0]]), session=kitchen)
            for row in rows:
                store.add(again, None, examples.X[row], examples.fingerprint)
    page = report(data)
    assert page.text.index("on held-out sessions") < page.text.index("on held-out takes")
    assert "Session by session" in page.text
    assert page.text.count("kitchen & garden") == 2
    assert "in 12 takes and 2 sessions" in page.text


def test_one_class_gets_a_page_that_says_what_is_missing(
    made: Path, tmp_path: Path, report: Callable[..., Reader]
) -> None:
    """With a single class there is nothing to judge: the page says so, and shows what was recorded."""
    root = fill(tmp_path / "pictures")
    shutil.rmtree(root / "light")
    page = report(imported(made, root, tmp_path / "data"))
    assert "Nothing can be measured yet" in page.text
    assert "dark" in page.text
    assert "Model card" in page.text


def test_without_pictures_the_page_says_so(made: Path, tmp_path: Path, report: Callable[..., Reader]) -> None:
    """A profile that kept embeddings only has a report all the same."""
    with Profile(tmp_path / "data" / "profiles" / "default", writable=True) as profile:
        fingerprint = next(iter(profile_of(made))).fingerprint
        rng = np.random.default_rng(0)
        for label, middle in (("a", 0.0), ("b", 1.0)):
            for _ in range(2):
                take = profile.store.new_take(label)
                for _ in range(3):
                    profile.store.add(take, None, (middle + rng.normal(0, 0.1, 12)).astype(np.float32), fingerprint)
    page = report(tmp_path / "data")
    assert page.text.count("No files were kept") == 2


def profile_of(made: Path) -> list[Any]:
    """The examples of the trained profile."""
    with Profile(made / "data" / "profiles" / "default") as profile:
        return profile.store.list()


def test_bad_input_is_one_line_and_leaves_nothing(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder as file, a missing folder, no profile, an empty one: one line each, and no page."""
    run = runner(made, made / "data", capsys)
    model = ("--model", made / "model")
    refused(run("report", *model, "--out", tmp_path), "is a folder", "--out")
    refused(run("report", *model, "--out", tmp_path / "no" / "x.html"), "there is no folder")
    refused(run("report", *model, "--out", "/dev/full"), "no ordinary file")
    refused(run("report", *model, "--out", tmp_path / "x.html", "--profile", "nobody"), "there is no profile")
    with Profile(tmp_path / "data" / "profiles" / "default", writable=True) as profile:
        profile.store.add_label("a")
    empty = runner(made, tmp_path / "data", capsys)
    refused(empty("report", *model, "--out", tmp_path / "x.html"), "nothing was recorded yet")
    assert not (tmp_path / "x.html").exists()
    with pytest.raises(SystemExit):
        run("report", "--date", "yesterday")


def test_a_browser_shows_it(made: Path, tmp_path: Path, report: Callable[..., Reader]) -> None:
    """Chromium reads the page without a complaint, and on a phone's width nothing lies outside."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    report(made / "data")
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--window-size=390,800"]
    command += [f"--user-data-dir={tmp_path / 'browser'}", "--enable-logging=stderr", "--dump-dom"]
    done = subprocess.run([*command, (tmp_path / "out.html").as_uri()], capture_output=True, text=True, timeout=120)
    assert "Map of the examples" in done.stdout
    assert "CONSOLE" not in done.stderr
