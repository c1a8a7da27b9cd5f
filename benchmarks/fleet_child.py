"""A device of a fleet that teaches itself takes until it is told to stop, and is killed meanwhile (`proof_fleet`).

Each line that it writes is a promise: "taught N" that N takes are on disk, "holds N SET" that N lessons are, the own
included.
"""

from __future__ import annotations

import queue
import sys
import time
from pathlib import Path

import numpy as np

from device.serve.config import MqttConfig
from device.serve.fleet_config import FleetConfig
from device.serve.fleet_node import FleetLink, FleetNode, LessonTerms
from device.serve.mqtt import Mqtt
from edge_tl.fleet.keys import DeviceKey, key_text
from edge_tl.store.lessons import LessonStore
from edge_tl.store.own_takes import OwnTakes
from edge_tl.store.profile import Profile

PRINT, COLUMNS, EXAMPLES = "ab" * 32, 60, 20
STOP = "stop"
"""A file of this name ends the teaching, one "end" the process."""
AUDITS = 20
"""So many times faster than in a service the broker is given what it lacks."""


class QueuedRider:
    """What rides on a connection: messages wait in a queue until `hand_on` gives them to a node of the fleet."""

    prefix = "edge-tl-fleet/proof/"

    def __init__(self) -> None:
        self.queue: queue.Queue[tuple[str, bytes, bool] | bool] = queue.Queue()

    def connected(self) -> None:
        """As of `Rider`."""
        self.queue.put(True)

    def lost(self) -> None:
        """As of `Rider`."""
        self.queue.put(False)

    def heard(self, topic: str, payload: bytes, kept: bool) -> None:
        """As of `Rider`."""
        self.queue.put((topic, payload, kept))

    def hand_on(self, node: FleetNode) -> None:
        """Take all that came, and give what is missing."""
        while not self.queue.empty():
            message = self.queue.get_nowait()
            if isinstance(message, tuple):
                node.heard(*message)
            elif message:
                node.connected()
            else:
                node.lost()
        node.flush()
        node.tick()


def key_of_number(number: int) -> DeviceKey:
    """The key of the device of this number."""
    return DeviceKey(bytes([number + 1]) * 32)


def main(folder: Path, port: int, number: int, devices: int) -> None:
    """Teach, give and take."""
    own = folder / f"device {number}"
    (own / "state").mkdir(parents=True, exist_ok=True)
    trusted = {f"device {one}": key_text(key_of_number(one).public) for one in range(devices) if one != number}
    rider, random = QueuedRider(), np.random.default_rng()
    mqtt = Mqtt(MqttConfig("127.0.0.1", port, discovery=""), own / "state", dict, lambda line: None)
    mqtt.riders.append(rider)
    with Profile(own / "profile", writable=True) as profile, LessonStore(own / "profile", writable=True) as store:
        link = FleetLink(mqtt.send, mqtt.listen, lambda: AUDITS * time.monotonic())
        terms = LessonTerms(PRINT, COLUMNS)
        node = FleetNode(FleetConfig("proof", trusted), key_of_number(number), store, lambda: terms, link)
        mqtt.start()
        said = ""
        print(f"taught {sum(one.takes for one in profile.store.counts().values())}", flush=True)
        while not (folder / "end").exists():
            if not (folder / STOP).exists() and random.random() < 0.2:
                take = profile.store.new_take(f"class {random.integers(5)}")
                for _ in range(EXAMPLES):
                    profile.store.add(take, None, random.normal(size=COLUMNS), PRINT)
                profile.store.flush()
                print(f"taught {sum(one.takes for one in profile.store.counts().values())}", flush=True)
                with OwnTakes(profile.folder) as takes:
                    node.give(takes, takes.listed(), take)
            elif said == "" and profile.store.counts():  # what was taught before a kill, and perhaps not given
                with OwnTakes(profile.folder) as takes:
                    listed = takes.listed()
                    node.give(takes, listed, max((one.take for one in listed), default=0))
            rider.hand_on(node)
            holds = f"holds {len(node.known)} {node.set}"
            if holds != said:
                said = holds
                print(said, flush=True)
            time.sleep(0.02)
    mqtt.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
