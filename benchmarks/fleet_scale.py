"""Twenty real services and five hundred simulated devices at one broker: how soon all know what one is taught.

The services are processes of their own (`fleet_service`), each with examples of some classes only; the simulated
devices (`fleet_crowd`) hold signed lessons, leave and come back. In each round one service is taught a class that
nobody has, and what is measured is the time from the answer to *Train* until the others have saved a generation that
knows it.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fleet_crowd import FLEET, key_of_crowd
from benchmarks.pictures import ROOT
from benchmarks.record import table
from benchmarks.serving import Serving
from edge_tl.core.kept import as_stored
from edge_tl.embedders.embedder import Embedder
from edge_tl.embedders.look.choices import Look
from edge_tl.fleet.keys import key_of, key_text
from edge_tl.media.image import encode_jpeg
from edge_tl.sources.simulated import POSES, SimulatedPlayer
from edge_tl.store.profile import Profile
from edge_tl.store.settings import write_settings

SERVICES, CROWD, ROUNDS = 20, 500, 6
PEOPLE, FRAMES = 3, 6
"""Whose drawn hands the examples are of, and frames a take."""
TOGETHER = 4
"""So many services start at the same time."""
TRIES, BUSY = 20, 503
LONG_S, QUIET_S = 600.0, 6.0
"""Nothing takes longer; and so long nothing may change before a round begins."""
NEW = "new "
"""How the classes begin that are taught in the rounds."""


@dataclass(frozen=True)
class Broker:
    """A running mosquitto."""

    process: subprocess.Popen[bytes]
    port: int

    def status(self) -> dict[str, float]:
        """Its resident memory now and at most, in MiB, and its seconds of processor time."""
        lines = dict(line.split(":", 1) for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines())
        ticks = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
        return {
            "rss_mib": int(lines["VmRSS"].split()[0]) / 1024,
            "peak_mib": int(lines["VmHWM"].split()[0]) / 1024,
            "cpu_s": sum(map(int, ticks)) / 100,
        }


def start_broker(folder: Path, stack: ExitStack, more: str = "") -> Broker:
    """A mosquitto without a disk on a free port; it ends with the stack."""
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n{more}")
    process = subprocess.Popen([str(mosquitto), "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL)
    stack.callback(lambda: (process.kill(), process.wait()))
    return Broker(process, port)


def pool_of(embedder: Embedder) -> dict[str, np.ndarray]:
    """Label → embeddings of drawn hands of some people, in two takes each."""
    made: dict[str, list[np.ndarray]] = {label: [] for label in POSES}
    for person in range(PEOPLE):
        player = SimulatedPlayer(person, subject="hand")
        player.open()
        for label in POSES:
            player.pose = label
            for _ in range(2):
                player.new_session()
                for _ in range(FRAMES):
                    found = embedder.embed(player.read().data)
                    if found is not None:
                        made[label].append(found)
    return {label: np.stack(rows) for label, rows in made.items()}


class ScaleDevice:
    """A service with a profile that holds some classes, and a folder of generations that is looked into."""

    def __init__(self, folder: Path, number: int) -> None:
        self.name, self.number, self.folder = f"pi {number}", number, folder / f"pi {number}"
        self.state = self.folder / "state"
        self.state.mkdir(parents=True)
        self.key = key_text(key_of(self.state / "fleet-key").public)
        self.generations = self.state / "profiles" / "default" / "generations"
        self.known: dict[str, float] = {}
        """Class → when a generation was saved that knows it."""
        self._read: set[str] = set()

    def fill(self, pool: dict[str, np.ndarray], fingerprint: str, models: Path) -> None:
        """Examples of three of the five classes, as if somebody had recorded them."""
        (self.state / "models").symlink_to(models)
        chance, labels = np.random.default_rng(self.number), sorted(pool)
        with Profile(self.state / "profiles" / "default", writable=True) as profile:
            write_settings(profile.folder, look=Look("hand"))
            for label in (labels[(self.number + at) % len(labels)] for at in range(3)):
                for _ in range(2):
                    take = profile.store.new_take(label)
                    for row in pool[label][chance.integers(len(pool[label]), size=FRAMES)]:
                        some = as_stored((row + chance.normal(0, 0.02, len(row))).astype(np.float32))
                        profile.store.add(take, None, some, fingerprint)
            profile.store.flush()

    def configure(self, trusted: str, port: int, stack: ExitStack, hub: str) -> None:
        """The service, which ends with the stack; hub: who trains for all, empty for nobody."""
        table = (
            f'[pipelines.signs]\ncamera = "sim:hand"\nlook = "hand"\n[mqtt]\nhost = "127.0.0.1"\nport = {port}\n'
            f'discovery = ""\n[fleet]\nname = "{FLEET}"\ndevice = "{self.name}"\n'
            f"{f'hub = {json.dumps(hub)}' if hub else ''}\n[fleet.trusted]\n{trusted}"
        )
        self.serving = stack.enter_context(Serving(self.folder, table, module="benchmarks.fleet_service"))

    def begin(self) -> None:
        """Start the service and train it; it is ready when this returns."""
        self.serving.start()
        self._patiently(lambda: self.serving.ask("/api/pipelines/signs/train", {}))

    def fleet(self) -> dict[str, Any]:
        """What it says of the fleet."""
        return dict(self.serving.ask("/health")[1]["outputs"]["fleet"])

    def teach(self, label: str, pictures: list[bytes]) -> float:
        """Two takes of a class, brought as files, and trained; when the answer to that came."""
        half = len(pictures) // 2
        for some in (pictures[:half], pictures[half:]):
            take = 0
            for at, one in enumerate(some):
                take = self._patiently(lambda at=at, one=one, take=take: self._bring(label, at, one, take))["take"]
        self._patiently(lambda: self.serving.ask("/api/pipelines/signs/train", {}))
        return time.time()

    def _bring(self, label: str, at: int, picture: bytes, take: int) -> tuple[int, Any]:
        return self.serving.give("/api/pipelines/signs/upload", picture, label=label, file=f"{at}.jpg", take=take)

    @staticmethod
    def _patiently(ask: Callable[[], tuple[int, Any]]) -> Any:
        """Ask again while the device says that it is too busy, as a person does."""
        for _ in range(TRIES):
            code, answer = ask()
            if code != BUSY:
                break
        assert code == 200, answer
        return answer

    def look(self) -> None:
        """Read the generations that are new."""
        for folder in self.generations.glob("*"):
            about = folder / "profile.json"
            if folder.name.isdecimal() and folder.name not in self._read and about.is_file():
                self._read.add(folder.name)
                for label in json.loads(about.read_text())["meta"]["head"]["classes"]:
                    self.known.setdefault(label, about.stat().st_mtime)

    @property
    def memory_mib(self) -> float:
        """At most, resident."""
        assert self.serving.process is not None
        lines = Path(f"/proc/{self.serving.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def wait(what: str, true: Callable[[], bool], pause_s: float = 0.5) -> float:
    """Ask until something is so; the seconds it took. AssertionError where that is too long."""
    begun_s = time.monotonic()
    while not true():
        assert time.monotonic() - begun_s < LONG_S, f"{what} did not come"
        time.sleep(pause_s)
    return time.monotonic() - begun_s


class CrowdProcess:
    """The simulated devices; `ask` has them do something."""

    def __init__(self, folder: Path, port: int, count: int, stack: ExitStack) -> None:
        words = ["nice", "-n", "10", sys.executable, "-m", "benchmarks.fleet_crowd", str(folder), str(port)]
        self._process = subprocess.Popen(
            [*words, str(count), "1"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        stack.callback(self._end)

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def ask(self, *lines: str) -> None:
        """Give it lines."""
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{line}\n" for line in lines))
        self._process.stdin.flush()

    def report(self) -> dict[str, Any]:
        """What it says of itself."""
        self.ask("report")
        assert self._process.stdout is not None
        return dict(json.loads(self._process.stdout.readline()))


def scale(
    embedder: Embedder,
    models: Path,
    services: int = SERVICES,
    crowd: int = CROWD,
    rounds: int = ROUNDS,
    *,
    hub: bool = False,
) -> dict[str, Any]:
    """All of it: times from taught to acting, what the broker and each device needed; hub: whether the first service
    trains for all."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker, pool = start_broker(folder, stack), pool_of(embedder)
        np.savez(folder / "pool.npz", fingerprint=embedder.fingerprint, **pool)  # type: ignore[arg-type]
        devices = [ScaleDevice(folder, number) for number in range(services)]
        keys = {one.name: one.key for one in devices}
        keys |= {f"crowd {number}": key_text(key_of_crowd(number).public) for number in range(crowd)}
        trusted = "".join(f'"{name}" = "{key}"\n' for name, key in keys.items())
        for one in devices:
            one.fill(pool, embedder.fingerprint, models)
            one.configure(trusted, broker.port, stack, devices[0].name if hub else "")
        with ThreadPoolExecutor(TOGETHER) as some:
            list(some.map(lambda one: one.begin(), devices))
        settled_s = _settled(devices)
        alone = _rounds(devices, range(rounds), embedder)
        result: dict[str, Any] = {"services": services, "all trained, then the same set, s": settled_s, "alone": alone}
        if crowd:
            simulated = CrowdProcess(folder, broker.port, crowd, stack)
            caught_s = wait("the crowd", lambda: simulated.report()["caught_up"] == crowd)
            result["crowd caught up, s"] = caught_s
            before = simulated.report()
            simulated.ask("churn 0.5", "lesson", "forget")
            _settled(devices)
            result["with crowd"] = _rounds(devices, range(rounds, 2 * rounds), embedder)
            simulated.ask("churn 0")
            _settled(devices)
            wait("the crowd again", lambda: len(simulated.report()["held"]) == 1)
            after = simulated.report()
            result["crowd"] = {
                "devices": crowd,
                "joins": after["joins"] - crowd,
                "bytes to join": before["received"] / crowd,
                "bytes sent": before["sent"] / crowd,
                "held": after["held"][0],
            }
        result |= {"lessons": devices[0].fleet()["lessons"], "broker": broker.status(), "load": os.getloadavg()[0]}
        result["service MiB at most"] = max(one.memory_mib for one in devices)
        return result


def report(result: dict[str, Any]) -> str:
    """The tables."""
    rows: list[list[object]] = []
    for name, words in (("alone", "alone"), ("with crowd", f"with {result.get('crowd', {}).get('devices', 0)} more")):
        if name in result:
            of = result[name]
            rows.append([f"{result['services']} services {words}", of["p50"], of["p95"], of["most"]])
    text = table(["taught → acting on the others", "median, s", "95 %, s", "longest, s"], rows)
    broker, crowd = result["broker"], result.get("crowd")
    said = [
        f"All trained at once had the same lessons after {result['all trained, then the same set, s']:.0f} s.",
        f"{result['lessons']} lessons; the broker needed {broker['peak_mib']:.0f} MiB and {broker['cpu_s']:.0f} s of "
        f"processor time, a service at most {result['service MiB at most']:.0f} MiB.",
    ]
    if crowd:
        said.append(
            f"A simulated device received {crowd['bytes to join'] / 1e6:.2f} MB when it joined and sent "
            f"{crowd['bytes sent'] / 1e3:.1f} kB; {crowd['joins']} times one left and came back."
        )
    return f"{text}\n\n{' '.join(said)} Load {result['load']:.0f} on two processors."


def _settled(devices: list[ScaleDevice]) -> float:
    """Wait until all hold the same lessons and have trained on them; the seconds until they did."""
    begun_s, last, since_s = time.monotonic(), "", time.monotonic()
    while True:
        states = [one.fleet() for one in devices]
        now = json.dumps([(one.get("set"), one.get("generation"), one["state"]) for one in states])
        if now != last or len({one.get("set") for one in states}) > 1:
            last, since_s = now, time.monotonic()
        if time.monotonic() - since_s > QUIET_S:
            return since_s - begun_s
        assert time.monotonic() - begun_s < LONG_S, f"no rest: {now}"
        time.sleep(1.0)


def _pictures(embedder: Embedder, number: int) -> Iterator[bytes]:
    """Drawn hands of a person whom nobody knows, in which a hand is found."""
    player = SimulatedPlayer(100 + number, subject="hand")
    player.open()
    player.pose = list(POSES)[number % len(POSES)]
    for _ in range(2):
        player.new_session()
        found = 0
        while found < FRAMES:
            frame = player.read()
            if embedder.embed(frame.data) is not None:
                found += 1
                yield encode_jpeg(frame.data)


def _rounds(devices: list[ScaleDevice], rounds: range, embedder: Embedder) -> dict[str, Any]:
    """Teach one after the other; the seconds until each of the others acts, and what they say of it themselves."""
    took: list[float] = []
    for number in rounds:
        _settled(devices)
        label, teacher = f"{NEW}{number}", devices[number % len(devices)]
        taught_s = teacher.teach(label, list(_pictures(embedder, number)))
        others = [one for one in devices if one is not teacher]

        def all_know(others: list[ScaleDevice] = others, label: str = label) -> bool:
            for one in others:
                one.look()
            return all(label in one.known for one in others)

        wait(f"the class {label}", all_know, 0.1)
        took += [one.known[label] - taught_s for one in others]
        print(f"{label}: {np.round(sorted(took[-len(others) :]), 2).tolist()}", file=sys.stderr, flush=True)
    return {
        "rounds": len(rounds),
        "p50": float(np.quantile(took, 0.5)),
        "p95": float(np.quantile(took, 0.95)),
        "most": max(took),
    }
