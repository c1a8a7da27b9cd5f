"""What check_camera.sh runs in its root: the camera adapter on the real Picamera2, libcamera and its pictures.

Each function proves one thing and says so in the line that it returns; an AssertionError ends the check. The argument
is the folder that libcamera's virtual camera shows, empty so far.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import logging
import os
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path
from unittest.mock import MagicMock

import av
import numpy as np
from PIL import Image

# Picamera2 imports the preview on a bare screen always; pykms, which that needs, is in Raspberry Pi OS only.
sys.modules["pykms"] = MagicMock()
import libcamera  # noqa: E402
import picamera2  # noqa: E402
from picamera2.allocators import LibcameraAllocator  # noqa: E402

from device.sources.choose import open_source  # noqa: E402
from device.sources.newest import NewestFrame  # noqa: E402
from device.sources.picamera import PicameraSource, attached_cameras  # noqa: E402
from device.sources.reconnect import ReconnectingSource  # noqa: E402
from edge_tl.errors import SourceError, SourceTimeout  # noqa: E402
from edge_tl.frames import Frame, Source  # noqa: E402
from edge_tl.media.image import fit  # noqa: E402
from edge_tl.sources.simulated import POSES, SimulatedPlayer  # noqa: E402

SIZE_PX = (640, 480)
FLAT = [(200, 30, 40), (40, 180, 60), (30, 60, 210), (230, 230, 230), (16, 16, 16), (220, 200, 40)]
FRAMES = 48
Picamera2 = picamera2.Picamera2


class VirtualCamera(Picamera2):
    """Picamera2 without what it expects of a camera with a sensor: raw modes, and buffers of one plane from a heap."""

    latest: VirtualCamera

    def __init__(self, number: int = 0) -> None:
        super().__init__(number)
        self.allocator = LibcameraAllocator(self.camera)
        VirtualCamera.latest = self

    def _get_raw_modes(self) -> list[dict[str, object]]:
        return [{"format": "NV12", "size": SIZE_PX}]


class HalfMade(VirtualCamera):
    """A Picamera2 whose constructor fails after it has acquired the camera."""

    def create_still_configuration(self, *_: object, **__: object) -> dict[str, object]:
        raise RuntimeError("half made")

    def __del__(self) -> None:
        # Picamera2 releases the camera here, then misses it in a list, which Python would only print.
        with contextlib.suppress(KeyError):
            super().__del__()


def adapter(pixel_format: str = "NV12") -> PicameraSource:
    """Our adapter on the virtual camera."""
    return PicameraSource(0, SIZE_PX, pixel_format=pixel_format, make=VirtualCamera)


def draw_pictures() -> list[np.ndarray]:
    """What the camera is to see: flat colours, four corners that differ, and the five poses of the simulated player."""
    width, height = SIZE_PX
    pictures = [np.full((height, width, 3), colour, np.uint8) for colour in FLAT]
    corners = np.array([[FLAT[0], FLAT[1]], [FLAT[2], FLAT[3]]], np.uint8)
    pictures.append(np.kron(corners, np.ones((height // 2, width // 2, 1), np.uint8)))
    player = SimulatedPlayer(seed=7)
    for pose in POSES:
        player.open()
        player.pose = pose
        for _ in range(10):
            picture = player.read().data
        pictures.append(np.ascontiguousarray(fit(picture, (height, width))))
    return pictures


def show(pictures: list[np.ndarray], folder: Path) -> None:
    """Write the pictures as the JPEGs 0.jpg, 1.jpg … that the virtual camera shows.

    libcamera hands on the JPEG's own YCbCr, of full range, but says SMPTE 170M, of limited range. So a JPEG is given
    the bytes that a camera of limited range would deliver, by FFmpeg's conversion.
    """
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
            format="yuv444p", dst_colorspace="ITU601", src_color_range="JPEG", dst_color_range="MPEG"
        )
        Image.fromarray(np.ascontiguousarray(frame.to_ndarray().transpose(1, 2, 0)), "YCbCr").save(
            folder / f"{number}.jpg", quality=98
        )


def which(picture: np.ndarray, pictures: list[np.ndarray]) -> int:
    """The number of the picture that this frame shows, which it must show all over and in its colours."""
    assert picture.shape == (SIZE_PX[1], SIZE_PX[0], 3), picture.shape
    assert picture.dtype == np.uint8
    assert picture.flags.owndata
    assert picture.flags.c_contiguous
    far = [np.abs(picture[::8, ::8].astype(int) - wanted[::8, ::8]).mean() for wanted in pictures]
    number = int(np.argmin(far))
    difference = np.abs(picture.astype(int) - pictures[number])
    # JPEG and 4:2:0 blur colour at edges: elsewhere four levels are all that rounding explains.
    if number < len(FLAT):
        assert difference.max() <= 4, f"picture {number}: off by {difference.max()}"
    assert difference.mean() <= 2.0, f"picture {number}: off by {difference.mean():.2f} on average"
    return number


def read(source: Source, count: int, pause_s: float = 0.0) -> list[Frame]:
    """So many frames, whose times and indices must rise."""
    frames = []
    for _ in range(count):
        frames.append(source.read(2.0))
        time.sleep(pause_s)
    for before, after in itertools.pairwise(frames):
        assert after.time_s > before.time_s, (before.time_s, after.time_s)
        assert after.index == before.index + after.dropped + 1, (before.index, after.index, after.dropped)
    return frames


def check_pictures(pictures: list[np.ndarray]) -> str:
    """The adapter alone: every picture comes through, with the sensor's time."""
    asked: list[float] = []

    def clock() -> float:
        asked.append(time.monotonic())
        return asked[-1]

    source = PicameraSource(0, SIZE_PX, pixel_format="NV12", make=VirtualCamera, clock=clock)
    with source:
        frames = read(source, 4 * FRAMES)
    seen = {which(frame.data, pictures) for frame in frames}
    assert seen == set(range(len(pictures))), f"never seen: {set(range(len(pictures))) - seen}"
    ages_s = [now_s - frame.time_s for now_s, frame in zip(asked, frames, strict=True)]
    assert min(ages_s) > 0.0, "the sensor's time was not used"
    assert max(ages_s) < 1.0
    return (
        f"{len(frames)} frames {frames[0].data.shape} {frames[0].data.dtype}, all {len(seen)} pictures of ours seen; "
        f"sensor's time rises, {1e3 * max(ages_s):.1f} ms old at most"
    )


def check_newest(pictures: list[np.ndarray]) -> str:
    """In its thread, read too slowly: the newest frame each time, and the others counted."""
    with NewestFrame(adapter()) as source:
        frames = read(source, FRAMES, pause_s=0.02)
        for frame in frames:
            which(frame.data, pictures)
    dropped = sum(frame.dropped for frame in frames)
    assert dropped > 0
    return f"{len(frames)} frames read slowly, {dropped} dropped and counted (indices up to {frames[-1].index})"


def holdings() -> tuple[int, int, int]:
    """The buffers, files and threads of this process; a closed Picamera2's buffers are freed at once."""
    buffers = sum("memfd:" in os.path.realpath(link) for link in Path("/proc/self/fd").iterdir())
    # Its event files wait for the collector, because Picamera2's parts hold each other.
    gc.collect()
    return buffers, len(os.listdir("/proc/self/fd")), threading.active_count()


def check_reopening(pictures: list[np.ndarray]) -> str:
    """Closing gives everything back; the same source opens again; the default format is asked for and mended."""
    source = NewestFrame(adapter())
    opened_s, held = [], []
    for _ in range(6):
        start_s = time.monotonic()
        with source:
            opened_s.append(time.monotonic() - start_s)
            read(source, 3)
        held.append(holdings())
    assert len(set(held)) == 1, f"buffers, files and threads held after each closing: {held}"
    with adapter("BGR888") as default:
        which(default.read().data, pictures)
    return (
        f"closed and opened 6 times, {1e3 * max(opened_s):.0f} ms at most; no buffer, file or thread left; "
        "a camera that gives NV12 where BGR888 was asked is read rightly"
    )


def check_command_line(pictures: list[np.ndarray]) -> str:
    """`--camera picamera2` and `--camera auto` find and open it through the real list of cameras."""
    assert attached_cameras() == ["edge virtual"], attached_cameras()
    picamera2.Picamera2 = VirtualCamera
    try:
        for spec in ("picamera2", "picamera2:0", "auto"):
            source = open_source(spec)
            assert source.name == "Picamera2 0"
            assert not source.simulated
            which(source.read(2.0).data, pictures)
            source.close()
    finally:
        picamera2.Picamera2 = Picamera2
    return "--camera picamera2, picamera2:0 and auto open it; the list of cameras is ['edge virtual']"


def refusal(source: PicameraSource) -> str:
    """The one line with which a source refuses to open."""
    try:
        source.open()
    except SourceError as error:
        line = str(error)
    else:
        source.close()
        raise AssertionError(f"{source.name} opened")
    assert "\n" not in line
    return line


def check_refusals(pictures: list[np.ndarray]) -> str:
    """A camera that cannot be opened is one line, and neither harms the one that is open nor the next opening."""
    with adapter() as first:
        busy = refusal(adapter())
        missing = refusal(PicameraSource(1))
        which(first.read().data, pictures)
    useless = refusal(PicameraSource(0))
    assert "half made" in refusal(PicameraSource(0, make=HalfMade))
    with adapter() as again:
        which(again.read().data, pictures)
    return (
        f"busy: {busy!r}; missing: {missing!r}; no raw modes: {useless!r}; "
        "it opens after each of them, and after a half-made Picamera2"
    )


def check_loss(pictures: list[np.ndarray]) -> str:
    """A camera that falls silent is opened anew by itself, and its indices go on."""

    def acquire() -> Source:
        source = NewestFrame(adapter(), stall_s=0.5)
        source.open()
        return source

    with ReconnectingSource(acquire) as camera:
        before = read(camera, 5)[-1]
        VirtualCamera.latest.stop()
        lost_s = time.monotonic()
        states = []
        while True:
            assert time.monotonic() - lost_s < 20.0, camera.fault
            try:
                after = camera.read(0.2)
            except SourceTimeout:
                states.append(camera.state)
                continue
            if states:
                break
        back_s = time.monotonic() - lost_s
        which(after.data, pictures)
        frames = read(camera, 5)
    assert "waiting" in states
    assert before.index < after.index < frames[0].index
    assert after.time_s > before.time_s
    return f"stopped under its reader: lost, opened anew and delivering again {back_s:.1f} s later"


def main() -> None:
    """Run every check, a line each."""
    folder = Path(sys.argv[1])
    # It prints the errors that are provoked here.
    logging.getLogger("picamera2").setLevel(logging.CRITICAL)
    pictures = draw_pictures()
    show(pictures, folder)
    libcamera_version = libcamera.CameraManager.singleton().version
    print(f"libcamera {libcamera_version}, Picamera2 {version('picamera2')}, NumPy {np.__version__}")
    checks = (check_pictures, check_newest, check_reopening, check_command_line, check_refusals, check_loss)
    for check in checks:
        print(f"{check.__name__.removeprefix('check_').replace('_', ' ')}: {check(pictures)}", flush=True)
    print(f"check-camera passed: {len(checks)} checks")


if __name__ == "__main__":
    main()
