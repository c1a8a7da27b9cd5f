"""A hub trains for its fleet: its head is published, taken by who trusts it, and as good as an own training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fleet_parts import PRINT, FleetDevice, fleet_of, key_number, lesson_by
from mosquitto import Broker, needs_broker
from service_parts import taught
from waiting import until

from benchmarks.serving import Serving
from device.serve.fleet_heads import HeadExchange
from device.serve.fleet_hub import HUB_S, HubFollower
from device.serve.fleet_peers import SEEN_S, Peers
from device.teach.fleet_lessons import with_lessons
from edge_tl.core.answers import SavedHead
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ConfigError
from edge_tl.fleet.head import FleetHead, HeadHeader, new_head
from edge_tl.fleet.keys import key_of, key_text
from edge_tl.fleet.lesson import FleetLesson, LessonHeader, new_lessons, set_hash
from edge_tl.fleet.wire import in_chunks
from edge_tl.models import default_model
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile

pytest.importorskip("cryptography", reason="cryptography is not installed (extra fleet)")
ROOT = "edge-tl-fleet/school"
HUB = 1


def head_by(number: int, count: int, key: int = HUB, values: int = 4, **devices: str) -> FleetHead:
    """The head of this number, with as many values, that covers what these devices taught."""
    header = HeadHeader(f"device {key}", PRINT, number, f"set {number}", 1, devices)
    noise = np.random.default_rng(count).normal(size=values)
    return new_head(key_number(key), header, SavedHead({"count": count}, {"a": noise}))


def pieces(head: FleetHead, key: int = HUB) -> list[tuple[str, bytes]]:
    """Its messages."""
    at = f"{ROOT}/heads/{key_number(key).id}/{head.hash}"
    return [(f"{at}/{part}", piece) for part, piece in enumerate(in_chunks(head.wire()))]


def member(folder: Path) -> FleetDevice:
    """Device 0, whose hub is device 1."""
    made = FleetDevice(folder, 0, [1, 2], hub="device 1")
    made.catch_up()
    made.said.clear()
    return made


def heads(device: FleetDevice) -> HeadExchange:
    """What it knows of its hub's."""
    assert device.node.heads is not None
    return device.node.heads


def test_the_newest_head_of_the_hub_is_known(tmp_path: Path) -> None:
    """In whatever order pieces of two heads come, doubled or torn: the larger number is taken, an old one is not."""
    first, second = head_by(3, 1, values=20_000), head_by(4, 2, values=20_000)
    with member(tmp_path) as device:
        one, two = pieces(first), pieces(second)
        assert len(one) > 1
        for message in (one[1], two[0], *reversed(two), *one, *one, one[0]):
            device.node.heard(*message)
        assert heads(device).newest == second
        assert device.node.dropped == {}
        device.node.heard(one[0][0], b"")
        assert heads(device).newest == second


def test_what_is_no_head_of_the_hub_is_dropped_and_counted(tmp_path: Path) -> None:
    """Of a trusted device that is not the hub, unsigned, under another name, and no piece at all."""
    with member(tmp_path) as device:
        good = head_by(3, 1)
        forged = replace(good, signature=bytes(64))
        for topic, piece in (
            *pieces(head_by(9, 1, key=2), key=2),
            *pieces(forged),
            *[(pieces(head_by(8, 1))[0][0], piece) for _, piece in pieces(good)],
            (pieces(good)[0][0], b"junk"),
            *pieces(head_by(9, 1, key=2)),
        ):
            device.node.heard(topic, piece)
        assert device.node.dropped == {"untrusted": 1, "unsigned": 1, "broken": 2, "size": 1}
        assert heads(device).newest is None


def test_a_head_is_due_once_it_knows_what_was_taught_here(tmp_path: Path) -> None:
    """Not before the hub merged the own lessons, once only, not again after a restart, and never an older one."""
    with member(tmp_path) as device:
        folder, exchange = device.profile.folder, heads(device)
        follower = HubFollower(device.node, exchange, folder)
        assert follower.due is None
        exchange.newest = head_by(3, 1)
        assert follower.due == exchange.newest
        device.give(device.teach("fist"))
        assert follower.due is None
        own = set_hash(device.node.by_device()[device.node.key.public])
        exchange.newest = head_by(4, 2, **{device.node.key.id: own})
        assert follower.due == exchange.newest
        follower.looked_at(exchange.newest)
        assert follower.due is None
        again = HubFollower(device.node, exchange, folder)
        assert (again.number, again.set, again.due) == (4, "set 4", None)
        exchange.newest = head_by(5, 2, **{device.node.key.id: own})  # the same, counted on: there is nothing to do
        assert again.due is None
        assert again.number == 5
        exchange.newest = head_by(4, 3, **{device.node.key.id: own})
        assert again.due is None


def test_a_device_trains_itself_where_the_hub_is_not_there(tmp_path: Path) -> None:
    """It waits for a hub that said something lately, and a while for one that did not."""
    with member(tmp_path) as device:
        follower = HubFollower(device.node, heads(device), device.profile.folder)
        assert follower.waits(HUB_S - 1)
        assert not follower.waits(HUB_S)
        at, status = f"{ROOT}/devices/{key_number(HUB).id}", Peers.signed(key_number(HUB), {"device": "device 1"})
        device.node.heard(at, status, True)  # kept by the broker, from whenever it was
        assert not follower.waits(HUB_S)
        device.node.heard(at, status, False)
        assert follower.waits(HUB_S)
        device.now_s += SEEN_S + 1
        assert not follower.waits(HUB_S)


def test_the_hub_clears_its_older_heads(tmp_path: Path) -> None:
    """Those of before it was started too, on from whose number it counts; and what the broker lost it gives again."""
    with FleetDevice(tmp_path, HUB, [0], hub="device 1", device="device 1") as device:
        device.catch_up()
        device.said.clear()
        exchange, old = heads(device), head_by(41, 1)
        assert exchange.own
        for message in pieces(old):
            device.node.heard(*message)
        assert exchange.number == 41
        new = head_by(42, 2)
        exchange.give(new)
        assert device.said == [*((*one, True) for one in pieces(new)), *((at, b"", True) for at, _ in pieces(old))]
        device.said.clear()
        device.node.connected()
        assert (*pieces(new)[0], True) in device.said


def test_a_hub_must_be_known() -> None:
    """The name of a trusted device, or the own; with its own line in the list it is the hub all the same."""
    with pytest.raises(ConfigError, match="hub: 'nobody' is neither in trusted"):
        fleet_of([1], hub="nobody")
    assert fleet_of([1], hub="device 1").hub_key(bytes(32)) == key_number(1).public
    own = fleet_of([0, 1], hub="device 0", device="device 0")
    assert own.hub_key(key_number(0).public) == key_number(0).public
    assert fleet_of([1]).hub_key(bytes(32)) is None


def test_lessons_are_counted_by_device(tmp_path: Path) -> None:
    """Others' and the own, each under its key."""
    with member(tmp_path) as device:
        theirs = [lesson_by(2, 1), lesson_by(2, 2), lesson_by(1, 1)]
        device.hears(*theirs)
        device.give(device.teach("fist"))
        found = device.node.by_device()
        assert sorted(found[key_number(2).public]) == sorted(one.hash for one in theirs[:2])
        assert found[key_number(1).public] == [theirs[2].hash]
        assert len(found[key_number(0).public]) == 1


@needs_broker
def test_the_hub_trains_and_the_others_use_its_head(tmp_path: Path) -> None:
    """A device that recorded two classes learns a third one of others by the hub alone: to 1e-6 the head of
    the rows of all; and what is rolled back stays so when it starts again."""
    publish = pytest.importorskip("paho.mqtt.publish", reason="paho-mqtt is not installed (extra mqtt)")
    pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")
    names, shelf = ("hub", "desk"), key_number(7)
    for name in names:
        (tmp_path / name / "state").mkdir(parents=True)
    keys = {name: key_text(key_of(tmp_path / name / "state" / "fleet-key").public) for name in names}
    trusted = "".join(f'{name} = "{key}"\n' for name, key in {**keys, "shelf": key_text(shelf.public)}.items())
    embedder = TFLiteEmbedder.load(default_model())

    def of(name: str, port: int) -> Serving:
        return Serving(
            tmp_path / name,
            f'[mqtt]\nhost = "127.0.0.1"\nport = {port}\ndiscovery = ""\n'
            f'[fleet]\nname = "school"\ndevice = "{name}"\nhub = "hub"\n[fleet.trusted]\n{trusted}',
        )

    def fleet(one: Serving) -> dict[str, Any]:
        return dict(one.ask("/health")[1]["outputs"]["fleet"])

    def saved(one: Serving) -> SavedHead:
        with Profile(one.data / "profiles" / "default") as profile:
            return profile.load() or SavedHead({})

    def lessons(takes: range) -> list[dict[str, Any]]:
        made = []
        for take in takes:
            rows = np.random.default_rng(take).random((3, embedder.embedding_dim)).astype(np.float16)
            header = LessonHeader("shelf", embedder.fingerprint, "frame", "left", take, 1)
            (one,) = new_lessons(shelf, header, rows.astype(np.float32))
            at = f"{ROOT}/lessons/{one.hash[0]}/{one.hash}"
            made += [{"topic": f"{at}/{n}", "payload": p, "qos": 1, "retain": True} for n, p in in_chunks_of(one)]
        return made

    with Broker(tmp_path) as broker, of("hub", broker.port) as hub, of("desk", broker.port) as desk:
        desk.start()
        hub.start()
        taught(desk)
        until(lambda: fleet(desk).get("given", 0) >= 4)
        given = fleet(desk)["given"]  # four, or more where the machine stood still while the button was held
        until(lambda: saved(desk).meta.get("hub", {}).get("lessons") == given)
        publish.multiple(lessons(range(1, 3)), hostname="127.0.0.1", port=broker.port)
        until(lambda: saved(desk).meta["hub"]["lessons"] == given + 2)
        assert "hub" not in saved(hub).meta
        assert fleet(desk)["error"] == ""
        with Profile(desk.data / "profiles" / "default") as profile:
            own = Recognizer(embedder)
            own.replace(with_lessons(profile.store.matrix(embedder.fingerprint, own.as_rows), profile.folder, own))
            own.learn()
        theirs = Recognizer.restore(saved(desk), embedder)
        assert theirs.classes == ("down", "left", "up")
        for row in np.random.default_rng(0).random((50, embedder.embedding_dim)).astype(np.float32):
            one, other = own.recognize(row), theirs.recognize(row)
            np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-6)
        number = saved(desk).meta["hub"]["number"]
        desk.act("roll-back")
        assert saved(desk).meta["hub"]["number"] < number
        assert desk.stop() == 0
        desk.start()
        until(lambda: fleet(desk).get("state") == "ok" and fleet(desk)["head"] >= number)
        assert saved(desk).meta["hub"]["number"] < number
        assert desk.stop() == 0
        assert hub.stop() == 0
        assert "Traceback" not in desk.log + hub.log


def in_chunks_of(lesson: FleetLesson) -> list[tuple[int, bytes]]:
    """The pieces of a lesson, numbered."""
    return list(enumerate(in_chunks(lesson.wire())))
