"""Three devices on one machine that learn from each other: `make demo-fleet`.

A mosquitto, three services with a simulated player each, in processes of their own. One is taught; then each of the
three is asked about the same frames. Everything lies in a folder that goes again.
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from edge_tl.fleet.keys import key_of, key_text

NAMES = ("kitchen", "desk", "shelf")
LABELS = ("left", "neutral", "right")
"""Directions to which the simulated player turns his head."""
EXAMPLES, TAKES = 12, 2
LONG_S = 180.0


def free_port() -> int:
    """One that nobody listens at just now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


class DemoDevice:
    """A service of its own, with its key, state and console."""

    def __init__(self, folder: Path, name: str, broker: int) -> None:
        self.name, self.folder, self.port, self.broker = name, folder / name, free_port(), broker
        (self.folder / "state").mkdir(parents=True)
        self.key = key_text(key_of(self.folder / "state" / "fleet-key").public)

    def begin(self, keys: dict[str, str], stack: ExitStack) -> None:
        """Start it; it ends with the stack."""
        trusted = "\n".join(f'{name} = "{key}"' for name, key in keys.items() if name != self.name)
        (self.folder / "edge-tl.toml").write_text(
            f'data_dir = "{self.folder / "state"}"\nthreads = 1\n'
            f'[pipelines.signs]\ncamera = "sim:head"\nlook = "frame"\n[web]\nport = {self.port}\n'
            f'[mqtt]\nhost = "127.0.0.1"\nport = {self.broker}\ndiscovery = ""\n'
            f'[fleet]\nname = "demo"\ndevice = "{self.name}"\n[fleet.trusted]\n{trusted}\n'
        )
        log = stack.enter_context((self.folder / "log").open("wb"))
        code = "import sys; from device.commands.main import main; sys.exit(main())"
        words = [sys.executable, "-c", code, "serve", "--config", str(self.folder / "edge-tl.toml")]
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        stack.callback(_end, process)
        self.process = process

    def ask(self, path: str, body: Any = None) -> Any:
        """GET, or POST of JSON."""
        data = None if body is None else json.dumps(body).encode()
        url, kind = f"http://127.0.0.1:{self.port}{path}", {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(url, data, kind), timeout=LONG_S) as answer:
            return json.load(answer)

    def act(self, action: str, **given: Any) -> Any:
        """Ask its pipeline to do something."""
        return self.ask(f"/api/pipelines/signs/{action}", given)

    def until(self, what: str, true: Any) -> Any:
        """Ask how it does until something is so; what it said then."""
        end_s = time.monotonic() + LONG_S
        while time.monotonic() < end_s:
            try:
                health = self.ask("/health")
                if true(health):
                    return health
            except (OSError, urllib.error.URLError):
                if self.process.poll() is not None:
                    break
            time.sleep(0.1)
        sys.exit(f"{self.name}: {what} did not come:\n{(self.folder / 'log').read_text()}")

    def teach(self, label: str) -> int:
        """Hold a button until there are so many more examples; how many there are."""
        before = self.act("release")["counts"].get(label, [0])[0]
        while self.act("record", label=label)["counts"].get(label, [0])[0] < before + EXAMPLES:
            time.sleep(0.05)
        return int(self.act("release")["counts"][label][0])


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main() -> None:
    """Show it."""
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if mosquitto is None:
        sys.exit("make demo-fleet needs a broker: sudo apt install mosquitto")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edge-tl-fleet-")))
        port = free_port()
        (folder / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
        broker = subprocess.Popen([mosquitto, "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL)
        stack.callback(_end, broker)
        devices = [DemoDevice(folder, name, port) for name in NAMES]
        for one in devices:
            one.begin({other.name: other.key for other in devices}, stack)
        print(f"starting three devices: {', '.join(NAMES)}, each with a simulated player and no examples", flush=True)
        for one in devices:
            one.until("its fleet", lambda health: health["outputs"]["fleet"]["state"] == "ok")
        first, *others = devices
        for _ in range(TAKES):
            for label in LABELS:
                print(f"  {first.name} records {label!r}: {first.teach(label)} examples", flush=True)
        trained = first.act("train")
        begun_s = time.monotonic()
        print(f"{first.name} trained in {trained['train_ms']:.0f} ms and shares its lessons", flush=True)
        for one in others:
            health = one.until("a head", lambda health: health["pipelines"]["signs"]["generation"] > 0)
            fleet = one.until("a lesson", lambda health: health["outputs"]["fleet"].get("acting_s") is not None)
            took = fleet["outputs"]["fleet"]["acting_s"]
            print(
                f"  {one.name} recognizes {', '.join(health['pipelines']['signs']['classes'] or LABELS)} "
                f"{time.monotonic() - begun_s:.1f} s after the training, {took:.1f} s after receiving the lessons"
            )
        print("\npictures from the kitchen, classified by all three:", flush=True)
        right = agree(devices)
        for one in devices:
            print(f"  {one.name:8} {right[one.name]} of {right['asked']} correct")
        sets = {one.ask("/health")["outputs"]["fleet"]["set"] for one in devices}
        print(f"\nall have the same lessons: {'yes' if len(sets) == 1 else 'no'}")
        print("no picture left its device; docs/fleet.md explains what did, and how to set this up on Pis")
    if len(sets) > 1 or min(right.values()) < 0.8 * right["asked"]:
        sys.exit("this result is wrong: please report it")


def agree(devices: list[DemoDevice]) -> dict[str, int]:
    """How many examples of the one that was taught each device names rightly; asked: how many there are."""
    first, right = devices[0], dict.fromkeys((*NAMES, "asked"), 0)
    for label in LABELS:
        for row in first.ask(f"/api/pipelines/signs/examples?label={label}")["examples"][:5]:
            url = f"http://127.0.0.1:{first.port}/api/pipelines/signs/examples/{row['id']}.jpg"
            with urllib.request.urlopen(url, timeout=LONG_S) as answer:
                picture = answer.read()
            right["asked"] += 1
            for one in devices:
                place = f"http://127.0.0.1:{one.port}/api/pipelines/signs/ask?file=a.jpg"
                asked = urllib.request.Request(place, picture, {"Content-Type": "image/jpeg"})
                with urllib.request.urlopen(asked, timeout=LONG_S) as answer:
                    right[one.name] += json.load(answer)["nearest"] == label
    return right


if __name__ == "__main__":
    main()
