"""The real service with a profile of movements and signs: one event each, everywhere; taught there too."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mosquitto import MOSQUITTO, Broker, Ear
from shown_movements import taught_by_joints

from benchmarks.serving import LONG_S, Serving
from device.serve.event import LabelEvent
from device.serve.home_assistant import Entity, discovery
from edge_tl.embedders.look.embedders import load_tracker

pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")

MORE = """
[pipelines.moves]
camera = "sim"
[[pins]]
pin = 17
label = "circle"
[[hooks]]
label = "*"
run = ["/bin/sh", "-c", 'echo "$0 $1 $2" >> told', "{label}", "{start}", "{end}"]
"""
TRIES = 6
"""A machine that stands still may miss what is shown once, and more than once."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker | None]:
    """A real broker; None where mosquitto is not installed."""
    if MOSQUITTO is None:
        yield None
        return
    pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
    with Broker(tmp_path) as made:
        yield made


@pytest.fixture
def serving(
    tmp_path: Path, look_models: Path, broker: Broker | None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Serving]:
    """A service whose simulated hand was taught to it."""
    monkeypatch.setenv("EDGE_TL_MODELS", str(look_models))
    mqtt = "" if broker is None else f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\ntopic = "hand"\n'
    with Serving(tmp_path / "s", MORE + mqtt) as made:
        taught_by_joints(tmp_path / "shown", made.data, signs=("fist", "two"), hands=load_tracker(look_models, 1))
        yield made.start()


class Listening:
    """What the socket tells."""

    def __init__(self, serving: Serving, client: socket.socket) -> None:
        self.serving, self.client, self.read = serving, client, b""
        client.settimeout(2 * LONG_S / TRIES)
        client.connect(str(serving.data / "events.sock"))

    def until(self, label: str | None, *, press: bool) -> dict[str, Any]:
        """The next event of a label; press: the hand is asked for it, again where it was missed."""
        for _ in range(TRIES):
            # Pressed again while it is recorded it would be over.
            if press and self.serving.state()["moves"]["recording"] is None:
                self.serving.act("record", "moves", label=label)
            try:
                while True:
                    while b"\n" not in self.read:
                        self.read += self.client.recv(4096)
                    line, _, self.read = self.read.partition(b"\n")
                    event: dict[str, Any] = json.loads(line)
                    if event["label"] == label:
                        return event
            except TimeoutError:
                continue
        raise AssertionError(f"no {label}\n{self.serving.log}")


def test_a_movement_is_one_event_with_begin_and_end_and_a_sign_beside_it_begins_and_ends(
    serving: Serving, broker: Broker | None
) -> None:
    """At the socket, over HTTP, MQTT and to a command; a button's press records it; training makes a generation."""
    with socket.socket(socket.AF_UNIX) as client:
        listening = Listening(serving, client)
        ear = None if broker is None else Ear(broker.port)
        try:
            event = listening.until("circle", press=True)
            if ear is not None:
                told = json.loads(ear.until(lambda at, text: at == "hand/moves/event" and '"circle"' in text)[1])
                assert told["event_type"] == "circle"
                assert (told["start"], told["end"]) == (event["start"], event["end"])
                ear.wait_for("hand/moves/state", "circle")
            before = serving.state()["moves"]["counts"]["fist"]
            begun = listening.until("fist", press=True)
            ended = listening.until(None, press=False)
            if ear is not None:
                ear.wait_for("hand/moves/state", "fist")
                ear.wait_for("hand/moves/state", "none")
        finally:
            if ear is not None:
                ear.close()
    assert event["source"] == "moves"
    assert 0.5 < event["confidence"] <= 1
    assert 0.5 < event["end"] - event["start"] < 3
    assert event["end"] < event["time"]
    assert "start" not in begun
    assert begun["time"] < ended["time"]
    assert "start" not in ended
    assert serving.state()["moves"]["counts"]["fist"] >= before  # what is asked for again is recorded again
    status, recent = serving.ask("/api/events/recent")
    assert status == 200
    assert event in recent
    assert begun in recent
    moves = serving.state()["moves"]
    assert (moves["kind"], moves["look"], moves["ways"], moves["classes"]) == (
        "movement",
        "movement",
        [],
        ["circle", "fist", "left", "nothing", "two"],
    )
    status, picture = serving.ask("/api/pipelines/moves/picture.jpg")
    assert (status, picture[:2]) == (200, b"\xff\xd8")
    status, said = serving.give("/api/pipelines/moves/ask", b"no picture", file="x.jpg")
    assert status == 400
    assert "shown to its camera" in said["error"]
    trained = serving.act("train", "moves")
    assert trained["generation"] == 2
    assert trained["advice"][0].startswith("now nothing, a minute of ordinary hand motion, matters most")
    assert serving.stop() == 0
    told_to = (serving.folder / "told").read_text()
    assert f"circle {event['start']:.3f} {event['end']:.3f}" in told_to
    assert any(line.split() == ["fist"] for line in told_to.splitlines())


def test_what_has_no_begin_says_none() -> None:
    """Signs and words are told as before; a movement has both times, in seconds since 1970."""
    sign = LabelEvent("fist", 0.9, "signs", 1000.0, 3)
    assert sign.as_dict() == {"label": "fist", "confidence": 0.9, "source": "signs", "time": 1000.0, "generation": 3}
    moved = LabelEvent("left", 0.9, "moves", 1000.0, 3, start=998.12345, end=999.5)
    assert moved.as_dict() == sign.as_dict() | {"label": "left", "source": "moves", "start": 998.123, "end": 999.5}


def test_home_assistant_has_an_event_for_movements() -> None:
    """Movements have no state that lasts: their entity is an event, whose types are the labels."""
    made = discovery("homeassistant", "edge-tl/x", "x", "x", "pi", {"moves": Entity("movement", ("left", "circle"))})
    ((topic, text),) = made.items()
    assert topic == "homeassistant/event/edge-tl_x/moves/config"
    about = json.loads(text)
    assert about["event_types"] == ["left", "circle"]
    assert "event_type is defined" in about["value_template"]  # the end of a sign beside them is no event
    assert about["state_topic"] == "edge-tl/x/moves/event"
