"""The Picamera2 adapter against a stand-in of its module, and the pixel formats against FFmpeg's conversion."""

from __future__ import annotations

import gc
import sys
import weakref
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from source_contract import check_source

from device.sources.newest import NewestFrame
from device.sources.picamera import PicameraSource, attached_cameras
from device.sources.pixels import unpack, yuv_to_rgb
from edge_tl.errors import ConfigError, MissingDependency, SourceClosed, SourceError, SourceTimeout

SIZE_PX = (8, 4)
RGB = np.arange(8 * 4 * 3, dtype=np.uint8).reshape(4, 8, 3)


def packed(picture: np.ndarray, order: tuple[int, ...], stride: int) -> np.ndarray:
    """A picture as a camera lays it in memory, with padding at the end of each row."""
    rows = np.full((picture.shape[0], stride), 255, np.uint8)
    channels = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])[..., order]
    rows[:, : channels[0].size] = channels.reshape(picture.shape[0], -1)
    return rows.ravel()


class Request:
    """A completed request that knows whether it was given back."""

    def __init__(self, camera: StandIn) -> None:
        self.camera = camera

    def make_buffer(self, stream: str) -> np.ndarray:
        assert stream == "main"
        if self.camera.fault:
            raise self.camera.fault
        return self.camera.buffer.copy()

    def get_metadata(self) -> dict[str, Any]:
        return {"SensorTimestamp": self.camera.stamp_ns}

    def release(self) -> None:
        self.camera.held -= 1


class StandIn:
    """Picamera2 as its source (0.3.36) behaves where the adapter uses it: jobs, requests, its configuration."""

    cameras = (
        {"Model": "imx708", "Id": "/base/i2c", "Num": 0},
        {"Model": "imx219", "Id": "/base/i2c1", "Num": 1},
    )
    made: StandIn | None = None

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.calls: list[str] = []
        self.camera_controls = {"FrameDurationLimits": (0, 0, 0)}
        self.buffer = packed(RGB, (0, 1, 2), 32)
        self.delivered = {"format": "BGR888", "size": SIZE_PX, "stride": 32}
        self.range = "Limited"
        self.stamp_ns = 41_900_000_000
        self.jobs = self.held = 0
        self.silent = False
        self.fault: Exception | None = None
        type(self).made = self

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        return list(StandIn.cameras)

    def create_video_configuration(self, **settings: Any) -> dict[str, Any]:
        self.settings = settings
        return {"main": dict(settings["main"])}

    def configure(self, configuration: dict[str, Any]) -> None:
        self.calls.append("configure")

    def camera_configuration(self) -> dict[str, Any]:
        return {
            "main": self.delivered,
            "colour_space": SimpleNamespace(range=SimpleNamespace(name=self.range)),
        }

    def start(self) -> None:
        self.calls.append("start")

    def capture_request(self, wait: bool) -> Any:
        assert wait is False
        self.jobs += 1

        def get_result(timeout: float) -> Request:
            if self.silent:
                raise TimeoutError
            self.held += 1
            return Request(self)

        return SimpleNamespace(get_result=get_result)

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture
def picamera2(monkeypatch: pytest.MonkeyPatch) -> type[StandIn]:
    """The stand-in as the installed Picamera2."""
    module = ModuleType("picamera2")
    module.Picamera2 = StandIn  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "picamera2", module)
    return StandIn


def source(**settings: Any) -> PicameraSource:
    """An adapter of the stand-in's size whose clock stands at 42 s."""
    return PicameraSource(size_px=SIZE_PX, clock=lambda: 42.0, **settings)


@pytest.mark.usefixtures("picamera2")
def test_it_keeps_the_contract_of_a_source() -> None:
    """The adapter behaves like any source, alone and in its thread."""
    check_source(source)
    check_source(lambda: NewestFrame(source()))


def test_what_is_asked_of_picamera2(picamera2: type[StandIn]) -> None:
    """RGB in memory (which libcamera calls BGR888), 30 frames a second, four buffers, no preview; closed at the end."""
    with source() as camera:
        made = picamera2.made
        assert made is not None
        frame = camera.read()
    np.testing.assert_array_equal(frame.data, RGB)
    assert made.settings["main"] == {"format": "BGR888", "size": SIZE_PX}
    assert made.settings["controls"] == {"FrameDurationLimits": (33333, 33333)}
    assert (made.settings["buffer_count"], made.settings["display"], made.settings["encode"]) == (4, None, None)
    assert made.calls == ["configure", "start", "close"]
    assert made.held == 0


def test_a_camera_whose_rate_is_fixed_is_not_asked_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """A control that the camera has not is not set, because Picamera2 refuses it."""
    made = StandIn()
    made.camera_controls = {}
    with source(make=lambda number: made) as camera:
        camera.read()
    assert made.settings["controls"] == {}


@pytest.mark.parametrize(
    ("name", "order", "stride"),
    [
        ("BGR888", (0, 1, 2), 24),
        ("RGB888", (2, 1, 0), 32),
        ("XBGR8888", (0, 1, 2, 3), 64),
        ("XRGB8888", (2, 1, 0, 3), 32),
    ],
)
def test_packed_formats_become_rgb(name: str, order: tuple[int, ...], stride: int) -> None:
    """Whatever the byte order and the padding of its rows, the picture comes out as RGB."""
    made = StandIn()
    made.buffer, made.delivered = packed(RGB, order, stride), {"format": name, "size": SIZE_PX, "stride": stride}
    with source(make=lambda number: made) as camera:
        np.testing.assert_array_equal(camera.read().data, RGB)


def planes(height: int, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Luma of all levels, and colours in large patches, so that nobody's way of smoothing colour matters."""
    rng = np.random.default_rng(0)
    y = rng.integers(16, 236, (height, width)).astype(np.uint8)
    patches = rng.integers(60, 196, (2, 4, 4)).astype(np.uint8)
    u, v = (np.kron(patch, np.ones((height // 8, width // 8), np.uint8)) for patch in patches)
    return y, u, v


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("name", ["NV12", "YUV420"])
def test_planar_formats_equal_ffmpegs_conversion(name: str, full: bool) -> None:
    """NV12 and YUV420 of either range agree with FFmpeg's own conversion."""
    av = pytest.importorskip("av", reason="PyAV is the reference")
    height, width, stride = 32, 64, 80
    y, u, v = planes(height, width)
    chroma = [np.dstack([u, v]).reshape(height // 2, width)] if name == "NV12" else [u, v]
    flat = np.vstack([plane.reshape(-1, width) for plane in (y, *chroma)])
    frame = av.VideoFrame.from_ndarray(flat, format="nv12" if name == "NV12" else "yuv420p")
    reference = frame.reformat(
        format="rgb24",
        src_colorspace="ITU601",
        dst_colorspace="ITU601",
        src_color_range="JPEG" if full else "MPEG",
        dst_color_range="JPEG",
        interpolation="POINT",
    ).to_ndarray()
    row = stride if name == "NV12" else stride // 2
    padded = [np.pad(y, ((0, 0), (0, stride - width)))]
    padded += [np.pad(plane, ((0, 0), (0, row - plane.shape[1]))) for plane in chroma]
    ours = unpack(np.concatenate([p.ravel() for p in padded]), name, (width, height), stride, full)
    # FFmpeg smooths colour where patches meet; away from there the two must agree.
    inner = np.zeros((8, 16), bool)
    inner[2:-2, 2:-2] = True
    mask = np.tile(inner, (4, 4))
    far = np.abs(ours.astype(int) - reference.astype(int))[mask]
    # FFmpeg's tables round coarsely; the next test holds ours within 1 level of the standard's own arithmetic.
    assert far.max() <= 3
    assert far.mean() < 1.5


def test_colours_equal_the_matrix_of_the_standard() -> None:
    """Every luma with every fourth colour agrees within 1 level with BT.601 in floating point, clipped."""
    y, u, v = (
        grid.astype(np.uint8) for grid in np.meshgrid(np.arange(256), *[np.arange(0, 256, 4)] * 2, indexing="ij")
    )
    y, u, v = (grid.reshape(256, -1) for grid in (y, u, v))
    luma = np.kron(y, np.ones((2, 2), np.uint8))
    ours = yuv_to_rgb(luma, u, v)[::2, ::2].astype(float)
    scaled = 255 / 219 * (y.astype(float) - 16)
    blue, red = (255 / 224 * (plane.astype(float) - 128) for plane in (u, v))
    exact = np.dstack([scaled + 1.402 * red, scaled - 0.344136 * blue - 0.714136 * red, scaled + 1.772 * blue])
    assert np.abs(ours - np.clip(exact, 0, 255)).max() < 1.0


def test_the_range_of_a_planar_camera_is_read_from_its_configuration() -> None:
    """Full-range luma (sYCC) stays as it is; limited luma is stretched to 0..255."""
    seen = {}
    for name in ("Full", "Limited"):
        made = StandIn()
        made.range = name
        made.buffer = np.concatenate([np.full(32, 235, np.uint8), np.full(16, 128, np.uint8)])
        made.delivered = {"format": "NV12", "size": SIZE_PX, "stride": 8}
        with source(make=lambda number, made=made: made, pixel_format="NV12") as camera:
            seen[name] = int(camera.read().data[0, 0, 0])
    assert seen == {"Full": 235, "Limited": 255}


@pytest.mark.parametrize(("stamp_ns", "time_s"), [(41_900_000_000, 41.9), (43_000_000_000, 42.0), (0, 42.0)])
def test_a_frame_carries_the_sensors_time_where_that_is_plausible(stamp_ns: int, time_s: float) -> None:
    """The sensor's time stamp is used, unless it is from the future or long ago: then it is of another clock."""
    made = StandIn()
    made.stamp_ns = stamp_ns
    with source(make=lambda number: made) as camera:
        assert camera.read().time_s == pytest.approx(time_s)


def test_a_silent_camera_times_out_and_keeps_no_buffer() -> None:
    """A time-out leaves one request waiting, and the next read takes that one instead of asking for a second."""
    made = StandIn()
    with source(make=lambda number: made) as camera:
        made.silent = True
        for _ in range(3):
            with pytest.raises(SourceTimeout):
                camera.read(timeout_s=0.1)
        assert made.jobs == 1
        made.silent = False
        assert camera.read().index == 0
    assert made.held == 0


def test_a_camera_that_fails_gives_its_buffer_back() -> None:
    """A failure while reading is one line, and the request is released all the same."""
    made = StandIn()
    with source(make=lambda number: made) as camera:
        made.fault = RuntimeError("dma heap\nfull")
        with pytest.raises(SourceError, match=r"RuntimeError: dma heap\); check its cable"):
            camera.read()
        assert made.held == 0


def test_a_camera_that_cannot_be_opened_is_one_line() -> None:
    """What libcamera raises becomes one line, and a format that cannot be read is named."""

    def busy(number: int) -> Any:
        raise RuntimeError("Camera __init__ sequence did not complete.") from RuntimeError("Device or resource busy")

    with pytest.raises(SourceError, match=r"cannot be opened \(Device or resource busy\)"):
        source(make=busy).open()
    made = StandIn()
    made.delivered = {"format": "MJPEG", "size": SIZE_PX, "stride": 0}
    camera = source(make=lambda number: made)
    with pytest.raises(SourceError, match="it delivers MJPEG; wanted one of BGR888"):
        camera.open()
    assert made.calls[-1] == "close"
    with pytest.raises(SourceClosed):
        camera.read()


def test_a_camera_that_failed_half_made_can_be_opened_again() -> None:
    """Picamera2's constructor, failing late, holds the camera in a cycle of references; the next open has it anyway."""
    holders: weakref.WeakSet[StandIn] = weakref.WeakSet()

    class Late(StandIn):
        def __init__(self, number: int) -> None:
            if holders:
                raise RuntimeError("Failed to acquire camera: Device or resource busy")
            super().__init__(number)
            type(self).made = None
            if attempts.pop():
                holders.add(self)
                self.helpers = self
                raise RuntimeError("no dma heap")

    gc.disable()
    try:
        attempts = [False, True]
        with pytest.raises(SourceError, match="no dma heap"):
            source(make=Late).open()
        with source(make=Late) as camera:
            assert camera.read().index == 0
    finally:
        gc.enable()


@pytest.mark.usefixtures("picamera2")
def test_a_camera_that_is_not_attached_is_one_line() -> None:
    """A number beyond the attached cameras says how many there are."""
    assert attached_cameras() == ["imx708", "imx219"]
    with pytest.raises(SourceError, match="Picamera2 2: libcamera finds 2 cameras"):
        source(number=2).open()


def test_without_picamera2_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Picamera2 is missing or broken by another NumPy, the message says how to mend it."""

    class Broken:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "picamera2":
                raise ValueError("numpy.dtype size changed, may indicate binary incompatibility")

    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(MissingDependency, match="sudo apt install -y python3-picamera2"):
        source().open()
    monkeypatch.delitem(sys.modules, "picamera2")
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(MissingDependency, match=r"cannot be imported \(numpy.dtype size changed"):
        attached_cameras()


def test_impossible_settings_are_refused() -> None:
    """Odd sizes and unknown formats are refused before anything is opened."""
    with pytest.raises(ConfigError, match="wanted even numbers"):
        PicameraSource(size_px=(641, 480))
    with pytest.raises(ConfigError, match="'RGB'; wanted one of BGR888"):
        PicameraSource(pixel_format="RGB")
    with pytest.raises(SourceError, match="the driver's buffer is short"):
        unpack(np.zeros(10, np.uint8), "NV12", (8, 4), 8)
