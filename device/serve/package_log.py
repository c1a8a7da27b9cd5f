"""What other people's packages log while the service runs, as lines of ours: never a traceback, and rarely.

Strangers decide how often a request is broken; they must not decide how fast the card fills.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Self

THREADS = "edge-tl "
"""So the names of our threads begin."""


class PackageLog(logging.Handler):
    """Within `with` it hands warnings and errors of every package to a journal. happened: `Journal.happened`."""

    def __init__(self, happened: Callable[[str, str], None]) -> None:
        super().__init__(logging.WARNING)
        self._happened = happened

    def emit(self, record: logging.LogRecord) -> None:
        """Say one record, or count it where one was said just now."""
        thread = record.threadName or ""
        part = thread.removeprefix(THREADS) if thread.startswith(THREADS) else record.name.partition(".")[0]
        self._happened(part, f"{part}: {_line(record)}")

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)


def _line(record: logging.LogRecord) -> str:
    """A record in a line, of an exception with the place where it was raised."""
    said = (
        " ".join(record.getMessage().split()) if not record.exc_info else record.getMessage().partition("\n")[0].strip()
    )
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return said[:300]
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
    return f"{said} ({type(error).__name__}: {' '.join(str(error).split())[:200]}{where})"
