"""What anybody may say to a fleet at its broker: a real service drops it, counts why, and knows what it knew before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mosquitto import Broker, needs_broker
from service_parts import taught
from waiting import until

from benchmarks.serving import Serving
from device.serve.fleet_peers import Peers
from edge_tl.fleet.keys import DeviceKey, key_text
from edge_tl.fleet.lesson import FleetLesson, LessonHeader, new_lessons, new_tombstone
from edge_tl.fleet.wire import in_chunks
from edge_tl.store.profile import Profile

publish = pytest.importorskip("paho.mqtt.publish", reason="paho-mqtt is not installed (extra mqtt)")
pytest.importorskip("cryptography", reason="cryptography is not installed (extra fleet)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")
DESK, STRANGER = DeviceKey(bytes(32)), DeviceKey(bytes(31) + b"\1")
ROOT = "edge-tl-fleet/home"


def lesson(mark: str, key: DeviceKey = DESK, *, columns: int, take: int = 1, **more: Any) -> FleetLesson:
    """A take of `up` whose rows are noise; more: of the header, otherwise than edge-tl would write it."""
    rows = np.abs(np.random.default_rng(take).normal(size=(3, columns))).astype(np.float16).astype(np.float32)
    (one,) = new_lessons(key, LessonHeader("desk", mark, "frame", "up", take, 1), rows)
    return signed(replace(one, header=replace(one.header, **more)), key) if more else one


def signed(one: FleetLesson, key: DeviceKey) -> FleetLesson:
    """With a signature of just this, whatever it holds."""
    from edge_tl.fleet.lesson import MAGIC, _message

    fresh = FleetLesson(key.public, b"", one.header, one.rows)
    return FleetLesson(key.public, key.sign(_message(MAGIC, bytes.fromhex(fresh.hash))), one.header, one.rows)


def said(one: FleetLesson) -> list[tuple[str, bytes]]:
    """The messages of a lesson."""
    pieces = enumerate(in_chunks(one.wire()))
    return [(f"lessons/{one.hash[0]}/{one.hash}/{part}", piece) for part, piece in pieces]


@needs_broker
def test_hostile_messages_change_nothing(tmp_path: Path) -> None:
    """Unsigned, unknown, NaN, of another length or model, huge, badly named, replayed, a hundred tombstones, torn and
    doubled pieces, somebody else's status: each is counted by its reason, and one honest lesson among them is used."""
    with (
        Broker(tmp_path) as broker,
        Serving(
            tmp_path,
            f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\ndiscovery = ""\n'
            f'[fleet]\nname = "home"\n[fleet.trusted]\ndesk = "{key_text(DESK.public)}"\n',
        ) as serving,
    ):
        serving.start()
        taught(serving)

        def fleet() -> dict[str, Any]:
            return dict(serving.ask("/health")[1]["outputs"]["fleet"])

        until(lambda: fleet()["state"] == "ok" and fleet().get("given", 0) >= 4)
        own = fleet()["given"]  # four, or more where the machine stood still while the button was held
        with Profile(serving.data / "profiles" / "default") as profile:
            (mark,) = {one.fingerprint for one in profile.store.list()}
            columns = profile.store.matrix(mark).X.shape[1]
        good, gone = (lesson(mark, columns=columns, take=take) for take in (2, 3))
        nan = signed(replace(good, rows=np.full((3, columns), np.nan, "<f2")), DESK)
        stone = new_tombstone(DESK, gone.hash)
        at_stone = f"tombstones/{gone.hash[0]}/{gone.hash}/{DESK.id}"
        hostile: list[tuple[str, bytes]] = [
            *said(replace(good, signature=bytes(64), came=b"")),  # unsigned
            *said(lesson(mark, STRANGER, columns=columns)),  # untrusted
            *said(nan),  # numbers
            *said(lesson(mark, columns=columns + 1)),  # dimension
            *said(lesson("cd" * 32, columns=columns)),  # other model
            *said(lesson(mark, columns=columns, label="a\x1b[2J")),  # label
            (said(good)[0][0], bytes(100_000)),  # size
            (said(good)[0][0], b"junk"),  # size: no piece is so short
            *[(topic, piece) for (topic, _), (_, piece) in zip(said(gone), said(good), strict=True)],  # broken
            ("lessons/0/zz/0", b"junk"),  # topic
            (at_stone, replace(stone, signature=bytes(64)).wire()),  # unsigned
            *[(at_stone, stone.wire())] * 100,
            *said(gone),  # taken back: replayed
            (f"devices/{DESK.id}", Peers.signed(STRANGER, {"device": "desk"})),  # unsigned
            (f"devices/{STRANGER.id}", Peers.signed(STRANGER, {"device": "x"})),  # untrusted
            *said(good),
            *said(good),
        ]
        messages = [{"topic": f"{ROOT}/{topic}", "payload": payload, "qos": 1} for topic, payload in hostile]
        publish.multiple(messages, hostname="127.0.0.1", port=broker.port)
        until(lambda: fleet()["lessons"] == own + 1 and fleet()["generation"] > 1)
        assert fleet()["dropped_lessons"] == {
            "unsigned": 3,
            "untrusted": 2,
            "numbers": 1,
            "dimension": 1,
            "other model": 1,
            "label": 1,
            "size": 2,
            "broken": 1,
            "topic": 1,
            "taken back": 1,
        }
        assert serving.state()["signs"]["classes"] == ["down", "up"]
        assert fleet()["peers"][0]["used"] == 1
        assert serving.stop() == 0
        assert "Traceback" not in serving.log
