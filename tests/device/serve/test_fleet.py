"""A fleet: what one device teaches all learn, what is broken or hostile is dropped, what is taken back is gone."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fleet_parts import PRINT, AtBroker, FleetDevice, key_number, lesson_by
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mosquitto import Broker, needs_broker
from waiting import until

from device.serve.config import parse_config
from device.serve.fleet_config import FleetConfig
from device.serve.fleet_node import AT_ONCE, AUDIT_S, MARK_S, OTHERS_S
from device.serve.fleet_peers import SEEN_S, Peers
from device.serve.metrics import metrics
from edge_tl.core.examples import Examples
from edge_tl.errors import ConfigError
from edge_tl.fleet.keys import key_text
from edge_tl.fleet.lesson import FleetLesson, new_tombstone
from edge_tl.fleet.pooling import pooled
from edge_tl.fleet.wire import in_chunks
from edge_tl.heads import make_head
from edge_tl.store.lessons import ACCEPTED, ASIDE, taken_lessons

pytest.importorskip("cryptography", reason="cryptography is not installed (extra fleet)")
ROOT = "edge-tl-fleet/school"
FORGED = FleetLesson(key_number(1).public, bytes(64), lesson_by(1, 1).header, lesson_by(1, 1).rows)


@pytest.fixture
def device(tmp_path: Path) -> Iterator[FleetDevice]:
    """Device 0, which trusts 1 and 2, and whose broker keeps nothing."""
    with FleetDevice(tmp_path, 0, [1, 2]) as made:
        made.catch_up()
        made.said.clear()
        yield made


def used(device: FleetDevice) -> set[str]:
    """What teaches there, as any process reads it."""
    return {one.hash for one in taken_lessons(device.profile.folder, PRINT)[0]}


def test_a_lesson_of_a_trusted_device_teaches(device: FleetDevice) -> None:
    """It is on disk once it is kept; a second time it is nothing new, whatever the order of its pieces."""
    one = lesson_by(1, 1)
    device.hears(one, one)
    assert used(device) == {one.hash}
    assert device.node.dropped == {}
    assert device.node.set != ""


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (lesson_by(3, 1), "untrusted"),
        (FORGED, "unsigned"),
        (lesson_by(1, 1, columns=9), "dimension"),
        (lesson_by(1, 1, print_="cd" * 32), "other model"),
    ],
)
def test_what_must_not_teach_is_dropped_and_counted(device: FleetDevice, bad: FleetLesson, reason: str) -> None:
    """An unknown key, a foreign signature, rows of another length or of another model: counted by its reason."""
    device.hears(bad)
    assert used(device) == set()
    assert device.node.dropped == {reason: 1}


def test_a_lesson_under_another_name_is_dropped(device: FleetDevice) -> None:
    """What a topic says is what must come there."""
    other = lesson_by(1, 2).hash
    device.node.heard(f"{ROOT}/lessons/{other[0]}/{other}/0", in_chunks(lesson_by(1, 1).wire())[0])
    device.node.heard(f"{ROOT}/lessons/{'f' if other[0] == 'e' else 'e'}/{other}/0", b"x")
    assert device.node.dropped == {"broken": 1, "topic": 1}


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30), st.binary(max_size=300))
def test_any_message_is_survived(device: FleetDevice, topic: str, payload: bytes) -> None:
    """Whatever a broker says under whatever topic, it is dropped or ignored, and no error comes of it."""
    one = lesson_by(1, 1)
    for name in (topic, f"lessons/{one.hash[0]}/{one.hash}/{topic}", f"devices/{topic}", f"devices/{key_number(1).id}"):
        device.node.heard(f"{ROOT}/{name}", payload)
    device.node.heard(f"{ROOT}/tombstones/{one.hash[0]}/{one.hash}/{key_number(1).id}", payload)
    device.node.flush()
    assert used(device) == set()


def test_policies_decide_what_teaches(tmp_path: Path) -> None:
    """By the label's beginning, and only once somebody says yes; setting a device aside leaves the others."""
    with FleetDevice(tmp_path, 0, [1, 2], accept="ask", labels=("game/",)) as device:
        game, other = lesson_by(1, 1, "game/up"), lesson_by(2, 1, "game/down")
        device.hears(game, other, lesson_by(1, 2, "fist"))
        assert used(device) == set()
        assert [one.waiting for one in device.store.devices()] == [1, 1]
        device.store.decide(key_number(1).public, ACCEPTED)
        assert used(device) == {game.hash}
        device.store.decide(key_number(2).public, ACCEPTED)
        device.store.decide(key_number(1).public, ASIDE)
        assert used(device) == {other.hash}
    with FleetDevice(tmp_path, 0, [2]) as device:  # device 1 is trusted no more, and everything goes
        assert used(device) == {other.hash}
    with FleetDevice(tmp_path, 0, []) as device:
        assert used(device) == set()


def test_what_was_taught_is_given_and_taken_back(device: FleetDevice) -> None:
    """A take is given once it was trained; renamed it is another lesson, removed it is none; and it stays so."""
    take = device.teach("fist")
    device.give(up_to=0)
    assert device.said == []
    device.give()
    (lesson,) = device.said
    assert lesson[2]
    assert f"/lessons/{device.store.given()[0][0][0]}/" in lesson[0]
    device.said.clear()
    device.give()
    assert device.said == []
    first = device.store.given()[0][0]
    device.profile.store.rename("fist", "palm")
    device.give()
    assert [(topic.split("/")[2], bool(payload)) for topic, payload, _ in device.said] == [
        ("lessons", False),
        ("tombstones", True),
        ("lessons", True),
    ]
    assert first not in device.node.known
    device.profile.store.remove_take(take)
    device.give()
    assert device.node.known == {}
    assert len(device.store.tombstones()) == 2
    assert used(device) == set()


def test_a_tombstone_of_another_device_does_nothing(device: FleetDevice) -> None:
    """Only who gave a lesson takes it back; then it never teaches again, though it is replayed."""
    one = lesson_by(1, 1)
    device.hears(one)
    for number in (2, 3):
        stone = new_tombstone(key_number(number), one.hash)
        device.node.heard(f"{ROOT}/tombstones/{one.hash[0]}/{one.hash}/{key_number(number).id}", stone.wire())
    device.node.flush()
    assert used(device) == {one.hash}
    assert device.node.dropped == {"untrusted": 1}
    stone = new_tombstone(key_number(1), one.hash)
    topic = f"{ROOT}/tombstones/{one.hash[0]}/{one.hash}/{key_number(1).id}"
    forged = replace(stone, signature=bytes(64))
    device.node.heard(topic, forged.wire())
    for _ in range(100):
        device.node.heard(topic, stone.wire())
    assert device.node.flush()
    device.hears(one)
    assert used(device) == set()
    assert device.node.dropped == {"untrusted": 1, "unsigned": 1, "taken back": 1}


def test_what_the_broker_lost_is_given_again(device: FleetDevice) -> None:
    """The own at once after the broker came back, what others taught a little later; what it has is not sent twice."""
    one = lesson_by(1, 1)
    device.hears(one)
    device.teach("fist")
    device.give()
    own = device.store.given()[0][0]
    device.node.lost()
    device.said.clear()
    device.node.link.chance = lambda: 1.0
    device.catch_up()
    device.node.tick()
    given = [topic.split("/")[4] for topic, *_ in device.said if "/lessons/" in topic]
    assert given == [own]
    device.now_s = OTHERS_S + 1
    device.node.tick()
    assert [topic.split("/")[4] for topic, *_ in device.said if "/lessons/" in topic] == [own, one.hash]
    device.said.clear()
    device.now_s += 2 * AUDIT_S
    device.node.tick()
    assert device.said == []
    device.node.heard(f"{ROOT}/lessons/{one.hash[0]}/{one.hash}/0", b"")  # somebody clears it, without a tombstone
    device.now_s += 2 * AUDIT_S
    device.node.tick()
    assert len(device.said) == 1


def test_a_mark_that_is_lost_is_said_again(tmp_path: Path) -> None:
    """A broker that drops messages delays, and ends nothing."""
    with FleetDevice(tmp_path, 0, [1]) as device:
        device.node.connected()
        before = len(device.said)
        device.now_s = MARK_S + 1
        device.node.tick()
        assert len(device.said) == before + 1


def test_many_lessons_are_given_some_at_a_time(device: FleetDevice) -> None:
    """What is missing at the broker does not fill the memory on its way there."""
    device.hears(*(lesson_by(1, take) for take in range(AT_ONCE + 5)))
    device.node.lost()
    device.said.clear()
    device.catch_up()
    device.said.clear()
    device.node.tick()
    assert len(device.said) == AT_ONCE
    device.node.tick()
    assert len(device.said) == AT_ONCE + 5


def test_how_the_others_do_is_their_own_signed_word(device: FleetDevice) -> None:
    """A status of another key, or with nonsense in it, is dropped; one that the broker kept says nothing of now."""
    peers, topic = device.node.peers, f"{ROOT}/devices/{key_number(1).id}"
    said = Peers.signed(key_number(1), {"set": "abc", "right": 0.5, "fps": float(10), "label": "x", "lessons": True})
    device.node.heard(topic, said, kept=True)
    assert not peers.listed()[0]["there"]
    device.node.heard(topic, said)
    first = peers.listed()[0]
    assert (first["device"], first["there"], first["right"], first["set"]) == ("device 1", True, 0.5, "abc")
    assert "lessons" not in first
    assert "label" not in first
    device.now_s = SEEN_S + 1
    assert not peers.listed()[0]["there"]
    other = Peers.signed(key_number(2), {"set": "x"})
    for bad in (said.replace(b"abc", b"abd"), other, b"{}", b"[1]", b"\xff", b"9" * 5000):
        device.node.heard(topic, bad)
    assert device.node.dropped.total() == 6
    assert peers.listed()[0]["set"] == "abc"


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"name": "a/b"}, "letters, digits"),
        ({"name": "s", "trusted": {"desk": "short"}}, "trusted.desk"),
        ({"name": "s", "trusted": {" desk": key_text(bytes(32))}}, "device name"),
        ({"name": "s", "trusted": {"a\x1b": key_text(bytes(32))}}, "device name"),
        ({"name": "s", "trusted": {"a": key_text(bytes(32)), "b": key_text(bytes(32))}}, "same key"),
        ({"name": "s", "device": "x" * 65}, "device name"),
    ],
)
def test_a_fleet_that_is_configured_badly_is_refused(given_: dict[str, object], said: str) -> None:
    """In one line, which names the setting."""
    with pytest.raises(ConfigError, match=said):
        FleetConfig(**given_)  # type: ignore[arg-type]


def test_prometheus_reads_the_fleet() -> None:
    """Lessons, what was dropped and why, and how each device does, with names of devices made safe."""
    fleet = {
        "state": "ok",
        "lessons": 4,
        "dropped_lessons": {"unsigned": 2},
        "right": 0.5,
        "peers": [{"device": 'a"b', "there": True, "used": 3}],
    }
    text = metrics({"status": "ok", "outputs": {"fleet": fleet}})
    assert "edge_tl_fleet_lessons 4.0" in text
    assert 'edge_tl_fleet_dropped_total{reason="unsigned"} 2.0' in text
    assert 'edge_tl_fleet_device_there{device="a\\"b"} 1.0' in text


@needs_broker
def test_devices_at_a_real_broker_come_to_the_same_lessons(tmp_path: Path) -> None:
    """Three devices teach, forget, and are killed at random, and so is the broker, which keeps nothing on disk: what
    was taught is lost nowhere, and all hold the same set in the end."""
    chance, numbers = random.Random(3), [0, 1, 2]
    broker = Broker(tmp_path)
    devices: dict[int, AtBroker] = {}
    skip_s = 0.0

    def clock() -> float:
        return time.monotonic() + skip_s

    def begin(number: int) -> None:
        others = [other for other in numbers if other != number]
        version = "5" if number else "3.1.1"  # one broker, two versions of MQTT
        devices[number] = AtBroker(tmp_path, broker.port, number, others, clock, version)

    with ExitStack() as stack:
        stack.callback(broker.stop)
        stack.callback(lambda: [one.close() for one in devices.values()])
        broker.start()
        for number in numbers:
            begin(number)
        taught = 0
        for _ in range(8):
            number = chance.choice(numbers)
            devices[number].device.teach(f"class {taught % 3}")
            taught += 1
            devices[number].device.give()
            what = chance.choice(["broker", "device", "forget", "nothing"])
            if what == "broker":
                assert broker.process is not None
                broker.process.kill()
                broker.stop()
                broker.start()
            elif what == "device":
                gone = chance.choice(numbers)
                devices[gone].close()
                begin(gone)
            elif what == "forget" and devices[number].device.profile.store.counts():
                devices[number].device.profile.store.undo_last_take()
                taught -= 1
                devices[number].device.give()
            for one in devices.values():
                one.turn()

        def same() -> bool:
            nonlocal skip_s
            skip_s += 1.0  # the audits come sooner than a minute
            for one in devices.values():
                one.turn()
            sets = {one.device.node.set for one in devices.values()}
            return len(sets) == 1 and all(len(one.device.node.known) == taught for one in devices.values())

        until(same)
        assert taught > 4


def test_a_fleet_of_the_configuration_is_checked() -> None:
    """It wants a broker, and one pipeline that learns."""
    signs = '[pipelines.signs]\ncamera = "sim"\n'
    with pytest.raises(ConfigError, match=r"\[mqtt\]"):
        parse_config(f'{signs}[fleet]\nname = "school"\n')
    broker = '[mqtt]\nhost = "b"\n'
    with pytest.raises(ConfigError, match="no pipeline 'words'"):
        parse_config(f'{signs}{broker}[fleet]\nname = "school"\npipeline = "words"\n')
    more = '[pipelines.more]\ncamera = "sim"\nprofile = "more"\n'
    with pytest.raises(ConfigError, match="choose one of"):
        parse_config(f'{signs}{more}{broker}[fleet]\nname = "school"\n')
    config = parse_config(f'{signs}{broker}[fleet]\nname = "school"\n[fleet.trusted]\ndesk = "{key_text(bytes(32))}"\n')
    assert config.fleet_pipeline == "signs"
    assert config.fleet is not None
    assert config.fleet.keys == {bytes(32): "desk"}


def test_two_devices_with_one_key_are_one_device(tmp_path: Path) -> None:
    """A card that was copied: takes with the same number are two lessons to a third device, which uses both and learns;
    the two themselves go on; and the last word of either is how that device does."""
    with FleetDevice(tmp_path, 0, [1]) as third:
        third.catch_up()
        one, other = lesson_by(1, 1, "fist"), lesson_by(1, 1, "palm")
        third.hears(one, other)
        assert used(third) == {one.hash, other.hash}
        assert [(found.lessons, found.used) for found in third.store.devices()] == [(2, 2)]
        none = np.empty(0, np.int64)
        own = Examples(none, np.empty((0, 0), np.float32), np.array([], np.str_), none, none, PRINT)
        every = pooled(own, taken_lessons(third.profile.folder, PRINT)[0])
        assert make_head("ridge").fit(every.X, every.y, every.takes).classes_.tolist() == ["fist", "palm"]
        for said in ({"generation": 3}, {"generation": 9}):
            third.node.heard(f"{ROOT}/devices/{key_number(1).id}", Peers.signed(key_number(1), {"device": "x", **said}))
        assert third.node.peers.listed()[0]["generation"] == 9
        assert third.node.dropped == {}
    (tmp_path / "copy").mkdir()
    with FleetDevice(tmp_path, 1, [0]) as first, FleetDevice(tmp_path / "copy", 1, [0]) as second:
        for one_device in (first, second):
            one_device.catch_up()
            one_device.give(one_device.teach("fist"))
        second.hears(lesson_by(1, 5))
        assert (
            len(second.node.by_device()[key_number(1).public]) == 1
        )  # its own; the copy's is kept, and teaches others
        assert second.node.dropped == {}
