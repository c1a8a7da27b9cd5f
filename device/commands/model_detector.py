"""`edge-tl model detector`: an object detector trained on this machine, in NumPy, on scenes that it draws itself."""

from __future__ import annotations

import time
from argparse import Namespace
from dataclasses import asdict

import numpy as np

from device.cli.output import Progress, print_json, say
from device.report.training import draw_phases
from device.screens.chart import curves
from edge_tl.detection.answers import answers_of
from edge_tl.detection.base import read_base, read_detector, write_detector
from edge_tl.detection.scenes import SHAPES
from edge_tl.detection.training import FRESH, FRESH_SEED, DetectorScores, DetectorTraining, Plan, judge, plan_of, train
from edge_tl.detection.truth import sheet_of
from edge_tl.errors import ConfigError, counted
from edge_tl.media.image import save_png
from edge_tl.models import default_model
from edge_tl.nn import Epoch

SHOWN = 12


def run(arguments: Namespace) -> int:
    """Train in both phases, judge on fresh scenes, write what was asked for."""
    out = arguments.out
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out}: is a file; a folder is wanted, which is made where it is missing")
    base = read_base(arguments.base or default_model(), arguments.threads)
    plan = plan_of(vars(arguments))
    if not sum(plan.epochs):
        raise ConfigError("--epochs 0,0 trains nothing; e.g. 1,16 is wanted")
    answers = answers_of(arguments.loss, SHAPES, base.side_px)
    with Progress("epoch", sum(plan.epochs)) as progress:

        def after(epoch: Epoch) -> None:
            progress(epoch.number, f"loss {epoch.loss:.1f}, held out {epoch.validation_loss:.1f}")

        trained = train(base, answers, plan, seed=arguments.seed, clock=time.perf_counter, progress=after)
    judged = judge(base, trained.network, answers, FRESH, FRESH_SEED)
    name = out.absolute().name
    write_detector(out, base.folder, name, trained.network, trained.block, base.weights, answers)
    if arguments.curve is not None:
        draw_phases(arguments.curve, trained.curve, plan.epochs[0], said(trained))
    if arguments.picture is not None:
        try:
            save_png(arguments.picture, sheet_of(read_detector(out), SHOWN, FRESH_SEED))
        except (OSError, ValueError) as error:
            raise ConfigError(f"--picture {arguments.picture}: cannot be written ({error}); choose another") from None
    if arguments.json:
        print_json(described(plan, trained, judged))
    else:
        say(*lines(plan, trained, judged))
        say(f"written to {out}: `edge-tl detect --detector {out} PICTURE`")
    return 0


def said(trained: DetectorTraining) -> str:
    """What phase 2 trains beside the head, on the curve."""
    return "the base's upper layers too" if trained.trainable[1] > trained.trainable[0] else "the head further"


def described(plan: Plan, trained: DetectorTraining, judged: DetectorScores) -> dict[str, object]:
    """For JSON."""
    return {
        "plan": asdict(plan),
        "parameters": trained.parameters,
        "trainable": list(trained.trainable),
        "epoch_s": list(trained.epoch_s),
        "judged": asdict(judged),
        "curve": [asdict(epoch) for epoch in trained.curve],
    }


def lines(plan: Plan, trained: DetectorTraining, judged: DetectorScores) -> list[str]:
    """What the screen says: the fall of the loss, a line a phase, and how it does on fresh scenes."""
    shown = {"taught": [one.loss for one in trained.curve], "held out": [held(one) for one in trained.curve]}
    made = ["log10 of the loss, both phases"]
    made += curves({name: np.log10(np.maximum(values, 1e-9)).tolist() for name, values in shown.items()}, 12, 64)
    begun = 0
    for phase, epochs in enumerate(plan.epochs):
        if epochs:
            first, last = trained.curve[begun], trained.curve[begun + epochs - 1]
            each_s = np.median(trained.epoch_s[begun : begun + epochs])
            made.append(
                f"phase {phase + 1}: {trained.trainable[phase]} of {counted(trained.parameters, 'parameter')} trained, "
                f"{epochs} × {each_s:.2f} s; loss {first.loss:.1f} → {last.loss:.1f}, held out {held(last):.1f}"
            )
        begun += epochs
    made.append(
        f"{counted(judged.scenes, 'fresh scene')}: {judged.shape:.1%} classified correctly, mean IoU "
        f"{judged.iou:.3f}, loss {judged.loss:.1f}"
    )
    return made


def held(epoch: Epoch) -> float:
    """The loss held out; there always is one here."""
    assert epoch.validation_loss is not None
    return epoch.validation_loss
