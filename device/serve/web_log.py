"""What the web server's own packages log, as lines of ours: one each, and no more than one in a minute.

Strangers decide how often a request is broken; they must not decide how fast the card fills.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable

from device.serve.journal import Journal

LOGGERS = ("uvicorn.error", "asyncio")


class LineLog(logging.Handler):
    """Hands warnings and errors to a log of lines. clock: seconds, monotonic."""

    def __init__(self, log: Callable[[str], None], clock: Callable[[], float]) -> None:
        super().__init__(logging.WARNING)
        self._journal = Journal(log, clock)

    def emit(self, record: logging.LogRecord) -> None:
        """Say one record, or count it where one was said just now."""
        self._journal.happened("web", f"web: {_line(record)}")

    def attach(self) -> None:
        """Take what the packages log."""
        for name in LOGGERS:
            logger = logging.getLogger(name)
            logger.addHandler(self)
            logger.propagate = False

    def detach(self) -> None:
        """Leave it to whoever logs otherwise."""
        for name in LOGGERS:
            logger = logging.getLogger(name)
            logger.removeHandler(self)
            logger.propagate = True


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
