"""Two real services and a real broker: one is taught, the other one knows it, and forgets what is taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mosquitto import Broker, needs_broker
from service_parts import command, taught
from waiting import until

from benchmarks.serving import Serving
from edge_tl.fleet.keys import key_of, key_text

pytest.importorskip("cryptography", reason="cryptography is not installed (extra fleet)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")


def fleet(one: Serving) -> dict[str, Any]:
    """What it says of its fleet."""
    return dict(one.ask("/health")[1]["outputs"]["fleet"])


@needs_broker
def test_what_one_service_is_taught_the_other_one_knows(tmp_path: Path) -> None:
    """It learns by itself, looking as the first one does, keeps it over a kill, and forgets a lesson that the first one
    takes back; nobody chose how it looks, and nothing was recorded there."""
    keys = {}
    for name in ("desk", "shelf"):
        (tmp_path / name / "state").mkdir(parents=True)
        keys[name] = key_text(key_of(tmp_path / name / "state" / "fleet-key").public)

    def of(name: str, other: str, port: int) -> Serving:
        mqtt = f'[mqtt]\nhost = "127.0.0.1"\nport = {port}\ndiscovery = ""\n'
        table = f'[fleet]\nname = "home"\ndevice = "{name}"\n[fleet.trusted]\n{other} = "{keys[other]}"\n'
        undecided = '[pipelines.signs]\ncamera = "sim"\n' if name == "shelf" else ""
        return Serving(tmp_path / name, mqtt + table + undecided)

    with (
        Broker(tmp_path) as broker,
        of("desk", "shelf", broker.port) as desk,
        of("shelf", "desk", broker.port) as shelf,
    ):
        desk.start()
        shelf.start()
        assert shelf.state()["signs"]["look"] == "auto"
        taught(desk)
        until(lambda: fleet(desk).get("given", 0) >= 4)
        given = fleet(desk)["given"]  # four, or more where the machine stood still while the button was held
        until(lambda: fleet(shelf).get("lessons") == given and fleet(shelf).get("generation", 0) > 0)
        assert shelf.state()["signs"]["classes"] == ["down", "up"]
        until(lambda: shelf.state()["signs"]["look"] == "frame")
        assert "uses the way of the fleet's other devices: frame" in shelf.state()["signs"]["looking"]
        until(lambda: fleet(desk)["set"] == fleet(shelf)["set"])
        told = command("fleet", "status", "--json", "--config", str(desk.config), folder=tmp_path)
        assert told.returncode == 0, told.stderr
        lesson = json.loads(told.stdout)["given"][0]["lesson"]
        done = command("fleet", "forget", lesson[:16], "--config", str(desk.config), folder=tmp_path)
        assert done.returncode == 0, done.stderr
        until(lambda: fleet(shelf)["lessons"] == given - 1)
        shelf.kill()
        shelf.start()
        until(lambda: fleet(shelf).get("set") == fleet(desk)["set"])
        assert fleet(shelf)["lessons"] == given - 1
        assert "restore a backup" not in shelf.ask("/health")[1]["pipelines"]["signs"]["last_error"]
        assert f"edge_tl_fleet_lessons {given - 1}.0" in shelf.ask("/metrics")[1].decode()
        assert shelf.stop() == 0
        assert desk.stop() == 0
        assert "Traceback" not in desk.log + shelf.log
