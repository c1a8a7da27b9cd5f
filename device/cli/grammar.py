"""The grammar of `edge-tl`: every option of every command is named here; the commands live in `device/commands`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

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
from device.cli.detect_grammar import add_detect
from device.cli.examples_grammar import add_examples
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


def build_parser() -> argparse.ArgumentParser:
    """The whole grammar of `edge-tl`."""
    parser: argparse.ArgumentParser = CommandParser(
        prog="edge-tl",
        description="Teach this computer new gestures and words, in seconds, and steer with them.",
        epilog="Start with `edge-tl demo` (no camera needed), then `edge-tl teach`, then `edge-tl play`.",
    )
    parser.add_argument("--version", action=Version, nargs=0, help="say which edge-tl this is")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    profile = argparse.ArgumentParser(add_help=False)
    profile.add_argument(
        "--profile", default="default", metavar="NAME", help="which taught set to use (default: default)"
    )
    profile.add_argument(
        "--data-dir",
        type=Path,
        default=data_dir(),
        metavar="DIR",
        help="where profiles are kept (default: %(default)s)",
    )
    profile.add_argument("--json", action="store_true", help="print JSON instead of text")

    model, describing = model_options(), describing_options()
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
        help="turn every picture clockwise first: a camera that hangs upside down or on its side (default: 0)",
    )
    plain = argparse.ArgumentParser(add_help=False)
    plain.add_argument("--plain", action="store_true", help="lines of text instead of a screen, one a change")
    mic = argparse.ArgumentParser(add_help=False)
    mic.add_argument("--mic", nargs="?", const="auto", metavar="WHICH", help=f"words instead of pictures: {MIC_HELP}")
    base = argparse.ArgumentParser(add_help=False)
    base.add_argument(
        "--base",
        metavar="PATH",
        help="of words: a folder of `edge-tl-host convert speech`, or a .tflite classifier of sounds with metadata; "
        "the profile remembers it (default: speech)",
    )
    against = argparse.ArgumentParser(add_help=False)
    against.add_argument(
        "--against",
        nargs="+",
        type=Path,
        default=[],
        metavar="PATH",
        help="of words: sounds in which none of them is said, to count false alarms in (files or folders)",
    )
    against.add_argument(
        "--threshold",
        type=share,
        metavar="P",
        help="of words: told from this probability on, 0 to 1 (default: as trained)",
    )

    teaching = argparse.ArgumentParser(add_help=False)
    teaching.add_argument(
        "--labels", nargs="+", metavar="LABEL", help="classes to begin with (default: up down left right neutral)"
    )
    teaching.add_argument(
        "--min-examples",
        type=positive,
        metavar="N",
        help="examples a class needs before training is offered (default: 20 pictures, 8 recordings)",
    )
    looking = argparse.ArgumentParser(add_help=False)
    looking.add_argument(
        "--look",
        choices=WAYS,
        help="what of the picture counts; the profile remembers it (default: `teach` finds out, else frame, all of it)",
    )
    looking.add_argument(
        "--box",
        type=box,
        metavar="LEFT,TOP,RIGHT,BOTTOM",
        help="with --look box: the part that counts, in shares of the width and height",
    )
    looking.add_argument(
        "--hands", choices=HANDS, help="with --look hand: the largest hand, or both (default: largest)"
    )
    head = argparse.ArgumentParser(add_help=False)
    head.add_argument(
        "--head",
        choices=(*HEADS, *WITH_BASE, *OF_MOVEMENTS),
        help="what is trained on the examples (default: ridge; of movements: movement)",
    )

    def command(name: str, help_text: str, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=help_text, description=sentence(help_text), parents=list(parents))

    demo = command(
        "demo",
        "teach, evaluate and play by itself, from the simulated player or a folder",
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
        "--seed", type=seed, default=1, metavar="N", help="which simulated players are drawn (default: 1)"
    )
    demo.add_argument(
        "--sessions",
        action="store_true",
        help="of a folder: those at the top are places or days, SESSION/CLASS/picture",
    )

    demo.add_argument(
        "--movements",
        action="store_true",
        help="of a hand: swipes, a circle, a wave, from three demonstrations each; then play by swipes",
    )

    teach = command(
        "teach",
        "hold a key to record examples of a class from the camera; with --mic press it and say a word",
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
    )
    teach.add_argument(
        "--boxes", action="store_true", help="draw a box around a thing in each picture: `detect` finds it then"
    )
    teach.add_argument(
        "--movements", action="store_true", help="movements of a hand: press the class's key, do one, and stop"
    )
    teach.add_argument(
        "--mirrored",
        action=argparse.BooleanOptionalAction,
        help="of movements: the camera gives its pictures mirrored, which is undone; the profile remembers it",
    )

    train = command("train", "train the head on the recorded examples and save it", profile, model, head, against)
    train.add_argument(
        "--max-false-alarms-per-hour",
        type=positive_rate,
        metavar="N",
        help="of words: choose the threshold that keeps this on the sounds of --against",
    )
    train.add_argument(
        "--max-false-triggers-per-minute",
        type=positive_rate,
        metavar="N",
        help="of movements: the least threshold that keeps this on the taught `nothing`, left out (default: 0)",
    )
    train.add_argument(
        "--epochs",
        type=two_phases,
        metavar="TOP,ALL",
        help="with --head tuned: epochs of the new top alone, then with the base's dense layer (default: 40,60)",
    )
    train.add_argument(
        "--unfreeze",
        type=positive,
        metavar="N",
        help="with --head tuned: layers of the base that are trained too: 1 the dense one (default), 2 the convolution "
        "below it as well …; the profile remembers it",
    )
    train.add_argument(
        "--augment",
        action="store_true",
        help="of words: also train on the recordings with your noise behind them, louder, softer, slower, faster",
    )
    kind = train.add_mutually_exclusive_group()
    for name, text in (
        ("open", "among everything that is ever said, with few false alarms (default: up to 3 words)"),
        ("closed", "as commands of somebody who means to be heard (default: from 4 words on)"),
    ):
        kind.add_argument(f"--{name}", dest="listens", action="store_const", const=name, help=f"of words: told {text}")
    train.add_argument(
        "--adapt",
        action="store_true",
        help="with --head tuned: keep all words of the base, and train those of them that were recorded further",
    )
    train.add_argument(
        "--curve", type=Path, metavar="FILE", help="draw loss and accuracy of the training, as .svg or .png"
    )
    train.add_argument("--force", action="store_true", help="train although a class has few examples")

    play = command(
        "play",
        "play Pac-Man, steered by what you taught; the arrow keys always work too",
        profile,
        model,
        camera,
        turning,
        plain,
        mic,
        head,
    )
    play.add_argument(
        "--mic-profile", metavar="NAME", help="with --mic: the words; the camera plays too, with the signs of --profile"
    )
    play.add_argument(
        "--steer", nargs="+", default=[], metavar="DIRECTION=LABEL", help="e.g. --steer up=fist left=palm"
    )
    play.add_argument(
        "--seed", type=seed, default=None, metavar="N", help="the ghosts' random seed (default: a new one)"
    )
    play.add_argument("--no-reject", action="store_true", help="always answer, even to what was never taught")

    evaluate = command(
        "evaluate",
        "say honestly how well it works: each take is tested by what the other takes taught",
        profile,
        model,
        head,
        against,
    )
    evaluate.add_argument(
        "--curve",
        type=Path,
        metavar="FILE",
        help="with --against: draw the words told against the false alarms, threshold by threshold, as .svg or .png",
    )

    listen = command(
        "listen", "tell words as they are said: a live screen, or a line of JSON each", profile, model, plain
    )
    listen.add_argument(
        "--base",
        metavar="PATH",
        help="its own words, with nothing taught: a folder of `edge-tl-host convert speech`, or a .tflite classifier "
        "of sounds (Teachable Machine's, YAMNet)",
    )
    listen.add_argument("--mic", default="auto", metavar="WHICH", help=f"{MIC_HELP} (default: auto)")
    listen.add_argument(
        "--threshold", type=share, metavar="P", help="told from this probability on, 0 to 1 (default: as trained)"
    )
    listen.add_argument(
        "--overlap",
        type=share,
        metavar="SHARE",
        help="with a base of convert speech: how much a window overlaps the next, below 1 (default: 0.9); less "
        "costs less and is slower to answer",
    )
    listen.add_argument(
        "--marks", action="store_true", help="with --json: take what was told wrongly from standard input, a line each"
    )
    listen.add_argument(
        "--seconds",
        type=positive_seconds,
        default=float("inf"),
        metavar="N",
        help="how long (default: until q or Ctrl-C)",
    )
    listen.add_argument("--no-reject", action="store_true", help="also tell sounds that are like nothing taught")

    count = command(
        "count", "count what would be told in hours of sound files, without waiting for them", profile, model
    )
    count.add_argument("sounds", nargs="+", type=Path, metavar="SOUNDS", help="sound files, or folders of them")
    count.add_argument(
        "--threshold", type=share, metavar="P", help="told from this probability on (default: as trained)"
    )

    report = command("report", "write all that is known of a profile as one page for a browser", profile, model, head)
    report.add_argument(
        "--out", type=Path, metavar="FILE.html", help="the page; replaced where it exists (default: report-NAME.html)"
    )
    report.add_argument("--date", type=day, metavar="YYYY-MM-DD", help="the date on the page (default: today)")

    about = "recognise pictures, or words in sound files, by what was taught or by a classifier of another maker"
    predict = command("predict", about, profile, model, describing, turning)
    predict.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="of a classifier in a .tflite file: a label a line (default: those in it, or in labels.txt beside it)",
    )
    predict.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a picture or a sound")
    predict.add_argument("--no-reject", action="store_true", help="always name a class, never 'none of these'")

    add_detect(command, profile, model, camera, turning)

    add_examples(command, profile, model, describing, looking, base, turning)

    add_model(command, profile, model, describing, data_dir())

    save = command("backup", "write a whole profile into one file, also while a service runs", profile)
    save.add_argument("path", type=Path, metavar="FILE.zip", help="the file, which must not exist yet")
    back = command("restore", "make a profile from a file that backup wrote", profile)
    back.add_argument("path", type=Path, metavar="FILE.zip", help="the file; --profile names what is made of it")

    add_service(command)

    command("doctor", "say what is missing on this machine, and the command that mends it", profile)
    completing = command("completion", "print what lets a shell complete commands and options with the tab key")
    completing.add_argument("shell", choices=("bash", "zsh", "fish"), metavar="SHELL", help="bash, zsh or fish")
    return parser


class Version(argparse.Action):
    """Prints the version; the metadata is read only here, because its import takes longer than most of ours."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print it and exit with 0."""
        from importlib.metadata import version

        print(f"edge-tl {version('edge-tl')}")
        parser.exit()
