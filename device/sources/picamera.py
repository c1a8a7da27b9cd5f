"""The Raspberry Pi's camera through Picamera2: the only file that imports it."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

from device.sources.pixels import FORMATS, unpack
from edge_tl.errors import ConfigError, MissingDependency, SourceClosed, SourceError, SourceTimeout, counted
from edge_tl.frames import BaseSource, Frame

INSTALL = "sudo apt install -y python3-picamera2, then make a new environment: make clean venv"
BUFFERS = 4
"""One being filled, one queued, one here, one spare: fewer drop frames, each is 0.9 MB of contiguous memory."""
OLDEST_S = 1.0
"""A sensor's time stamp older than this, or from the future, is of another clock and is not believed."""


def import_picamera2() -> Any:
    """The Picamera2 class; MissingDependency with the command that installs it, or with what is wrong with it."""
    try:
        from picamera2 import Picamera2
    except ModuleNotFoundError as error:
        raise MissingDependency(f"{error.name} is not installed: {INSTALL}") from error
    # A NumPy newer than the one that apt's modules were built for fails here with ValueError or ImportError.
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0]
        raise MissingDependency(f"picamera2 cannot be imported ({reason}): {INSTALL}") from error
    return Picamera2


def attached_cameras() -> list[str]:
    """The models of the attached cameras, in Picamera2's order; MissingDependency without Picamera2."""
    return [str(info.get("Model", "unknown")) for info in import_picamera2().global_camera_info()]


class PicameraSource(BaseSource):
    """A camera of the Raspberry Pi (or any that libcamera knows), RGB from the ISP.

    number: of Picamera2's list. size_px: (width, height), even. fps: frames a second, where the camera lets them be
    set. pixel_format: what is asked of libcamera, of `device.sources.pixels.FORMATS`; "BGR888" is what lies in memory
    as RGB and costs one copy; NV12 and YUV420 are for cameras that have nothing else. make: replaces Picamera2(number).
    clock: must be of CLOCK_MONOTONIC for frames to carry the sensor's own time.

    `read` blocks in the driver no longer than its time-out, but `open` and `close` may hang with a loose cable: give
    it to `device.sources.newest.NewestFrame`. Open, read and close in one thread.
    """

    simulated = False

    def __init__(
        self,
        number: int = 0,
        size_px: tuple[int, int] = (640, 480),
        fps: float = 30.0,
        pixel_format: str = "BGR888",
        make: Callable[[int], Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if pixel_format not in FORMATS:
            raise ConfigError(f"camera: pixel format {pixel_format!r}; wanted one of {', '.join(FORMATS)}")
        if size_px[0] % 2 or size_px[1] % 2 or min(size_px) < 2:
            raise ConfigError(f"camera: size {size_px[0]}×{size_px[1]}; wanted even numbers of pixels, 2 or more")
        self.name = f"Picamera2 {number}"
        self._number, self._size_px, self._fps, self._wanted_format = number, size_px, fps, pixel_format
        self._make, self._clock = make, clock
        self._camera: Any = None
        self._job: Any = None
        self._stream: dict[str, Any] = {}
        self._full_range = False
        self._index = 0

    def open(self) -> None:
        """Open, configure and start the camera; raise MissingDependency without Picamera2, else SourceError."""
        make = self._make
        if make is None:
            make = picamera2 = import_picamera2()
            attached = picamera2.global_camera_info()
            if self._number >= len(attached):
                found = counted(len(attached), "camera")
                raise SourceError(f"{self.name}: libcamera finds {found}; check the cable, then rpicam-hello --list")
        # A Picamera2 that failed half made keeps its camera acquired, in a cycle of references, until it is collected.
        gc.collect()
        try:
            self._camera = make(self._number)
            self._start()
        # Picamera2 and libcamera raise RuntimeError for nearly everything, and others besides.
        except Exception as error:
            self.close()
            reason = (str(error.__cause__ or error).splitlines() or [""])[0]
            raise SourceError(f"{self.name}: cannot be opened ({reason}); does another program use it?") from error
        self._index = 0

    def _start(self) -> None:
        controls = {}
        if "FrameDurationLimits" in self._camera.camera_controls:
            duration_us = round(1e6 / self._fps)
            controls["FrameDurationLimits"] = (duration_us, duration_us)
        configuration = self._camera.create_video_configuration(
            main={"format": self._wanted_format, "size": self._size_px},
            buffer_count=BUFFERS,
            controls=controls,
            display=None,
            encode=None,
        )
        self._camera.configure(configuration)
        # libcamera may have given another format, size or stride than was asked for.
        got = self._camera.camera_configuration()
        self._stream = got["main"]
        colour_range = getattr(got.get("colour_space"), "range", None)
        self._full_range = getattr(colour_range, "name", str(colour_range)).rpartition(".")[2] == "Full"
        if self._stream["format"] not in FORMATS:
            raise SourceError(f"it delivers {self._stream['format']}; wanted one of {', '.join(FORMATS)}")
        self._camera.start()

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The next frame; raise SourceTimeout, or SourceError where the camera fails."""
        if self._camera is None:
            raise SourceClosed(f"{self.name}: not open; call open() first")
        try:
            # A job that timed out is asked again: left behind, it would keep its buffer from the camera for ever.
            self._job = self._job or self._camera.capture_request(wait=False)
            request = self._job.get_result(timeout=timeout_s)
            self._job = None
        except TimeoutError as error:
            raise SourceTimeout(f"{self.name}: no frame within {timeout_s:g} s; read again") from error
        except Exception as error:
            self._job = None
            raise self._failed(error) from error
        try:
            buffer, metadata = request.make_buffer("main"), request.get_metadata()
        except Exception as error:
            raise self._failed(error) from error
        finally:
            request.release()
        now_s = self._clock()
        sensor_s = metadata.get("SensorTimestamp", 0) * 1e-9
        time_s = sensor_s if 0.0 <= now_s - sensor_s < OLDEST_S else now_s
        picture = unpack(buffer, self._stream["format"], self._stream["size"], self._stream["stride"], self._full_range)
        self._index += 1
        return Frame(picture, time_s, index=self._index - 1)

    def _failed(self, error: Exception) -> SourceError:
        reason = (str(error).splitlines() or [""])[0]
        return SourceError(f"{self.name}: failed while reading ({type(error).__name__}: {reason}); check its cable")

    def close(self) -> None:
        """Stop and release the camera."""
        camera, self._camera, self._job = self._camera, None, None
        if camera is not None:
            try:
                camera.close()
            # A camera that is gone cannot be closed, which is what was wanted.
            except Exception:
                return
