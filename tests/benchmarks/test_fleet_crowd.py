"""The crowd of simulated devices of `prove fleet`: a real device believes it, or its figures would mean nothing."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from mosquitto import Broker, needs_broker
from waiting import until

pytest.importorskip("cryptography", reason="cryptography is not installed (extra fleet)")
pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed (extra mqtt)")

from benchmarks.fleet_child import COLUMNS, PRINT, QueuedRider
from benchmarks.fleet_crowd import FLEET, key_of_crowd
from benchmarks.fleet_scale import CrowdProcess
from device.serve.config import MqttConfig
from device.serve.fleet_config import FleetConfig
from device.serve.fleet_node import FleetLink, FleetNode, LessonTerms
from device.serve.mqtt import Mqtt
from edge_tl.fleet.keys import DeviceKey, key_text
from edge_tl.store.lessons import LessonStore

DEVICES = 3


@needs_broker
def test_a_real_device_believes_the_crowd(tmp_path: Path) -> None:
    """Its lessons and what it says of itself are taken, a withdrawn lesson goes, and whoever left comes back."""
    rows = {label: np.random.default_rng(at).normal(size=(9, COLUMNS)) for at, label in enumerate(("up", "down"))}
    np.savez(tmp_path / "pool.npz", fingerprint=PRINT, **rows)  # type: ignore[arg-type]
    trusted = {f"crowd {at}": key_text(key_of_crowd(at).public) for at in range(DEVICES)}
    with ExitStack() as stack:
        broker = stack.enter_context(Broker(tmp_path))
        crowd = CrowdProcess(tmp_path, broker.port, DEVICES, stack)
        store = stack.enter_context(LessonStore(tmp_path, writable=True))
        mqtt, rider = Mqtt(MqttConfig("127.0.0.1", broker.port), tmp_path, dict, lambda line: None), QueuedRider()
        mqtt.riders.append(rider)
        link = FleetLink(mqtt.send, mqtt.listen, time.monotonic)
        terms = LessonTerms(PRINT, COLUMNS)
        node = FleetNode(FleetConfig(FLEET, trusted), DeviceKey(b"\7" * 32), store, lambda: terms, link)
        stack.callback(mqtt.stop)
        mqtt.start()

        def holds(lessons: int, there: int) -> bool:
            rider.hand_on(node)
            return len(node.known) == lessons and sum(one["there"] for one in node.peers.listed()) >= there

        until(lambda: holds(DEVICES, 0))
        until(lambda: crowd.report()["caught_up"] == DEVICES)
        crowd.ask("churn 0.05", "forget")
        until(lambda: holds(DEVICES - 1, 0))
        crowd.ask("lesson")
        until(lambda: holds(DEVICES, 0) and crowd.report()["joins"] > DEVICES)
        assert node.dropped == {}
        assert {one["device"] for one in node.peers.listed()} == set(trusted)
