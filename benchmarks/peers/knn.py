"""One query to k nearest neighbours as the examples grow: edge-tl, npm's knn-classifier, scikit-learn and faiss."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.protocol import ONE_THREAD, Peer, PeerError
from benchmarks.peers.rounds import OURS, alternate, number, ratios, say, start, values
from benchmarks.record import table

ENVIRONMENTS = ("node", "scikit-learn", "faiss")
EXAMPLES = (200, 1000, 5000)
VALUES = {"2×2 means, v1 .25": 1024, "2×2 means, shipped": 3840, "whole map, v1 .25": 12_544}
ROUNDS, CALLS, K = 15, 5, 3
NPM, SCIKIT, FAISS = "npm knn-classifier, wasm", "scikit-learn brute, cosine", "faiss IndexFlatIP"
PEERS = ((NPM, "node", "tfjs_rows"), (SCIKIT, "scikit-learn", "sklearn_knn"), (FAISS, "faiss", "faiss_rows"))
GOALS = {NPM: 8.0, SCIKIT: 8.0, FAISS: 1 / 1.2}
"""How many times as long as ours theirs has to take."""


def measure(rounds: int = ROUNDS, examples: tuple[int, ...] = EXAMPLES) -> dict[str, Any]:
    """Milliseconds for one row at each number of examples and of values."""
    found: dict[str, Any] = {}
    with ExitStack() as stack, tempfile.TemporaryDirectory() as name:
        peers, skipped = start(stack, PEERS)
        ours = Peer(OURS, [sys.executable, "-m", "benchmarks.peers.children.ours_rows"], ONE_THREAD)
        peers[OURS] = stack.enter_context(ours)
        for kind, size in VALUES.items():
            for count in examples:
                say(f"knn, {kind}, {count} examples")
                request = written(Path(name), size, count)
                failed: dict[str, str] = {}
                for who, peer in peers.items():
                    try:
                        peer.ask("remember", **request)
                    except PeerError as error:
                        failed[who] = str(error)
                ready = {who: peer for who, peer in peers.items() if who not in failed}
                turns = {
                    who: lambda turn, peer=peer: peer.ask("query", calls=CALLS, k=K) for who, peer in ready.items()
                }
                answers, later = alternate(turns, rounds)
                one = {
                    who: {"ms": values(rounds_), "times": ratios(rounds_, answers[OURS])}
                    for who, rounds_ in answers.items()
                }
                labels = {answer["label"] for rounds_ in answers.values() for answer in rounds_.values()}
                found[f"{kind}, {count} examples"] = {"D": size, "agree": len(labels) == 1, "contenders": one}
                skipped |= failed | later
                for who in failed | later:
                    peers.pop(who, None)
    return {"rows": found, "skipped": skipped}


def written(folder: Path, size: int, count: int) -> dict[str, Any]:
    """Rows and a query on the disk: what says of a request where."""
    rng = np.random.default_rng(0)
    X = np.abs(rng.standard_normal((count, size), np.float32))
    X.tofile(folder / "rows.f32")
    (X[7] + 0.6 * X[11] + 0.6 * X[15]).tofile(folder / "query.f32")  # three of one class are nearest: no tie
    labels = (np.arange(count) % 4).tolist()
    return {"path": str(folder / "rows.f32"), "values": size, "labels": labels, "query": str(folder / "query.f32")}


def report(result: dict[str, Any]) -> str:
    """A row a size, and which goals were met on every one."""
    there = [who for who in (NPM, SCIKIT, FAISS) if any(who in one["contenders"] for one in result["rows"].values())]
    rows: list[list[object]] = []
    for name, one in result["rows"].items():
        of = one["contenders"]
        cells = [number(of[who]["times"]) if who in of else "" for who in there]
        rows.append([name, number(of[OURS]["ms"]), *cells])
    head = [f"one query, k = {K}", f"{OURS}, ms", *(f"{who}, × its time" for who in there)]
    lines = []
    for who in there:
        worst = min(
            one["contenders"][who]["times"]["median"] for one in result["rows"].values() if who in one["contenders"]
        )
        reached = "reached" if worst >= GOALS[who] else "missed"
        if GOALS[who] < 1:  # who may be the faster one
            lines.append(f"At most {1 / worst:.1f} × the time of {who}, goal ≤ {1 / GOALS[who]:.1f} {reached}.")
        else:
            lines.append(f"{who}: at least {worst:.1f} × our time on every row, goal ≥ {GOALS[who]:.0f} {reached}.")
    same = all(one["agree"] for one in result["rows"].values())
    lines.append("All give the same label." if same else "They do not all give the same label.")
    return table(head, rows) + "\n\n" + "\n".join(lines)
