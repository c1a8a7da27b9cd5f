"""Why an answer was wrong: asked of the real service, by a program and in a real browser; corrected with one tap."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browser
import pytest

from benchmarks.serving import Serving
from edge_tl.judge.why import CAUSES

pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")

WHY = "/api/pipelines/signs/why"


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service with the simulated player, who was taught to look up and down."""
    with Serving(tmp_path_factory.mktemp("why")) as made:
        made.start()
        for label in ("up", "down"):
            made.teach(label, 8)
            made.teach(label, 8)
        made.act("train")
        yield made


def told(serving: Serving) -> dict[str, Any]:
    """The newest answer that can still be marked, once there is one: the player goes on looking about."""
    while not (found := [one for one in serving.state()["signs"]["heard"] if one["can_be_marked"]]):
        serving.ask("/api/events/recent")
    return dict(found[-1])


def test_an_answer_is_explained_and_corrected(serving: Serving) -> None:
    """What was told has a picture, near examples and causes; marked as another class it is one take of its own in a
    session of its own, which teaches and is never asked; then it is explained as that class, and is not its own
    neighbour."""
    one = told(serving)
    status, picture = serving.ask(f"/api/pipelines/signs/told/{one['number']}.jpg")
    assert (status, picture[:3]) == (200, b"\xff\xd8\xff")
    status, why = serving.ask(f"{WHY}?number={one['number']}")
    assert status == 200, why
    assert [near["label"] in ("up", "down") for near in why["nearest"]] == [True] * 3
    assert {cause["kind"] for cause in why["causes"]} <= set(CAUSES)
    assert why["right"] is None
    was = "down" if one["label"] != "down" else "up"
    before = serving.state()["signs"]["counts"][was]
    marked = serving.act("mark", number=one["number"], was=was)
    assert marked["said"].startswith(f"kept as {was}: it was reported as {one['label'] or 'none of these'}")
    assert marked["counts"][was] == [before[0] + 1, before[1] + 1]
    (take, *_) = serving.ask(f"/api/pipelines/signs/takes?label={was}")[1]["takes"]
    assert (take["total"], take["source"]) == (1, f"marked: told as {one['label'] or 'none of these'}")
    status, why = serving.ask(f"{WHY}?number={one['number']}&was={was}")
    assert status == 200, why
    assert why["right"]["label"] == was
    assert take["examples"][0]["id"] not in [near["id"] for near in (*why["nearest"], why["right"])]
    trained = serving.act("train")
    assert trained["examples"] == sum(count for count, _ in marked["counts"].values())
    assert trained["evaluation"]["examples"] == trained["examples"] - 1
    assert trained["evaluation"]["by_session"] is None


def test_what_is_seen_now_is_explained_and_can_be_taught(serving: Serving) -> None:
    """Without a number it is what the camera sees; it becomes an example of what a person says that it is."""
    status, why = serving.ask(WHY)
    assert status == 200, why
    assert (why["number"], why["was"], len(why["nearest"])) == (None, None, 3)
    before = serving.state()["signs"]["counts"]["up"][0]
    assert serving.act("missed", was="up")["counts"]["up"][0] == before + 1


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("?number=999", "no answer with number 999"),
        ("?was=sideways", "there is no class 'sideways'; those there are: down, up"),
        ("?number=x", "a number is wanted"),
    ],
)
def test_what_cannot_be_explained_gets_one_line(serving: Serving, path: str, line: str) -> None:
    """A moment that is gone, a class that is not there, and what is no number."""
    status, answer = serving.ask(WHY + path)
    assert status == 400
    assert line in answer["error"]
    assert serving.ask("/api/pipelines/signs/told/999.jpg")[0] == 404
    assert "class" in serving.ask("/api/pipelines/signs/mark", {"number": None})[1]["error"]


@pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium is installed")
def test_one_tap_in_a_browser_corrects_it(serving: Serving, tmp_path: Path) -> None:
    """The list of what was told says why beside the taught pictures; a tap on what it was keeps it as that."""
    told(serving)
    with browser.Browser(tmp_path / "browser", 900, 1400) as page:
        page.open(serving.address + "/")
        page.until("document.querySelector('.wrong') && !document.querySelector('.wrong').hidden")
        page.do("document.querySelector('.wrong').open = true")
        page.until("[...document.querySelectorAll('.wrong li button')].some((one) => one.textContent === 'Why?')")
        page.do(
            "[...document.querySelectorAll('.wrong li')].find((row) => row.textContent.includes('It was'))"
            ".querySelector('button').click()"
        )
        page.until("document.querySelectorAll('.side-by-side .taught img').length >= 3")
        page.until("document.querySelector('.side-by-side .asked img').naturalWidth > 0")
        page.until("[...document.querySelectorAll('.side-by-side img')].every((one) => one.complete)")
        shot = tmp_path / "why.png"
        page.screenshot(shot)
        browser.kept(shot)
        page.do("document.querySelector('.reasons .row:last-child button').click()")
        page.until("document.querySelector('.said').textContent.startsWith('kept as')")
        page.until("document.querySelector('.side-by-side').textContent.includes('nearest')")
        after = tmp_path / "why_after.png"
        page.screenshot(after)
        browser.kept(after)
        assert page.problems == []
