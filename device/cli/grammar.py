"""The grammar of `edge-tl`: every option of every command is named here; the commands live in `device/commands`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

from device.cli.arguments import (
    CAMERA_HELP,
    MIC_HELP,
    box,
    day,
    positive,
    positive_rate,
    positive_seconds,
    seed,
    sentence,
    share,
    two_phases,
)
from device.cli.bench_grammar import add_bench, fps_option
from device.cli.calling import parser_at
from device.cli.detect_grammar import add_detect
from device.cli.examples_grammar import add_examples
from device.cli.fleet_grammar import add_fleet
from device.cli.listen_grammar import add_listen
from device.cli.model_grammar import add_model
from device.cli.model_options import describing_options, model_options
from device.cli.serve_grammar import add_service
from device.sources.rotated import DEGREES
from edge_tl.embedders.look.choices import HANDS, WAYS
from edge_tl.heads import HEADS, OF_MOVEMENTS, WITH_BASE


def data_dir() -> Path:
    """Where profiles live when `--data-dir` is not given: `$XDG_DATA_HOME/edge-tl` or `~/.local/share/edge-tl`."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "edge-tl"


class CommandParser(argparse.ArgumentParser):
    """One whose help is output like all other: OSError where it cannot be written, which argparse would pass over."""

    def print_help(self, file: Any = None) -> None:
        """Print it."""
        (file or sys.stdout).write(self.format_help())

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does it, but what is not known is said by the command that does not know it."""
        words = sys.argv[1:] if args is None else list(args)
        given, unknown = self.parse_known_args(words, namespace)
        if unknown:
            parser_at(self, words).error(f"unrecognized arguments: {' '.join(unknown)}")
        return given

    def error(self, message: str) -> NoReturn:
        """Where it fails, the next step is its help."""
        super().error(f"{message} (`{self.prog} --help` says what is wanted)")


def build_parser() -> argparse.ArgumentParser:
    """The whole grammar of `edge-tl`."""
    parser: argparse.ArgumentParser = CommandParser(
        prog="edge-tl",
        description="Teach this computer new gestures and words in seconds, and use them to control things.",
        epilog="Start with `edge-tl demo` (no camera needed), then `edge-tl teach`, then `edge-tl play`.",
    )
    parser.add_argument("--version", action=Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    profile = argparse.ArgumentParser(add_help=False)
    profile.add_argument(
        "--profile",
        default="default",
        metavar="NAME",
        help="name of the profile: a set of examples and what was trained on them (default: default)",
    )
    profile.add_argument(
        "--data-dir",
        type=Path,
        default=data_dir(),
        metavar="DIR",
        help="folder in which profiles are stored (default: %(default)s)",
    )
    profile.add_argument("--json", action="store_true", help="print JSON instead of text")

    model, describing, paced = model_options(), describing_options(), fps_option()
    camera = argparse.ArgumentParser(add_help=False)
    where = camera.add_mutually_exclusive_group()
    where.add_argument("--camera", default="auto", metavar="WHICH", help=f"{CAMERA_HELP} (default: auto)")
    where.add_argument("--no-camera", action="store_true", help="use the keyboard only")

    turning = argparse.ArgumentParser(add_help=False)
    turning.add_argument(
        "--rotate",
        type=int,
        choices=DEGREES,
        default=0,
        help="rotate every picture clockwise, for a camera that is mounted upside down or on its side (default: 0)",
    )
    plain = argparse.ArgumentParser(add_help=False)
    plain.add_argument(
        "--plain", action="store_true", help="print lines of text instead of a screen, one for each change"
    )
    mic = argparse.ArgumentParser(add_help=False)
    mic.add_argument(
        "--mic",
        nargs="?",
        const="auto",
        metavar="WHICH",
        help=f"use words instead of pictures, from this microphone: {MIC_HELP}",
    )
    base = argparse.ArgumentParser(add_help=False)
    base.add_argument(
        "--base",
        metavar="PATH",
        help="for words, the base model: a folder from `edge-tl-host convert speech`, or a .tflite sound classifier "
        "with metadata; the profile remembers it (default: speech)",
    )
    against = argparse.ArgumentParser(add_help=False)
    against.add_argument(
        "--against",
        nargs="+",
        type=Path,
        default=[],
        metavar="PATH",
        help="for words: sound files, or folders of them, that contain none of the words, to measure false alarms",
    )
    against.add_argument(
        "--threshold",
        type=share,
        metavar="P",
        help="for words: threshold on the probability, 0 to 1 (default: the one chosen in training)",
    )

    teaching = argparse.ArgumentParser(add_help=False)
    teaching.add_argument(
        "--labels", nargs="+", metavar="LABEL", help="names of the first classes (default: up down left right neutral)"
    )
    teaching.add_argument(
        "--min-examples",
        type=positive,
        metavar="N",
        help="minimum number of examples per class for training (default: 20 pictures, 8 recordings)",
    )
    looking = argparse.ArgumentParser(add_help=False)
    looking.add_argument(
        "--look",
        choices=WAYS,
        help="which part of the picture is used; the profile remembers it (default: `teach` chooses, otherwise "
        "frame, all of it)",
    )
    looking.add_argument(
        "--box",
        type=box,
        metavar="LEFT,TOP,RIGHT,BOTTOM",
        help="with --look box: the part that is used, as fractions of width and height",
    )
    looking.add_argument(
        "--hands", choices=HANDS, help="with --look hand: use the largest hand, or both (default: largest)"
    )
    head = argparse.ArgumentParser(add_help=False)
    head.add_argument(
        "--head",
        choices=(*HEADS, *WITH_BASE, *OF_MOVEMENTS),
        help="the classifier that is trained on the examples (default: ridge; for movements: movement)",
    )

    def command(name: str, help_text: str, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=help_text, description=sentence(help_text), parents=list(parents))

    demo = command(
        "demo",
        "train, evaluate and play automatically, with the simulated player or a folder of pictures",
        profile,
        model,
        describing,
        camera,
        turning,
        looking,
        head,
    )
    demo.add_argument(
        "--seconds", type=positive_seconds, default=20.0, metavar="N", help="how long to play (default: 20)"
    )
    demo.add_argument(
        "--seed", type=seed, default=1, metavar="N", help="random seed of the simulated players (default: 1)"
    )
    demo.add_argument(
        "--sessions",
        action="store_true",
        help="for a folder: its top-level folders are sessions (places or days), SESSION/CLASS/picture",
    )

    demo.add_argument(
        "--movements",
        action="store_true",
        help="use movements of a hand instead of poses: three demonstrations of each; then play by swipes",
    )

    teach = command(
        "teach",
        "record examples and train: hold a key and show a sign, or with --mic press it and say a word",
        profile,
        model,
        describing,
        camera,
        turning,
        plain,
        mic,
        base,
        looking,
        teaching,
        head,
        paced,
    )
    teach.add_argument(
        "--boxes", action="store_true", help="draw a box around an object in each picture, so that `detect` can find it"
    )
    teach.add_argument(
        "--movements",
        action="store_true",
        help="record movements of a hand: press the key of the class, do the movement, and hold still",
    )
    teach.add_argument(
        "--mirrored",
        action=argparse.BooleanOptionalAction,
        help="for movements: the camera mirrors its pictures, and this is undone; the profile remembers it",
    )

    train = command("train", "train the classifier on the recorded examples and save it", profile, model, head, against)
    train.add_argument(
        "--max-false-alarms-per-hour",
        type=positive_rate,
        metavar="N",
        help="for words: choose the threshold so that the sounds of --against cause at most this many false alarms "
        "per hour",
    )
    train.add_argument(
        "--max-false-triggers-per-minute",
        type=positive_rate,
        metavar="N",
        help="for movements: choose the lowest threshold at which held-out examples of `nothing` cause at most this "
        "many false alarms per minute (default: 0)",
    )
    train.add_argument(
        "--epochs",
        type=two_phases,
        metavar="TOP,ALL",
        help="with --head tuned: epochs for the new top layer alone, then together with the base's dense layer "
        "(default: 40,60)",
    )
    train.add_argument(
        "--unfreeze",
        type=positive,
        metavar="N",
        help="with --head tuned: how many layers of the base are trained too: 1 the dense layer (default), 2 also the "
        "convolution below it, and so on; the profile remembers it",
    )
    train.add_argument(
        "--augment",
        action="store_true",
        help="for words: also train on copies of the recordings with background noise, louder, softer, slower and "
        "faster",
    )
    kind = train.add_mutually_exclusive_group()
    for name, text in (
        ("open", "wake words: few false alarms in all-day speech (default for up to 3 words)"),
        ("closed", "commands: spoken to the device on purpose (default for 4 and more words)"),
    ):
        kind.add_argument(f"--{name}", dest="listens", action="store_const", const=name, help=f"for words: {text}")
    train.add_argument(
        "--adapt",
        action="store_true",
        help="with --head tuned: keep all words of the base, and continue the training of those that were recorded",
    )
    train.add_argument(
        "--curve", type=Path, metavar="FILE", help="draw the loss and accuracy curves of the training, as .svg or .png"
    )
    train.add_argument("--force", action="store_true", help="train even if a class has very few examples")

    play = command(
        "play",
        "play Pac-Man, steered by your signs, words or movements; the arrow keys always work too",
        profile,
        model,
        camera,
        turning,
        plain,
        mic,
        head,
        paced,
    )
    play.add_argument(
        "--mic-profile",
        metavar="NAME",
        help="with --mic: profile of the words; the camera steers too, with the signs of --profile",
    )
    play.add_argument(
        "--steer",
        nargs="+",
        default=[],
        metavar="DIRECTION=LABEL",
        help="which class steers in which direction, e.g. --steer up=fist left=palm",
    )
    play.add_argument(
        "--seed", type=seed, default=None, metavar="N", help="random seed of the ghosts (default: a new one)"
    )
    play.add_argument(
        "--no-reject", action="store_true", help="always answer with the nearest class, never none of these"
    )

    evaluate = command(
        "evaluate",
        "measure the accuracy: each take is tested by a model trained on the other takes",
        profile,
        model,
        head,
        against,
    )
    evaluate.add_argument(
        "--curve",
        type=Path,
        metavar="FILE",
        help="with --against: draw the detection rate over the false alarms for all thresholds, as .svg or .png",
    )

    add_listen(command, profile, model, plain)

    report = command(
        "report",
        "write a report about a profile as one HTML page: accuracy, confusions, examples, advice",
        profile,
        model,
        head,
    )
    report.add_argument(
        "--out",
        type=Path,
        metavar="FILE.html",
        help="the page to write; an existing file is replaced (default: report-NAME.html)",
    )
    report.add_argument("--date", type=day, metavar="YYYY-MM-DD", help="the date on the page (default: today)")

    about = "classify pictures, or detect words in sound files, with a profile or with another .tflite classifier"
    predict = command("predict", about, profile, model, describing, turning)
    predict.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="for a .tflite classifier: file with one label per line (default: those in it, or in labels.txt beside "
        "it)",
    )
    predict.add_argument("files", nargs="+", type=Path, metavar="FILE", help="pictures or sound files")
    predict.add_argument("--no-reject", action="store_true", help="always name a class, never 'none of these'")
    predict.add_argument("--why", action="store_true", help="tell why: the nearest taught examples and likely causes")
    predict.add_argument(
        "--was", metavar="LABEL", help="with --why: what the files show, so that mistakes are explained"
    )

    add_detect(command, profile, model, camera, turning)

    add_examples(command, profile, model, describing, looking, base, turning)

    add_model(command, profile, model, describing, data_dir())

    save = command("backup", "save a whole profile to one file, also while a service is using it", profile)
    save.add_argument("path", type=Path, metavar="FILE.zip", help="the file to write; it must not exist yet")
    back = command("restore", "create a profile from a file that `backup` wrote", profile)
    back.add_argument(
        "path", type=Path, metavar="FILE.zip", help="the file to read; --profile gives the name of the new profile"
    )

    add_service(command)
    add_fleet(command)

    add_bench(command, profile)
    command("doctor", "check this computer: what is missing, and the command that installs it", profile)
    completing = command(
        "completion", "print a script for your shell that completes commands and options with the Tab key"
    )
    completing.add_argument("shell", choices=("bash", "zsh", "fish"), metavar="SHELL", help="bash, zsh or fish")
    return parser


class Version(argparse.Action):
    """Prints the version; the metadata is read only here, because its import takes longer than most of ours."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print it and exit with 0."""
        from importlib.metadata import version

        print(f"edge-tl {version('edge-tl')}")
        parser.exit()
