"""Events to an MQTT broker, with Home Assistant's discovery. Home of paho-mqtt.

TOPIC/status            online or offline (retained; the broker says offline when the service is lost: its last will)
TOPIC/PIPELINE/state    the label, or "none" (retained; of words the last one)
TOPIC/PIPELINE/event    each event as JSON
"""

from __future__ import annotations

import importlib
import json
import re
import socket
from collections.abc import Callable
from typing import Any

from device.serve.config import MqttConfig
from device.serve.event import Event
from edge_tl.errors import ConfigError, MissingDependency, to_install

NOTHING = "none"
KEEPALIVE_S = 30
LONGEST_WAIT_S = 60

Told = Callable[[], dict[str, tuple[str, list[str]]]]
"""Pipeline → its kind (`picture` or `sound`) and its labels."""


class Mqtt:
    """An Output that publishes to a broker, and comes back by itself when the broker does.

    While the broker is away events are not kept: on return it is told how things are now. pipelines: asked for what to
    announce, from the client's thread.
    """

    name = "mqtt"

    def __init__(self, config: MqttConfig, pipelines: Told) -> None:
        self.config, self._pipelines = config, pipelines
        self.published = self.dropped = 0
        self._error = ""
        self._connected = False
        self._states: dict[str, str] = {}
        self._generations: dict[str, int] = {}
        self._client: Any = None

    def start(self) -> None:
        """Begin to connect; MissingDependency without paho-mqtt, ConfigError for a password that cannot be read."""
        try:
            mqtt = importlib.import_module("paho.mqtt.client")
        except ImportError as error:
            raise MissingDependency(f"[mqtt] needs paho-mqtt: {to_install('[mqtt]')}") from error
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"{_word(self.config.topic)}-{_host()}")
        if self.config.username is not None:
            client.username_pw_set(self.config.username, self._password())
        if self.config.tls:
            client.tls_set()
        client.will_set(f"{self.config.topic}/status", "offline", qos=1, retain=True)
        client.reconnect_delay_set(1, LONGEST_WAIT_S)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_connect_fail = self._on_connect_fail
        self._client = client
        client.connect_async(self.config.host, self.config.port, KEEPALIVE_S)
        client.loop_start()

    def publish(self, event: Event) -> None:
        """Tell the broker, if it is there."""
        state = event.label if event.label is not None else NOTHING
        self._states[event.source] = state
        if not self._connected:
            self.dropped += 1
            return
        if self._generations.get(event.source) != event.generation:
            self._generations[event.source] = event.generation
            self._announce()  # the labels may be others now
        told = event.as_dict() | ({"event_type": event.label} if event.label is not None else {})
        self._send(f"{event.source}/state", state, retain=True)
        self._send(f"{event.source}/event", json.dumps(told, ensure_ascii=False))
        self.published += 1

    def health(self) -> dict[str, Any]:
        """Whether the broker is there."""
        state = "ok" if self._connected else "waiting"
        error = "" if not self._error else f"{self.config.host}:{self.config.port}: {self._error}"
        return {"state": state, "published": self.published, "dropped": self.dropped, "error": error}

    def stop(self) -> None:
        """Say goodbye and go."""
        if self._client is not None:
            if self._connected:
                self._client.publish(f"{self.config.topic}/status", "offline", qos=1, retain=True).wait_for_publish(2.0)
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None

    def _send(self, topic: str, text: str, retain: bool = False) -> None:
        self._client.publish(f"{self.config.topic}/{topic}", text, qos=1 if retain else 0, retain=retain)

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._error = f"the broker refused ({reason}): check username and password_file"
            return
        self._connected, self._error = True, ""
        self._announce()
        self._send("status", "online", retain=True)
        for name in self._pipelines():
            self._send(f"{name}/state", self._states.get(name, NOTHING), retain=True)

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if self._connected:
            self._connected, self._error = False, f"connection lost ({reason})"

    def _on_connect_fail(self, _client: Any, _data: Any) -> None:
        self._error = "no broker answers there"

    def _announce(self) -> None:
        """Home Assistant's discovery: a sensor for each camera, an event entity for each microphone."""
        if not self.config.discovery:
            return
        topic, node = self.config.topic, f"{_word(self.config.topic)}_{_word(_host())}"
        for name, (kind, labels) in self._pipelines().items():
            component = "sensor" if kind == "picture" else "event"
            about: dict[str, Any] = {
                "name": name,
                "unique_id": f"{node}_{name}",
                "state_topic": f"{topic}/{name}/{'state' if kind == 'picture' else 'event'}",
                "availability_topic": f"{topic}/status",
                "device": {"identifiers": [node], "name": f"edge-tl on {_host()}", "manufacturer": "edge-tl"},
            }
            if kind == "picture":
                about |= {"icon": "mdi:hand-back-right", "json_attributes_topic": f"{topic}/{name}/event"}
            else:
                about |= {"icon": "mdi:microphone", "event_types": labels}
            where = f"{self.config.discovery}/{component}/{node}/{name}/config"
            self._client.publish(where, json.dumps(about, ensure_ascii=False), qos=1, retain=True)

    def _password(self) -> str | None:
        """The first line of the password file."""
        path = self.config.password_file
        if path is None:
            return None
        try:
            return path.read_text(encoding="utf-8").partition("\n")[0]
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"password_file {path} cannot be read ({error}): check [mqtt]") from error


def _host() -> str:
    return socket.gethostname() or "host"


def _word(text: str) -> str:
    """What Home Assistant takes as an id: letters, digits, - and _."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)
