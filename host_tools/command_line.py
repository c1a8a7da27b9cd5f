"""A command line whose output may close, be closed or full: the right exit code, at most one line, no traceback."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from edge_tl.files import fill_closed, give_up_output


class HostParser(argparse.ArgumentParser):
    """One whose help and version are output like all other: OSError where they cannot be written."""

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print it; argparse would pass over what cannot be written."""
        (file or sys.stderr).write(message)


def told(
    parser: Callable[[], argparse.ArgumentParser],
    argv: Sequence[str] | None,
    run: Callable[[argparse.Namespace], int],
) -> int:
    """The exit code of a program: what `run` returns, 2 for wrong usage, 1 where its output cannot be written."""
    fill_closed()
    try:
        try:
            arguments = parser().parse_args(argv)
        except SystemExit:
            sys.stdout.flush()
            raise
        code = run(arguments)
        sys.stdout.flush()
        return code
    except OSError as error:
        give_up_output()
        if isinstance(error, BrokenPipeError):  # `edge-tl-host … | head`: nothing is wrong
            return 0
        place = error.filename or "the output"
        print(
            f"edge-tl-host: {place} cannot be read or written ({error.strerror}): check it and try again",
            file=sys.stderr,
        )
        return 1
