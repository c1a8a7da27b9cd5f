"""Steering by a hand: real frames through the line, stage by stage, with the hand followed from frame to frame.

A profile taught with `--look hand` on three sessions of hands_sessions is shown the frames of the fourth, in their
order, enlarged to 640×480, and steers the game. A frame is *tracked* where the hand was found where the last frame
told, and *searched* where the palm detector had to run.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bench_latency import Recording
from benchmarks.interleaved import spread
from benchmarks.pictures import Pictures
from benchmarks.record import table
from device.line import Line
from device.pacman.game import Game
from device.pacman.maze import COMPACT
from edge_tl.controller import Controller
from edge_tl.image import decode, fit
from edge_tl.look.embedders import HandEmbedder
from edge_tl.look.region import Region
from edge_tl.recognizer import Recognizer

FRAMES, RUNS = 400, 5
DIRECTIONS = {"1": "up", "2": "down", "3": "left", "4": "right"}
STAGES = ("resize", "embed", "head", "controller", "game")
GOAL_TRACKED_MS, GOAL_FPS = 12.0, 20.0


class Counting(HandEmbedder):
    """Knows whether the palm detector ran for the last picture."""

    searched = False

    def embed(self, data: np.ndarray) -> np.ndarray:
        """As HandEmbedder."""
        self.searched = False
        palms = type(self.tracker).palms

        def counted(picture: np.ndarray) -> list[Region]:
            self.searched = True
            return palms(self.tracker, picture)

        self.tracker.palms = counted  # type: ignore[method-assign]
        return super().embed(data)


def measure(hands: Pictures, models: Path) -> dict[str, Any]:
    """Milliseconds of each stage over RUNS runs, of tracked frames and of searched ones apart."""
    embedder = Counting.load(models, threads=1)
    last = np.unique(hands.groups)[-1]
    taught, shown = hands.where(hands.groups != last), hands.where(hands.groups == last)
    recognizer = Recognizer(embedder)
    for take, (path, label) in enumerate(zip(taught.paths, taught.labels, strict=True)):
        recognizer.teach(decode(path), str(label), take)
    recognizer.learn()
    stream = [fit(decode(path), (480, 640), "stretch") for path in shown.paths]
    runs = sorted((run(recognizer, stream) for _ in range(RUNS)), key=lambda one: one["tracked_ms"]["p50"])
    return {
        "session": str(last),
        "frames": FRAMES,
        "tracked_share": runs[RUNS // 2]["tracked_share"],
        "middle": runs[RUNS // 2],
        "tracked_p50_ms": spread([one["tracked_ms"]["p50"] for one in runs]),
        "fps": spread([one["fps"] for one in runs]),
    }


def run(recognizer: Recognizer, stream: list[np.ndarray]) -> dict[str, Any]:
    """One run over FRAMES frames."""
    embedder = recognizer.embedder
    assert isinstance(embedder, Counting)
    line = Line(Recording(stream), recognizer, time.perf_counter, Controller(recognizer.classes))
    game = Game(COMPACT, seed=1)
    for _ in range(20):
        line.read(1.0)
    line.stopwatch.reset()
    tracked, searched = [], []
    begin_s = time.perf_counter()
    for _ in range(FRAMES):
        start_s = time.perf_counter()
        sight = line.read(1.0)
        assert sight is not None
        wanted = DIRECTIONS.get(sight.steady.label or "") if sight.steady is not None else None
        with line.stopwatch.stage("game"):
            game.step(wanted)
            game.restart_if_over()
        (searched if embedder.searched else tracked).append(1000 * (time.perf_counter() - start_s))
    fps = FRAMES / (time.perf_counter() - begin_s)
    stages = {name: {"p50_ms": one.p50_ms, "p95_ms": one.p95_ms} for name, one in line.stopwatch.summary().items()}
    return {
        "stages": stages,
        "tracked_ms": figures(tracked),
        "searched_ms": figures(searched),
        "tracked_share": len(tracked) / FRAMES,
        "fps": fps,
    }


def figures(times_ms: list[float]) -> dict[str, float]:
    """Half and 95 % of the frames took at most this; NaN without a frame."""
    if not times_ms:
        return {"p50": float("nan"), "p95": float("nan")}
    p50, p95 = np.percentile(times_ms, [50, 95])
    return {"p50": float(p50), "p95": float(p95)}


def report(result: dict[str, Any]) -> str:
    """One row a stage, the frames, and what came of the goals."""
    middle = result["middle"]
    rows: list[list[object]] = [
        [name, one["p50_ms"], one["p95_ms"]] for name, one in middle["stages"].items() if name in STAGES
    ]
    name = f"frame, tracked ({middle['tracked_share']:.0%})"
    rows.append([name, middle["tracked_ms"]["p50"], middle["tracked_ms"]["p95"]])
    rows.append(["frame, searched", middle["searched_ms"]["p50"], middle["searched_ms"]["p95"]])
    tracked, fps = result["tracked_p50_ms"], result["fps"]
    return (
        table(["stage", "p50, ms", "p95, ms"], rows)
        + f"\n\nTracked frame, p50: {tracked['median']:.1f} ms ({tracked['min']:.1f}–{tracked['max']:.1f}), goal ≤ "
        + f"{GOAL_TRACKED_MS:g}.\nFrames a second while it steers, searched frames included: {fps['median']:.0f} "
        + f"({fps['min']:.0f}–{fps['max']:.0f}), goal ≥ {GOAL_FPS:g}."
    )
