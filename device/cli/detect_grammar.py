"""What the command line takes for finding things in pictures."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from device.cli.arguments import pixels, positive, positive_seconds, share


def add_detect(
    command: Callable[..., argparse.ArgumentParser],
    profile: argparse.ArgumentParser,
    model: argparse.ArgumentParser,
    camera: argparse.ArgumentParser,
    turning: argparse.ArgumentParser,
) -> None:
    """Add the command; `command(name, help, *parents)` makes one; the others are options that other commands have."""
    about = "find things in pictures or before the camera, each with its box"
    detect = command("detect", about, profile, model, camera, turning)
    detect.add_argument("files", nargs="*", type=Path, metavar="PICTURE", help="pictures (default: the camera)")
    detect.add_argument(
        "--ssd",
        type=Path,
        metavar="FILE.tflite",
        help="an SSD or a YOLO (v5, v8, 11) of any maker (default: what was taught)",
    )
    detect.add_argument(
        "--detector",
        type=Path,
        metavar="DIR",
        help="a detector that `edge-tl model detector` trained, or the one file that `model fuse` made of it",
    )
    detect.add_argument(
        "--labels-file",
        type=Path,
        metavar="FILE",
        help="with --ssd: a label, or NUMBER LABEL, a line (default: those in the model file, else `class 3`)",
    )
    detect.add_argument(
        "--anchors",
        type=Path,
        metavar="FILE",
        help="with --ssd, of a model without the operator: y, x, height, width a line as shares, or .npy (default: the "
        "standard ones of SSD MobileNet, 1917 for 300×300 pixels)",
    )
    detect.add_argument(
        "--pixels",
        type=pixels,
        metavar="LOW,HIGH",
        help="with --ssd: what 0 and 255 become for a float model (default: as its file says, else -1,1; YOLO 0,1)",
    )
    detect.add_argument(
        "--threshold",
        type=share,
        metavar="P",
        help="tell things from this confidence on, 0 to 1; of what was taught: that something is there at all "
        "(default: 0.5)",
    )
    detect.add_argument(
        "--most", type=positive, metavar="N", help="tell so many things a picture at most (default: 100)"
    )
    detect.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="write the pictures with their boxes there, as PNG; of the camera those in which something was found, on "
        "its screen those that s keeps",
    )
    detect.add_argument(
        "--show",
        action="store_true",
        help="show the named pictures with their boxes, one after the other, in the terminal",
    )
    detect.add_argument(
        "--seconds", type=positive_seconds, default=float("inf"), metavar="N", help="how long to watch the camera"
    )
