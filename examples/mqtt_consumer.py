"""Receive the events of the service over MQTT, and print one line for each.

pip install paho-mqtt
python examples/mqtt_consumer.py --host broker.lan          # needs `[mqtt] host = "broker.lan"` in edge-tl.toml
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import paho.mqtt.client as mqtt


def connected(client: mqtt.Client, count: list[int], flags: Any, reason: Any, properties: Any) -> None:
    """Subscribe after each connection, so that the program also works after the broker was restarted."""
    if reason.is_failure:
        sys.exit(f"the broker refused: {reason}")
    client.subscribe("edge-tl/+/+/event")  # edge-tl/NAME/PIPELINE/event


def subscribed(client: mqtt.Client, count: list[int], *_: Any) -> None:
    """From now on every event arrives."""
    print("listening", flush=True)


def received(client: mqtt.Client, count: list[int], message: mqtt.MQTTMessage) -> None:
    """One event: label is null when a sign ended."""
    _, device, pipeline, _ = message.topic.split("/")
    event = json.loads(message.payload)
    label = "nothing" if event["label"] is None else event["label"]
    print(f"{device} {pipeline}: {label} ({event['confidence']:.0%})", flush=True)
    count[0] -= 1
    if not count[0]:
        client.disconnect()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--count", type=int, default=0, help="end after this many events (default: never)")
    arguments = parser.parse_args()
    listener = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, userdata=[arguments.count])
    listener.on_connect, listener.on_subscribe, listener.on_message = connected, subscribed, received
    try:
        listener.connect(arguments.host, arguments.port)
        listener.loop_forever()
    except OSError as error:
        sys.exit(f"no broker at {arguments.host}:{arguments.port} ({error.strerror or error}): is it running?")
    except KeyboardInterrupt:
        pass
