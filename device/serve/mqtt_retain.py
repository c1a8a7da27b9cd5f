"""Does a broker keep messages? Asked in MQTT 5, whose answer to a connection says so; 3.1.1 just ends it."""

from __future__ import annotations

import importlib
import secrets
import threading
from contextlib import suppress
from typing import Any

from device.serve.config import MqttConfig

NO_RETAIN = (
    "this broker stores no messages (retain is off there), which states, discovery and lessons need: allow it in the "
    "broker's configuration (mosquitto: retain_available true)"
)
ANSWER_S = 5.0


def keeps_no_messages(config: MqttConfig, password: str | None, tls: Any) -> bool:
    """Whether the broker says that it keeps nothing; False where it says anything else, or nothing in time.

    tls: the context, where TLS is wanted. It connects as somebody else, says nothing, and goes.
    """
    mqtt = importlib.import_module("paho.mqtt.client")
    name = f"edge-tl-asks-{secrets.token_hex(4)}"
    client = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5, reconnect_on_failure=False
    )
    if config.username is not None:
        client.username_pw_set(config.username, password)
    if tls is not None:
        client.tls_set_context(tls)
    answered, refuses = threading.Event(), False

    def on_connect(_client: Any, _data: Any, _flags: Any, _reason: Any, properties: Any) -> None:
        nonlocal refuses
        # paho keeps a property as an attribute only where it came; left out, the broker keeps messages.
        refuses = properties is not None and properties.json().get("RetainAvailable", 1) == 0
        answered.set()

    client.on_connect = on_connect
    client.on_disconnect = lambda *_: answered.set()
    with suppress(OSError, ValueError):
        client.connect(config.host, config.broker_port, keepalive=30)
        client.loop_start()
        answered.wait(ANSWER_S)
        client.disconnect()
        client.loop_stop()
    return refuses
