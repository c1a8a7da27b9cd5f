"""Events to an MQTT broker, with Home Assistant's discovery. Home of paho-mqtt.

TOPIC/status            online or offline (retained; the broker says offline when the service is lost: its last will)
TOPIC/device            who this is (retained; `twins.py`)
TOPIC/PIPELINE/status   online or offline: whether its camera or microphone is there (retained)
TOPIC/PIPELINE/state    the label, or "none" (retained; of words the last one; `home_assistant.state_text`)
TOPIC/PIPELINE/event    each event as JSON

What is retained is sent with quality 0, and all of it anew with each connection: a message of before that came again
after a newer one would stay.
"""

from __future__ import annotations

import importlib
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from device.serve.config import MqttConfig
from device.serve.event import LabelEvent
from device.serve.home_assistant import NOTHING, Entity, before_ids, discovery, fleet_discovery, state_text
from device.serve.identity import identity_of
from device.serve.mqtt_retain import NO_RETAIN, keeps_no_messages
from device.serve.private_files import password_in
from device.serve.retained import RetainedTopics
from device.serve.tls import bare, context_of, tls_said, why_not
from device.serve.twins import Twins
from edge_tl.errors import ConfigError, MissingDependency, to_install

KEEPALIVE_S = 30
LONGEST_WAIT_S, LONGEST_TWIN_S = 60, 300
"""Between two tries; and where another client takes this one's place each time."""
STEADY_S = 600.0
"""After a connection that held so long the waiting begins anew."""
PATIENCE_S, LOST_S = 10.0, 5.0
"""A broker that has said nothing for so long is said to say nothing. A connection that is lost is mostly back, or it is
known who took its place, within the other."""
AT_ONCE_S, ASK_S = 5.0, 60.0
"""A connection that ends so soon may be one to a broker that keeps no messages, which is asked this often."""
STOP_S = 3.0
LOCAL = ("127.0.0.1", "::1", "localhost")
BASE, PREFIX, BROKEN = "edge-tl", "homeassistant", "failed to receive on socket: "

Told = Callable[[], dict[str, Entity]]
"""The pipelines, by name."""


class Rider(Protocol):
    """Another part that speaks over the same connection. All is called by the client's thread."""

    prefix: str
    """Of the topics that it hears."""

    def connected(self) -> None:
        """The broker is there (again), and nothing is subscribed to."""

    def lost(self) -> None:
        """The broker is away."""

    def heard(self, topic: str, payload: bytes, kept: bool) -> None:
        """A message came; kept: the broker had it before."""


def _at_once(_client: Any, _data: Any, opened: Any) -> None:
    """Have small messages sent without waiting for others: an answer to each comes 40 ms earlier."""
    with suppress(OSError):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Mqtt:
    """An Output that publishes to a broker, and comes back by itself when the broker does.

    While the broker is away events are not kept: on return it is told how things are now. data_dir: where the id of
    this device is kept. pipelines: asked for what to announce, from the client's thread too. log: takes a line.
    """

    name = "mqtt"

    def __init__(
        self,
        config: MqttConfig,
        data_dir: Path,
        pipelines: Told,
        log: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config, self._data_dir, self._pipelines, self._log, self._clock = config, data_dir, pipelines, log, clock
        self.published = self.dropped = 0
        self.topic = ""
        """All topics begin with it, after `start`."""
        self._error = self._broken = ""
        self._connected = self._refused = False
        self._begun_s = self._since_s = clock()
        self._lost_s = float("-inf")
        self._pause_s = 1
        self._states: dict[str, str] = {}
        self._labels: dict[str, tuple[str, ...]] = {}
        """Of each pipeline, as they were announced."""
        self._told: dict[str, str] = {}
        """Topic → what the broker keeps there since this connection began."""
        self._clearing: tuple[int, set[str]] | None = None
        """The message after which the broker has taken all before it, and what is there then."""
        self._keeps_nothing: Callable[[], bool] = lambda: False
        self._asked_s = float("-inf")
        self._no_retain = False
        """Whether the broker is known to keep no messages; found out where it ends a connection at once."""
        self._lock = threading.RLock()
        self._client: Any = None
        self.riders: list[Rider] = []
        """Filled before `start`."""
        self.fleet_topic = ""
        """Where a fleet reads how this device does; Home Assistant is told of it too."""

    def start(self) -> None:
        """Begin to connect; MissingDependency without paho-mqtt, ConfigError for files that cannot be used.

        Where no id can be kept it stays away from the broker and says so: two devices must not be one.
        """
        config = self.config
        try:
            mqtt = importlib.import_module("paho.mqtt.client")
        except ImportError as error:
            raise MissingDependency(f"[mqtt] needs paho-mqtt: {to_install('[mqtt]')}") from error
        password = (
            None if config.password_file is None else password_in(config.password_file, "password_file", "[mqtt]")
        )
        tls = context_of(config) if config.tls else None
        self._keeps_nothing = lambda: keeps_no_messages(config, password, tls)
        try:
            self._know()
        except ConfigError as error:
            self._error = str(error)
            return
        newer = config.version == "5"
        client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,
            client_id=f"edge-tl-{self._id.id}",
            protocol=mqtt.MQTTv5 if newer else mqtt.MQTTv311,
        )
        if config.username is not None:
            client.username_pw_set(config.username, password)
        if tls is not None:
            client.tls_set_context(tls)
        client.will_set(f"{self.topic}/status", "offline", qos=1, retain=True)
        client.reconnect_delay_set(1, LONGEST_WAIT_S)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_socket_open = _at_once
        client.on_message, client.on_publish, client.on_log = self._on_message, self._on_publish, self._on_log
        self._explain(client)
        self._client, self._begun_s = client, self._clock()
        where = f"{config.host}:{config.broker_port}"
        self._log(f"mqtt: this is {self.topic} at {where}")
        if password is not None and tls is None and config.host not in LOCAL:
            self._log(f"mqtt: the password is sent unencrypted to {where}: tls = true encrypts it")
        # As in 3.1.1: no connection goes on with what one of before subscribed to.
        clean = {"clean_start": True} if newer else {}
        client.connect_async(config.host, config.broker_port, KEEPALIVE_S, **clean)
        client.loop_start()

    def publish(self, event: LabelEvent) -> None:
        """Tell the broker, if it is there."""
        with self._lock:
            state = self._states[event.source] = state_text(event.label)
            if not self._connected:
                self.dropped += 1
                return
            if event.label is not None and event.label not in self._labels.get(event.source, ()):
                self.sync()  # it was learned just now
            told = event.as_dict() | ({"event_type": event.label} if event.label is not None else {})
            # The event first: what Home Assistant does when the state changes finds the attributes that belong to it.
            self._client.publish(f"{self.topic}/{event.source}/event", json.dumps(told, ensure_ascii=False))
            self._keep(f"{self.topic}/{event.source}/state", state)
            self.published += 1

    @property
    def is_connected(self) -> bool:
        """Whether the broker is there now."""
        return self._connected

    def send(self, topic: str, payload: bytes, retain: bool) -> None:
        """Publish for a rider, once at least, if the broker is there; from any thread."""
        client = self._client
        if client is not None and self._connected:
            client.publish(topic, payload, qos=1, retain=retain)

    def listen(self, topics: str) -> None:
        """Subscribe for a rider, as `send`."""
        client = self._client
        if client is not None and self._connected:
            client.subscribe(topics, qos=1)

    def sync(self) -> None:
        """Tell the broker what it keeps and what is otherwise now, if it is there; clear there what is not wanted."""
        with self._lock:
            if not self._connected:
                return
            wanted = self._wanted()
            self._retained.add(wanted)  # before the broker has it, so that it is cleared whatever comes between
            for topic, text in wanted.items():
                if self._told.get(topic) != text:
                    self._keep(topic, text)
            gone = self._retained.topics.difference(wanted)
            if gone and self._clearing is None:
                for topic in sorted(gone):
                    self._client.publish(topic, "", retain=True)
                # Messages of one connection stay in their order: when this one was taken, those were.
                last = self._client.publish(f"{self.topic}/device", self._twins.mine, qos=1, retain=True)
                self._clearing = last.mid, set(wanted)
            if self._twins.due():
                self._keep(f"{self.topic}/device", self._twins.mine)

    def health(self) -> dict[str, Any]:
        """Whether the broker is there, and where it finds this device."""
        config = self.config
        error = "" if self._clock() - self._lost_s < LOST_S else self._error
        fault = self._twins.fault if self.topic else ""
        if not self._error and not self._connected and self._clock() - self._begun_s > PATIENCE_S:
            error = "no answer yet"
        error = f"{config.host}:{config.broker_port}: {error}" if error and self.topic else error
        state = "failed" if fault or not self.topic else "ok" if self._connected else "waiting"
        error = f"{config.host}:{config.broker_port}: {NO_RETAIN}" if error and self._no_retain else error
        error = fault or error or (self._retained.fault if self.topic else "")
        return {
            "state": state,
            "topic": self.topic,
            "published": self.published,
            "dropped": self.dropped,
            "error": error,
        }

    def stop(self) -> None:
        """Say goodbye and go."""
        with self._lock:  # what is on its way to the broker in another thread is finished first
            client, self._client = self._client, None
            connected, self._connected = self._connected, False
        if client is None:
            return
        if connected:
            client.publish(f"{self.topic}/status", "offline", qos=1, retain=True).wait_for_publish(2.0)
        client.disconnect()
        # Its thread may be looking up a name, or shaking hands with what never answers.
        ending = threading.Thread(target=client.loop_stop, daemon=True)
        ending.start()
        ending.join(STOP_S)

    def _know(self) -> None:
        """Who this is and what it left at the broker before; ConfigError where that cannot be kept."""
        config = self.config
        self._id = identity_of(self._data_dir)
        topic = config.topic if config.topic is not None else f"{BASE}/{config.name or self._id.id}"
        host, pipelines = socket.gethostname() or "host", list(self._pipelines())
        left = before_ids(config.discovery or PREFIX, config.topic or BASE, host, pipelines)
        self._retained = RetainedTopics(self._data_dir, self._id.id, left if self._id.upgraded else [])
        self._twins = Twins(self._id.id, secrets.token_hex(4), topic, self._id.path, self._clock)
        self.topic = topic

    def _wanted(self) -> dict[str, str]:
        """Topic → what the broker should keep."""
        entities, config = self._pipelines(), self.config
        self._labels = {pipeline: entity.labels for pipeline, entity in entities.items()}
        name, host = config.name or self._id.id, socket.gethostname()
        wanted = {f"{self.topic}/device": self._twins.mine}
        wanted |= discovery(config.discovery, self.topic, self._id.id, name, host, entities)
        wanted |= fleet_discovery(config.discovery, self.topic, self._id.id, name, host, self.fleet_topic)
        for pipeline, entity in entities.items():
            wanted[f"{self.topic}/{pipeline}/status"] = "online" if entity.present else "offline"
            wanted[f"{self.topic}/{pipeline}/state"] = self._states.get(pipeline, NOTHING)
        wanted[f"{self.topic}/status"] = "online"
        return wanted

    def _keep(self, topic: str, text: str) -> None:
        self._told[topic] = text
        self._client.publish(topic, text, retain=True)

    def _explain(self, client: Any) -> None:
        """Have the reason known where a connection cannot be made: the client tries again, and says to nobody why."""
        connect = client.reconnect

        def reconnect() -> Any:
            self._refused, self._broken = False, ""
            try:
                return connect()
            # A name with a label that is too long is no OSError, and would end the client's thread.
            except Exception as error:
                self._error = why_not(error, self.config.tls)
                raise OSError(self._error) from error

        client.reconnect = reconnect

    def _on_connect(self, client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._refused = True
            login = str(reason) in ("Not authorized", "Bad user name or password")
            self._error = f"the broker refuses: {reason}" + (": check username and password_file" if login else "")
            return
        with self._lock:
            if self._client is None:
                return  # it is about to stop
            self._connected, self._error, self._since_s = True, "", self._clock()
            self._no_retain = False
            self._told, self._clearing = {}, None
            client.subscribe(f"{self.topic}/device", qos=1)  # what is kept there comes before the own message
            self.sync()
        for rider in self.riders:
            rider.connected()

    def _on_disconnect(self, client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        why = bare(self._broken) or str(reason)
        if self._broken and self.config.tls and not self._connected:
            why = tls_said(why)
        elif why in ("Unspecified error", "Success", "Normal disconnection"):
            why = "the broker ended it"
        if self._connected:
            most_s = LONGEST_TWIN_S if self._twins.fault else LONGEST_WAIT_S
            steady = self._clock() - self._since_s >= STEADY_S
            self._pause_s = 1 if steady else min(2 * self._pause_s, most_s)
            client.reconnect_delay_set(self._pause_s, max(self._pause_s, LONGEST_WAIT_S))
            self._error, self._lost_s = f"the connection was lost: {why}", self._clock()
        elif not self._refused:
            tls = "" if self.config.tls else "; is TLS wanted there?"
            self._error = f"no answer to the first message: {why}{tls}"
        if not self._connected or self._clock() - self._since_s < AT_ONCE_S:
            self._ask_why()
        with self._lock:
            self._connected = False
        for rider in self.riders:
            rider.lost()

    def _ask_why(self) -> None:
        """Ask the broker whether it keeps messages; not often, and in another thread, for it may never answer."""
        if self._refused or self._broken or self._clock() - self._asked_s < ASK_S:
            return
        self._asked_s = self._clock()

        def ask() -> None:
            self._no_retain = self._keeps_nothing()

        threading.Thread(target=ask, name="edge-tl mqtt asks", daemon=True).start()

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        try:
            topic = str(message.topic)
        except UnicodeDecodeError:
            return
        for rider in self.riders:
            if topic.startswith(rider.prefix):
                rider.heard(topic, bytes(message.payload), bool(message.retain))
                return
        self._twins.heard(message.payload, bool(message.retain))

    def _on_publish(self, _client: Any, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        with self._lock:
            if self._clearing is not None and self._clearing[0] == mid:
                self._retained.keep(self._clearing[1])
                self._clearing = None

    def _on_log(self, _client: Any, _data: Any, _level: int, text: str) -> None:
        if text.startswith(BROKEN):
            self._broken = text.removeprefix(BROKEN)
