"""Steering by a hand and by a face: real frames through the line, stage by stage, followed from frame to frame.

A profile taught with `--look hand` on three sessions of hands_sessions is shown the frames of the fourth, in their
order; one taught with `--look face` on eleven people of cmu_faces the pictures of the twelfth; both enlarged to
640×480, and they steer the game. A frame is *tracked* where the hand or face was found where the last frame told, and
*searched* where it had to be looked for. Times are the processor's, one thread: others may share the machine.
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
from device.pacman.game import Game
from device.pacman.maze import COMPACT
from edge_tl.controller import Controller
from edge_tl.embedders.look.embedders import FaceEmbedder, HandEmbedder
from edge_tl.line import PictureLine
from edge_tl.media.image import decode, fit
from edge_tl.recognizer import Recognizer

FRAMES, RUNS = 400, 5
DIRECTIONS = {"1": "up", "2": "down", "3": "left", "4": "right"} | {way: way for way in ("up", "left", "right")}
STAGES = ("resize", "embed", "head", "controller", "game")
GOAL_TRACKED_MS, GOAL_FPS = 12.0, 20.0
"""Of `hand`."""


class Searches:
    """Notes that a tracker had to search."""

    def __init__(self, tracker: Any) -> None:
        self._search, tracker._search = tracker._search, self
        self._noted = False

    def __call__(self, *asked: Any) -> Any:
        self._noted = True
        return self._search(*asked)

    def noted(self) -> bool:
        """Whether it searched since this was asked last."""
        noted, self._noted = self._noted, False
        return noted


def measure(hands: Pictures, faces: Pictures, models: Path) -> dict[str, Any]:
    """What each way takes, asked of the last session and the last person: milliseconds of each stage over RUNS runs."""
    ways = {
        "hand": Shown(HandEmbedder.load(models, threads=1), hands),
        "face": Shown(FaceEmbedder.load(models, threads=1), faces),
    }
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in ways}
    for _ in range(RUNS):  # in turns, so that whatever slows this machine slows both
        for name, shown in ways.items():
            runs[name].append(run(shown))
    return {name: summary(runs[name], shown.who) for name, shown in ways.items()}


class Shown:
    """A recognizer taught all groups of pictures but the last, and that one as a stream."""

    def __init__(self, embedder: HandEmbedder | FaceEmbedder, pictures: Pictures) -> None:
        self.who = str(np.unique(pictures.groups)[-1])
        taught, shown = pictures.where(pictures.groups != self.who), pictures.where(pictures.groups == self.who)
        self.recognizer = Recognizer(embedder)
        for take, (path, label) in enumerate(zip(taught.paths, taught.labels, strict=True)):
            self.recognizer.teach(decode(path), str(label), take)
        self.recognizer.learn()
        self.stream = [fit(decode(path), (480, 640), "stretch") for path in shown.paths]
        self.searches = Searches(embedder.tracker)


def summary(runs: list[dict[str, Any]], who: str) -> dict[str, Any]:
    """The middle run by its tracked frames, and the spread over all."""
    middle = sorted(runs, key=lambda one: one["tracked_ms"]["p50"])[len(runs) // 2]
    return {
        "shown": who,
        "frames": FRAMES,
        "middle": middle,
        "tracked_p50_ms": spread([one["tracked_ms"]["p50"] for one in runs]),
        "fps": spread([one["fps"] for one in runs]),
    }


def run(shown: Shown) -> dict[str, Any]:
    """One run over FRAMES frames."""
    recognizer, searches = shown.recognizer, shown.searches
    line = PictureLine(Recording(shown.stream), recognizer, time.process_time, Controller(recognizer.classes))
    game = Game(COMPACT, seed=1)
    for _ in range(20):
        line.read(1.0)
    line.stopwatch.reset()
    searches.noted()
    tracked, searched = [], []
    begin_s = time.process_time()
    for _ in range(FRAMES):
        start_s = time.process_time()
        sight = line.read(1.0)
        assert sight is not None
        wanted = DIRECTIONS.get(sight.steady.label or "") if sight.steady is not None else None
        with line.stopwatch.stage("game"):
            game.step(wanted)
            game.restart_if_over()
        (searched if searches.noted() else tracked).append(1000 * (time.process_time() - start_s))
    fps = FRAMES / (time.process_time() - begin_s)
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
    """One row a stage and way, the frames, and what came of the goals."""
    rows: list[list[object]] = []
    lines = []
    for way, one in result.items():
        middle = one["middle"]
        rows += [
            [way, name, times["p50_ms"], times["p95_ms"]] for name, times in middle["stages"].items() if name in STAGES
        ]
        name = f"frame, tracked ({middle['tracked_share']:.0%})"
        rows.append([way, name, middle["tracked_ms"]["p50"], middle["tracked_ms"]["p95"]])
        rows.append([way, "frame, searched", middle["searched_ms"]["p50"], middle["searched_ms"]["p95"]])
        tracked, fps = one["tracked_p50_ms"], one["fps"]
        goals = (f", goal ≤ {GOAL_TRACKED_MS:g}", f", goal ≥ {GOAL_FPS:g}") if way == "hand" else ("", "")
        lines.append(
            f"`{way}`, tracked frame, p50: {tracked['median']:.1f} ms ({tracked['min']:.1f}–{tracked['max']:.1f})"
            f"{goals[0]}; frames a second while it steers, searched frames included: {fps['median']:.0f} "
            f"({fps['min']:.0f}–{fps['max']:.0f}){goals[1]}."
        )
    return table(["way", "stage", "p50, ms", "p95, ms"], rows) + "\n\n" + "\n".join(lines)
