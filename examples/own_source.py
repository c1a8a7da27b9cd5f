"""Your own source: a picture file that another program overwrites again and again, like a network camera's snapshot.

python examples/own_source.py snapshot.jpg
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path

from edge_tl import BaseSource, EdgeTLError, ExampleError, Frame, SourceClosed, SourceError, SourceTimeout, decode


class SnapshotSource(BaseSource):
    """A picture file, read whenever it was overwritten."""

    simulated = False

    def __init__(self, path: Path) -> None:
        self.path, self.name, self._opened = path, f"snapshots {path.name}", False

    def open(self) -> None:
        """Start with the existing picture; SourceError if there is none."""
        if not self.path.is_file():
            raise SourceError(f"{self.path}: no such file; start the program that writes it, then try again")
        self._opened, self._index, self._written = True, -1, 0

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The next picture that is written; SourceTimeout if none comes in time."""
        if not self._opened:
            raise SourceClosed(f"{self.name}: not open; call open() first")
        end_s = time.monotonic() + timeout_s
        while True:
            written = self.path.stat().st_mtime_ns if self.path.is_file() else self._written
            if written != self._written:
                with suppress(ExampleError):  # only half of it is written yet
                    picture = decode(self.path)
                    self._written, self._index = written, self._index + 1
                    return Frame(picture, time.monotonic(), index=self._index)
            if time.monotonic() >= end_s:
                raise SourceTimeout(f"{self.name}: no new picture for {timeout_s:g} s; read again")
            time.sleep(0.02)

    def close(self) -> None:
        """Nothing has to be released."""
        self._opened = False


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: own_source.py FILE [HOW-MANY]")
    try:
        with SnapshotSource(Path(sys.argv[1])) as source:
            for _ in range(int(sys.argv[2]) if sys.argv[2:] else 5):
                frame = source.read(timeout_s=60)
                print(f"picture {frame.index}: {frame.data.shape[1]}×{frame.data.shape[0]} pixels", flush=True)
    except EdgeTLError as error:
        sys.exit(f"own_source: {error}")
