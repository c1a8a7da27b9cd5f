"""What this machine does: each network by threads, each way to look in full and glanced at, and the rest of a frame."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from device.speed.chosen import SpeedChoice
from device.speed.costs import EMBEDDER, FACES, FULL, HAND, PALMS, PLAYABLE_FPS, mean_ms, missing
from edge_tl.embedders.embedder import Embedder, Finder
from edge_tl.embedders.look.choices import NEEDS, Look
from edge_tl.embedders.look.models import FACE, LANDMARKS, PALM
from edge_tl.embedders.look.ways import open_look
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import MissingDependency
from edge_tl.models import default_model
from edge_tl.recognizer import Recognizer
from edge_tl.sources.simulated import POSES, SimulatedPlayer, wandering
from edge_tl.tflite.interpreter import MAX_THREADS, Interpreter, read_model
from edge_tl.tflite.manifest import read_manifest
from edge_tl.tflite.quantizing import to_int8

GOOD_FPS = 15.0
"""Answers a second that are wanted where a full look at every second picture is enough for them; else PLAYABLE_FPS."""
ROUND_S, ROUNDS = 0.15, 7
"""A contender runs so long at a time, and so often; all take turns, so that what slows the machine slows everybody."""
ENOUGH = 1.05
"""More threads are taken where they make it faster by more than this: the others have work, too."""
FRAMES = 40
"""Of the simulated player, which each way to look is shown."""
CALIBRATING = 12


@dataclass(frozen=True)
class Measurements:
    """All of it; milliseconds that a quarter of the runs stayed within."""

    backend: str
    networks: dict[str, dict[int, float]] = field(default_factory=dict)
    """Network → threads → a run."""
    int8_of_float: float | None = None
    """The embedder's time in int8 over that in float; None where LiteRT's package, which writes one, is not there."""
    threads: int = 1
    """The number that suits best."""
    ways: dict[str, dict[str, float]] = field(default_factory=dict)
    """Way to look → `full` and `glanced`, of a frame in which what is looked for is followed."""
    rest: dict[str, float] = field(default_factory=dict)
    """Stage → once."""

    def chosen(self, machine: str) -> SpeedChoice:
        """What is to be remembered: the threads, and how many answers a second are wanted."""
        return SpeedChoice(machine, self.threads, wanted_fps(self.ways), self.ways)


def wanted_fps(ways: dict[str, dict[str, float]]) -> float:
    """GOOD_FPS where every way has so many with a full look at every second picture, else PLAYABLE_FPS."""
    slowest_ms = max((mean_ms(one["full"], one["glanced"], 2) for one in ways.values()), default=0.0)
    return GOOD_FPS if slowest_ms <= 1000 / GOOD_FPS else PLAYABLE_FPS


def measure(
    models: Path,
    say: Callable[[str], object],
    others: dict[str, Callable[[], object]],
    clock: Callable[[], float] = time.perf_counter,
    round_s: float = ROUND_S,
) -> Measurements:
    """Measure it, in about a minute on a slow machine.

    `models`: the folder of the models that find hands and faces; what is not there is left out. `say`: told what is
    measured now. `others`: stages after the head, by name. `clock`: seconds. `round_s`: how long a contender runs at a
    time.
    """
    say("networks")
    backend, networks = network_times(models, clock, round_s)
    threads = best_threads(networks)
    say("int8")
    int8 = int8_share(threads, clock, round_s)
    ways: dict[str, dict[str, float]] = {}
    for way in FULL:
        if not missing(way, models):
            say(way)
            ways[way] = way_times(way, models, threads, clock)
    say(", ".join(("head", *others)))
    rest = in_turns({"head": head(threads), **others}, clock, round_s)
    return Measurements(backend, networks, int8, threads, ways, rest)


def thread_numbers() -> list[int]:
    """1, 2, 4 as far as there are cores."""
    cores = min(MAX_THREADS, len(os.sched_getaffinity(0)))
    return [number for number in (1, 2, 4) if number <= cores]


def network_times(models: Path, clock: Callable[[], float], round_s: float) -> tuple[str, dict[str, dict[int, float]]]:
    """The runtime, and network → threads → milliseconds."""
    files = {EMBEDDER: default_model() / read_manifest(default_model()).model}
    for name, part in ((HAND, LANDMARKS), (PALMS, PALM), (FACES, FACE)):
        file = models / part.name / f"{part.name}.tflite"
        if file.is_file():
            files[name] = file
    opened = {
        (name, threads): Interpreter(read_model(file), threads, name=name)
        for name, file in files.items()
        for threads in thread_numbers()
    }
    found = in_turns({key: runner(one) for key, one in opened.items()}, clock, round_s)
    networks = {name: {threads: found[name, threads] for threads in thread_numbers()} for name in files}
    return opened[EMBEDDER, 1].backend, networks


def runner(interpreter: Interpreter) -> Callable[[], object]:
    """Runs a network on noise; zeros would be computed at another speed."""
    view = interpreter.input_view()
    view[...] = np.random.default_rng(0).integers(0, 100, view.shape)
    del view
    return lambda: interpreter.invoke()


def best_threads(networks: dict[str, dict[int, float]]) -> int:
    """The least number of threads that is as good as any for all networks together."""
    totals = {threads: sum(one[threads] for one in networks.values()) for threads in thread_numbers()}
    return next(threads for threads, total in sorted(totals.items()) if total <= ENOUGH * min(totals.values()))


def int8_share(threads: int, clock: Callable[[], float], round_s: float) -> float | None:
    """What the embedder takes in int8 over what it takes in float; None where no int8 can be written here."""
    folder = default_model()
    manifest = read_manifest(folder)
    data = read_model(folder / manifest.model)
    side_px = manifest.input_shape[0]
    scale, offset = manifest.scaling.scale[0], manifest.scaling.offset[0]
    embedder = TFLiteEmbedder.load(folder, threads)
    pictures = [embedder.fit(one) for one in pictures_of("head", CALIBRATING)]
    examples = [(one.reshape(1, side_px, side_px, 3) * scale + offset).astype(np.float32) for one in pictures]
    try:
        small = to_int8(data, examples, folder.name)
    except MissingDependency:
        return None
    runs = {name: runner(Interpreter(one, threads, name=name)) for name, one in (("float", data), ("int8", small))}
    found = in_turns(runs, clock, round_s)
    return found["int8"] / found["float"]


def pictures_of(subject: str, count: int) -> list[np.ndarray]:
    """What a simulated head or hand shows in so many frames, 320×240."""
    with SimulatedPlayer(1, script=wandering(1, tuple(POSES)), subject=subject) as player:
        return [player.read().data for _ in range(count)]


def way_times(way: str, models: Path, threads: int, clock: Callable[[], float]) -> dict[str, float]:
    """Milliseconds of a frame that is looked at in full and of one that is glanced at."""
    embedder = open_look(Look(way), models, lambda: TFLiteEmbedder.load(default_model(), threads), threads)
    pictures = pictures_of("hand" if NEEDS.get(way) == "hands" else "head", FRAMES)
    full = list(frame_times(embedder, pictures, clock, sparing=False))
    glanced = list(frame_times(embedder, pictures, clock, sparing=True)) if isinstance(embedder, Finder) else full
    return {"full": typical_ms(full), "glanced": typical_ms(glanced)}


def frame_times(
    embedder: Embedder, pictures: list[np.ndarray], clock: Callable[[], float], *, sparing: bool
) -> Iterator[float]:
    """Seconds of each picture of a stream; of `sparing` ones every second, those that are glanced at."""
    for number, picture in enumerate(pictures):
        if isinstance(embedder, Finder):
            embedder.following, embedder.sparing = True, sparing and number % 2 == 1
        start_s = clock()
        embedder.embed(embedder.fit(picture))
        if not sparing or number % 2:
            yield clock() - start_s


def head(threads: int) -> Callable[[], object]:
    """What comes after an embedding: the head's answer, with "none of these"."""
    embedder = TFLiteEmbedder.load(default_model(), threads)
    recognizer = Recognizer(embedder)
    rows = [embedder.embed(one) for one in pictures_of("head", FRAMES)]
    for take, row in enumerate(rows):
        recognizer.add(row, ("left", "right")[take % 2], take)
    recognizer.learn()
    return lambda: recognizer.recognize(rows[0])


def in_turns(
    contenders: dict[Any, Callable[[], object]], clock: Callable[[], float], round_s: float
) -> dict[Any, float]:
    """The typical milliseconds of a call of each, one after the other in several rounds; the first calls count not."""
    for call in contenders.values():
        call()
    times: dict[Any, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, call in contenders.items():
            end_s = clock() + round_s
            while True:
                start_s = clock()
                call()
                times[name].append(clock() - start_s)
                if clock() >= end_s:
                    break
    return {name: typical_ms(one) for name, one in times.items()}


def typical_ms(times_s: Iterable[float]) -> float:
    """The time that a quarter of the calls stay within: what else the machine does lengthens the others."""
    return 1000 * float(np.percentile(np.fromiter(times_s, float), 25))
