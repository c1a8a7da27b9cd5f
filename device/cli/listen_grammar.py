"""What the command line takes for words as they are said: listen and count."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from device.cli.arguments import MIC_HELP, positive_seconds, share


def add_listen(
    command: Callable[..., argparse.ArgumentParser],
    profile: argparse.ArgumentParser,
    model: argparse.ArgumentParser,
    plain: argparse.ArgumentParser,
) -> None:
    """Add the two commands; `command(name, help, *parents)` makes one; the others are options that commands share."""
    listen = command(
        "listen", "report words as they are said, on a live screen or as lines of JSON", profile, model, plain
    )
    listen.add_argument(
        "--base",
        metavar="PATH",
        help="use the words of this base model, without any training: a folder from `edge-tl-host convert speech`, "
        "or a .tflite sound classifier (from Teachable Machine, YAMNet)",
    )
    listen.add_argument("--mic", default="auto", metavar="WHICH", help=f"{MIC_HELP} (default: auto)")
    listen.add_argument(
        "--threshold",
        type=share,
        metavar="P",
        help="threshold on the probability, 0 to 1 (default: the one chosen in training)",
    )
    listen.add_argument(
        "--overlap",
        type=share,
        metavar="SHARE",
        help="with a base from convert speech: how much each window overlaps the next, below 1 (default: 0.9); a "
        "smaller value needs less CPU time and responds later",
    )
    listen.add_argument(
        "--marks",
        action="store_true",
        help="with --json: read corrections of wrong words from standard input, one on each line",
    )
    listen.add_argument(
        "--seconds",
        type=positive_seconds,
        default=float("inf"),
        metavar="N",
        help="how long to listen (default: until q or Ctrl-C)",
    )
    listen.add_argument(
        "--no-reject", action="store_true", help="also report sounds that are unlike all training examples"
    )

    count = command(
        "count",
        "count the words that would be reported in hours of sound files, much faster than real time",
        profile,
        model,
    )
    count.add_argument("sounds", nargs="+", type=Path, metavar="SOUNDS", help="sound files, or folders of them")
    count.add_argument(
        "--threshold",
        type=share,
        metavar="P",
        help="threshold on the probability (default: the one chosen in training)",
    )
