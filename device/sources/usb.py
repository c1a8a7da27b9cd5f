"""USB cameras (V4L2) and video files through PyAV."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from device.sources.v4l2 import find_cameras, video_nodes
from edge_tl.errors import SourceClosed, SourceError, SourceTimeout, counted
from edge_tl.frames import BaseSource, Frame
from edge_tl.media.containers import import_av, upright_rgb
from edge_tl.sources.folder import wait_until

MAX_DAMAGED = 10
"""So many packets running may be damaged (the first of a USB camera often are) before the source gives up."""


def decoded_pictures(container: Any, name: str) -> Iterator[Any]:
    """The decoded frames of a container; SourceError after MAX_DAMAGED packets that could not be decoded."""
    av = import_av()
    damaged = 0
    for packet in container.demux(video=0):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError as error:
            damaged += 1
            if damaged > MAX_DAMAGED:
                raise SourceError(f"{name}: {counted(damaged, 'damaged picture')} running; check its cable") from error
            continue
        for frame in frames:
            damaged = 0
            yield frame


class UsbCamera(BaseSource):
    """A USB camera, /dev/videoN.

    number: N, or None for the first camera found. size_px: (width, height) and fps: what is asked for; a camera that
    has neither gives what it has. MJPEG is asked for first, because uncompressed pictures fill a USB 2 bus.

    `read` ignores its time-out: the driver's own read blocks until a frame comes. Give it to
    `device.sources.newest.NewestFrame`, which does not.
    """

    simulated = False

    def __init__(
        self,
        number: int | None = None,
        size_px: tuple[int, int] = (640, 480),
        fps: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        folder: Path = Path("/dev"),
    ) -> None:
        self.name = "USB camera" if number is None else f"USB camera {number}"
        self._number, self._clock, self._folder = number, clock, folder
        self._options = {"video_size": f"{size_px[0]}x{size_px[1]}", "framerate": f"{fps:g}"}
        self._container: Any = None
        self._frames: Iterator[Any] = iter(())
        self._index = 0

    def open(self) -> None:
        """Open the camera; raise MissingDependency without PyAV, else SourceError."""
        av = import_av()
        try:
            path = self._path()
            self._container = self._open_best(av, path)
        except (OSError, ValueError) as error:
            if isinstance(error, SourceError):
                raise
            raise SourceError(f"{self.name}: {reason_of(error)}") from error
        self._frames = decoded_pictures(self._container, self.name)
        self._index = 0

    def _path(self) -> Path:
        if self._number is not None:
            path = self._folder / f"video{self._number}"
            if not path.exists():
                raise SourceError(f"{self.name}: there is no {path}; plug it in, then ls {self._folder}/video*")
            return path
        cameras = find_cameras(video_nodes(self._folder))
        if not cameras:
            raise SourceError(f"{self.name}: no {self._folder}/video* is a USB camera; plug one in")
        return cameras[0].path

    def _open_best(self, av: Any, path: Path) -> Any:
        attempts = [{**self._options, "input_format": "mjpeg"}, self._options, {}]
        for options in attempts:
            try:
                return av.open(str(path), format="v4l2", options=options)
            except (OSError, ValueError) as error:
                # Only a setting that the camera has not is worth another attempt.
                if options == attempts[-1] or getattr(error, "errno", None) not in (errno.EINVAL, None):
                    raise
        raise AssertionError("the last attempt returns or raises")

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The next frame; blocks until it comes, whatever `timeout_s`."""
        if self._container is None:
            raise SourceClosed(f"{self.name}: not open; call open() first")
        try:
            frame = next(self._frames, None)
        except BlockingIOError as error:
            self._frames = decoded_pictures(self._container, self.name)
            raise SourceTimeout(f"{self.name}: no frame yet; read again") from error
        except (OSError, ValueError) as error:
            if isinstance(error, SourceError):
                raise
            raise SourceError(f"{self.name}: {reason_of(error)}") from error
        if frame is None:
            raise SourceError(f"{self.name}: it stopped; was it unplugged?")
        self._index += 1
        return Frame(upright_rgb(frame), self._clock(), index=self._index - 1)

    def close(self) -> None:
        """Release the camera."""
        if self._container is not None:
            self._container.close()
            self._container = None


class VideoFile(BaseSource):
    """A video file, delivered frame by frame: none is dropped.

    paced: True waits with `sleep` for each frame's time in the recording (a late reader makes it run late); False
    delivers at once. loop: begin again at the end. `time_s` is the time of opening plus the time in the recording.
    """

    simulated = True

    def __init__(
        self,
        path: Path | str,
        loop: bool = False,
        paced: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.path = Path(path)
        self.name = f"video {self.path.name}"
        self._loop, self._paced, self._clock, self._sleep = loop, paced, clock, sleep
        self._container: Any = None
        self._frames: Iterator[Any] = iter(())
        self._waiting: Any = None
        self._begin_s = 0.0
        self._last_s = 0.0
        self._index = 0

    def open(self) -> None:
        """Open the file; raise MissingDependency without PyAV, SourceError for what is no video."""
        self._start()
        self._begin_s = self._last_s = self._clock()
        self._index = 0

    def _start(self) -> None:
        av = import_av()
        try:
            self._container = av.open(str(self.path))
        except (OSError, ValueError) as error:
            raise SourceError(f"{self.name}: {reason_of(error)}; wanted a video file") from error
        if not self._container.streams.video:
            self.close()
            raise SourceError(f"{self.name}: it holds no pictures; wanted a video file")
        self._frames = decoded_pictures(self._container, self.name)
        self._waiting = None

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The next frame; SourceTimeout where paced and it is due later, SourceClosed after the last."""
        if self._container is None:
            raise SourceClosed(f"{self.name}: not open; call open() first")
        frame = self._waiting = self._waiting or self._next()
        due_s = max(self._begin_s + (frame.time or 0.0), self._last_s)
        if self._paced:
            wait_until(due_s, timeout_s, self._clock, self._sleep, self.name)
            late_s = self._clock() - due_s
            if late_s > 0.0:
                # The rest of the recording is as late, instead of following in a burst.
                self._begin_s += late_s
                due_s += late_s
        self._waiting = None
        self._last_s = due_s
        self._index += 1
        return Frame(upright_rgb(frame), due_s, index=self._index - 1)

    def _next(self) -> Any:
        try:
            frame = next(self._frames, None)
            if frame is None and self._loop and self._index:
                self._container.close()
                self._start()
                frame = next(self._frames, None)
                # The first frame of the next round comes one frame's time after the last of this one.
                self._begin_s = self._last_s + self._frame_s()
        except (OSError, ValueError) as error:
            if isinstance(error, SourceError):
                raise
            raise SourceError(f"{self.name}: {reason_of(error)}") from error
        if frame is None:
            raise SourceClosed(f"{self.name}: {counted(self._index, 'frame')} delivered, which is all")
        return frame

    def _frame_s(self) -> float:
        rate_hz = self._container.streams.video[0].average_rate
        return 1.0 / float(rate_hz) if rate_hz else 0.0

    def close(self) -> None:
        """Close the file."""
        if self._container is not None:
            self._container.close()
            self._container = None


def reason_of(error: Exception) -> str:
    """What a failed open or read means, and what to do, in one line."""
    number = getattr(error, "errno", None)
    if number in (errno.EACCES, errno.EPERM):
        return "permission denied; join the group that may: sudo usermod -aG video $USER, then log in again"
    if number == errno.EBUSY:
        return "another program is using it; close that one"
    if number == errno.ENODEV:
        return "it is gone; was it unplugged?"
    text = getattr(error, "strerror", None) or str(error)
    return (str(text).splitlines() or [type(error).__name__])[0]
