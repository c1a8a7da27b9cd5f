"""Simple object detection (spec S6): a detector taught in two phases in NumPy, ablations, and epochs beside Keras.

full       `edge-tl model detector` as it is by default, on the base of MobileNet v1 0.25; judged on fresh scenes of a
           seed that taught nothing.
short      fewer scenes and epochs, all else the same, seed 1: the text's loss, without label scaling (the threshold
           then 0.5), cross-entropy for the shape, batch norms frozen; the shipped model, of which nothing is tuned.
epochs     an epoch of phase 2 over the same features in NumPy and by Keras' fit of the same sub-network, in turn, on as
           many threads, both modes of the batch norms, by the processor's clock; Keras' first epoch, in which it
           compiles, is not counted. `python -m benchmarks.prove detection_epochs` measures this part alone anew.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.interleaved import ratio, spread, times_ms, words
from benchmarks.proof_mnist import met, threads
from benchmarks.record import anew, table
from device.report.training import draw_phases
from edge_tl.detection.answers import answers_of
from edge_tl.detection.base import Base, read_base, read_detector
from edge_tl.detection.scenes import SHAPES
from edge_tl.detection.training import FRESH_SEED, Plan, begin, judge, train, unfreeze
from edge_tl.detection.truth import sheet_of
from edge_tl.media.image import save_png
from edge_tl.models import default_model
from edge_tl.nn import Epoch, Network, RMSProp, fit

FIGURES = "training.json"
"""What `edge-tl model detector --json` said, beside the detector that it wrote."""
SHORT = Plan(scenes=600, epochs=(1, 6))
ASKED = 300
SCENES, ROUNDS = 1024, 5
LOSS_GOAL, SHAPE_GOAL, IOU_GOAL, STRETCH, TIME_GOAL = 100.0, 0.97, 0.70, 0.75, 0.8
SHOWN = 8


def measure(folder: Path, detector: Path, rounds: int = ROUNDS) -> dict[str, Any]:
    """folder: the base; detector: what was trained on it, with its figures."""
    base = read_base(folder, 1)
    full = json.loads((detector / FIGURES).read_text())
    fresh = judge(base, read_detector(detector, 1).network, answers_of("scaled", SHAPES, base.side_px), 500, FRESH_SEED)
    if abs(fresh.iou - full["judged"]["iou"]) > 1e-3:
        raise SystemExit(f"{detector}: finds other boxes than its {FIGURES} says; delete the folder and prove again")
    ways = {
        "as the text": (base, "scaled", SHORT),
        "without label scaling": (base, "plain", SHORT),
        "cross-entropy for the shape": (base, "classes", SHORT),
        "batch norms frozen": (base, "scaled", replace(SHORT, freeze_bn=True)),
        "the shipped model": (read_base(default_model(), 1), "scaled", SHORT),
    }
    short = {}
    for name, (below, loss, plan) in ways.items():
        print(f"short training: {name}", file=sys.stderr)
        short[name] = tried(below, loss, plan)
    return {"full": full, "short": short, "epochs": epochs(base, rounds), "threads": threads()}


def tried(base: Base, loss: str, plan: Plan) -> dict[str, Any]:
    """A short training and what it finds."""
    answers = answers_of(loss, SHAPES, base.side_px)
    made = train(base, answers, plan, seed=1, clock=time.perf_counter)
    held = [epoch.validation_loss for epoch in made.curve]
    judged = judge(base, made.network, answers, ASKED, FRESH_SEED)
    return {**asdict(judged), "phase1": held[plan.epochs[0] - 1], "phase2": held[-1], "trainable": made.trainable}


def epochs(base: Base, rounds: int) -> dict[str, Any]:
    """Milliseconds a picture of phase 2, in NumPy and by Keras, in both modes of the batch norms."""
    if importlib.util.find_spec("tensorflow") is None:
        print("Keras is left out: TensorFlow is not installed (pip install -e .[host])", file=sys.stderr)
        return {}
    from host_tools.detection import compiled
    from host_tools.layers import to_keras
    from host_tools.tf import tensorflow

    tensorflow().config.threading.set_intra_op_parallelism_threads(threads())
    tensorflow().config.threading.set_inter_op_parallelism_threads(threads())
    answers = answers_of("scaled", SHAPES, base.side_px)
    found = {}
    for freeze_bn in (False, True):
        # The text's phase 2: RMSProp, batches of 64.
        plan = Plan(SCENES + 2, 1e-6, (0, 1), (1e-3, 1e-3), (64, 64), "rmsprop", decay=False, freeze_bn=freeze_bn)
        begun = begin(base, answers, plan, 0)
        X, Y = (array[:SCENES] for array in begun.examples)
        unfreeze(begun.network, begun.block, True, freeze_bn)
        model = to_keras(begun.network, X.shape[1:])
        compiled(model, answers, plan, 1)
        network = begun.network
        runs = {
            "NumPy": lambda network=network, X=X, Y=Y: once(network, X, Y, answers),
            "Keras": lambda model=model, X=X, Y=Y: model.fit(X, Y, 64, 1, verbose=0),
        }
        times = times_ms(runs, rounds, clock=time.process_time)
        each = {name: [value / SCENES for value in values] for name, values in times.items()}
        found["frozen" if freeze_bn else "training"] = {
            **{name: spread(values) for name, values in each.items()},
            "ratio": ratio(each["NumPy"], each["Keras"]),
        }
    return found


def once(network: Network, X: np.ndarray, Y: np.ndarray, answers: Any) -> None:
    """An epoch of phase 2 as the text has it."""
    rng = np.random.default_rng(0)
    fit(network, X, Y, loss=answers.loss, optimizer=RMSProp(1e-4), epochs=1, batch=64, rng=rng)


def report(result: dict[str, Any]) -> str:
    """Tables and goals."""
    full = result["full"]
    plan, judged, curve = full["plan"], full["judged"], full["curve"]
    first, last = plan["epochs"][0] - 1, len(curve) - 1
    taught = plan["scenes"] - min(plan["scenes"] - 1, max(1, round(plan["scenes"] * plan["held"])))
    head = [
        f"{taught} scenes, {plan['scenes'] - taught} held out; {plan['epochs'][0]} and {plan['epochs'][1]} epochs",
        "loss taught",
        "loss held out",
        "trained",
    ]
    rows: list[list[object]] = [
        ["phase 1, the end", curve[first]["loss"], curve[first]["validation_loss"], full["trainable"][0]],
        ["phase 2, first epoch", curve[first + 1]["loss"], curve[first + 1]["validation_loss"], full["trainable"][1]],
        ["phase 2, the end", curve[last]["loss"], curve[last]["validation_loss"], full["trainable"][1]],
    ]
    parts = [table(head, [[shown(cell) for cell in row] for row in rows])]
    held = curve[last]["validation_loss"]
    parts.append(
        "\n".join(
            [
                f"Validation loss {held:.1f}: goal < {LOSS_GOAL:.0f} {met(held < LOSS_GOAL)}; of {taught} scenes and "
                f"{sum(plan['epochs'])} epochs (the text: up to 20 000 and 300).",
                f"{judged['scenes']} fresh scenes: shape {judged['shape']:.1%}, goal ≥ {SHAPE_GOAL:.0%} "
                f"{met(judged['shape'] >= SHAPE_GOAL)}; mean IoU {judged['iou']:.3f}, goal ≥ {IOU_GOAL:.2f} "
                f"{met(judged['iou'] >= IOU_GOAL)}, stretch {STRETCH} {met(judged['iou'] >= STRETCH)}.",
            ]
        )
    )
    names = [f"short: {SHORT.scenes} scenes, {SHORT.epochs[0]} and {SHORT.epochs[1]} epochs", "shape", "mean IoU"]
    rows = [
        [name, f"{one['shape']:.1%}", one["iou"], shown(one["phase1"]), shown(one["phase2"])]
        for name, one in result["short"].items()
    ]
    parts.append(table([*names, "loss after phase 1", "after phase 2"], rows))
    if result["epochs"]:
        rows = [
            [
                f"batch norms {mode}",
                words(one["NumPy"]),
                words(one["Keras"]),
                words(one["ratio"]),
                met(one["ratio"]["median"] <= TIME_GOAL),
            ]
            for mode, one in result["epochs"].items()
        ]
        head = [f"ms a picture, {result['threads']} thread(s)", "NumPy", "Keras", "ratio", f"goal ≤ {TIME_GOAL}"]
        parts.append(table(head, rows))
    parts += anew(result)
    return "\n\n".join(parts)


def shown(cell: object) -> object:
    """Losses with one decimal."""
    return f"{cell:.1f}" if isinstance(cell, float) else cell


def draw(result: dict[str, Any], detector: Path, curve: Path, boxes: Path) -> None:
    """The curve of the full training, and what it finds in fresh scenes."""
    full = result["full"]
    draw_phases(
        curve, [Epoch(**one) for one in full["curve"]], full["plan"]["epochs"][0], "the base's upper layers too"
    )
    save_png(boxes, sheet_of(read_detector(detector, 1), SHOWN, FRESH_SEED))
