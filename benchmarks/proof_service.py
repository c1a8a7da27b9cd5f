"""The service for months, in minutes: a million frames, two hundred kills, and what each part costs in memory.

soak     the real loop, feed and socket with a faked camera and embedder; a frame in a hundred is embedded by the model
         that ships, and ten times it is trained. Memory and descriptors after a tenth of the frames and at the end, the
         most that memory grew after the first training, and how long a round takes
visits   the real process for an hour: trainings, browsers that come and go, a command for every label
kills    the real process, killed at random moments while it is taught, trained, saved and rolled back
memory   resident memory of the real process with the simulated player, after it saw some hundred frames
"""

from __future__ import annotations

import http.client
import os
import random
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.record import table
from benchmarks.service_visits import visited
from benchmarks.serving import Serving
from device.serve.config import PipelineConfig, StoreConfig
from device.serve.local import LocalSocket
from device.serve.pipeline import Pipeline
from device.serve.service import Service
from device.serve.source_thread import Feed
from device.serve.systemd import Notify
from device.sources.reconnect import ReconnectingSource
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import counted
from edge_tl.frames import BaseSource, Frame
from edge_tl.models import default_model
from edge_tl.store.profile import Profile
from edge_tl.testing import FakeEmbedder

FRAMES, ROUNDS, MINUTES = 1_000_000, 200, 60.0
EACH = 100
"""Every so many frames the model that ships runs too."""


class Camera(BaseSource):
    """A camera that has the next picture whenever the loop took the one before; two things, in turn for a second.

    taken: released whenever the loop took a picture. shown: how many it took; it says which thing is held up, so that
    pictures which a busy machine passes over never put one thing under the other's name.
    """

    name, simulated = "faked camera", True

    def __init__(self, taken: threading.Semaphore, shown: Callable[[], int]) -> None:
        self._taken, self._shown, self._number = taken, shown, 0
        rng = np.random.default_rng(0)
        self._pictures = [
            np.clip(level + rng.normal(0, 6, (24, 32, 3)), 0, 255).astype(np.uint8)
            for level in (40, 210)
            for _ in range(30)
        ]

    def open(self) -> None:
        """Nothing to do."""

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The next picture; a little later where the one before was not taken, as one is that no longer shows what was
        asked for."""
        self._taken.acquire(timeout=timeout_s)
        thing, number = self._shown() // 30 % 2, self._shown() % 30
        self._number += 1
        return Frame(self._pictures[30 * thing + number], self._number / 30, self._number)

    def close(self) -> None:
        """Nothing to do."""


class Thinned:
    """The faked embedder, beside which the real model sees a frame in EACH."""

    def __init__(self) -> None:
        self._fake, self._real = FakeEmbedder(), TFLiteEmbedder.load(default_model(), threads=1)
        self._seen = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fake, name)

    def embed(self, picture: np.ndarray) -> np.ndarray:
        """The faked embedding."""
        self._seen += 1
        if self._seen % EACH == 0:
            self._real.embed(picture)
        return self._fake.embed(picture)


def soak(frames: int, folder: Path) -> dict[str, Any]:
    """So many frames through the real loop; memory, descriptors and the time of a round, early and late."""
    taken = threading.Semaphore(1)
    done = 0

    def clock() -> float:
        return done / 30

    service = Service([], Notify({}), clock=clock, wall=time.time, log=lambda _: None)
    with Profile(folder / "profile", writable=True) as profile:
        feed = Feed(ReconnectingSource(lambda: Camera(taken, lambda: done)), service.wake, time.monotonic, "picture")
        embedder: Any = Thinned()
        config = PipelineConfig(camera="sim", smoothing_s=0.05)
        pipeline = Pipeline(
            "signs", config, StoreConfig(), profile, embedder, feed, clock=clock, wall=time.time, beat=lambda: None
        )
        service.pipelines["signs"] = pipeline
        local = LocalSocket(folder / "soak.sock", lambda: service.health)
        local.start()
        service.outputs.append(local)
        heard = _listener(folder / "soak.sock")
        # Made before the first frame, so that the measuring itself takes no memory in between.
        times_s = {"early": np.zeros(frames // 10), "late": np.zeros(frames // 10)}
        marks: dict[str, tuple[float, int]] = {}
        settled: list[float] = []
        """Memory after each training."""
        with feed:
            while done < frames:
                service._news.wait(1.0)
                service._news.clear()
                start_s = time.perf_counter()
                service.step()
                took_s = time.perf_counter() - start_s
                if pipeline.line.frames == done:
                    assert feed.state == "open", feed.fault  # or it would wait for ever
                    continue
                done = pipeline.line.frames
                taken.release()
                _teach(pipeline, done, frames)
                if done % (frames // 10) == frames // 20:
                    with service.at_work("training signs"):
                        pipeline.train()
                    settled.append(_memory_mib())
                if frames // 10 < done <= frames // 5:
                    times_s["early"][done - frames // 10 - 1] = took_s
                elif done > frames - frames // 10:
                    times_s["late"][done - (frames - frames // 10) - 1] = took_s
                if done in (frames // 10, frames):
                    marks["early" if done < frames else "late"] = _memory_mib(), len(os.listdir("/proc/self/fd"))
        events = service.reported
        local.stop()
        heard.close()
    return {
        "frames": frames,
        "events": events,
        "trainings": len(settled),
        "grown_mib": round(max(settled[1:]) - settled[0], 2),
        "memory_mib": [round(marks[part][0], 2) for part in ("early", "late")],
        "descriptors": [marks[part][1] for part in ("early", "late")],
        "round_p50_ms": [float(1e3 * np.percentile(times_s[part], 50)) for part in ("early", "late")],
        "round_p99_ms": [float(1e3 * np.percentile(times_s[part], 99)) for part in ("early", "late")],
    }


def _teach(pipeline: Pipeline, done: int, frames: int) -> None:
    """In the first hundredth of the frames, two thousand at most, it is taught the two things that come in turn."""
    lesson = min(frames // 100, 2_000)
    if done < lesson and done % 30 < 25:
        pipeline.record("dark" if (done // 30) % 2 == 0 else "light")
    elif done % 30 == 26 and done < lesson:
        pipeline.release()
    elif done == lesson:
        pipeline.release()
        pipeline.train()


def process_mib(serving: Serving) -> float:
    """Resident memory of a service's process."""
    assert serving.process is not None
    pages = Path(f"/proc/{serving.process.pid}/statm").read_text().split()[1]
    return round(int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def _listener(path: Path) -> socket.socket:
    """A client that reads all events, in a thread."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))

    def read() -> None:
        while client.recv(65536):
            pass

    threading.Thread(target=read, daemon=True).start()
    return client


def _memory_mib() -> float:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


def killed(folder: Path, rounds: int, seed: int) -> dict[str, int]:
    """Kill the service at random moments while it is taught, trained, saved and rolled back; look after each start.

    How many rounds, how many requests were acknowledged, and how many starts lacked an acknowledged example or found no
    whole generation where one was acknowledged.
    """
    rng = random.Random(seed)
    least: dict[str, int] = {}
    generation = acknowledged = lost = damaged = 0
    with Serving(folder) as serving:
        for _ in range(rounds):
            serving.start()
            state = serving.state()["signs"]
            have = {label: count for label, (count, _) in state["counts"].items()}
            lost += any(have.get(label, 0) < number for label, number in least.items())
            damaged += bool(state["last_error"]) or (generation > 0 and state["generation"] == 0)
            least = have
            assert serving.process is not None
            timer = threading.Timer(rng.uniform(0.05, 1.5), serving.process.kill)
            timer.start()
            try:
                while True:
                    action = rng.choice(("record", "record", "record", "release", "train", "roll-back"))
                    given = {"label": rng.choice(("up", "down", "left"))} if action == "record" else {}
                    status, answer = serving.ask(f"/api/pipelines/signs/{action}", given)
                    if status == 200:
                        acknowledged += 1
                        generation = max(generation, answer["generation"])
                        least = {name: count for name, (count, _) in answer["counts"].items()}
            except (OSError, ValueError, http.client.HTTPException):  # it was killed
                pass
            timer.join()
            serving.kill()
    return {"rounds": rounds, "acknowledged": acknowledged, "lost": lost, "damaged": damaged}


MORE = {
    "socket only": ("", False),
    "and console": ("", True),
    "and MQTT client": ('[mqtt]\nhost = "127.0.0.1"\nport = 1\n', True),
}


def memory(folder: Path) -> dict[str, float]:
    """MiB resident of the real process, with more and more of it."""
    made = {}
    for name, (more, web) in MORE.items():
        with Serving(folder / name.replace(" ", "-"), more, web=web) as serving:
            serving.start()
            for _ in range(8):
                serving.wait_for("STATUS=")
            made[name] = process_mib(serving)
    return made


def measure(frames: int = FRAMES, rounds: int = ROUNDS, minutes: float = MINUTES) -> dict[str, Any]:
    """All of it, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            "memory": memory(Path(folder) / "memory"),
            "kills": killed(Path(folder) / "kills", rounds, seed=1),
            "soak": soak(frames, Path(folder)),
            "visits": visited(Path(folder) / "visits", minutes),
        }


def report(result: dict[str, Any]) -> str:
    """A sentence and three tables, and a fourth of visits where they were measured."""
    soaked, kills = result["soak"], result["kills"]
    rows = [
        [name, *(f"{value:.2f}" if isinstance(value, float) else str(value) for value in soaked[key])]
        for name, key in (
            ("memory, MiB", "memory_mib"),
            ("descriptors", "descriptors"),
            ("a round, median, ms", "round_p50_ms"),
            ("a round, 99 % within, ms", "round_p99_ms"),
        )
    ]
    grown = ""
    if "trainings" in soaked:
        grown = f"; {counted(soaked['trainings'], 'training')}, {soaked['grown_mib']:.1f} MiB more after the first"
    return "\n\n".join(
        [
            f"{soaked['frames']:,} frames, {soaked['events']:,} events{grown}",
            table(["", "after a tenth", "at the end"], rows),
            table(
                ["kill -9, rounds", "requests acknowledged", "starts that lacked something", "without a generation"],
                [[str(kills[key]) for key in ("rounds", "acknowledged", "lost", "damaged")]],
            ),
            *([_visits(result["visits"])] if "visits" in result else []),
            table(
                ["the process with", "MiB resident"], [[name, f"{mib:.1f}"] for name, mib in result["memory"].items()]
            ),
        ]
    )


def _visits(found: dict[str, Any]) -> str:
    """The table of `visited`; with the memory while the visitors are away, where it was measured."""
    titles = ["minutes", "visits", "events", "trainings", "MiB after the first", "after the last", "grown at most"]
    memory = [f"{mib:.1f}" for mib in (*found["memory_mib"], found["grown_mib"])]
    if "thirds_mib" in found:  # results of before had another way to measure
        titles += ["median of each third", "the most ever"]
        memory += [" / ".join(f"{mib:.1f}" for mib in found["thirds_mib"]), f"{found['at_most_mib']:.1f}"]
    numbers = [str(found[key]) for key in ("visits", "events", "trainings")]
    made = table(titles, [[f"{found['minutes']:g}", *numbers, *memory]])
    if "alone_memory_mib" not in found:
        return made
    alone = [f"{mib:.1f}" for mib in (*found["alone_memory_mib"], found["alone_grown_mib"])]
    thirds = " / ".join(f"{mib:.1f}" for mib in found["alone_thirds_mib"])
    return f"{made}\n\n{table(['while the visitors are away', *titles[5:8]], [[*alone, thirds]])}"
