"""`edge-tl`: one command is parsed, loaded and run, and every expected error becomes one line."""

from __future__ import annotations

import importlib
import sys
from argparse import Namespace
from collections.abc import Sequence

from device.cli.arguments import joined
from device.cli.calling import remember
from device.cli.grammar import build_parser
from device.cli.output import forgive_encodings, warn
from edge_tl.errors import EdgeTLError
from edge_tl.files import fill_closed, give_up_output

KEEPS_NOTHING = (
    "bench",
    "completion",
    "count",
    "demo",
    "detect",
    "doctor",
    "evaluate",
    "listen",
    "model",
    "predict",
    "report",
    "status",
)
"""Commands that write nothing, so that there is nothing to say of it when they are stopped."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code: 0 done, 1 an expected error (one line on stderr), 2 wrong usage."""
    fill_closed()
    forgive_encodings()
    try:
        try:
            parser = build_parser()
            arguments = parser.parse_args(joined(sys.argv[1:] if argv is None else argv))
            remember(parser, vars(arguments))
        except SystemExit:
            sys.stdout.flush()  # --help and --version are output too, which may be closed or full
            raise
        return run(arguments)
    except OSError as error:
        give_up_output()
        if isinstance(error, BrokenPipeError):  # `edge-tl … | head`: nothing is wrong
            return 0
        warn(f"{error.filename or 'the output'} cannot be read or written ({error.strerror}): check it and try again")
        return 1


def run(arguments: Namespace) -> int:
    """Load and run the command that was named; OSError where its output cannot be written."""
    command = importlib.import_module(f"device.commands.{arguments.command.replace('-', '_')}")
    try:
        code = int(command.run(arguments))
        sys.stdout.flush()
        return code
    except EdgeTLError as error:
        warn(error)
        return 1
    except KeyboardInterrupt:
        warn("stopped" if arguments.command in KEEPS_NOTHING else "stopped; what was counted is saved")
        return 130
