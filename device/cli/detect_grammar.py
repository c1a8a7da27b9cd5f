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
    about = "find objects in pictures or in front of the camera, with their boxes"
    detect = command("detect", about, profile, model, camera, turning)
    detect.add_argument("files", nargs="*", type=Path, metavar="PICTURE", help="pictures (default: the camera)")
    detect.add_argument(
        "--ssd",
        type=Path,
        metavar="FILE.tflite",
        help="use an SSD or YOLO (v5, v8, 11) model file (default: the detector trained in the profile)",
    )
    detect.add_argument(
        "--detector",
        type=Path,
        metavar="DIR",
        help="use a detector from `edge-tl model detector`, or the single file that `model fuse` made from it",
    )
    detect.add_argument(
        "--labels-file",
        type=Path,
        metavar="FILE",
        help="with --ssd: file with a label, or NUMBER LABEL, on each line (default: those in the model file, "
        "otherwise `class 3`)",
    )
    detect.add_argument(
        "--anchors",
        type=Path,
        metavar="FILE",
        help="with --ssd, for a model without TFLite_Detection_PostProcess: y, x, height, width on each line, as "
        "fractions, or .npy (default: the standard anchors of SSD MobileNet, 1917 for 300×300 pixels)",
    )
    detect.add_argument(
        "--pixels",
        type=pixels,
        metavar="LOW,HIGH",
        help="with --ssd: the values for pixels 0 and 255 in a float model (default: from its file, otherwise -1,1; "
        "YOLO 0,1)",
    )
    detect.add_argument(
        "--threshold",
        type=share,
        metavar="P",
        help="threshold on the confidence, 0 to 1; with a trained profile, on the confidence that there is an object "
        "at all (default: 0.5)",
    )
    detect.add_argument(
        "--most", type=positive, metavar="N", help="maximum number of objects in a picture (default: 100)"
    )
    detect.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder for the pictures with their boxes, as PNG; with a camera, those with an object, or on its "
        "screen those that you save with key s",
    )
    detect.add_argument(
        "--show",
        action="store_true",
        help="show the pictures with their boxes in the terminal, one after the other",
    )
    detect.add_argument(
        "--seconds", type=positive_seconds, default=float("inf"), metavar="N", help="how long to watch the camera"
    )
