"""From an empty profile to signs that are told right, by the words of docs/service.md: over HTTP and in a browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import browser
import pytest

from benchmarks.serving import Serving
from device.commands.status import lines
from device.health import ask_health
from device.serve.phone_words import KEEPER
from edge_tl.embedders.look.choices import Look
from edge_tl.store.settings import remembered_look

pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")

LABELS = ("up", "down", "left", "right", "neutral")
OPEN = '[pipelines.signs]\ncamera = "sim"\n'
"""A pipeline that says nothing of how it looks."""


def prepared(folder: Path, models: Path, more: str = OPEN) -> Serving:
    """A service with an empty profile and with hands and faces installed, not started."""
    serving = Serving(folder, more)
    serving.data.mkdir()
    (serving.data / "models").symlink_to(models)
    return serving


def until(serving: Serving, holds: Callable[[dict[str, Any]], bool], label: str | None = None) -> dict[str, Any]:
    """Ask again and again, holding a button where one is named, until the state is so; what it is then."""
    while True:
        if label is not None:
            serving.act("record", label=label)
        state = dict(serving.state()["signs"])
        if holds(state):
            return state


def way(serving: Serving) -> Look | None:
    """What the profile remembers."""
    return remembered_look(serving.data / "profiles" / "default")


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory, look_models: Path) -> Iterator[Serving]:
    """Started with an empty profile, two takes of each class, trained: as the page says."""
    with prepared(tmp_path_factory.mktemp("taught"), look_models) as serving:
        serving.start()
        state = serving.state()["signs"]
        assert (state["look"], state["looking"]) == (
            "auto",
            "the first take decides: the hand, the face, or the whole picture is used",
        )
        for _ in range(2):
            for label in LABELS:
                serving.teach(label, 20)
        serving.act("train")
        yield serving


def test_two_takes_a_class_tell_every_sign_right(taught: Serving) -> None:
    """The first take chose the face; of three new scenes of each sign most are told by its name."""
    assert way(taught) == Look("face-crop")
    right = {label: sum(told(taught, label) for _ in range(3)) for label in LABELS}
    # Two takes know the places they were taken in: in new ones `neutral`, between up and down, is the weakest.
    named = {label for label, scenes in right.items() if scenes}
    assert len(named) >= 4, right
    assert sum(right.values()) >= 11, right
    assert named <= {event["label"] for event in taught.ask("/api/events/recent")[1]}


def told(serving: Serving, label: str) -> bool:
    """Have the player show a sign in a new scene, for thirty frames; whether it is told then."""
    began = serving.act("record", label=label)["counts"][label][0]
    while serving.act("record", label=label)["counts"][label][0] < began + 30:
        if serving.state()["signs"]["label"] == label:
            break
    right = bool(serving.state()["signs"]["label"] == label)
    serving.act("release")  # from then on the player shows what he likes
    serving.act("undo")
    return right


def test_what_was_chosen_and_why_is_in_health_log_and_status(taught: Serving) -> None:
    """The same line wherever one looks, once in the log, and `status` shows it under the pipeline."""
    line = "uses the face: one is in 15 of 15 frames"
    health = ask_health(taught.data / "events.sock")
    assert (health["pipelines"]["signs"]["look"], health["pipelines"]["signs"]["looking"]) == ("face-crop", line)
    assert f"  look: face-crop; {line}" in lines(health)
    assert taught.log.count(f"signs: {line}") == 1


def test_another_way_later_embeds_all_anew(tmp_path: Path, look_models: Path) -> None:
    """A change of the way to look that is stopped changes nothing; one that goes on embeds all pictures anew."""
    with prepared(tmp_path, look_models) as serving:
        serving.start()
        for label in ("up", "down"):
            serving.teach(label, 4)
        serving.act("train")
        change(serving)


def change(taught: Serving) -> None:
    """Ask a taught service for ways that are none, for one that is given up, for one that is not, and back."""
    examples = sum(count for count, _ in taught.state()["signs"]["counts"].values())
    for wrong, said in (
        ({"way": "ear"}, "no way to look"),
        ({"way": "box"}, "no box"),
        ({"way": "box", "box": [0, 1]}, "a list of left"),
        ({}, "a text is wanted"),
    ):
        status, answer = taught.ask("/api/pipelines/signs/look", wrong)
        assert status == 400
        assert said in answer["error"]
    for _ in range(20):  # so few pictures may be done before the request to stop arrives
        taught.act("look", way="face")
        if "nothing was changed" in taught.act("stop-look")["looking"]:
            break
        until(taught, lambda state: state["look"] == "face")
        taught.act("look", way="face-crop")
        until(taught, lambda state: state["look"] == "face-crop")
    else:
        raise AssertionError("a change was never stopped in time")
    assert way(taught) == Look("face-crop")
    taught.act("look", way="face")
    state = until(taught, lambda state: state["look"] == "face")
    assert state["looking"] == f"uses face: {examples} examples embedded again; train again"
    assert (state["generation"], way(taught)) == (0, Look("face"))
    assert taught.act("train")["examples"] == examples
    taught.act("look", way="face-crop")
    state = until(taught, lambda state: state["look"] == "face-crop")
    assert state["generation"] == 1  # what was trained with this way before answers again


def test_without_kept_pictures_the_first_moments_decide(tmp_path: Path, look_models: Path) -> None:
    """With keep = "embeddings" the way is known before the first example, and a change later is refused in a line."""
    with prepared(tmp_path, look_models, '[store]\nkeep = "embeddings"\n' + OPEN) as serving:
        serving.start()
        serving.teach("up", 6)
        state = serving.state()["signs"]
        assert state["look"] == "face-crop"
        assert way(serving) == Look("face-crop")
        status, answer = serving.ask("/api/pipelines/signs/look", {"way": "frame"})
        assert status == 400
        assert "have no picture to be embedded again" in answer["error"]


def test_without_models_the_command_is_said_and_all_works(tmp_path: Path) -> None:
    """Nothing is fetched; the log names the command, the console who has it run, and whole pictures are taught."""
    line = "no models of hands and faces: `edge-tl model get all`"
    shown = f"no models of hands and faces are installed yet: {KEEPER}"
    with Serving(tmp_path, OPEN) as serving:
        serving.start()
        for label in ("up", "down"):
            serving.teach(label, 6)
            serving.teach(label, 6)
        assert serving.act("train")["generation"] == 1
        assert serving.state()["signs"]["looking"] == shown
        assert serving.stop() == 0
        serving.start()
        state = serving.state()["signs"]
        assert (state["look"], state["looking"], state["generation"]) == ("frame", shown, 1)
        assert way(serving) is None
        until(serving, lambda _: serving.log.count(f"signs: {line}") == 2)


@pytest.mark.skipif(browser.CHROMIUM is None, reason="Chromium is not installed (apt install chromium)")
def test_two_takes_a_class_in_a_real_browser(tmp_path: Path, look_models: Path) -> None:
    """In Chromium: add classes, hold each button twice, press Train; then what is shown in new scenes is named.

    Another way is chosen and stopped half-way, and all stays as it was.
    """
    with prepared(tmp_path / "s", look_models) as serving, browser.Browser(tmp_path / "profile") as page:
        serving.start()
        page.open(serving.address)
        page.until("document.querySelector('.looking').textContent.includes('the first take decides')")
        for number, label in enumerate(LABELS, 1):
            page.do(f"document.querySelector('.new input').value = {json.dumps(label)}")
            page.do("document.querySelector('.new button').click()")
            page.until(f"document.querySelectorAll('.classes li').length === {number}")
        for _ in range(2):
            for number in range(1, len(LABELS) + 1):
                selector = f".classes li:nth-child({number}) .hold"
                examples = f"(parseInt(document.querySelector({selector!r} + ' small').textContent) || 0)"
                wanted = page.do(examples) + 20
                page.press(selector)
                page.until(f"{examples} >= {wanted}")
                page.release(selector)
                page.until(f"!document.querySelector({selector!r}).matches('.on')")
        page.until("document.querySelector('.looking').textContent.includes('uses the face: one is in')")
        page.do("document.querySelector('.train').click()")
        page.until("document.querySelector('.result').textContent.includes('95 % interval')")
        right_ones = []
        for number, label in enumerate(LABELS, 1):
            selector = f".classes li:nth-child({number}) .hold"
            examples = f"(parseInt(document.querySelector({selector!r} + ' small').textContent) || 0)"
            right = f"document.querySelector('.label').textContent === {json.dumps(label)}"
            for _ in range(3):  # each time it is held the player is in a new scene
                most = page.do(examples) + 40
                page.press(selector)
                page.until(f"{right} || {examples} >= {most}")
                named = page.do(right)
                page.release(selector)
                page.until(f"!document.querySelector({selector!r}).matches('.on')")
                if named:
                    right_ones.append(label)
                    break
        assert len(right_ones) >= 4, right_ones
        page.do("window.confirm = () => true")
        page.do("document.querySelector('.tuning').open = true")
        page.do("document.querySelector('.ways select').value = 'face'")
        page.do("document.querySelector('.ways button').click()")
        page.until("document.querySelector('.looking').textContent.includes('embedded again: ')")
        page.screenshot(tmp_path / "changing.png")
        page.do("document.querySelector('.stop').click()")
        page.until("document.querySelector('.looking').textContent.includes('nothing was changed')")
        assert page.do("document.documentElement.scrollWidth <= innerWidth")
        assert [one for one in page.problems if "503" not in one] == []  # a picture was asked for while it trained
    assert way(serving) == Look("face-crop")
