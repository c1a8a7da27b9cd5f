"""Does looking in full at every second picture only cost accuracy? Streams of hands and faces, and what a frame takes.

**The streams.** Hands: the frames of each session of hands_sessions in their order, taught on the other three. Faces:
the pictures of each person of cmu_faces, taught on the eleven others, in an order drawn by a seed; each is held for
HOLD frames, as a head is between two turns, and moves by up to SHIFT of its width meanwhile. Every frame counts, those
right after a change too; one in which nothing is found is wrong. *While it is held*: frames that show what the two
before them showed. *Every n*: each n-th frame is followed in full, the
others are glanced at (`Finder.sparing`). Taught as always: each picture by itself, in full.

**Two halves.** What a glance does was chosen on half of the sessions and people, the other half is reported.

**Times** are the processor's, one thread, mean of frames of 320×240 in which a hand or face stays; the ways take turns
in each of ROUNDS rounds.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.interleaved import ratio, spread, words
from benchmarks.look_ways import answers, features_of, mean_recall, models_folder, takes_of
from benchmarks.pictures import Pictures, sessions
from benchmarks.pictures import faces as all_faces
from benchmarks.record import anew, table
from device.speed.boards import BOARDS
from device.speed.costs import FULL, GLANCED, frame_ms, mean_ms, works
from device.speed.measured import ROUND_S, in_turns, network_times
from edge_tl.core.kept import as_stored
from edge_tl.embedders.embedder import Embedder, Finder, embed_kept
from edge_tl.embedders.look.embedders import (
    FaceCropEmbedder,
    FaceEmbedder,
    HandCropEmbedder,
    HandEmbedder,
    load_face_tracker,
    load_tracker,
)
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ModelError
from edge_tl.media.image import decode, fit
from edge_tl.models import default_model
from edge_tl.recognizer import Recognizer

EVERY = (1, 2, 3)
HOLD, SHIFT, SEED = 6, 0.03, 1
ROUNDS, TIMED = 5, 60
SHOWN = ("Zero 2 W", "4", "5")
LOSS = 0.01
"""What may be lost, of right answers."""
GOALS_MS = {"hand": 5.5, "face-crop": 5.0}
WAYS = ("hand", "hand-crop", "face", "face-crop")


def measure() -> dict[str, Any]:
    """Accuracy of each way and n on both halves, and what a frame takes; ModelError without the models."""
    models = models_folder()
    if models is None:
        raise ModelError("the models of hands and faces are not in downloads: their wheel is wanted there")
    hands, faces = sessions(), all_faces()
    inner = TFLiteEmbedder.load(default_model(), threads=1)
    # Where a face looks is the first part of its crop's embedding: both are told from one stream.
    pose = FaceEmbedder.load(models, 1)
    found = accuracy({"hand": HandEmbedder.load(models, 1)}, hands)
    found |= accuracy({"face-crop": opened("face-crop", models, inner), "face": pose}, faces)
    return {"accuracy": found, "hold": HOLD, "rounds": ROUNDS, **measure_times(hands, faces, models)}


def measure_times(hands: Pictures, faces: Pictures, models: Path) -> dict[str, Any]:
    """What a frame takes, and its networks alone, in one run."""
    inner = TFLiteEmbedder.load(default_model(), threads=1)
    times = timed({way: opened(way, models, inner) for way in WAYS}, hands, faces)
    _, networks = network_times(models, time.process_time, ROUND_S)
    return {
        "ms": times,
        "networks_ms": {name: one[1] for name, one in networks.items()},
        "frame_ms": frame_ms_of(inner, hands),
    }


def opened(way: str, models: Path, inner: TFLiteEmbedder) -> Finder[Any]:
    """A way to look, on one thread."""
    if way == "hand":
        return HandEmbedder.load(models, 1)
    if way == "face":
        return FaceEmbedder.load(models, 1)
    if way == "hand-crop":
        return HandCropEmbedder(load_tracker(models, 1), inner)
    return FaceCropEmbedder(load_face_tracker(models, 1), inner)


def accuracy(ways: dict[str, Finder[Any]], pictures: Pictures) -> dict[str, Any]:
    """By way and n: the score of each group left out, and the means of both halves.

    `ways`: the first one looks; the embeddings of others are the first values of its embeddings.
    """
    looking = next(iter(ways.values()))
    shown = [decode(path) for path in pictures.paths]
    looking.following = looking.sparing = False
    rows = np.stack([as_stored(embed_kept(looking, picture)) for picture in shown])
    takes, groups = takes_of(pictures), pictures.groups
    scores: dict[str, dict[str, dict[str, dict[str, float]]]] = {
        way: {str(every): {} for every in EVERY} for way in ways
    }
    for group in np.unique(groups):
        stream, labels = stream_of(looking, pictures, shown, str(group))
        seen = {every: follow(looking, stream, every) for every in EVERY}
        for way, embedder in ways.items():
            recognizer = Recognizer(embedder, features=features_of(embedder), reject=False)
            for i in np.flatnonzero(groups != group):
                recognizer.add(rows[i, : embedder.embedding_dim], str(pictures.labels[i]), int(takes[i]))
            recognizer.learn()
            for every in EVERY:
                named = answers(recognizer, seen[every][:, : embedder.embedding_dim])
                settled = np.r_[False, False, (labels[2:] == labels[1:-1]) & (labels[1:-1] == labels[:-2])]
                scores[way][str(every)][str(group)] = {
                    "all": mean_recall(labels, named),
                    "settled": mean_recall(labels[settled], named[settled]),
                }
    every_group = np.unique(groups)
    halves = {"chosen": every_group[::2], "reported": every_group[1::2]}
    return {
        way: {
            every: {
                name: {
                    which: float(np.mean([one[str(group)][which] for group in half])) for which in ("all", "settled")
                }
                for name, half in halves.items()
            }
            | {"groups": one}
            for every, one in by_every.items()
        }
        for way, by_every in scores.items()
    }


def stream_of(
    embedder: Embedder, pictures: Pictures, shown: list[np.ndarray], group: str
) -> tuple[list[np.ndarray], np.ndarray]:
    """The frames of a group, and the label (N,) of each."""
    at = np.flatnonzero(pictures.groups == group)
    if isinstance(embedder, HandEmbedder):
        order = at[np.argsort(takes_of(pictures)[at], kind="stable")]
        return [shown[i] for i in order], pictures.labels[order]
    random = np.random.default_rng(SEED)
    frames, labels = [], []
    for i in random.permutation(at):
        rows, columns = shown[i].shape[:2]
        apart = (SHIFT * columns * random.standard_normal((HOLD, 2)).cumsum(axis=0) / HOLD**0.5).round().astype(int)
        for down, right in apart:
            y, x = np.clip(np.arange(rows) + down, 0, rows - 1), np.clip(np.arange(columns) + right, 0, columns - 1)
            frames.append(shown[i][y][:, x])
            labels.append(pictures.labels[i])
    return frames, np.array(labels)


def follow(embedder: Finder[Any], stream: list[np.ndarray], every: int) -> np.ndarray:
    """(N, D): what a stream becomes where each `every`-th frame is followed in full."""
    embedder.tracker.lose()
    embedder.following = True
    seen = []
    for number, picture in enumerate(stream):
        embedder.sparing = number % every != 0
        seen.append(as_stored(embed_kept(embedder, picture)))
    embedder.following = embedder.sparing = False
    return np.stack(seen)


def timed(ways: dict[str, Finder[Any]], hands: Pictures, faces: Pictures) -> dict[str, Any]:
    """Milliseconds a frame, by way and n; only frames in which it was found where the last frame told are shown."""
    streams = {}
    for way, embedder in ways.items():
        pictures = hands if way.startswith("hand") else faces
        picture = next(
            big
            for path in pictures.paths
            if embedder.embed(big := fit(decode(path), (240, 320), "letterbox")) is not None
        )
        # One that stays is tracked in each frame, which is what the goal is about; it moves by a pixel.
        streams[way] = [np.roll(picture, step % 3, axis=1) for step in range(TIMED)]
    times: dict[str, dict[str, list[float]]] = {way: {str(every): [] for every in EVERY} for way in ways}
    for turn in range(ROUNDS + 1):
        for way, embedder in ways.items():
            for every in EVERY:
                follow(embedder, streams[way][:6], 1)  # so that it is followed, and not searched for, from now on
                embedder.following = True
                start_s = time.process_time()
                for number, picture in enumerate(streams[way]):
                    embedder.sparing = number % every != 0
                    embedder.embed(picture)
                if turn:
                    times[way][str(every)].append(1000 * (time.process_time() - start_s) / TIMED)
    return {
        way: {every: {"ms": spread(values), "share": ratio(values, one["1"])} for every, values in one.items()}
        for way, one in times.items()
    }


def frame_ms_of(inner: TFLiteEmbedder, pictures: Pictures) -> float:
    """Milliseconds of a whole picture of 320×240, which is never glanced at."""
    picture = fit(decode(pictures.paths[0]), (240, 320), "letterbox")
    return in_turns({"frame": lambda: inner.embed(inner.fit(picture))}, time.process_time, ROUND_S)["frame"]


def reference(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What `device/speed/reference.py` says of it: its names, and their values in ms to the hundredth."""
    networks = result["networks_ms"]

    def rest_ms(frame_ms: float, asked: tuple[tuple[str, int], ...]) -> float:
        return round(max(0.0, frame_ms - sum(count * networks[name] for name, count in asked)), 2)

    rest = {"frame": (rest_ms(result["frame_ms"], FULL["frame"].networks),) * 2}
    for way, one in result["ms"].items():
        full_ms, half_ms = (one[every]["ms"]["median"] for every in ("1", "2"))
        glanced_ms = 2 * half_ms - full_ms  # of the mean of one in full and one glanced at
        rest[way] = (rest_ms(full_ms, FULL[way].networks), rest_ms(glanced_ms, GLANCED[way].networks))
    return {"NETWORKS_MS": {name: round(ms, 2) for name, ms in networks.items()}, "REST_MS": rest}


def report(result: dict[str, Any]) -> str:
    """A row a way and n."""
    rows: list[list[object]] = []
    lines = []
    counted = works(None)
    boards = [board for board in BOARDS if board.name in SHOWN]
    for way, by_every in result["ms"].items():
        one = result["accuracy"].get(way)
        for every, times in by_every.items():
            scores: list[object] = ["", "", ""]
            if one is not None:
                reported = one[every]["reported"]
                scores = [one[every]["chosen"]["all"], reported["all"], reported["settled"]]
            named = "every frame" if every == "1" else f"every {every}"
            predicted: list[object] = []
            for board in boards:
                full, glance = (frame_ms(board, part[way], counted, 4) for part in (FULL, GLANCED))
                predicted.append(f"{1000 / mean_ms(full, glance, int(every)):.0f}")
            rows.append([way, named, *scores, words(times["ms"]), words(times["share"]), *predicted])
        if one is None:
            continue
        for every in list(by_every)[1:]:
            lost, took = one["1"]["reported"]["all"] - one[every]["reported"]["all"], by_every[every]["ms"]["median"]
            goal = GOALS_MS.get(way)
            lines.append(
                f"`{way}`, every {every} in full: {100 * lost:.1f} points lost (goal ≤ {100 * LOSS:.0f})"
                + ("" if goal is None else f", {took:.1f} ms a frame (goal ≤ {goal:g})")
                + "."
            )
    networks = ", ".join(f"{name} {ms:.2f}" for name, ms in result["networks_ms"].items())
    lines.append(f"In the same run, ms: the whole picture {result['frame_ms']:.2f}; networks alone: {networks}.")
    lines += anew(result)
    head = ["way", "in full", "right, chosen on", "reported", "… while it is held", "ms a frame", "of every frame's"]
    return (
        table([*head, *[f"a second, Pi {board.name}, predicted" for board in boards]], rows) + "\n\n" + "\n".join(lines)
    )
