"""`edge-tl-host convert teachable`: what Teachable Machine trained in a browser, as a model folder and a profile."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from edge_tl.errors import counted

EXAMPLES = """\
examples:
  edge-tl-host convert teachable converted_tfjs.zip --out poses
  edge-tl-host convert teachable keras_model.h5 --out poses
Copy the folder to the Pi as it is, then there: edge-tl restore poses/profile.zip --profile poses
"""


def add_teachable(kinds: Any) -> None:
    """Add the command to those of `convert`."""
    about = "a Teachable Machine project of images, with the head that was trained there"
    teachable = kinds.add_parser(
        "teachable",
        help=about,
        description="Read an export of Teachable Machine (TensorFlow.js or Keras), write its frozen base as a model "
        "folder, and the head that was trained in the browser as a profile in it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    teachable.add_argument(
        "project",
        metavar="WHERE",
        help="a folder, .zip or URL with model.json, weights.bin and metadata.json; or keras_model.h5 with labels.txt",
    )
    teachable.add_argument("--name", metavar="NAME", help="name on screens (default: the name of --out)")
    teachable.add_argument(
        "--licence",
        default="Apache-2.0 (MobileNetV2); of what was trained: yours",
        metavar="TEXT",
        help="the licence of the weights, for the manifest (default: %(default)s)",
    )
    teachable.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write")


def run(arguments: argparse.Namespace) -> int:
    """Convert, and say what to do on the device."""
    from host_tools.teachable import PROFILE, convert_teachable

    out = arguments.out
    print(f"reading {arguments.project} (TensorFlow takes some seconds to start)", file=sys.stderr, flush=True)
    made = convert_teachable(arguments.project, out, arguments.name or out.absolute().name, arguments.licence)
    print(
        f"{out}: {counted(made.parameters, 'parameter')}, {counted(len(made.labels), 'class', 'classes')} "
        f"({', '.join(made.labels[:6])}); the profile and Keras differ by {made.error:.1g} at most"
    )
    print(f"on the device: `edge-tl restore {out / PROFILE} --profile {made.manifest.name}`")
    return 0
