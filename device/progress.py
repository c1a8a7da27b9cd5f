"""One line of progress on a terminal, and silence elsewhere."""

from __future__ import annotations

import sys


class Progress:
    """Says how far long work is, on stderr, when that is a terminal; use it with `with`."""

    def __init__(self, what: str, total: int | None = None) -> None:
        self.what, self.total = what, total
        self.shown = sys.stderr.isatty()

    def __call__(self, done: int, detail: str = "") -> None:
        """Show that `done` of `total` is finished."""
        if self.shown:
            count = f"{done}/{self.total}" if self.total else f"{done}"
            print(f"\r\x1b[K{self.what}: {count} {detail}", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self.shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
