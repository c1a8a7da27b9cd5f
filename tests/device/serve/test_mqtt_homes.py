"""Two services at one broker, as in a home: each is itself, and two that are one say so."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest
from mosquitto import Broker, Ear, needs_broker
from waiting import until

from benchmarks.serving import Serving
from device.commands.status import lines
from device.health import ask_health
from device.serve.config import MqttConfig
from device.serve.identity import FILE, identity_of
from device.serve.journal import Journal
from device.serve.mqtt import Mqtt
from device.serve.twins import ANSWER_S, HELD_S, Twins
from edge_tl.errors import ConfigError
from edge_tl.testing import FakeClock

pytestmark = needs_broker
pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed (extra mqtt)")


def test_two_devices_with_default_settings_are_two(tmp_path: Path) -> None:
    """Two service processes on one machine: other topics, other entities; the death of one leaves the other online."""
    with Broker(tmp_path) as broker, Ear(broker.port) as ear:
        more = f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\n'
        with Serving(tmp_path / "a", more, web=False) as kitchen, Serving(tmp_path / "b", more, web=False) as hall:
            tops = {}
            for one in (kitchen, hall):
                one.start()
                tops[one] = f"edge-tl/{identity_of(one.data).id}"
                ear.wait_for(f"{tops[one]}/signs/status", "online")
            assert len(set(tops.values())) == 2
            assert f"mqtt: ok as {tops[kitchen]}" in lines(ask_health(kitchen.data / "events.sock"))
            found = {topic: json.loads(text) for topic, text in ear.last.items() if topic.endswith("/config")}
            assert len(found) == 2
            for key in ("state_topic", "unique_id", "availability", "device"):
                assert len({json.dumps(one[key]) for one in found.values()}) == 2, key
            hall.kill()
            ear.wait_for(f"{tops[hall]}/status", "offline")
            kitchen.stop()  # it was online until now
            assert ear.wait_for(f"{tops[kitchen]}/status") == "offline"
            assert hall.log.count("mqtt: ") == kitchen.log.count("mqtt: ") == 1


def test_a_card_that_was_copied_is_said_with_what_to_do(tmp_path: Path) -> None:
    """Two clients of one id take each other's place: both say so in one line that stays, and wait ever longer."""
    clients: list[Mqtt] = []
    with Broker(tmp_path) as broker, Ear(broker.port) as ear:
        try:
            for name in ("a", "b"):
                (tmp_path / name).mkdir()
                if clients:
                    shutil.copy(tmp_path / "a" / FILE, tmp_path / name / FILE)
                clients.append(
                    Mqtt(MqttConfig("127.0.0.1", broker.port), tmp_path / name, lambda: {}, lambda line: None)
                )
                clients[-1].start()
                ear.until(lambda topic, _: topic.endswith("/device"))
            said: list[list[str]] = [[], []]
            journals = [Journal(log.append, time.monotonic) for log in said]

            def all_said() -> bool:
                for journal, one in zip(journals, clients, strict=True):
                    journal.state("mqtt", one.health()["error"])
                return all("another" in one.health()["error"] for one in clients)

            until(all_said)
            until(all_said)
            assert [len(log) for log in said] == [1, 1]
            told = [log[0].removeprefix("mqtt: ") for log in said]
            for name, line in zip(("a", "b"), told, strict=True):
                assert line.startswith(f"another client has this device's id ({identity_of(tmp_path / 'a').id})")
                assert f"remove {tmp_path / name / FILE} on one of the two" in line
            ear.until(lambda topic, _: topic.endswith("/device"))
            assert told == [one.health()["error"] for one in clients]
            assert [one.health()["state"] for one in clients] == ["failed", "failed"]
            assert all(one._pause_s > 1 for one in clients)
        finally:
            for one in clients:
                one.stop()


def error_of(client: Mqtt) -> str:
    """What a client says is wrong that has to do with others, as soon as it does."""
    until(lambda: "another" in client.health()["error"])
    return str(client.health()["error"])


def test_an_id_is_made_once_and_kept(tmp_path: Path) -> None:
    """The same at each start, another in another folder; what is damaged is said, never replaced."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    made = identity_of(tmp_path / "a")
    assert identity_of(tmp_path / "a") == made
    assert identity_of(tmp_path / "b").id != made.id
    assert made.path.stat().st_mode & 0o777 == 0o600
    made.path.write_text("raspberrypi\n")
    with pytest.raises(ConfigError, match="holds no id of a device: remove it"):
        identity_of(tmp_path / "a")


def test_what_the_last_run_left_is_no_twin() -> None:
    """What the broker keeps from before is one's own; what takes the place of the new message is another's."""
    clock = FakeClock()
    twins, before, other = (
        Twins("a" * 12, "2", "t", "device-id", clock),
        Twins("a" * 12, "1", "t", "device-id", clock),
        Twins("b" * 12, "1", "t", "device-id", clock),
    )
    for left in (before, other):
        twins.heard(left.mine.encode(), kept=True)
    for nobody in (b"", b"[]", b'{"id": 1}', b"{" * 9999):
        twins.heard(nobody, kept=False)
    assert twins.fault == ""
    twins.heard(twins.mine.encode(), kept=False)
    twins.heard(before.mine.encode(), kept=True)  # connected again, and it is another's
    assert "another client has this device's id" in twins.fault
    clock.advance(HELD_S)
    assert twins.fault == ""


def test_two_devices_of_one_name_both_say_so(tmp_path: Path) -> None:
    """Whoever was there first answers who comes, at most once a minute, so that both know."""
    clock = FakeClock()
    twins = Twins("a" * 12, "1", "edge-tl/kitchen", "device-id", clock)
    twins.heard(Twins("b" * 12, "1", "edge-tl/kitchen", "device-id", clock).mine.encode(), kept=False)
    assert "another device (bbbbbbbbbbbb) publishes under edge-tl/kitchen too" in twins.fault
    assert [twins.due(), twins.due()] == [True, False]
    twins.heard(b'{"id": "c", "run": "1"}', kept=False)
    assert not twins.due()
    clock.advance(ANSWER_S)
    assert twins.due()
    clients: list[Mqtt] = []
    with Broker(tmp_path) as broker, Ear(broker.port) as ear:
        try:
            for name in ("a", "b"):
                (tmp_path / name).mkdir()
                config = MqttConfig("127.0.0.1", broker.port, name="kitchen")
                clients.append(Mqtt(config, tmp_path / name, lambda: {}, lambda line: None))
                clients[-1].start()
                ear.wait_for("edge-tl/kitchen/device")
            error_of(clients[0])
            clients[0].sync()
            assert "publishes under edge-tl/kitchen too" in error_of(clients[1])
        finally:
            for one in clients:
                one.stop()
