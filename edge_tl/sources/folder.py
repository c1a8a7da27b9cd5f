"""Recorded pictures and sounds as a source: a folder, or a single file, that reads like a camera."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge_tl.errors import ConfigError, ExampleError, SourceClosed, SourceError, SourceTimeout, counted
from edge_tl.files import is_clutter
from edge_tl.frames import BaseSource, Frame
from edge_tl.media.kinds import EXAMPLES, PICTURES, ending, is_sound
from edge_tl.media.wav import read_wav


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


def wait_for_frame(
    opened_s: float,
    index: int,
    fps: float,
    timeout_s: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    name: str,
) -> int:
    """Wait, as `wait_until`, for frame `index` of a stream of `fps` since `opened_s`; how many a late reader missed."""
    wait_until(opened_s + index / fps, timeout_s, clock, sleep, name)
    # The tiny part of a frame is for clocks that wake up a rounding error early.
    return max(int((clock() - opened_s) * fps + 1e-6) - index, 0)


def find_pictures(path: Path) -> list[tuple[Path, str | None]]:
    """The pictures of a folder in natural order (`pic2` before `pic10`), each with the label its folder gives.

    `path` is a picture, a flat folder (no labels), or one laid out `class/picture` or `class/take/picture`.
    Hidden files and files of other kinds are left out. Raises SourceError where there is no picture at all.
    """
    return _find(path, "picture", lambda file: ending(file) in PICTURES)


def find_sounds(path: Path) -> list[tuple[Path, str | None]]:
    """The sound files of a folder, as `find_pictures` finds pictures: `class/clip.wav` or `class/take/clip.wav`."""
    return _find(path, "sound", is_sound)


def _find(path: Path, what: str, wanted: Callable[[Path], bool]) -> list[tuple[Path, str | None]]:
    """The files of these kinds below a folder, each with the label its folder gives."""
    if path.is_file():
        return [(path, None)]
    if not path.is_dir():
        raise SourceError(f"{path}: no such file or folder; give a {what} or a folder of {what}s")
    files = [file.relative_to(path) for file in path.rglob("*") if wanted(file) and file.is_file()]
    shown = [file for file in files if not any(map(is_clutter, file.parts))]
    if not shown and what == "picture" and any(map(is_sound, path.rglob("*"))):
        raise SourceError(f"{path}: holds sounds and no pictures: as a microphone `--mic FILE` takes one of them")
    if not shown:
        raise SourceError(f"{path}: no {what}s in this folder; it needs some, as {EXAMPLES[what]}")
    shown.sort(key=_natural)
    return [(path / file, file.parts[0] if len(file.parts) > 1 else None) for file in shown]


def _natural(path: Path) -> list[list[tuple[int, str]]]:
    """A sort key in which digits count as numbers."""
    return [
        [(int(piece), "") if piece.isdecimal() else (-1, piece.lower()) for piece in re.split(r"(\d+)", part)]
        for part in path.parts
    ]


class FolderSource(BaseSource):
    """A folder of pictures (or of sounds), or one file, delivered in natural order like frames of a camera.

    fps: files a second, waited for on `clock` with `sleep` (a late reader gets each picture, later: a recording
    drops nothing); None delivers as fast as it is read. loop: begin again at the end. kind: `picture`, or `sound`,
    which makes each file one frame, its whole sound. A file that cannot be decoded is skipped and counted in `dropped`.
    `Frame.truth` is the class folder's name; `time_s` is `clock`'s.
    """

    simulated = True

    def __init__(
        self,
        path: Path | str,
        fps: float | None = None,
        loop: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        kind: str = "picture",
    ) -> None:
        if kind not in ("picture", "sound"):
            raise ConfigError(f"the kind is {kind!r}; picture or sound is wanted")
        self.path = Path(path)
        self._kind = kind
        self.name = f"{kind}s of {self.path.name or self.path}"
        self._interval_s = 1.0 / fps if fps else 0.0
        self._loop = loop
        self._clock, self._sleep = clock, sleep
        self._files: list[tuple[Path, str | None]] = []
        self._next = 0
        self._index = 0
        self._due_s = 0.0

    def open(self) -> None:
        """List the files; raise SourceError where there are none."""
        self._files = find_pictures(self.path) if self._kind == "picture" else find_sounds(self.path)
        self._next = self._index = 0
        self._due_s = self._clock()

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The next file; raise SourceTimeout where it is due later, SourceClosed after the last."""
        if not self._files:
            raise SourceClosed(f"{self.name}: not open; call open() first")
        if self._interval_s:
            wait_until(self._due_s, timeout_s, self._clock, self._sleep, self.name)
        dropped = 0
        fault = ""
        while dropped < len(self._files):
            if self._next == len(self._files):
                if not self._loop:
                    break
                self._next = 0
            path, truth = self._files[self._next]
            self._next += 1
            self._index += 1
            try:
                data, rate_hz = self._decode(path)
            except (ExampleError, OSError) as error:
                dropped += 1
                fault = str(error)
                continue
            now_s = self._clock()
            # A late reader does not get the missed pictures in a burst: the schedule starts anew from now.
            late = now_s - self._due_s > self._interval_s
            self._due_s = (now_s if late else self._due_s) + self._interval_s
            return Frame(data, now_s, index=self._index - 1, dropped=dropped, rate_hz=rate_hz, truth=truth)
        if dropped == len(self._files):
            raise SourceError(f"{self.name}: none of its {counted(dropped, self._kind)} can be read; the last: {fault}")
        raise SourceClosed(f"{self.name}: {counted(len(self._files), self._kind)} delivered, which is all")

    def _decode(self, path: Path) -> tuple[np.ndarray, int | None]:
        """What a file holds, and its rate where it is a sound."""
        if self._kind == "picture":
            from edge_tl.media.image import decode

            return decode(path), None
        return read_wav(path)

    def close(self) -> None:
        """Forget the files."""
        self._files = []
