"""The small programs in examples/ run as they are, and do what their page says of them."""

from __future__ import annotations

import importlib.util
import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from mosquitto import Broker, needs_broker
from places import ROOT

from device.serve.config import MqttConfig
from device.serve.event import LabelEvent
from device.serve.mqtt import Mqtt
from edge_tl import HEADS, SimulatedPlayer, SourceError, make_head
from edge_tl.media.image import encode_jpeg
from edge_tl.testing import check_source

FOLDER = ROOT / "examples"
PROGRAMS = sorted(FOLDER.glob("*.py"))
LONG_S = 60.0


def start(name: str, *arguments: object) -> subprocess.Popen[str]:
    """A program as a person starts it; stdout is to be read."""
    command = [sys.executable, "-W", "error", str(FOLDER / name), *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(name: str, *arguments: object, code: int = 0) -> tuple[list[str], list[str]]:
    """The lines that it says on stdout and stderr, after it ended with this code."""
    process = start(name, *arguments)
    out, errors = process.communicate(timeout=10 * LONG_S)
    assert process.returncode == code, out + errors
    return out.splitlines(), errors.splitlines()


def loaded(name: str) -> ModuleType:
    """A program as a module, for what stands in it."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_are_five_small_ones_and_the_page_names_them() -> None:
    """Five programs of at most 60 lines, a row each on their page."""
    named = re.findall(r"^\| \[`(\w+\.py)[^`]*`\]\((\w+\.py)\) \|", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert sorted(named) == [(path.name, path.name) for path in PROGRAMS]
    assert len(PROGRAMS) == 5
    assert all(len(path.read_text().splitlines()) <= 60 for path in PROGRAMS)


def test_a_source_of_ones_own(tmp_path: Path) -> None:
    """Each picture that is written is delivered once, and the source keeps what every source promises."""
    path = tmp_path / "snapshot.jpg"
    path.write_bytes(encode_jpeg(np.zeros((48, 64, 3), np.uint8)))
    own = loaded("own_source")
    check_source(lambda: own.SnapshotSource(path), frames=1)
    with pytest.raises(SourceError, match="no such file"):
        own.SnapshotSource(tmp_path / "other.jpg").open()
    with start("own_source.py", path, 2) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "picture 0: 64×48 pixels\n"
            path.write_bytes(encode_jpeg(np.zeros((24, 32, 3), np.uint8)))
            assert process.stdout.readline() == "picture 1: 32×24 pixels\n"
        finally:
            _, errors = process.communicate(timeout=10 * LONG_S)
    assert (process.returncode, errors) == (0, "")
    assert run("own_source.py", tmp_path / "other.jpg", code=1)[1][0].startswith("own_source: ")


def test_a_head_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is right more often than not on what it was not taught, goes by its name, and comes back from its state."""
    (said,), _ = run("own_head.py")
    assert int(re.findall(r"^bayes: (\d+)% accuracy on held-out takes$", said)[0]) > 50
    own = loaded("own_head").BayesHead
    monkeypatch.setitem(HEADS, own.name, own)
    X = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32) + np.repeat([[0], [4]], 6, axis=0)
    head = make_head("bayes").fit(X, ["a"] * 6 + ["b"] * 6)
    assert head.score(X, ["a"] * 6 + ["b"] * 6) == 1
    again = own.from_state(*head.state())
    assert (again.predict_proba(X) == head.predict_proba(X)).all()


def test_an_output_of_ones_own() -> None:
    """Whoever listens hears each pose that the player shows, in their order, and no other."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(LONG_S)
        assert run("own_output.py", "--port", ear.getsockname()[1]) == ([], [])
        heard: list[str] = []
        while "right" not in heard:
            told = json.loads(ear.recv(2000))
            assert 0 <= told["confidence"] <= 1
            heard += [] if told["label"] is None else [told["label"]]
    assert heard == ["up", "down", "left", "right"]


@needs_broker
def test_a_program_that_hears_the_service_over_mqtt(tmp_path: Path) -> None:
    """What the service's own output publishes to a real broker comes out as a line each, then it ends."""
    pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
    with Broker(tmp_path) as broker:
        config = MqttConfig("127.0.0.1", broker.port, name="kitchen")
        service = Mqtt(config, tmp_path, dict, lambda line: None)
        with start("mqtt_consumer.py", "--port", broker.port, "--count", 2) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "listening\n"
                service.start()
                while service.health()["state"] != "ok":
                    assert process.poll() is None
                service.publish(LabelEvent("fist", 0.93, "signs", 1000.0, 3))
                service.publish(LabelEvent(None, 0.4, "signs", 1001.0, 3))
                assert process.stdout.readline() == "kitchen signs: fist (93%)\n"
                assert process.stdout.readline() == "kitchen signs: nothing (40%)\n"
                assert process.wait(LONG_S) == 0
            finally:
                service.stop()
                process.kill()
    assert "is it running?" in run("mqtt_consumer.py", "--port", broker.port, code=1)[1][0]


def test_a_folder_is_evaluated(tmp_path: Path) -> None:
    """It tells what is right on takes left out, and what was taken for what; a wrong folder is one line."""
    with SimulatedPlayer(seed=2) as player:
        for take in range(6):
            player.pose = ("left", "right")[take % 2]
            player.new_session()
            folder = tmp_path / "pictures" / player.pose / str(take)
            folder.mkdir(parents=True)
            for number in range(6):
                (folder / f"{number}.jpg").write_bytes(encode_jpeg(player.read().data))
    (tmp_path / "pictures" / "left" / "notes.txt").write_text("these are mine")
    out, errors = run("evaluate_folder.py", tmp_path / "pictures")
    assert out[0] == "36 pictures, 6 takes, 2 classes, head ridge"
    assert re.match(r"accuracy on held-out takes: \d+% \(95 % interval", out[1])
    assert "a random split would have claimed 100%" in out
    assert out[-2].startswith("  left was recognized as ")
    assert len(errors) == 1
    assert "notes.txt" in errors[0]
    assert run("evaluate_folder.py", tmp_path / "nothing", code=1)[1][0].startswith("evaluate_folder: ")
