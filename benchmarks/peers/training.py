"""“Train” is pressed: how long until ready? 200 pictures, 4 classes, edge-tl and all peers in turns, and how right.

Each round is another draw, and all train on the same: hand signs (`sign_digits`, 50 a class of four classes drawn, the
others asked), and head poses (`cmu_faces`, 50 a class, people left out asked, the takes are the people). So ratios have
a spread over draws, and every accuracy is of pictures that nobody was trained on.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bases import source_text_model
from benchmarks.peers.protocol import ONE_THREAD, Peer
from benchmarks.peers.rounds import OURS, alternate, number, ratios, say, start, values
from benchmarks.pictures import Embedded, digits, embed, faces, numbers, split
from benchmarks.record import table
from edge_tl.core.features import FeatureMap
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.models import default_model

ENVIRONMENTS = ("node", "tensorflow", "torch", "scikit-learn")
CLASSES, COUNT, TAKE = 4, 50, 10
ROUNDS = 8
"""Even ones draw signs, odd ones head poses."""
LEFT_OUT = 4
"""People of each draw of head poses."""
WHOLE_ROUNDS = 2
"""Of Frigate's training from pictures, which takes minutes."""
TFJS, KERAS, TORCH = "TensorFlow.js, wasm", "Keras", "PyTorch"
LOGISTIC, PERCEPTRON = "scikit-learn LogisticRegression", "scikit-learn MLPClassifier"
FRIGATE, WHOLE, CORAL = "Frigate's head (Keras)", "Frigate's whole training (Keras)", "weight imprinting (Coral's)"
PEERS = (
    ("tfjs", "node", "tfjs_rows"),
    ("keras", "tensorflow", "keras_rows"),
    ("torch", "torch", "torch_rows"),
    ("sklearn", "scikit-learn", "sklearn_rows"),
    ("coral", "scikit-learn", "imprinting"),
)
"""A name, an environment, a file of `children`; imprinting needs NumPy alone."""
THEIRS = {
    TFJS: ("tfjs", "recipe"),
    KERAS: ("keras", "recipe"),
    TORCH: ("torch", "recipe"),
    LOGISTIC: ("sklearn", "LogisticRegression"),
    PERCEPTRON: ("sklearn", "MLPClassifier"),
    FRIGATE: ("keras", "Frigate"),
    CORAL: ("coral", "imprinting"),
}
PLAIN_MEANS = FeatureMap(root=False, unit=False)
"""What peers are given of the shipped embedder: its 2×2 means as they are. Root and unit length are ours to add."""
WHOLE_MAP = (
    "ridge",
    "ridge, 2×2",
    "learn, 2×2",
    "ridge, takes unknown",
    "ridge, from raw",
    "softmax",
    "MLP",
    "recipe",
)
SHIPPED = ("ridge, 2×2", "learn, 2×2", "MLP, 2×2")
JUDGED = {"signs": "hand signs", "poses": "people left out"}
GOALS = {
    "whole map": (("ridge", TFJS, 1500), ("ridge, 2×2", TFJS, 1500), ("ridge", KERAS, 200), ("MLP", TFJS, 500)),
    "shipped": (("ridge, 2×2", TFJS, 1500), ("ridge, 2×2", KERAS, 200), ("MLP, 2×2", TFJS, 500)),
}
"""How many times faster than whom."""
NAMES = {
    "ridge": "edge_tl ridge, whole map",
    "ridge, 2×2": "edge_tl ridge, 2×2 means (the default head)",
    "learn, 2×2": "… with “none of these” and confidence (`learn`)",
    "ridge, takes unknown": "edge_tl ridge, whole map, takes unknown",
    "ridge, from raw": "edge_tl ridge, whole map, nothing prepared",
    "softmax": "edge_tl softmax in the span",
    "MLP": "edge_tl MLP in the span",
    "MLP, 2×2": "edge_tl MLP in the span, 2×2 means",
    "recipe": "edge_tl, the recipe with NumPy's Adam",
}


class Lesson:
    """One draw: which pictures of which set are taught and asked."""

    def __init__(self, name: str, data: Embedded, taught: np.ndarray, asked: np.ndarray, takes: np.ndarray) -> None:
        self.name, self.seen = name, data
        classes = np.unique(data.y[taught])
        self.answers = np.searchsorted(classes, data.y[asked])
        self.request = {
            "name": name,
            "taught": taught.tolist(),
            "labels": np.searchsorted(classes, data.y[taught]).tolist(),
            "asked": asked.tolist(),
        }
        self.takes: list[int] = takes.tolist()


def lesson(sets: dict[str, Embedded], turn: int) -> Lesson:
    """The draw of a round."""
    if turn % 2 == 0:
        signs = sets["signs"]
        taught, asked = split(signs.y, CLASSES, COUNT, turn // 2)
        return Lesson("signs", signs, taught, asked, np.arange(len(taught)) // TAKE)
    poses = sets["poses"]
    rng = np.random.default_rng(turn // 2)
    out = np.isin(poses.groups, rng.permutation(np.unique(poses.groups))[:LEFT_OUT])
    of = {label: rng.permutation(np.flatnonzero(~out & (poses.y == label)))[:COUNT] for label in np.unique(poses.y)}
    taught = np.concatenate(list(of.values()))
    return Lesson("poses", poses, taught, np.flatnonzero(out), numbers(poses.groups[taught]))


def measure(rounds: int = ROUNDS, whole_rounds: int = WHOLE_ROUNDS) -> dict[str, Any]:
    """Both embedders' values, one after the other."""
    found: dict[str, Any] = {"values": {}, "skipped": {}}
    v1 = source_text_model()
    models = {"whole map": v1, "shipped": default_model()} if v1 else {"shipped": default_model()}
    for kind, folder in models.items():
        embedder = TFLiteEmbedder.load(folder)
        sets = {"signs": embed(digits(), embedder), "poses": embed(faces(), embedder)}
        whole = whole_rounds if kind == "shipped" else 0
        found["values"][kind] = contest(sets, kind, rounds, whole, found["skipped"])
    return found


def contest(
    sets: dict[str, Embedded], kind: str, rounds: int, whole_rounds: int, skipped: dict[str, str]
) -> dict[str, Any]:
    """Everyone in turns on the values of one embedder: the whole map for all, or its 2×2 means."""
    pooled = kind == "shipped"
    shape = sets["signs"].shape
    with ExitStack() as stack, tempfile.TemporaryDirectory() as name:
        peers, absent = start(stack, PEERS)
        peers[OURS] = stack.enter_context(
            Peer(OURS, [sys.executable, "-m", "benchmarks.peers.children.ours_rows"], ONE_THREAD)
        )
        for set_name, data in sets.items():
            raw, rows = Path(name) / f"{set_name}-raw.f32", Path(name) / f"{set_name}.f32"
            data.X.astype(np.float32).tofile(raw)
            given = PLAIN_MEANS(data.X, shape) if pooled else data.X
            given.astype(np.float32).tofile(rows)
            for peer_name, peer in peers.items():
                own = peer_name == OURS
                more = {"shape": list(shape)} if own else {}
                peer.ask(
                    "load",
                    name=set_name,
                    path=str(raw if own else rows),
                    values=(data.X if own else given).shape[1],
                    **more,
                )
        for peer_name in {"keras", "coral"} & peers.keys():
            peers[peer_name].ask("pool", values=shape[-1])
        lessons = [lesson(sets, turn) for turn in range(max(rounds, 2))]

        def turn_of(peer: str, contender: str) -> Any:
            def run(turn: int) -> dict[str, Any]:
                now = lessons[turn]
                more = {"takes": now.takes} if peer == OURS else {}
                answer = peers[peer].ask("train", contender=contender, seed=turn, **now.request, **more)
                right = float(np.mean(np.array(answer.pop("answers")) == now.answers))
                return {**answer, now.name: right}

            return run

        def whole(turn: int) -> dict[str, Any]:
            now = lessons[turn]
            paths = [str(now.seen.pictures.paths[at]) for at in now.request["taught"]]
            return peers["keras"].ask("whole", 900, paths=paths, labels=now.request["labels"], seed=turn)

        turns = {one: turn_of(OURS, one) for one in (SHIPPED if pooled else WHOLE_MAP)}
        turns |= {who: turn_of(*one) for who, one in THEIRS.items() if one[0] in peers}
        if whole_rounds and "keras" in peers:
            turns[WHOLE] = whole
        for who, (peer, _) in THEIRS.items():
            if peer in absent:
                skipped[who] = absent[peer]
        say(f"training, {kind}")
        answers, failed = alternate(turns, rounds, {WHOLE: whole_rounds})
        skipped |= failed
    return {"D": given.shape[1], "contenders": summary(answers), "goals": judged(answers, kind)}


def summary(answers: dict[str, dict[int, dict[str, Any]]]) -> dict[str, Any]:
    """Of each contender its times, how many times faster our default head is, and its accuracies."""
    found: dict[str, Any] = {}
    for who, rounds in answers.items():
        one: dict[str, Any] = {"ms": values(rounds), "cpu_ms": values(rounds, "cpu_ms")}
        if "ridge, 2×2" in answers:
            one["over_default"] = ratios(rounds, answers["ridge, 2×2"])
        for kind in JUDGED:
            right = [round_[kind] for round_ in rounds.values() if kind in round_]
            if right:
                one[kind] = right
        if "export_ms" in next(iter(rounds.values())):
            one["export_ms"] = values(rounds, "export_ms")
        found[who] = one
    return found


def judged(answers: dict[str, dict[int, dict[str, Any]]], kind: str) -> list[dict[str, Any]]:
    """Each goal with what was measured."""
    found: list[dict[str, Any]] = []
    for ours, theirs, goal in GOALS[kind]:
        if ours in answers and theirs in answers:
            measured = ratios(answers[theirs], answers[ours])
            found.append({"ours": ours, "theirs": theirs, "goal": goal, "measured": measured})
    return found


def report(result: dict[str, Any]) -> str:
    """A table for each embedder, the goals, and the accuracies that are above ours."""
    return "\n\n".join(section(kind, one) for kind, one in result["values"].items())


def section(kind: str, one: dict[str, Any]) -> str:
    """The table of one embedder."""
    rows = [
        [
            NAMES.get(who, who),
            number(of["ms"]),
            number(of["over_default"]),
            *(f"{np.mean(of[key]):.3f}" if key in of else "not measured" for key in JUDGED),
        ]
        for who, of in one["contenders"].items()
    ]
    head = [f"N = 200, D = {one['D']}, 4 classes", "ms", "× the default head's time", "hand signs", "people left out"]
    lines = [table(head, rows)]
    for goal in one["goals"]:
        reached = "reached" if goal["measured"]["median"] >= goal["goal"] else "missed"
        lines.append(
            f"{NAMES[goal['ours']]}: {number(goal['measured'])} times faster than {goal['theirs']}, "
            f"goal ≥ {goal['goal']} {reached}."
        )
    lines += not_below(kind, one["contenders"])
    return lines[0] + "\n\n" + "\n".join(lines[1:])


def not_below(kind: str, contenders: dict[str, Any]) -> list[str]:
    """Whether the accuracy of our heads is below anybody's."""
    found = []
    for ours in ("ridge", "ridge, 2×2", "MLP", "MLP, 2×2"):
        if ours not in contenders:
            continue
        above = []
        for who, of in contenders.items():
            for key, names in JUDGED.items():
                if who in NAMES or key not in of:
                    continue
                apart = 100 * (np.array(of[key]) - contenders[ours][key])
                if apart.mean() > 1e-9:
                    error = f" ± {apart.std(ddof=1) / np.sqrt(len(apart)):.1f}" if len(apart) > 1 else ""
                    above.append(f"{who} on {names} by {apart.mean():.1f}{error} points")
        said = f"missed: above it are {', '.join(above)}" if above else "reached"
        found.append(f"Accuracy of {NAMES[ours]} not below any peer's: {said}.")
    return found
