"""From the frame to the action: a recorded 640×480 stream through the line, stage by stage, and into the game."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.interleaved import spread
from benchmarks.pictures import Embedded
from benchmarks.record import table
from device.pacman.game import Game
from device.pacman.maze import COMPACT
from edge_tl.controller import Controller, ControllerConfig, neutral_label
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.frames import BaseSource, Frame
from edge_tl.line import PictureLine
from edge_tl.media.image import decode, fit
from edge_tl.recognizer import Recognizer

FRAMES, RUNS = 600, 5
STEERING = {"left": "left", "right": "right", "up": "up", "straight": "neutral"}
HELD_OUT = ("kawamura", "phoebe")
STAGES = ("resize", "embed", "head", "controller", "game")
GOAL_REST_MS, GOAL_TOTAL = 0.5, 1.3


class Recording(BaseSource):
    """Pictures in memory as a source: frame after frame, at once, around and around."""

    name = "recording"
    simulated = False

    def __init__(self, pictures: list[np.ndarray]) -> None:
        self._pictures = pictures
        self._next = 0

    def open(self) -> None:
        """Nothing to open."""

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The next picture, taken now."""
        index, self._next = self._next, self._next + 1
        return Frame(self._pictures[index % len(self._pictures)], time.perf_counter(), index=index)

    def close(self) -> None:
        """Nothing to close."""


def measure(faces: Embedded, embedder: TFLiteEmbedder) -> dict[str, Any]:
    """Milliseconds of each stage: p50 and p95 of the middle one of RUNS, and the spread of what the goals are about."""
    taught = ~np.isin(faces.groups, HELD_OUT)
    recognizer = Recognizer(embedder)
    labels = [STEERING[str(label)] for label in faces.y]
    for i in np.flatnonzero(taught):
        recognizer.add(faces.X[i], labels[i], int(faces.takes()[i]))
    recognizer.learn()
    stream = [fit(decode(path), (480, 640), "stretch") for path in faces.pictures.where(~taught).paths]
    runs = sorted((run(recognizer, stream) for _ in range(RUNS)), key=lambda one: one["total"]["p50_ms"])
    rest = [sum(one[stage]["p50_ms"] for stage in STAGES[2:]) for one in runs]
    ratios = [one["total"]["p50_ms"] / (one["resize"]["p50_ms"] + one["embed"]["p50_ms"]) for one in runs]
    return {
        "model": embedder.name,
        "examples": int(taught.sum()),
        "none_of_these": recognizer.rejector.ready,
        "frames": FRAMES,
        "stages": runs[RUNS // 2],
        "all_but_resize_and_embed_p50_ms": spread(rest),
        "total_over_resize_and_embed": spread(ratios),
    }


def run(recognizer: Recognizer, stream: list[np.ndarray]) -> dict[str, dict[str, float]]:
    """p50 and p95 of every stage and of the whole over FRAMES frames."""
    controller = Controller(recognizer.classes, ControllerConfig(neutral=neutral_label(recognizer.classes)))
    line = PictureLine(Recording(stream), recognizer, time.perf_counter, controller)
    game = Game(COMPACT, seed=1)
    for _ in range(60):
        game.step(None)
    for _ in range(20):
        line.read(1.0)
    line.stopwatch.reset()
    for _ in range(FRAMES):
        start_s = time.perf_counter()
        sight = line.read(1.0)
        assert sight is not None
        assert sight.steady is not None
        wanted = sight.steady.label if sight.steady.steers else None
        with line.stopwatch.stage("game"):
            game.step(wanted)
            game.restart_if_over()
        line.stopwatch.record("total", time.perf_counter() - start_s)
    summary = line.stopwatch.summary()
    return {name: {"p50_ms": timing.p50_ms, "p95_ms": timing.p95_ms} for name, timing in summary.items()}


def report(result: dict[str, Any]) -> str:
    """One row a stage, and what came of the goals."""
    rows: list[list[object]] = [
        [name, one["p50_ms"], one["p95_ms"]] for name, one in result["stages"].items() if name in (*STAGES, "total")
    ]
    rest, whole = result["all_but_resize_and_embed_p50_ms"], result["total_over_resize_and_embed"]
    return (
        table(["stage", "p50, ms", "p95, ms"], rows)
        + f"\n\nAll but resize and embed, p50: {rest['median']:.3f} ms ({rest['min']:.3f}–{rest['max']:.3f}), "
        + f"goal ≤ {GOAL_REST_MS}.\nTotal / (resize + embed), p50: {whole['median']:.3f} "
        + f"({whole['min']:.3f}–{whole['max']:.3f}), goal ≤ {GOAL_TOTAL}."
    )
