"""A real broker, mosquitto, and an ear at it."""

from __future__ import annotations

import queue
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

LONG_S = 60.0
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
needs_broker = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (apt install mosquitto)")


class Broker:
    """A real mosquitto that can be stopped and started again; `with` starts and ends it.

    more: lines of its configuration, e.g. of TLS.
    """

    def __init__(self, folder: Path, *, password: str = "", more: str = "") -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.config = folder / "mosquitto.conf"
        access = "allow_anonymous true\n"
        if password:
            subprocess.run(["mosquitto_passwd", "-b", "-c", str(folder / "passwords"), "pi", password], check=True)
            access = f"allow_anonymous false\npassword_file {folder / 'passwords'}\n"
        self.config.write_text(f"listener {self.port} 127.0.0.1\n{access}user root\n{more}")
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self.process = subprocess.Popen(
            [str(MOSQUITTO), "-c", str(self.config), "-v"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        assert self.process.stderr is not None
        assert any("running" in line for line in self.process.stderr), "mosquitto did not start"
        self.drain = threading.Thread(target=self.process.stderr.read, daemon=True)
        self.drain.start()

    def stop(self) -> None:
        """End it; may be called twice."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.drain.join()
            assert self.process.stderr is not None
            self.process.stderr.close()
            self.process = None

    def __enter__(self) -> Broker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Ear:
    """An MQTT client that keeps what it hears, and knows what the broker keeps; `with` ends it."""

    def __init__(self, port: int, **login: str) -> None:
        mqtt = pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
        self.heard: queue.Queue[tuple[str, str, bool]] = queue.Queue()
        self.last: dict[str, str] = {}
        """Topic → the last message there that `wait_for` came past, without those that were cleared."""
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        if login:
            self.client.username_pw_set(login["username"], login["password"])
        self.subscribed = threading.Event()
        self.client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_message = lambda _c, _d, m: self.heard.put((m.topic, m.payload.decode(), m.retain))
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.subscribed.wait(LONG_S)

    def wait_for(self, topic: str, text: str | None = None) -> str:
        """The next message at a topic; with a text, the next one that says it."""
        return self.until(lambda came, payload: came == topic and text in (None, payload))[1]

    def until(self, wanted: Callable[[str, str], bool]) -> tuple[str, str]:
        """The next message, topic and text, of which a function says that it is wanted."""
        while True:
            topic, text, _ = self.heard.get(timeout=LONG_S)
            self.last[topic] = text
            if not text:
                del self.last[topic]
            if wanted(topic, text):
                return topic, text

    def close(self) -> None:
        """End it."""
        self.client.disconnect()
        self.client.loop_stop()
        # The client closes its last sockets when it is dropped; in a circle with this they might be dropped first.
        del self.client

    def __enter__(self) -> Ear:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def kept(port: int, **login: str) -> dict[str, str]:
    """Topic → what the broker keeps there now."""
    end, found = "edge-tl-tests/end", dict[str, str]()
    with Ear(port, **login) as ear:
        ear.client.publish(end, "end", qos=1)
        while True:
            topic, text, retained = ear.heard.get(timeout=LONG_S)
            if topic == end:
                return found
            if retained:
                found[topic] = text
