"""What the screens send a second, and whether a slow terminal costs examples or recognized frames."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
import wave
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.interleaved import spread, words
from benchmarks.pictures import ROOT
from benchmarks.record import table
from benchmarks.slow_terminal import SlowTerminal, command
from edge_tl.store.profile import Profile

SIZES = ((24, 80), (40, 120), (60, 200))
RATES = (100_000, 10_000, 3_000)
GOAL_BYTES = 40_000
GOAL_SHARE = 0.95
ROUNDS = 3
WARM_S, SECONDS, HELD_S = 3.0, 8.0, 4.0
SIM = ("--camera", "sim")


class Screens:
    """The commands in a terminal, over a data folder that was taught from the simulated player; root: the program's."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.data, self.counts, self.folder = folder / "data", folder / "counts.json", folder
        self.root, self.environment = root, {"PYTHONPATH": str(root)}
        self.sound = folder / "noise.wav"
        rng = np.random.default_rng(0)
        # Noise that swells: the spectrogram never looks the same.
        loud = 3000 * (1 + np.sin(np.arange(16_000 * 30) / 9000))
        write_wav(self.sound, loud * rng.standard_normal(16_000 * 30))
        self._teach()
        tones = self._tones()
        ssd = ("--ssd", root / "tests/data/tiny_ssd_old.tflite", "--labels-file", self.labels())
        self.arguments: dict[str, tuple[str | Path, ...]] = {
            "teach": ("teach", *SIM, "--look", "frame", "--data-dir", self.data),
            "teach --mic": ("teach", "--mic", self.sound, "--data-dir", folder / "words"),
            "teach --boxes": ("teach", "--boxes", *SIM, "--data-dir", folder / "boxes"),
            "play": ("play", *SIM, "--data-dir", self.data),
            "listen": ("listen", "--mic", self.sound, "--data-dir", tones),
            "detect": ("detect", *ssd, *SIM),
            "demo": ("demo", "--seconds", "60", "--data-dir", folder / "demo"),
        }

    def labels(self) -> Path:
        """A list of the classes of the tests' tiny detector."""
        path = self.folder / "labels.txt"
        path.write_text("???\nred\nblue\n")
        return path

    def _tones(self) -> Path:
        """A data folder that was taught three tones, so that something can be listened for."""
        data, rng = self.folder / "tones", np.random.default_rng(1)
        for name, hertz in (("low", 300), ("middle", 900), ("high", 2700)):
            for take in range(4):
                path = self.folder / "sounds" / name / f"{take}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                tone = 8000 * np.sin(np.arange(16_000) * (2 * np.pi * hertz / 16_000) + take)
                write_wav(path, tone + 300 * rng.standard_normal(16_000))
        for arguments in (("examples", "import", self.folder / "sounds"), ("train",)):
            line = [*command(arguments, self.counts), "--data-dir", str(data)]
            subprocess.run(line, cwd=self.root, env={**os.environ, **self.environment}, check=True, capture_output=True)
        return data

    def open(self, arguments: tuple[str | Path, ...], size: tuple[int, int], rate: float | None) -> SlowTerminal:
        """A command in a terminal of so many rows and columns, read at so many bytes a second."""
        return SlowTerminal(command(arguments, self.counts), *size, rate, self.environment, self.root)

    def _teach(self) -> None:
        with self.open(("teach", *SIM, "--look", "frame", "--data-dir", self.data), (24, 80), None) as term:
            term.wait_for("neutral")
            for _ in range(2):
                for key in "12345":
                    term.hold(key, 2.0)
                    time.sleep(1.0)
            term.type(b"t")
            until_s = time.monotonic() + 120
            while not (self.data / "profiles" / "default" / "generations" / "000001").exists():
                if time.monotonic() > until_s:
                    raise RuntimeError("nothing was trained")
                time.sleep(0.1)
            time.sleep(2.0)
            quit_screen(term)

    def sent(self, name: str, size: tuple[int, int], rate: float | None) -> dict[str, float]:
        """Bytes and recognized frames a second, and how long `q` took to end it."""
        return self.sent_by(self.open(self.arguments[name], size, rate))

    def sent_by(self, terminal: SlowTerminal) -> dict[str, float]:
        """The same of a command that has just been opened in a terminal."""
        with terminal as term:
            term.wait_for("edge-tl")
            time.sleep(WARM_S)
            began_s, before = time.monotonic(), term.bytes
            time.sleep(SECONDS)
            ended_s, after = time.monotonic(), term.bytes
            quit_s = quit_screen(term)
        times = json.loads(self.counts.read_text())
        took_s = ended_s - began_s
        frames = sum(began_s <= at_s <= ended_s for at_s in times)
        return {"bytes": (after - before) / took_s, "frames": frames / took_s, "quit_s": quit_s}

    def recorded(self, rate: float | None) -> int:
        """How many examples a key makes that is held for four seconds, thirty repeats a second, at 24×80."""
        data = Path(tempfile.mkdtemp(dir=self.folder))
        with self.open(("teach", *SIM, "--look", "frame", "--data-dir", data), (24, 80), rate) as term:
            term.wait_for("neutral")
            time.sleep(WARM_S)
            term.hold("1", HELD_S)
            time.sleep(2.0)
            quit_screen(term)
        with Profile(data / "profiles" / "default") as profile:
            count = profile.store.counts()["up"].examples
        shutil.rmtree(data)
        return count


def write_wav(path: Path, samples: np.ndarray) -> None:
    """Samples of 16 bits at 16 kHz as a file."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(samples.clip(-32768, 32767).astype("<i2").tobytes())


def quit_screen(term: SlowTerminal) -> float:
    """Press q; seconds until the program has ended."""
    began_s = time.monotonic()
    term.type(b"q")
    term.process.wait(120)
    return time.monotonic() - began_s


def measure(root: Path = ROOT) -> dict[str, Any]:
    """Bytes a screen and size, and what slow terminals cost; root: the folder of the program."""
    with tempfile.TemporaryDirectory() as folder:
        screens = Screens(Path(folder), root)
        sent = {
            name: {f"{columns}×{rows}": screens.sent(name, (rows, columns), None) for rows, columns in SIZES}
            for name in screens.arguments
        }
        slow: dict[str, dict[str, list[float]]] = {}
        for _ in range(ROUNDS):
            for rate in (None, *RATES):
                one = slow.setdefault(str(rate), {"examples": [], "frames": [], "quit_s": []})
                one["examples"].append(screens.recorded(rate))
                played = screens.sent("play", (60, 200), rate)
                one["frames"].append(played["frames"])
                one["quit_s"].append(played["quit_s"])
    base = slow["None"]
    for one in slow.values():
        for what in ("examples", "frames"):
            one[f"{what}_share"] = spread([a / b for a, b in zip(one[what], base[what], strict=True)])
    return {"sent": sent, "slow": slow, "load": os.getloadavg()[0]}


def report(result: dict[str, Any]) -> str:
    """A table of bytes, and one of slow terminals."""
    sizes = list(next(iter(result["sent"].values())))
    rows = [[name, *(f"{of[size]['bytes'] / 1000:.1f}" for size in sizes)] for name, of in result["sent"].items()]
    first = table([f"kB/s sent (goal ≤ {GOAL_BYTES // 1000})", *sizes], rows)
    rows = [
        [
            "all that comes" if rate == "None" else f"{int(rate) / 1000:g} kB/s",
            "/".join(str(round(count)) for count in one["examples"]),
            words(one["examples_share"], 2),
            "/".join(f"{frames:.1f}" for frames in one["frames"]),
            words(one["frames_share"], 2),
            f"{max(one['quit_s']):.1f}",
        ]
        for rate, one in result["slow"].items()
    ]
    head = ["the terminal takes", "examples, key held 4 s", f"share (goal ≥ {GOAL_SHARE})"]
    head += ["play at 200×60: frames/s recognized", "share", "s to quit"]
    return f"{first}\n\n{table(head, rows)}\n\nLoad of the machine: {result['load']:.1f}."
