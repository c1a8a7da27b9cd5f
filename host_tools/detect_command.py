"""`edge-tl-host detect`: drawn scenes, a detector trained on them in Keras, and what it finds."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from edge_tl.detection.answers import LOSSES, answers_of
from edge_tl.detection.base import Base, read_base, read_detector, write_detector
from edge_tl.detection.scenes import SHAPES
from edge_tl.detection.training import FRESH, FRESH_SEED, OPTIMIZERS, Plan, judge, plan_of
from edge_tl.detection.truth import sheet_of, write_scenes
from edge_tl.errors import ConfigError, counted
from edge_tl.media.image import save_png
from edge_tl.nn import Epoch

EXAMPLES = """\
examples:
  edge-tl-host detect scenes --count 20 --seed 1 --out scenes
  edge-tl-host detect train --epochs 0,0 --out base        # only the base, to be trained on the Pi
  edge-tl-host detect train --base base --out shapes       # both phases, here
  edge-tl-host detect show shapes --out found.png
Copy the folder to the Pi as it is: edge-tl model detector base --out shapes; edge-tl detect --detector shapes photo.png
"""


def add_detect(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its three actions."""
    detect = commands.add_parser(
        "detect",
        help="draw scenes, train the source text's object detector on them, show the detected boxes",
        description="The simple object detector of the source text: a triangle or a rectangle among circles and lines, "
        "found by a MobileNet whose upper layers are fine-tuned.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = detect.add_subparsers(dest="action", required=True, metavar="ACTION")
    drawn = actions.add_parser("scenes", help="write drawn pictures, and truth.csv with their boxes")
    drawn.add_argument("--count", type=_whole, default=20, metavar="N", help="number of pictures (default: 20)")
    drawn.add_argument("--seed", type=_whole, default=0, metavar="N", help="random seed (default: 0)")
    drawn.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write")
    _add_train(actions.add_parser("train", help="train a detector in two phases with Keras"))
    shown = actions.add_parser("show", help="draw the true and predicted boxes of new scenes as one PNG")
    shown.add_argument(
        "detector", type=Path, metavar="DIR", help="a folder from detect train, or from `edge-tl model detector`"
    )
    shown.add_argument("--count", type=_whole, default=12, metavar="N", help="number of scenes (default: 12)")
    shown.add_argument("--seed", type=_whole, default=FRESH_SEED, metavar="N", help="random seed (default: new scenes)")
    shown.add_argument("--out", type=Path, required=True, metavar="FILE.png", help="the picture to write")


def _add_train(train: argparse.ArgumentParser) -> None:
    plan = Plan()
    below = train.add_mutually_exclusive_group()
    below.add_argument(
        "--base", type=Path, metavar="DIR", help="use a base that was written before (default: make one from --weights)"
    )
    below.add_argument(
        "--weights",
        default="imagenet",
        metavar="WHAT",
        help="weights of MobileNet v1 0.25 224: imagenet (Keras downloads them), a Keras .h5 or .keras file, or none "
        "(default: imagenet)",
    )
    train.add_argument("--licence", metavar="TEXT", help="the licence of the weights, for the manifest")
    train.add_argument(
        "--text", action="store_true", help="use the source text's settings: 2000 scenes, 100 and 200 epochs, RMSProp"
    )
    train.add_argument("--scenes", type=_whole, metavar="N", help=f"number of scenes (default: {plan.scenes})")
    train.add_argument(
        "--held", type=float, metavar="SHARE", help=f"share of the scenes that is held out (default: {plan.held})"
    )
    train.add_argument("--anew", action="store_true", help="draw new scenes for every epoch")
    train.add_argument("--epochs", type=_whole_pair, metavar="A,B", help=_pair("epochs of each phase", plan.epochs))
    train.add_argument("--rates", type=_rates, metavar="A,B", help=_pair("learning rates", plan.rates))
    train.add_argument("--batches", type=_whole_pair, metavar="A,B", help=_pair("batch sizes", plan.batches))
    train.add_argument("--optimizer", choices=tuple(OPTIMIZERS), help=f"the optimizer (default: {plan.optimizer})")
    train.add_argument(
        "--no-decay",
        action="store_true",
        help="keep the learning rates constant (default: they fall along half a cosine)",
    )
    train.add_argument(
        "--freeze-bn", action="store_true", help="batch norms use the statistics of the base, which is faster"
    )
    train.add_argument(
        "--loss",
        choices=LOSSES,
        default="scaled",
        help="scaled: squared errors, the shape times 224, as in the text; plain: without that factor; classes: "
        "cross-entropy for the shape and weighted squared errors for the box (default: scaled)",
    )
    train.add_argument(
        "--seed", type=_whole, default=0, metavar="N", help="random seed of scenes, weights and order (default: 0)"
    )
    train.add_argument("--name", metavar="NAME", help="name on screens (default: the name of --out)")
    train.add_argument("--json", action="store_true", help="print the figures and both phases' curve as JSON")
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write")


def run(arguments: argparse.Namespace) -> int:
    """Run one action."""
    if arguments.action == "scenes":
        write_scenes(arguments.out, arguments.count, arguments.seed)
        print(f"{arguments.out}: {counted(arguments.count, 'scene')} and their truth.csv")
    elif arguments.action == "show":
        if not arguments.count:
            raise ConfigError("--count 0: one scene or more is wanted")
        sheet = sheet_of(read_detector(arguments.detector), arguments.count, arguments.seed)
        try:
            save_png(arguments.out, sheet)
        except (OSError, ValueError) as error:
            raise ConfigError(f"--out {arguments.out}: cannot be written ({error}); choose another") from None
        print(f"{arguments.out}: {counted(arguments.count, 'scene')}, true boxes green, predicted ones orange")
    else:
        _train(arguments)
    return 0


def _train(arguments: argparse.Namespace) -> None:
    from host_tools.detection import train_in_keras

    if arguments.out.exists() and not arguments.out.is_dir():
        raise ConfigError(f"--out {arguments.out}: is a file; a folder is wanted, which is made where it is missing")
    plan = plan_of(vars(arguments))
    name = arguments.name or arguments.out.absolute().name
    base = _base(arguments, name, sum(plan.epochs) == 0)
    if sum(plan.epochs) == 0:
        return
    answers = answers_of(arguments.loss, SHAPES, base.side_px)
    _say(f"drawing {counted(plan.scenes, 'scene')}, training {plan.epochs[0]} and {counted(plan.epochs[1], 'epoch')}")

    def progress(epoch: Epoch) -> None:
        phase = 1 if epoch.number <= plan.epochs[0] else 2
        _say(f"  phase {phase}, epoch {epoch.number}: loss {epoch.loss:.1f}, held out {epoch.validation_loss:.1f}")

    trained = train_in_keras(base, answers, plan, arguments.seed, progress)
    judged = judge(base, trained.network, answers, FRESH, FRESH_SEED)
    write_detector(arguments.out, base.folder, name, trained.network, trained.block, base.weights, answers)
    if arguments.json:
        print(json.dumps({**asdict(judged), "curve": [asdict(epoch) for epoch in trained.curve]}))
    else:
        print(
            f"{arguments.out}: {judged.shape:.1%} of {FRESH} fresh scenes classified correctly, mean IoU "
            f"{judged.iou:.3f}, loss {judged.loss:.1f}; {np.median(trained.epoch_s):.2f} s an epoch"
        )


def _base(arguments: argparse.Namespace, name: str, alone: bool) -> Base:
    """The base of `--base`, or one made of `--weights` in `--out`, where a trained detector takes its place."""
    if arguments.base is not None:
        if alone:
            raise ConfigError("--epochs 0,0 writes a base, which --base is already; leave one of them out")
        return read_base(arguments.base)
    from host_tools.detection import export_base
    from host_tools.weights import read_weights

    weights = read_weights(arguments.weights, arguments.licence)
    _say("making the base of MobileNet v1 0.25 (TensorFlow takes some seconds to start)")
    begun_s = time.perf_counter()
    error = export_base(arguments.out, weights, name)
    said = f"TFLite, NumPy and Keras differ by {error:.1g} at most"
    (print if alone else _say)(f"{arguments.out}: a base, made in {time.perf_counter() - begun_s:.0f} s; {said}")
    return read_base(arguments.out)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _pair(what: str, values: tuple[object, object]) -> str:
    return f"{what} (default: {values[0]},{values[1]})"


def _whole(text: str) -> int:
    """A whole number from 0 to a million, for argparse."""
    if not text.isdecimal() or int(text) > 1_000_000_000:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is not a whole number")
    return int(text)


def _whole_pair(text: str) -> tuple[int, int]:
    """Two whole numbers with a comma between, for argparse."""
    first, _, second = text.partition(",")
    return _whole(first), _whole(second)


def _rates(text: str) -> tuple[float, float]:
    """Two learning rates with a comma between, for argparse."""
    try:
        first, second = map(float, text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is not A,B, e.g. 5e-3,2e-3") from None
    return first, second
