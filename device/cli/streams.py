"""Standard input, output and error when a shell closed them (`>&-`), or when nobody reads them any more."""

from __future__ import annotations

import contextlib
import os
import sys


def fill_closed() -> None:
    """Put something in the place of closed descriptors 0, 1 and 2.

    Else the next file that is opened has such a number, and what is printed goes into it: into a profile, say. Input is
    empty, errors are lost, and output fails where it is written (EBADF), so that nothing is called done that was lost.
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, mode)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - for as long as the program
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115


def give_up_output() -> None:
    """Let what could not be written be lost: Python must not complain a second time while it exits."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)
