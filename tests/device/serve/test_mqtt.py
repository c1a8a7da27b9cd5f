"""MQTT: a real broker hears what the service tells, and is told again when it was away."""

from __future__ import annotations

import json
import queue
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from device.serve.config import MqttConfig
from device.serve.event import Event
from device.serve.mqtt import Mqtt
from edge_tl.errors import ConfigError

FIST = Event("fist", 0.9, "signs", 1000.0, 3)
LONG_S = 30.0


class Broker:
    """A real mosquitto that can be stopped and started again."""

    def __init__(self, folder: Path, *, password: str = "") -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.config = folder / "mosquitto.conf"
        access = "allow_anonymous true\n"
        if password:
            subprocess.run(["mosquitto_passwd", "-b", "-c", str(folder / "passwords"), "pi", password], check=True)
            access = f"allow_anonymous false\npassword_file {folder / 'passwords'}\n"
        self.config.write_text(f"listener {self.port} 127.0.0.1\n{access}user root\n")
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [str(MOSQUITTO), "-c", str(self.config), "-v"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        assert self.process.stderr is not None
        assert any("running" in line for line in self.process.stderr), "mosquitto did not start"
        self.drain = threading.Thread(target=self.process.stderr.read, daemon=True)
        self.drain.start()

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.drain.join()
            assert self.process.stderr is not None
            self.process.stderr.close()
            self.process = None


MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
needs_broker = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (apt install mosquitto)")


class Ear:
    """An MQTT client that keeps what it hears."""

    def __init__(self, port: int, **login: str) -> None:
        mqtt = pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
        self.heard: queue.Queue[tuple[str, str, bool]] = queue.Queue()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        if login:
            self.client.username_pw_set(login["username"], login["password"])
        self.client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self.client.on_message = lambda _c, _d, m: self.heard.put((m.topic, m.payload.decode(), m.retain))
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def wait_for(self, topic: str, text: str | None = None) -> str:
        while True:
            came, payload, _ = self.heard.get(timeout=LONG_S)
            if came == topic and text in (None, payload):
                return payload

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
        # The client closes its last sockets when it is dropped; in a circle with this they might be dropped first.
        del self.client


@needs_broker
def test_a_real_broker_hears_states_events_and_discovery(tmp_path: Path) -> None:
    """State, event, availability and Home Assistant's discovery arrive; at the end the service says offline."""
    broker = Broker(tmp_path, password="secret words")
    broker.start()
    (tmp_path / "password").write_text("secret words\n")
    ear = Ear(broker.port, username="pi", password="secret words")
    config = MqttConfig("127.0.0.1", broker.port, username="pi", password_file=tmp_path / "password")
    mqtt = Mqtt(config, lambda: {"signs": ("picture", ["fist", "palm"]), "words": ("sound", ["go"])})
    mqtt.start()
    try:
        assert ear.wait_for("edge-tl/status") == "online"
        assert ear.wait_for("edge-tl/signs/state", "none")
        mqtt.publish(FIST)
        assert ear.wait_for("edge-tl/signs/state", "fist")
        event = json.loads(ear.wait_for("edge-tl/signs/event"))
        assert (event["label"], event["event_type"], event["generation"]) == ("fist", "fist", 3)
        late = Ear(broker.port, username="pi", password="secret words")
        kept = {}
        while len(kept) < 5:
            topic, payload, retained = late.heard.get(timeout=LONG_S)
            assert retained
            kept[topic] = payload
        late.close()
        sensor = next(json.loads(text) for topic, text in kept.items() if "/sensor/" in topic)
        words = next(json.loads(text) for topic, text in kept.items() if "/event/" in topic)
        assert sensor["state_topic"] == "edge-tl/signs/state"
        assert words["event_types"] == ["go"]
        assert sensor["availability_topic"] == "edge-tl/status"
        assert mqtt.health()["state"] == "ok"
    finally:
        mqtt.stop()
    assert ear.wait_for("edge-tl/status", "offline")
    ear.close()
    broker.stop()


@needs_broker
def test_a_broker_that_comes_back_is_told_how_things_are_now(tmp_path: Path) -> None:
    """What is told while the broker is away is not kept as events; on return it hears the state of now."""
    broker = Broker(tmp_path)
    mqtt = Mqtt(MqttConfig("127.0.0.1", broker.port, discovery=""), lambda: {"signs": ("picture", ["fist"])})
    failed, told = threading.Event(), mqtt._on_connect_fail
    mqtt._on_connect_fail = lambda *more: (told(*more), failed.set())  # type: ignore[method-assign,func-returns-value]
    mqtt.start()  # no broker yet: sought
    mqtt.publish(FIST)
    assert failed.wait(LONG_S)
    assert mqtt.health()["state"] == "waiting"
    assert str(broker.port) in mqtt.health()["error"]
    broker.start()
    ear = Ear(broker.port)
    assert ear.wait_for("edge-tl/signs/state") == "fist"
    broker.stop()
    ear.close()
    mqtt.publish(Event("palm", 0.9, "signs", 1.0, 3))
    broker.start()
    ear = Ear(broker.port)
    assert ear.wait_for("edge-tl/signs/state") == "palm"
    assert mqtt.health()["dropped"] >= 1
    mqtt.stop()
    ear.close()
    broker.stop()


@needs_broker
def test_a_service_that_dies_is_said_offline_by_the_broker(tmp_path: Path) -> None:
    """The last will: the connection is lost without a goodbye, and the broker publishes offline."""
    broker = Broker(tmp_path)
    broker.start()
    ear = Ear(broker.port)
    mqtt = Mqtt(MqttConfig("127.0.0.1", broker.port), dict)
    mqtt.start()
    ear.wait_for("edge-tl/status", "online")
    mqtt._client.socket().shutdown(socket.SHUT_RDWR)
    assert ear.wait_for("edge-tl/status", "offline")
    assert ear.wait_for("edge-tl/status", "online")  # and back
    mqtt.stop()
    ear.close()
    broker.stop()


@needs_broker
def test_a_wrong_password_is_said_and_is_in_no_line(tmp_path: Path) -> None:
    """A refusal names what to check; the password itself appears nowhere."""
    broker = Broker(tmp_path, password="right")
    broker.start()
    (tmp_path / "password").write_text("wrong-secret\n")
    config = MqttConfig("127.0.0.1", broker.port, username="pi", password_file=tmp_path / "password")
    mqtt = Mqtt(config, dict)
    refused = threading.Event()
    told = mqtt._on_connect
    mqtt._on_connect = lambda *more: (told(*more), refused.set())  # type: ignore[method-assign,func-returns-value]
    mqtt.start()
    assert refused.wait(LONG_S)
    error = mqtt.health()["error"]
    assert "password_file" in error
    assert "wrong-secret" not in error + repr(config)
    mqtt.stop()
    broker.stop()
    with pytest.raises(ConfigError, match="password_file"):
        Mqtt(MqttConfig("127.0.0.1", username="pi", password_file=tmp_path / "none"), dict).start()
