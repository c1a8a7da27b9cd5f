"""The options that name a model of pictures, and those that say of a foreign file what it does not say itself."""

from __future__ import annotations

import argparse
from pathlib import Path

from device.cli.arguments import picture_size, scaling, threads
from edge_tl.tflite.manifest import COLOUR_ORDERS, RESIZES


def model_options() -> argparse.ArgumentParser:
    """`--model` and `--threads`, for a command that runs a model."""
    model = argparse.ArgumentParser(add_help=False)
    model.add_argument(
        "--model",
        type=Path,
        metavar="PATH",
        help="a .tflite file of any maker, or the folder of a converted one; what is taught remembers it, and predict "
        "runs a classifier by itself (default: shipped)",
    )
    model.add_argument(
        "--threads",
        type=threads,
        metavar="N",
        help="threads of the interpreter (default: a core each, up to 4; tflite-runtime leaves one core)",
    )
    return model


def describing_options() -> argparse.ArgumentParser:
    """What may have to be said of a .tflite file that another program made."""
    describing = argparse.ArgumentParser(add_help=False)
    describing.add_argument(
        "--scaling",
        type=scaling,
        metavar="LOW,HIGH",
        help="of a .tflite file: what pixels 0 and 255 become, e.g. -1,1 or 0,1, or torch for PyTorch's mean and "
        "deviation (default: as the file says; asked for where it does not)",
    )
    describing.add_argument(
        "--colour-order", choices=COLOUR_ORDERS, help="of a .tflite file: how its colours come (default: rgb)"
    )
    describing.add_argument(
        "--resize",
        choices=RESIZES,
        help="of a .tflite file: the middle of a picture, all of it squeezed, or all with borders (default: crop)",
    )
    describing.add_argument(
        "--size",
        type=picture_size,
        metavar="PIXELS",
        help="of a .tflite file that takes any size: the side of its pictures, or WIDTHxHEIGHT",
    )
    return describing
