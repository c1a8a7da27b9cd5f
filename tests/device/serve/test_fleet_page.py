"""The other devices of a fleet in the console and over HTTP: a real service, a real broker, a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browser
import numpy as np
import pytest
from mosquitto import Broker, needs_broker
from service_parts import taught
from waiting import until

from benchmarks.serving import Serving
from device.serve.fleet_peers import Peers
from edge_tl.core.kept import as_stored
from edge_tl.fleet.keys import DeviceKey, key_text
from edge_tl.fleet.lesson import LessonHeader, new_lessons
from edge_tl.store.lessons import WAITING, LessonStore
from edge_tl.store.profile import Profile

publish = pytest.importorskip("paho.mqtt.publish", reason="paho-mqtt is not installed (extra mqtt)")
pytest.importorskip("cryptography", reason="cryptography is not installed (extra fleet)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")
pytestmark = needs_broker
DESK, SHELF = DeviceKey(bytes(32)), DeviceKey(bytes(31) + b"\1")
LIAR = "<i>shelf</i>"
"""What the one is called that means "down" by "up"; a page must show it as it is."""
OTHER = {"up": "down", "down": "up"}


def give(folder: Path) -> None:
    """Lessons of both as if they had come: what was taught here, a little otherwise; the shelf's named wrongly."""
    with Profile(folder) as profile:
        (mark,) = {one.fingerprint for one in profile.store.list()}
        rows = profile.store.matrix(mark)
    random = np.random.default_rng(3)
    with LessonStore(folder, writable=True) as store, store.together():
        for key, takes in ((DESK, 8), (SHELF, 24)):
            for take in range(takes):
                label = ("up", "down")[take % 2]
                own = random.permutation(rows.X[rows.y == label])[:4]
                made = own + 0.02 * np.abs(own).mean() * random.normal(size=own.shape)
                header = LessonHeader("x", mark, "frame", label if key is DESK else OTHER[label], take, 1)
                for one in new_lessons(key, header, np.stack([as_stored(row) for row in made])):
                    store.add(one, WAITING)


@pytest.fixture(scope="module")
def at_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, int]]:
    """A service that was taught up and down, where the lessons of two devices wait; and the broker's port."""
    folder = tmp_path_factory.mktemp("fleet")
    with Broker(folder) as broker:
        mqtt = f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\ndiscovery = ""\n'
        keys = f'desk = "{key_text(DESK.public)}"\n"{LIAR}" = "{key_text(SHELF.public)}"\n'
        with Serving(folder, f'{mqtt}[fleet]\nname = "home"\naccept = "ask"\n[fleet.trusted]\n{keys}') as made:
            made.start()
            taught(made)
            until(lambda: state(made)["state"] == "ok")
            give(made.data / "profiles" / "default")
            yield made, broker.port


def state(serving: Serving) -> dict[str, Any]:
    """What is said of the fleet."""
    status, answer = serving.ask("/api/fleet")
    assert status == 200, answer
    return dict(answer)


@pytest.mark.parametrize(
    ("action", "body", "headers", "status", "line"),
    [
        ("explode", {"device": "desk"}, {}, 404, "there are accept, aside, undo"),
        ("accept", {}, {}, 400, "device: a text is wanted"),
        ("accept", {"device": ["desk"]}, {}, 400, "device: a text is wanted"),
        ("aside", {"device": "attic\n\0"}, {}, 400, "there is no device"),
        ("aside", {"device": ""}, {}, 400, "there is no device"),
        ("aside", {"devise": "desk"}, {}, 400, "aside knows no 'devise'"),
        ("aside", ["desk"], {}, 400, "a JSON object is wanted"),
        ("aside", {"device": "x" * 70_000}, {}, 413, "at most"),
        ("aside", {"device": "desk"}, {"Origin": "http://elsewhere.example"}, 403, "another site sent this"),
        ("aside", {"device": "desk"}, {"Content_Type": "text/plain"}, 415, "JSON is wanted"),
    ],
)
def test_what_cannot_be_decided_gets_one_line_and_changes_nothing(
    at_broker: tuple[Serving, int], action: str, body: Any, headers: dict[str, str], status: int, line: str
) -> None:
    """Wrong actions, devices, names and senders: a status, one line, and the same lessons as before."""
    serving, _ = at_broker
    code, answer = serving.ask(f"/api/fleet/{action}", body, **headers)
    assert (code, line in answer["error"], "\n" in answer["error"]) == (status, True, False), answer
    assert {(one["device"], one["decision"]) for one in state(serving)["devices"]} == {("desk", ""), (LIAR, "")}


@pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium is installed")
def test_a_device_is_accepted_named_and_set_aside_on_a_phone(at_broker: tuple[Serving, int], tmp_path: Path) -> None:
    """What waits says so; a tap accepts it; who lowers the figure is named, and a tap sets it aside and undoes that."""
    serving, port = at_broker
    assert serving.ask("/api/state")[1]["fleet"] == "signs"
    status = Peers.signed(DESK, {"device": "desk", "generation": 7, "right": 0.875})
    publish.single(f"edge-tl-fleet/home/devices/{DESK.id}", status, qos=1, hostname="127.0.0.1", port=port)

    def rows(*words: str) -> str:
        """JavaScript: the row of the device whose text has all these words."""
        has = " && ".join(f"one.textContent.includes({word!r})" for word in words)
        return f"[...document.querySelectorAll('.fleet li')].find((one) => {has})"

    def tap(device: str, button: str) -> None:
        page.do(f"[...{rows(device)}.querySelectorAll('button')].find((one) => one.textContent === {button!r}).click()")

    with browser.Browser(tmp_path / "browser") as page:
        page.open(serving.address + "/")
        page.until("document.querySelector('.fleet:not([hidden]) summary').textContent.includes('2 waiting')")
        page.do("document.querySelector('.fleet').open = true")
        page.until(rows("desk", "online · generation 7 · 88 % right", "8 lessons of down, up: waiting for approval"))
        page.until(rows(LIAR, "not seen since", "24 lessons of down, up: waiting for approval"))
        tap("desk", "Accept")
        page.until("document.querySelector('.decided').textContent.startsWith('desk is accepted: 8 of its 8 lessons')")
        page.until(rows("desk", "8 used here", "its lessons alone answer"))
        alone = _of(serving, "desk")["alone"]
        assert alone["accuracy"] > 0.5
        page.until(rows("desk", f"of the {alone['examples']} examples here correctly"))
        tap(LIAR, "Accept")
        page.until(rows(LIAR, "24 used here", "its lessons lower the accuracy of the others from"))
        page.do("document.querySelector('.fleet').scrollIntoView()")
        assert page.do("document.documentElement.scrollWidth") <= 390
        shot = tmp_path / "fleet.png"
        page.screenshot(shot)
        browser.kept(shot)
        tap(LIAR, "Set aside")
        page.until(rows(LIAR, "24 lessons of down, up: set aside"))
        page.until("!document.querySelector('.fleet li .fault')")
        until(lambda: state(serving)["state"] == "ok" and not _of(serving, LIAR)["used"])
        tap(LIAR, "Undo")
        page.until(rows(LIAR, "24 lessons of down, up: waiting for approval"))
        tap("desk", "Undo")
        page.until(rows("desk", "8 lessons of down, up: waiting for approval"))
        assert {one["decision"] for one in state(serving)["devices"]} == {""}
        assert page.problems == []
    assert "Traceback" not in serving.log


def _of(serving: Serving, device: str) -> dict[str, Any]:
    return next(one for one in state(serving)["devices"] if one["device"] == device)


def test_a_damaged_file_of_lessons_keeps_nobody_from_teaching(tmp_path: Path) -> None:
    """Health and the training say so, once each, and it is trained; once the file is moved away all is well."""
    keys = f'desk = "{key_text(DESK.public)}"\n'
    with (
        Broker(tmp_path) as broker,
        Serving(
            tmp_path,
            f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\ndiscovery = ""\n'
            f'[fleet]\nname = "home"\n[fleet.trusted]\n{keys}',
        ) as serving,
    ):
        file = serving.data / "profiles" / "default" / "lessons.sqlite"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"no database" * 1000)
        serving.start()
        for label in ("up", "down"):
            serving.teach(label, 4)
        (said,) = [one for one in serving.act("train")["cautions"] if "lessons of other devices" in one]
        assert said.endswith("is damaged (file is not a database): the person who looks after the device can fix that")
        until(lambda: "lessons.sqlite is damaged" in serving.ask("/health")[1]["outputs"]["fleet"]["error"])
        assert state(serving)["devices"] == []
        assert serving.stop() == 0
        assert serving.log.count("lessons.sqlite is damaged") == 1
        file.unlink()
        serving.start()
        until(lambda: state(serving)["state"] == "ok")
        assert not [one for one in serving.act("train")["cautions"] if "lessons of other devices" in one]


def test_damaged_lessons_are_named_without_a_fleet(tmp_path: Path) -> None:
    """Where [fleet] was taken away health says why lessons are left out, and the training says so too."""
    with Serving(tmp_path) as serving:
        file = serving.data / "profiles" / "default" / "lessons.sqlite"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"no database" * 1000)
        serving.start()
        said = serving.ask("/health")[1]["pipelines"]["signs"]["last_error"]
        assert said.startswith("training leaves the lessons of other devices out: ")
        assert "lessons.sqlite is damaged" in said
