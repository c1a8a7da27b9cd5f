"""Recorded pictures as a source: a folder, or a single file, that reads like a camera."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from edge_tl.errors import ExampleError, SourceClosed, SourceError, SourceTimeout
from edge_tl.frames import Frame

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})


def wait_until(
    due_s: float, timeout_s: float, clock: Callable[[], float], sleep: Callable[[float], None], name: str
) -> None:
    """Sleep until `due_s` on `clock`; where that is over `timeout_s` away, sleep so long and raise SourceTimeout."""
    left_s = due_s - clock()
    if left_s > timeout_s:
        sleep(max(timeout_s, 0.0))
        raise SourceTimeout(f"{name}: the next frame is due in {left_s:.2f} s, waited {timeout_s:g} s; read again")
    if left_s > 0:
        sleep(left_s)


def find_pictures(path: Path) -> list[tuple[Path, str | None]]:
    """The pictures of a folder in natural order (`pic2` before `pic10`), each with the label its folder gives.

    `path` is a picture, a flat folder (no labels), or one laid out `class/picture` or `class/take/picture`.
    Hidden files and files of other kinds are left out. Raises SourceError where there is no picture at all.
    """
    if path.is_file():
        return [(path, None)]
    if not path.is_dir():
        raise SourceError(f"{path}: no such file or folder; give a picture or a folder of pictures")
    files = [
        file.relative_to(path) for file in path.rglob("*") if file.suffix.lower() in PICTURE_SUFFIXES and file.is_file()
    ]
    shown = [file for file in files if not any(part.startswith(".") for part in file.parts)]
    if not shown:
        raise SourceError(f"{path}: no pictures in this folder; it needs {', '.join(sorted(PICTURE_SUFFIXES))} files")
    shown.sort(key=_natural)
    return [(path / file, file.parts[0] if len(file.parts) > 1 else None) for file in shown]


def _natural(path: Path) -> list[list[tuple[int, str]]]:
    """A sort key in which digits count as numbers."""
    return [
        [(int(piece), "") if piece.isdecimal() else (-1, piece.lower()) for piece in re.split(r"(\d+)", part)]
        for part in path.parts
    ]


class FolderSource:
    """A folder of pictures, or one picture, delivered in natural order like frames of a camera.

    fps: pictures a second, waited for on `clock` with `sleep` (a late reader gets each picture, later: a recording
    drops nothing); None delivers as fast as it is read. loop: begin again at the end. A picture that cannot be
    decoded is skipped and counted in `dropped`. `Frame.truth` is the class folder's name; `time_s` is `clock`'s.
    """

    simulated = True

    def __init__(
        self,
        path: Path | str,
        fps: float | None = None,
        loop: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.path = Path(path)
        self.name = f"pictures of {self.path.name or self.path}"
        self._interval_s = 1.0 / fps if fps else 0.0
        self._loop = loop
        self._clock, self._sleep = clock, sleep
        self._pictures: list[tuple[Path, str | None]] = []
        self._next = 0
        self._index = 0
        self._due_s = 0.0

    def open(self) -> None:
        """List the pictures; raise SourceError where there are none."""
        self._pictures = find_pictures(self.path)
        self._next = self._index = 0
        self._due_s = self._clock()

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The next picture; raise SourceTimeout where it is due later, SourceClosed after the last."""
        from edge_tl.image import decode

        if not self._pictures:
            raise SourceClosed(f"{self.name}: not open; call open() first")
        if self._interval_s:
            wait_until(self._due_s, timeout_s, self._clock, self._sleep, self.name)
        dropped = 0
        fault = ""
        while dropped < len(self._pictures):
            if self._next == len(self._pictures):
                if not self._loop:
                    break
                self._next = 0
            path, truth = self._pictures[self._next]
            self._next += 1
            self._index += 1
            try:
                picture = decode(path)
            except (ExampleError, OSError) as error:
                dropped += 1
                fault = str(error)
                continue
            now_s = self._clock()
            # A late reader does not get the missed pictures in a burst: the schedule starts anew from now.
            late = now_s - self._due_s > self._interval_s
            self._due_s = (now_s if late else self._due_s) + self._interval_s
            return Frame(picture, now_s, index=self._index - 1, dropped=dropped, truth=truth)
        if dropped == len(self._pictures):
            raise SourceError(f"{self.name}: none of its {dropped} pictures can be read; the last: {fault}")
        raise SourceClosed(f"{self.name}: all {len(self._pictures)} pictures were delivered")

    def close(self) -> None:
        """Forget the pictures."""
        self._pictures = []

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
