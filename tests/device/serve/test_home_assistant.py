"""Home Assistant: what it is told passes its own schemas, and its own core shows each device for itself.

Both with the newest release that Python 3.11 installs (2024.3): `make check-homeassistant` makes its environment. Of
newer ones only the documentation was read: messages of one entity each are read as ever.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mosquitto import LONG_S, Broker, needs_broker
from places import ROOT

from device.serve.config import MqttConfig
from device.serve.event import LabelEvent
from device.serve.home_assistant import NOTHING, Entity, discovery, fleet_discovery, state_text
from device.serve.mqtt import Mqtt

INSIDE = ROOT / "tests" / "parts" / "homeassistant_inside.py"
PYTHON = Path(os.environ.get("EDGE_TL_HOMEASSISTANT", ROOT / ".venv-homeassistant" / "bin" / "python"))
needs_home_assistant = pytest.mark.skipif(
    not PYTHON.exists(), reason="Home Assistant is not installed: make check-homeassistant"
)
LABELS = ("fist", "None", "unknown", 'ein "langer" Name ☕', "a" * 64)


def home(pipelines: dict[str, Entity], id: str = "0123456789ab") -> dict[str, Any]:
    """What one device tells, read again."""
    told = discovery("homeassistant", f"edge-tl/{id}", id, id, "raspberrypi", pipelines)
    return {topic: json.loads(text) for topic, text in told.items()}


@needs_home_assistant
def test_what_is_told_passes_home_assistants_own_schemas() -> None:
    """Sensor and event entity pass, their topics are read as ours, and no key is one that Home Assistant drops."""
    told = home({"signs": Entity("picture", LABELS), "words": Entity("sound", LABELS), "new": Entity("sound")})
    figures = fleet_discovery(
        "homeassistant", "edge-tl/0123456789ab", "0123456789ab", "kitchen", "pi", "fleet/devices/1"
    )
    assert len(figures) == 8
    told |= {topic: json.loads(text) for topic, text in figures.items()}
    given = {topic: json.dumps(about) for topic, about in told.items()}
    asked = [str(PYTHON), str(INSIDE), "schemas"]
    done = subprocess.run(asked, input=json.dumps(given), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)["found"]
    assert set(found) == set(told)
    for topic, about in told.items():
        assert within(about, found[topic]["passed"]), topic
        name = topic.split("/")[3] if topic in figures else about["name"]
        assert (found[topic]["node"], found[topic]["object"]) == ("edge-tl_0123456789ab", name)


def within(given: Any, passed: Any) -> bool:
    """Whether all that was given came through, beside what a schema adds."""
    if isinstance(given, dict):
        return all(key in passed and within(value, passed[key]) for key, value in given.items())
    if isinstance(given, list):
        return len(given) == len(passed) and all(map(within, given, passed))
    return bool(given == passed)


class Core:
    """Home Assistant's core with its MQTT integration on a broker; `with` ends it."""

    def __init__(self, port: int, folder: Path) -> None:
        folder.mkdir()
        self.log = folder / "log"
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [str(PYTHON), str(INSIDE), "core", str(port), str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.states: dict[str, str | None] = {}
        self.attributes: dict[str, dict[str, Any]] = {}
        self._lines: queue.Queue[str] = queue.Queue()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def wait_for(self, entity: str, state: str | None) -> None:
        """Until an entity has a state; None: until it is gone."""
        self.until(lambda: entity in self.states and self.states[entity] == state)

    def until(self, true: Callable[[], bool]) -> None:
        """Take in what changes until something is so."""
        while not true():
            line = self._lines.get(timeout=LONG_S)
            assert line, self.log.read_text()[-2000:]
            name, now, attributes = json.loads(line)
            self.states[name], self.attributes[name] = now, attributes or {}

    def __enter__(self) -> Core:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(LONG_S)
        finally:
            self._process.kill()
            self._process.wait()
            self._reading.join()
            self._process.stdout.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """One that runs."""
    with Broker(tmp_path) as made:
        yield made


@needs_home_assistant
@needs_broker
def test_home_assistants_core_shows_each_device_for_itself(broker: Broker, tmp_path: Path) -> None:
    """Two devices with default settings are two: one's states, losses and end are its own, and what is gone goes."""
    homes: list[dict[str, Entity]] = [
        {"signs": Entity("picture", LABELS)},
        {"signs": Entity("picture", LABELS), "words": Entity("sound", LABELS)},
    ]
    with Core(broker.port, tmp_path / "core") as core:
        core.wait_for("started", "loaded")
        clients = []
        try:
            for number, entities in enumerate(homes):
                (tmp_path / str(number)).mkdir()
                mqtt = Mqtt(
                    MqttConfig("127.0.0.1", broker.port),
                    tmp_path / str(number),
                    lambda entities=entities: entities,  # type: ignore[misc]
                    lambda line: None,
                )
                clients.append(mqtt)
                mqtt.start()
            kitchen, hall = clients
            ours, theirs = (f"sensor.edge_tl_{one.topic.split('/')[1]}_signs" for one in clients)
            words = theirs.replace("sensor", "event").replace("signs", "words")
            core.until(lambda: [core.states.get(one) for one in (ours, theirs, words)] == ["none", "none", "unknown"])
            for label, shown in (("fist", "fist"), ("unknown", '"unknown"'), ("None", '"None"'), (None, "none")):
                kitchen.publish(LabelEvent(label, 0.9, "signs", 1000.0, 1))
                core.wait_for(ours, shown)
            assert core.states[theirs] == "none"
            kitchen.fleet_topic = "edge-tl-fleet/home/devices/1"
            kitchen.sync()
            figures = {key: f"{ours.removesuffix('signs')}fleet_{key}" for key in ("generation", "temperature")}
            core.until(lambda: all(core.states.get(one) == "unavailable" for one in figures.values()))
            status = {"generation": 4, "right": 0.975, "set": "ab" * 8}
            kitchen.send(kitchen.fleet_topic, json.dumps(status).encode(), True)
            core.wait_for(figures["generation"], "4")
            core.wait_for(ours.replace("signs", "fleet_lessons_right_on_own_examples"), "97.5")
            core.until(lambda: "T" in (core.states.get(ours.replace("signs", "fleet_last_seen")) or ""))
            core.wait_for(figures["temperature"], "unknown")
            kitchen.fleet_topic = ""
            kitchen.sync()
            core.wait_for(figures["generation"], None)
            hall.publish(LabelEvent("None", 0.9, "words", 1000.0, 1))
            core.until(lambda: core.attributes[words].get("event_type") == "None")
            homes[0]["signs"] = Entity("picture", LABELS, present=False)  # its camera is lost
            kitchen.sync()
            core.wait_for(ours, "unavailable")
            assert core.states[theirs] == "none"
            del homes[1]["words"]
            hall.sync()
            core.wait_for(words, None)
            kitchen.stop()
            hall.publish(LabelEvent("fist", 0.9, "signs", 1000.0, 1))
            core.wait_for(theirs, "fist")
        finally:
            for one in clients:
                one.stop()
    assert "ERROR" not in core.log.read_text()


@given(st.lists(st.one_of(st.none(), st.sampled_from(LABELS), st.text(min_size=1)), unique=True))
def test_two_labels_never_have_one_state(labels: list[str | None]) -> None:
    """Whatever is taught, each label and "nothing" have texts of their own, and none means nothing but nothing."""
    texts = [state_text(label) for label in labels]
    assert len(set(texts)) == len(texts)
    for label, text in zip(labels, texts, strict=True):
        assert (text == NOTHING) == (label is None)
        assert label is None or text.casefold() not in ("none", "unknown", "unavailable", "")


def test_two_devices_share_nothing() -> None:
    """Topics, unique ids, availability and the device differ; within one device the entities are grouped."""
    pipelines = {"signs": Entity("picture"), "words": Entity("sound")}
    one, other = home(pipelines), home(pipelines, "fedcba987654")
    assert not set(one) & set(other)
    for key in ("unique_id", "state_topic", "availability"):
        said = [json.dumps(about[key]) for about in (*one.values(), *other.values())]
        assert len(set(said)) == 4, key
    assert len({json.dumps(about["device"]) for about in one.values()}) == 1
    assert all(about["origin"]["name"] == "edge-tl" for about in one.values())
    assert discovery("", "t", "id", "id", "host", pipelines) == {}
