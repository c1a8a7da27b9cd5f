"""MQTT: a real broker hears what the service tells, and is told again when it was away."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from mosquitto import LONG_S, Broker, Ear, kept, needs_broker
from waiting import until

from device.serve.config import MqttConfig
from device.serve.event import LabelEvent
from device.serve.home_assistant import Entity
from device.serve.identity import identity_of
from device.serve.mqtt import Mqtt
from device.serve.mqtt_retain import NO_RETAIN, keeps_no_messages
from edge_tl.errors import ConfigError

FIST = LabelEvent("fist", 0.9, "signs", 1000.0, 3)
SIGNS = {"signs": Entity("picture", ("fist", "palm"))}


def client(config: MqttConfig, folder: Path, entities: dict[str, Entity] | None = None) -> Mqtt:
    """One whose id is kept in a folder, and whose log nobody reads."""
    told = {} if entities is None else entities
    return Mqtt(config, folder, lambda: told, lambda line: None)


@needs_broker
def test_a_real_broker_hears_states_events_and_discovery(tmp_path: Path) -> None:
    """State, event, availability and Home Assistant's discovery arrive; at the end the service says offline."""
    (tmp_path / "password").touch(0o600)
    (tmp_path / "password").write_text("secret words\n")
    login = {"username": "pi", "password": "secret words"}
    with Broker(tmp_path, password="secret words") as broker, Ear(broker.port, **login) as ear:
        config = MqttConfig("127.0.0.1", broker.port, username="pi", password_file=tmp_path / "password")
        mqtt = client(config, tmp_path, SIGNS | {"words": Entity("sound", ("go",), present=False)})
        mqtt.start()
        top = f"edge-tl/{identity_of(tmp_path).id}"
        try:
            ear.wait_for(f"{top}/status", "online")
            assert ear.last[f"{top}/signs/state"] == "none"
            assert (ear.last[f"{top}/signs/status"], ear.last[f"{top}/words/status"]) == ("online", "offline")
            mqtt.publish(FIST)
            event = json.loads(ear.wait_for(f"{top}/signs/event"))
            assert ear.wait_for(f"{top}/signs/state") == "fist"
            assert (event["label"], event["event_type"], event["generation"]) == ("fist", "fist", 3)
            late = kept(broker.port, **login)
            assert late[f"{top}/signs/state"] == "fist"
            assert len(late) == 8  # status, device, and of each pipeline status, state and discovery
            sensor = next(json.loads(text) for topic, text in ear.last.items() if "/sensor/" in topic)
            words = next(json.loads(text) for topic, text in ear.last.items() if "/event/" in topic)
            assert sensor["state_topic"] == f"{top}/signs/state"
            assert words["event_types"] == ["go"]
            assert [one["topic"] for one in sensor["availability"]] == [f"{top}/status", f"{top}/signs/status"]
            assert (mqtt.health()["state"], mqtt.health()["topic"]) == ("ok", top)
        finally:
            mqtt.stop()
        ear.wait_for(f"{top}/status", "offline")


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@needs_broker
def test_a_broker_that_comes_back_is_told_how_things_are_now(tmp_path: Path, version: str) -> None:
    """What is told while the broker is away is not kept as events; on return it hears the state of now."""
    broker = Broker(tmp_path)
    mqtt = client(MqttConfig("127.0.0.1", broker.port, topic="t", discovery="", version=version), tmp_path, SIGNS)
    try:
        mqtt.start()  # no broker yet: sought
        mqtt.publish(FIST)
        until(lambda: "no broker answers there" in mqtt.health()["error"])
        assert mqtt.health()["state"] == "waiting"
        assert str(broker.port) in mqtt.health()["error"]
        broker.start()
        with Ear(broker.port) as ear:
            ear.wait_for("t/signs/state", "fist")
            broker.stop()
        mqtt.publish(LabelEvent("palm", 0.9, "signs", 1.0, 3))
        broker.start()
        with Ear(broker.port) as ear:
            ear.wait_for("t/signs/state", "palm")
        assert mqtt.health()["dropped"] >= 1
    finally:
        mqtt.stop()
        broker.stop()


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@needs_broker
def test_a_service_that_dies_is_said_offline_by_the_broker(tmp_path: Path, version: str) -> None:
    """The last will: the connection is lost without a goodbye, and the broker publishes offline."""
    with Broker(tmp_path) as broker, Ear(broker.port) as ear:
        mqtt = client(MqttConfig("127.0.0.1", broker.port, topic="t", version=version), tmp_path)
        mqtt.start()
        try:
            ear.wait_for("t/status", "online")
            mqtt._client.socket().shutdown(socket.SHUT_RDWR)
            ear.wait_for("t/status", "offline")
            ear.wait_for("t/status", "online")  # and back
        finally:
            mqtt.stop()


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@needs_broker
def test_a_wrong_password_is_said_and_is_in_no_line(tmp_path: Path, version: str) -> None:
    """A refusal says the broker's reason and what to check; the password itself appears nowhere."""
    password = tmp_path / "password"
    password.touch(0o640)
    password.write_text("wrong-secret\n")
    with Broker(tmp_path, password="right") as broker:
        config = MqttConfig("127.0.0.1", broker.port, username="pi", password_file=password, version=version)
        mqtt = client(config, tmp_path)
        mqtt.start()
        try:
            until(lambda: "refuses" in mqtt.health()["error"])
            error = mqtt.health()["error"]
        finally:
            mqtt.stop()
    assert error.endswith("the broker refuses: Not authorized: check username and password_file")
    assert "wrong-secret" not in error + repr(config)


def test_a_password_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """As the console's token: open to everybody it is not used, and the line says what to type."""
    password = tmp_path / "password"
    config = MqttConfig("127.0.0.1", username="pi", password_file=password)
    with pytest.raises(ConfigError, match=r"password_file .* cannot be read"):
        client(config, tmp_path).start()
    password.write_text("secret\n")
    password.chmod(0o644)
    with pytest.raises(ConfigError, match=f"can be read by everybody: chmod 0640 {password}"):
        client(config, tmp_path).start()


@pytest.mark.parametrize(
    ("host", "tls", "warned"), [("pi.invalid", False, 1), ("pi.invalid", True, 0), ("::1", False, 0)]
)
def test_a_password_in_clear_is_warned_of(tmp_path: Path, host: str, tls: bool, warned: int) -> None:
    """Once, at the start; not through TLS, and not where it never leaves the machine."""
    (tmp_path / "password").touch(0o600)
    (tmp_path / "password").write_text("secret\n")
    lines: list[str] = []
    config = MqttConfig(host, 1, username="pi", password_file=tmp_path / "password", tls=tls)
    mqtt = Mqtt(config, tmp_path, dict, lines.append)
    mqtt.start()
    mqtt.stop()
    assert sum("is sent unencrypted" in line for line in lines) == warned


@needs_broker
def test_what_is_gone_is_cleared_at_the_broker(tmp_path: Path) -> None:
    """A pipeline that was renamed leaves nothing behind, nor does discovery that is off, nor another name."""
    with Broker(tmp_path) as broker, Ear(broker.port) as ear:

        def run(entities: dict[str, Entity], **more: str) -> dict[str, str]:
            mqtt = client(MqttConfig("127.0.0.1", broker.port, **more), tmp_path, entities)
            mqtt.start()
            try:
                ear.wait_for(f"{mqtt.topic}/status", "online")
                until(lambda: mqtt._clearing is None)
            finally:
                mqtt.stop()
            ear.wait_for(f"{mqtt.topic}/status", "offline")
            return {topic.replace(identity_of(tmp_path).id, "ID"): text for topic, text in kept(broker.port).items()}

        def topics(top: str, *entities: str) -> set[str]:
            below = {f"{top}/{name.split('/')[1]}/{what}" for name in entities for what in ("status", "state")}
            return below | {f"{top}/status", f"{top}/device"}

        def announced(found: dict[str, str]) -> set[str]:
            return {topic.removeprefix("homeassistant/") for topic in found if topic.startswith("homeassistant/")}

        found = run(SIGNS)
        assert announced(found) == {"sensor/edge-tl_ID/signs/config"}
        assert set(found) >= topics("edge-tl/ID", "sensor/signs")
        found = run({"hands": SIGNS["signs"], "signs": Entity("sound")}, name="kitchen")
        assert announced(found) == {"sensor/edge-tl_ID/hands/config", "event/edge-tl_ID/signs/config"}
        found = run(SIGNS, name="kitchen", discovery="")
        assert set(found) == topics("edge-tl/kitchen", "sensor/signs")


@needs_broker
def test_what_versions_without_ids_left_is_cleared_once(tmp_path: Path) -> None:
    """In a folder that was in use before, the old entities and topics go with the first start; in a new one nothing."""
    host = socket.gethostname()
    node = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in host)
    old = {f"homeassistant/sensor/edge-tl_{node}/signs/config", "edge-tl/status", "edge-tl/signs/state"}
    with Broker(tmp_path) as broker, Ear(broker.port) as ear:
        for used in (False, True):
            folder = tmp_path / str(used)
            (folder / "profiles" if used else folder).mkdir(parents=True)
            for topic in old:
                ear.client.publish(topic, "old", qos=1, retain=True).wait_for_publish(LONG_S)
            mqtt = client(MqttConfig("127.0.0.1", broker.port), folder, SIGNS)
            mqtt.start()
            try:
                ear.wait_for(f"{mqtt.topic}/status", "online")
                until(lambda: mqtt._clearing is None)  # noqa: B023
            finally:
                mqtt.stop()
            assert old & set(kept(broker.port)) == (set() if used else old)


@needs_broker
def test_labels_change_at_the_broker_when_they_do(tmp_path: Path) -> None:
    """After a training the new labels are announced, and a camera that is lost is unavailable, without an event."""
    entities = {"words": Entity("sound")}
    with Broker(tmp_path) as broker, Ear(broker.port) as ear:
        mqtt = client(MqttConfig("127.0.0.1", broker.port, topic="t"), tmp_path, entities)
        mqtt.start()
        try:
            ear.wait_for("t/status", "online")
            entities["words"] = Entity("sound", ("go", "stop"), present=False)
            mqtt.sync()
            ear.wait_for("t/words/status", "offline")
        finally:
            mqtt.stop()
        assert next(json.loads(one)["event_types"] for topic, one in ear.last.items() if "/event/" in topic) == [
            "go",
            "stop",
        ]


def test_where_no_id_can_be_kept_the_broker_is_left_alone(tmp_path: Path) -> None:
    """A state folder without an id that cannot be written: the rest of the service runs, and health says why."""
    mqtt = client(MqttConfig("127.0.0.1", 1), tmp_path / "missing")
    mqtt.start()
    mqtt.publish(FIST)
    mqtt.sync()
    assert mqtt.health()["state"] == "failed"
    assert "the id of this device cannot be kept" in mqtt.health()["error"]
    mqtt.stop()


@needs_broker
def test_a_broker_that_stores_nothing_is_said_in_one_line(tmp_path: Path) -> None:
    """Where retain is off no state and no discovery stays, and health names the setting; of any other nothing is said.

    Asked in MQTT 5: the broker ends a connection of 3.1.1 without a word.
    """
    with Broker(tmp_path, more="retain_available false\n") as broker:
        mqtt = client(MqttConfig("127.0.0.1", broker.port), tmp_path, SIGNS)
        mqtt.start()
        try:
            until(lambda: mqtt.health()["error"] == f"127.0.0.1:{broker.port}: {NO_RETAIN}")
            assert mqtt.health()["state"] == "waiting"
        finally:
            mqtt.stop()
    with Broker(tmp_path) as broker:
        assert not keeps_no_messages(MqttConfig("127.0.0.1", broker.port), None, None)
    assert not keeps_no_messages(MqttConfig("127.0.0.1", broker.port), None, None)  # nobody is there
