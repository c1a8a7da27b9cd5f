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
        help="the base model: any .tflite file or a model folder; the profile remembers it; predict can also run a "
        "classifier without a profile (default: the model that ships)",
    )
    model.add_argument(
        "--threads",
        type=threads,
        metavar="N",
        help="threads of the interpreter (default: as chosen by `edge-tl bench`, else one for each core, up to 4; with "
        "tflite-runtime one less)",
    )
    return model


def describing_options() -> argparse.ArgumentParser:
    """What may have to be said of a .tflite file that another program made."""
    describing = argparse.ArgumentParser(add_help=False)
    describing.add_argument(
        "--scaling",
        type=scaling,
        metavar="LOW,HIGH",
        help="for a .tflite file: the values for pixels 0 and 255, e.g. -1,1 or 0,1, or torch for PyTorch's mean and "
        "standard deviation (default: from the file; required if the file does not say)",
    )
    describing.add_argument(
        "--colour-order",
        choices=COLOUR_ORDERS,
        help="for a .tflite file: the order of its colour channels (default: rgb)",
    )
    describing.add_argument(
        "--resize",
        choices=RESIZES,
        help="for a .tflite file: crop to the centre, stretch the whole picture, or add borders (default: crop)",
    )
    describing.add_argument(
        "--size",
        type=picture_size,
        metavar="PIXELS",
        help="for a .tflite file that accepts any size: the size of its pictures in pixels, or WIDTHxHEIGHT",
    )
    return describing
