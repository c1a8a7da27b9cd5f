"""The real service with a profile of movements: one event each, with begin and end, everywhere; taught there too."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shown_movements import taught_by_joints

from benchmarks.serving import LONG_S, Serving
from device.serve.event import LabelEvent
from device.serve.home_assistant import Entity, discovery

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
"""A machine that stands still may miss what is shown once."""


@pytest.fixture
def serving(tmp_path: Path, look_models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    """A service whose simulated hand was taught to it."""
    monkeypatch.setenv("EDGE_TL_MODELS", str(look_models))
    with Serving(tmp_path / "s", MORE) as made:
        taught_by_joints(tmp_path / "shown", made.data)
        yield made.start()


def test_a_movement_is_one_event_with_begin_and_end(serving: Serving) -> None:
    """At the socket, over HTTP and to a command; the press of a button records it; training makes a generation."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(LONG_S / TRIES)
        client.connect(str(serving.data / "events.sock"))
        event: dict[str, Any] = {}
        read = b""
        for _ in range(TRIES):
            serving.act("record", "moves", label="circle")
            try:
                while event.get("label") != "circle":
                    while b"\n" not in read:
                        read += client.recv(4096)
                    line, _, read = read.partition(b"\n")
                    event = json.loads(line)
                break
            except TimeoutError:
                continue
    assert event["label"] == "circle", serving.log
    assert event["source"] == "moves"
    assert 0.5 < event["confidence"] <= 1
    assert 0.5 < event["end"] - event["start"] < 3
    assert event["end"] < event["time"]
    status, recent = serving.ask("/api/events/recent")
    assert status == 200
    assert event in recent
    assert all(one["label"] is not None for one in recent)  # a movement has no end of its own
    moves = serving.state()["moves"]
    assert (moves["kind"], moves["look"], moves["ways"], moves["classes"]) == (
        "movement",
        "movement",
        [],
        ["circle", "left", "nothing"],
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
    told = (serving.folder / "told").read_text()
    assert f"circle {event['start']:.3f} {event['end']:.3f}" in told


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
    assert about["state_topic"] == "edge-tl/x/moves/event"
