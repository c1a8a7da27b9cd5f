"""Devices of a fleet without a service: nodes at a broker, real or made up, with stores that tests look into."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.fleet_child import QueuedRider
from device.serve.config import MqttConfig
from device.serve.fleet_config import FleetConfig
from device.serve.fleet_node import FleetLink, FleetNode, LessonTerms
from device.serve.mqtt import Mqtt
from edge_tl.core.kept import as_stored
from edge_tl.fleet.keys import DeviceKey, key_text
from edge_tl.fleet.lesson import FleetLesson, LessonHeader, new_lessons
from edge_tl.store.lessons import LessonStore
from edge_tl.store.own_takes import OwnTakes
from edge_tl.store.profile import Profile

PRINT, COLUMNS = "ab" * 32, 8


def key_number(number: int) -> DeviceKey:
    """The key of the device of this number."""
    return DeviceKey(bytes([number + 1]) * 32)


def fleet_of(numbers: list[int], **more: object) -> FleetConfig:
    """A configuration that trusts the devices of these numbers, `device N` each."""
    trusted = {f"device {number}": key_text(key_number(number).public) for number in numbers}
    return FleetConfig("school", trusted, **more)  # type: ignore[arg-type]


def lesson_by(number: int, take: int, label: str = "fist", columns: int = COLUMNS, print_: str = PRINT) -> FleetLesson:
    """Some take of a device."""
    rows = np.random.default_rng(1000 * number + take).normal(size=(3, columns)).astype(np.float32)
    header = LessonHeader(f"device {number}", print_, "frame", label, take, 1)
    return new_lessons(key_number(number), header, np.stack([as_stored(row) for row in rows]))[0]


class FleetDevice:
    """A profile, its lessons and a node; close it.

    publish, subscribe: where the node speaks; `said` keeps it all where none is given.
    """

    def __init__(
        self,
        folder: Path,
        number: int,
        trusts: list[int],
        publish: Callable[[str, bytes, bool], None] | None = None,
        subscribe: Callable[[str], None] = lambda topics: None,
        **more: object,
    ) -> None:
        self.profile = Profile(folder / f"device {number}", writable=True)
        self.store = LessonStore(self.profile.folder, writable=True)
        self.said: list[tuple[str, bytes, bool]] = []
        self.now_s = 0.0
        link = FleetLink(publish or (lambda *one: self.said.append(one)), subscribe, lambda: self.now_s, lambda: 0.0)
        wanted = LessonTerms(PRINT, COLUMNS)
        self.node = FleetNode(fleet_of(trusts, **more), key_number(number), self.store, lambda: wanted, link)

    def teach(self, label: str, examples: int = 3) -> int:
        """A take on disk; its number."""
        store = self.profile.store
        take = store.new_take(label)
        for at in range(examples):
            seed = 10_000 * self.node.key.public[0] + 100 * take + at
            store.add(take, None, np.random.default_rng(seed).normal(size=COLUMNS), PRINT)
        store.flush()
        return take

    def give(self, up_to: int = 1 << 30) -> None:
        """What was taught is given, and what is no more taken back."""
        with OwnTakes(self.profile.folder) as own:
            self.node.give(own, own.listed(), up_to)

    def catch_up(self) -> None:
        """The broker is there and keeps nothing: what is said to oneself comes back."""
        self.node.connected()
        while not self.node.caught_up:
            topic, payload, _ = next(one for one in reversed(self.said) if "/marks/" in one[0])
            self.node.heard(topic, payload)

    def hears(self, *lessons: FleetLesson) -> None:
        """Lessons come as another device would give them."""
        from edge_tl.fleet.wire import in_chunks

        for one in lessons:
            for part, piece in enumerate(in_chunks(one.wire())):
                self.node.heard(f"{self.node.root}/lessons/{one.hash[0]}/{one.hash}/{part}", piece)
        self.node.flush()

    def close(self) -> None:
        """Close the files."""
        self.store.close()
        self.profile.close()

    def __enter__(self) -> FleetDevice:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AtBroker(QueuedRider):
    """A device at a real broker: its messages wait in a queue until `turn` takes them; close it.

    version: of MQTT.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        number: int,
        trusts: list[int],
        clock: Callable[[], float],
        version: str = "3.1.1",
    ) -> None:
        (folder / f"state {number}").mkdir(exist_ok=True)
        super().__init__()
        self.prefix = "edge-tl-fleet/school/"
        config = MqttConfig("127.0.0.1", port, discovery="", version=version)
        self.mqtt = Mqtt(config, folder / f"state {number}", lambda: {}, lambda line: None)
        self.mqtt.riders.append(self)
        self.device = FleetDevice(folder, number, trusts, self.mqtt.send, self.mqtt.listen)
        self.device.node.link.clock = clock
        self.mqtt.start()

    def turn(self) -> None:
        """Take all that came, and give what is missing."""
        self.hand_on(self.device.node)

    def close(self) -> None:
        """End it, well."""
        self.mqtt.stop()
        self.device.close()
