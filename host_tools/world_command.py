"""The grammar of `edge-tl-host world`, and what it runs."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

EXAMPLES = """\
example:
  edge-tl-host world speech music --licence "CC BY 4.0" --licence CC0-1.0 --out my_world
"""


def add_world(commands: Any) -> None:
    """Add it to the commands."""
    world = commands.add_parser(
        "world",
        help="compute from hours of background sound the statistics that words are compared with",
        description="Compute embeddings of hours of speech, music and rooms with the base `speech`, and save their "
        "mean, variance and correlations with the embeddings of a few minutes: a folder of at most 1.5 MB.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    world.add_argument("sounds", nargs="+", type=Path, metavar="SOUNDS", help="folders (or files) of sounds")
    world.add_argument(
        "--licence",
        action="append",
        required=True,
        metavar="TEXT",
        help="the licence of the sounds, for the card; once, or once for each of SOUNDS in their order",
    )
    world.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="TEXT",
        help="the title and the authors of the sounds, for the card; once for each of SOUNDS (default: the names "
        "of the folders)",
    )
    world.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write")


def run_world(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Write the world, and say what it is."""
    from host_tools.world import make_world

    said = [("licence", one) for one in arguments.licence] + [("source", one) for one in arguments.source]
    options = " ".join(f'--{name} "{text}"' for name, text in said)
    sounds = " ".join(one.name for one in arguments.sounds)
    made_by = f"edge-tl-host world {sounds} {options} --out {arguments.out.name}"
    print(make_world(arguments.sounds, arguments.licence, arguments.source, arguments.out, made_by, say))
    return 0
