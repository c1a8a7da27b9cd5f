"""Following a hand: edge-tl beside the mediapipe package, the same pictures, the same model files, frame by frame.

The pictures of hands_sessions in their order, each folder a stream. Both answer each frame, one after the other, the
first of a frame another each time; timed are the frames in which both found a hand. MediaPipe computes on as many
threads as it likes, edge-tl on one; so the processor's time stands beside the time that passed.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from itertools import groupby
from typing import Any

import numpy as np

from benchmarks.interleaved import spread, words
from benchmarks.look_ways import models_folder
from benchmarks.peers.protocol import ONE_THREAD, Peer, PeerError
from benchmarks.peers.rounds import OURS, say, start
from benchmarks.pictures import sessions
from benchmarks.record import table

ENVIRONMENTS = ("mediapipe",)
ROUNDS = 2
NEAR = 0.015
"""Of the hand's size: what is called agreement, as in check_mediapipe."""
PEER = "mediapipe"
GOAL, GOAL_AGREE = 1.0, 0.95


def measure(rounds: int = ROUNDS, step: int = 1) -> dict[str, Any]:
    """Times and agreement; step: every so many folders."""
    models = models_folder()
    if models is None:
        return {"skipped": {PEER: "no models for hands: edge-tl model get all"}, "rounds": []}
    seen = sessions()
    of = groupby(range(len(seen.paths)), key=lambda at: seen.paths[at].parent)
    streams = [list(some) for _, some in of][::step]
    texts = [str(path) for path in seen.paths]
    with ExitStack() as stack:
        peers, skipped = start(stack, ((PEER, "mediapipe", "mediapipe_look"),))
        command = [sys.executable, "-m", "benchmarks.peers.children.ours_look"]
        peers = {OURS: stack.enter_context(Peer(OURS, command, ONE_THREAD)), **peers}
        try:
            for name, peer in peers.items():
                peer.ask("load", paths=texts, **({"models": str(models)} if name == OURS else {}))
            found = [one_round(peers, streams, turn) for turn in range(rounds)]
        except PeerError as error:
            say(str(error))
            return {"skipped": skipped | {PEER: str(error)}, "rounds": []}
    return {"frames": sum(map(len, streams)), "rounds": found, "skipped": skipped}


def one_round(peers: dict[str, Peer], streams: list[list[int]], turn: int) -> dict[str, Any]:
    """All frames once: medians of each, and how near their landmarks are where the frame before agreed."""
    say(f"look, round {turn + 1}")
    took: dict[str, dict[str, list[float]]] = {name: {"ms": [], "cpu_ms": []} for name in peers}
    apart: list[float] = []
    found = dict.fromkeys(peers, 0)
    for stream in streams:
        for peer in peers.values():
            peer.ask("begin")
        agreed = False
        for at in stream:
            points: dict[str, Any] = {}
            answers: dict[str, dict[str, Any]] = {}
            for name in list(peers)[:: 1 if (at + turn) % 2 else -1]:
                answers[name] = peers[name].ask("frame", at=at)
                points[name] = answers[name]["points"]
                found[name] += points[name] is not None
            if all(points.values()):
                for name, of in took.items():
                    for key, values in of.items():
                        values.append(answers[name][key])
            both = len(points) == 2 and all(points.values())
            distance = far(points[OURS], points[PEER]) if both else np.inf
            if both and agreed:
                apart.append(distance)
            agreed = distance <= NEAR
    medians = {name: {key: float(np.median(values)) for key, values in of.items()} for name, of in took.items()}
    return {"took": medians, "found": found, "near": float(np.mean(np.array(apart) <= NEAR)) if apart else None}


def far(ours: list[list[float]], theirs: list[list[float]]) -> float:
    """The mean distance of the landmarks, as a part of the longer side of the box around theirs."""
    a, b = np.array(ours), np.array(theirs)
    return float(np.linalg.norm(a - b, axis=1).mean() / np.ptp(b, axis=0).max())


def report(result: dict[str, Any]) -> str:
    """A row each, the ratio and the agreement."""
    every = result["rounds"]
    if not every:
        return "Not measured."
    rows: list[list[object]] = [
        [
            name,
            words(spread([one["took"][name]["ms"] for one in every])),
            words(spread([one["took"][name]["cpu_ms"] for one in every])),
            f"{every[-1]['found'][name]} of {result['frames']}",
        ]
        for name in every[0]["took"]
    ]
    text = table(["following a hand", "ms a frame", "processor ms a frame", "frames with a hand"], rows)
    if PEER not in every[0]["took"]:
        return text
    lines = []
    for key, of in (("ms", "time"), ("cpu_ms", "processor time")):
        over = spread([one["took"][OURS][key] / one["took"][PEER][key] for one in every])
        met = "reached" if over["median"] <= GOAL else "missed"
        lines.append(f"{words(over)} of mediapipe's {of}: goal ≤ {GOAL:.0f} {met}.")
    near = every[-1]["near"]
    if near is not None:
        met = "reached" if near >= GOAL_AGREE else "missed"
        lines.append(f"{near:.1%} of the frames after one that agrees are within 1.5 %: goal ≥ {GOAL_AGREE:.0%} {met}.")
    return text + "\n\n" + "\n".join(lines)
