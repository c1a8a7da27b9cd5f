"""The grammar of `edge-tl bench`, and the option that goes before what it remembered."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from device.cli.arguments import frames_a_second


def add_bench(command: Callable[..., argparse.ArgumentParser], profile: argparse.ArgumentParser) -> None:
    """The command itself."""
    bench = command(
        "bench",
        "measure the speed of this computer (one minute), and choose threads and answers per second for it",
        profile,
    )
    bench.add_argument("--dry-run", action="store_true", help="only print what was measured, save nothing")


def fps_option() -> argparse.ArgumentParser:
    """`--fps`, for a command that looks at a camera."""
    paced = argparse.ArgumentParser(add_help=False)
    paced.add_argument(
        "--fps",
        type=frames_a_second,
        metavar="N",
        help="answers per second that are wanted: where finding hands or faces takes longer, the pictures in between "
        "are only glanced at; 0: every picture in full (default: as chosen by `edge-tl bench`, else 0)",
    )
    return paced
