"""How the work grows: time and memory with examples, values a row, classes, and frames, with the exponents.

“Train” is ridge with takes left out whose Gram matrix is kept (its time only), and `learn` with rejection and
confidence; a frame is an embedding, a row and its answer. Rows are drawn around a mean a class, so only times are
looked at. Seconds of the processor on one thread, sizes in turns; the exponent is of the line through all points in
logarithms.
"""

from __future__ import annotations

import sys
import tracemalloc
from contextlib import ExitStack
from typing import Any

import numpy as np

from benchmarks.interleaved import spread, words
from benchmarks.peers.protocol import ONE_THREAD, Peer
from benchmarks.peers.rounds import OURS, say
from benchmarks.record import table

ENVIRONMENTS: tuple[str, ...] = ()
ROUNDS = 5
N, D, C = 200, 1024, 4
SIZES = {
    "examples": (75, 150, 300, 600, 1200),
    "values a row": (256, 1024, 4096, 16_384),
    "classes": (2, 4, 8, 16, 32),
    "frames": (10, 30, 90),
    "cameras": (1, 2, 4, 8),
}
"""All else is 200 examples of 4 classes with 1024 values; with classes 640 examples. A camera gives 30 frames."""
WHAT = {"frames": ("frame",), "cameras": ("frame",)}
WORDS = {
    "fit": "ridge, ready",
    "learn": "with rejection and confidence",
    "query": "kNN, a query",
    "frame": "recognized",
}


def measure(rounds: int = ROUNDS, sizes: dict[str, tuple[int, ...]] = SIZES) -> dict[str, Any]:
    """Each axis in a process of its own."""
    found: dict[str, Any] = {}
    for axis, values in sizes.items():
        say(f"growth, {axis}")
        with ExitStack() as stack:
            command = [sys.executable, "-m", "benchmarks.peers.children.ours_growth"]
            peer = stack.enter_context(Peer(OURS, command, ONE_THREAD))
            for what in WHAT.get(axis, ("fit", "learn", "query")):
                ms: dict[int, list[float]] = {value: [] for value in values}
                peak: dict[int, float] = {}
                for turn in range(-1, rounds):
                    for value in values[:: 1 if turn % 2 else -1]:
                        answer = peer.ask("run", what=what, **size_of(axis, value))
                        if turn >= 0:
                            ms[value].append(answer["cpu_ms"])
                        peak[value] = answer["peak_mb"]
                curve = {"ms": {str(value): spread(of) for value, of in ms.items()}, "peak_mb": peak}
                curve["exponent"] = exponent(values, [float(np.median(ms[value])) for value in values])
                curve["peak_exponent"] = exponent(values, [peak[value] for value in values])
                found[f"{axis}: {WORDS[what]}"] = curve
    return {"curves": found, "skipped": {}}


def size_of(axis: str, value: int) -> dict[str, int]:
    """What is drawn at a point of an axis."""
    size = {"examples": N, "values": D, "classes": C, "frames": 30, "cameras": 1}
    if axis == "classes":
        size["examples"] = 640
    return size | {{"values a row": "values"}.get(axis, axis): value}


def exponent(sizes: tuple[int, ...], values: list[float]) -> float:
    """The slope of the line through the points in logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(values, 1e-6)), 1)[0])


def report(result: dict[str, Any]) -> str:
    """A row a curve: its first and last point, and the exponents."""
    rows: list[list[object]] = []
    for name, one in result["curves"].items():
        sizes, peaks = list(one["ms"]), list(one["peak_mb"].values())
        rows.append(
            [
                name,
                f"{sizes[0]} … {sizes[-1]}",
                words(one["ms"][sizes[0]]),
                words(one["ms"][sizes[-1]]),
                f"{one['exponent']:.2f}",
                f"{peaks[0]:.1f} … {peaks[-1]:.1f}",
                f"{one['peak_exponent']:.2f}",
            ]
        )
    return table(["grows", "sizes", "first, CPU ms", "last, CPU ms", "∝ sizeˣ", "MB of arrays", "∝ sizeˣ"], rows)


def peak_of(run: Any) -> float:
    """Megabytes that NumPy held at once while it ran."""
    tracemalloc.start()
    run()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6
