"""A crowd of simulated devices of a fleet at one broker, in one process (`proof_fleet`).

Each has a connection and a key of its own, and speaks the protocol of `device/serve/fleet_node.py`: it asks for what
the broker keeps a sixteenth at a time, publishes signed lessons and how it does, withdraws one, leaves and comes back.
It trains nothing and keeps only what lessons are called. It is told what to do line by line, and answers in JSON:

    churn SECONDS   one leaves and comes back every so many seconds; 0 for none
    lesson          one device publishes another lesson
    forget          one device withdraws a lesson
    report          what it holds and what was sent
    end             all leave
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as mqtt

from device.serve.fleet_node import BASE, DIGITS
from device.serve.fleet_peers import Peers
from edge_tl.core.kept import as_stored
from edge_tl.fleet.keys import DeviceKey
from edge_tl.fleet.lesson import FleetLesson, LessonHeader, new_lessons, new_tombstone
from edge_tl.fleet.wire import in_chunks

FLEET, ROWS, NODELAY = "proof", 20, socket.TCP_NODELAY
STATUS_S, AWAY_S, MARK_S = 60.0, 1.0, 10.0
JOINING = 20
"""So many ask the broker for what it keeps at the same time."""
EXTRA = 8
"""So many classes are known to some devices of the crowd only."""


def key_of_crowd(number: int) -> DeviceKey:
    """The key of a simulated device."""
    return DeviceKey(number.to_bytes(4, "big") * 8)


class CrowdDevice:
    """One of the crowd: a connection, what it taught, and the names of the lessons that it was given."""

    def __init__(self, number: int, port: int) -> None:
        self.number, self.port, self.key = number, port, key_of_crowd(number)
        self.root = f"{BASE}/{FLEET}"
        self.own: dict[str, FleetLesson] = {}
        self.held: set[str] = set()
        self.received = self.sent = self.messages = 0
        """Bytes of topics and payloads, and how many came."""
        self.shard, self.caught_up, self.here, self.writes = 0, False, False, False
        self.asked_s = self.told_s = 0.0
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"crowd-{number}")
        self.client.on_connect, self.client.on_message = self._on_connect, self._on_message
        self.client.on_socket_open = lambda _client, _data, opened: opened.setsockopt(socket.IPPROTO_TCP, NODELAY, 1)
        self.client.on_socket_register_write = lambda *_: self._wants(True)
        self.client.on_socket_unregister_write = lambda *_: self._wants(False)

    def _wants(self, writes: bool) -> None:
        self.writes = writes

    def join(self) -> None:
        """Connect, and ask for all that is kept."""
        self.here, self.caught_up, self.shard = True, False, 0
        self.held.clear()
        self.client.connect("127.0.0.1", self.port, 600)
        self.asked_s = time.monotonic()

    def leave(self) -> None:
        """Disconnect."""
        self.here = False
        self.client.disconnect()
        self.client.loop_write()

    def _on_connect(self, *_: Any) -> None:
        self.client.subscribe(f"{self.root}/marks/{self.key.id}", qos=1)
        self.client.subscribe(f"{self.root}/devices/{self.key.id}", qos=1)
        self.ask()

    def ask(self) -> None:
        """Ask for the next sixteenth; where all have come, give what the broker lacks."""
        self.asked_s = time.monotonic()
        if self.shard < len(DIGITS):
            digit = DIGITS[self.shard]
            self.client.subscribe(f"{self.root}/tombstones/{digit}/+/+", qos=1)
            self.client.subscribe(f"{self.root}/lessons/{digit}/+/+", qos=1)
            self._publish(f"marks/{self.key.id}", digit.encode(), False)
            return
        self.caught_up = True
        for hash in self.own.keys() - self.held:
            self.give(hash)

    def give(self, hash: str) -> None:
        """Publish a lesson."""
        for part, piece in enumerate(in_chunks(self.own[hash].wire())):
            self._publish(f"lessons/{hash[0]}/{hash}/{part}", piece, True)

    def forget(self) -> None:
        """Withdraw a lesson, if there is one."""
        if self.own:
            hash, lesson = self.own.popitem()
            for part in range(len(in_chunks(lesson.wire()))):
                self._publish(f"lessons/{hash[0]}/{hash}/{part}", b"", True)
            stone = new_tombstone(self.key, hash).wire()
            self._publish(f"tombstones/{hash[0]}/{hash}/{self.key.id}", stone, True)

    def tell(self, now_s: float) -> None:
        """Say how it does, once a minute, and ask again where an answer did not come."""
        if self.caught_up and now_s - self.told_s >= STATUS_S:
            self.told_s = now_s
            about = {"device": f"crowd {self.number}", "set": "", "lessons": len(self.held)}
            self._publish(f"devices/{self.key.id}", Peers.signed(self.key, about), True)
        if not self.caught_up and now_s - self.asked_s > MARK_S:
            self.ask()

    def _publish(self, topic: str, payload: bytes, retain: bool) -> None:
        self.sent += len(self.root) + 1 + len(topic) + len(payload)
        self.client.publish(f"{self.root}/{topic}", payload, qos=1, retain=retain)

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        self.received += len(message.topic) + len(message.payload)
        self.messages += 1
        match message.topic.split("/")[2:]:
            case ["marks", _]:
                if not self.caught_up and message.payload == DIGITS[self.shard].encode():
                    self.shard += 1
                    self.ask()
            case ["lessons", _, hash, _]:
                (self.held.add if message.payload else self.held.discard)(hash)


class Crowd:
    """All of them in one loop. pool: label → rows of that class."""

    def __init__(self, count: int, port: int, pool: dict[str, np.ndarray], fingerprint: str, each: int) -> None:
        self.pool, self.fingerprint, self.chance = pool, fingerprint, np.random.default_rng(0)
        self.devices = [CrowdDevice(number, port) for number in range(count)]
        self.takes = 0
        for one in self.devices:
            for _ in range(each):
                self.teach(one)
        self.joining = deque(self.devices)
        self.away: deque[tuple[float, CrowdDevice]] = deque()
        self.churn_s, self.next_s, self.joins = 0.0, 0.0, 0
        self.selector = selectors.DefaultSelector()
        self.asked = False
        """Whether somebody wrote a line."""

    def teach(self, one: CrowdDevice) -> str:
        """Another lesson of a device, of a class that its number tells; what it is called."""
        self.takes += 1
        labels = sorted(self.pool)
        label = labels[(one.number + self.takes) % len(labels)]
        X = self.pool[label]
        at = self.chance.integers(len(X), size=ROWS)
        rows = X[at] + self.chance.normal(0, 0.02, (ROWS, X.shape[1]))
        if self.takes % 3 == 0:  # a class that only some have
            label = f"extra {one.number % EXTRA}"
        header = LessonHeader(f"crowd {one.number}", self.fingerprint, "hand", label, self.takes, 1)
        (lesson,) = new_lessons(one.key, header, np.stack([as_stored(row.astype(np.float32)) for row in rows]))
        one.own[lesson.hash] = lesson
        return lesson.hash

    def turn(self) -> None:
        """Read and write what can be, and have those join whose turn it is."""
        now_s = time.monotonic()
        busy = sum(one.here and not one.caught_up for one in self.devices)
        while self.joining and busy < JOINING:
            self._join(self.joining.popleft())
            busy += 1
        if self.churn_s and now_s >= self.next_s:
            self.next_s = now_s + self.churn_s
            if (one := self._any()) is not None:
                self.selector.unregister(one.client.socket())
                one.leave()
                self.away.append((now_s + AWAY_S, one))
        while self.away and self.away[0][0] <= now_s:
            self._join(self.away.popleft()[1])
        self.asked = False
        for key, _ in self.selector.select(0.02):
            if key.data is None:
                self.asked = True
            else:
                key.data.client.loop_read(50)
        for one in self.devices:
            if one.here:
                if one.writes:
                    one.client.loop_write()
                one.tell(now_s)

    def _join(self, one: CrowdDevice) -> None:
        one.join()
        self.joins += 1
        self.selector.register(one.client.socket(), selectors.EVENT_READ, one)

    def _any(self) -> CrowdDevice | None:
        here = [one for one in self.devices if one.caught_up and one.here]
        return here[int(self.chance.integers(len(here)))] if here else None

    def act(self, word: str, given: str = "") -> None:
        """What a line asks for."""
        if word == "churn":
            self.churn_s = float(given)
        elif word == "lesson" and (one := self._any()) is not None:
            one.give(self.teach(one))
        elif word == "forget" and (some := [one for one in self.devices if one.here and one.own]):
            some[0].forget()
        elif word == "report":
            print(json.dumps(self.report()), flush=True)

    def report(self) -> dict[str, Any]:
        """What it holds and what was sent."""
        here = [one for one in self.devices if one.here and one.caught_up]
        return {
            "caught_up": len(here),
            "lessons": sum(len(one.own) for one in self.devices),
            "held": sorted({len(one.held) for one in here}),
            "received": sum(one.received for one in self.devices),
            "sent": sum(one.sent for one in self.devices),
            "messages": sum(one.messages for one in self.devices),
            "joins": self.joins,
            "cpu_s": time.process_time(),
        }


def main(folder: Path, port: int, count: int, each: int) -> None:
    """Do as the lines say."""
    with np.load(folder / "pool.npz") as found:
        pool = {name: found[name] for name in found.files if name != "fingerprint"}
        fingerprint = str(found["fingerprint"])
    crowd = Crowd(count, port, pool, fingerprint, each)
    crowd.selector.register(sys.stdin, selectors.EVENT_READ, None)
    asked = b""
    while True:
        crowd.turn()
        if crowd.asked:  # read without a buffer, in which a second line would wait for a third
            asked += (some := os.read(sys.stdin.fileno(), 65_536))
            *lines, asked = asked.split(b"\n")
            words = [line.decode().split() for line in lines]
            for one in words:
                crowd.act(*one)
            if not some or ["end"] in words:
                break
    for device in crowd.devices:
        if device.here:
            device.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
