"""USB cameras and video files, on videos encoded here."""

from __future__ import annotations

import errno
import os
import re
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from source_contract import check_source

from device.sources import v4l2
from device.sources.usb import UsbCamera, VideoFile
from device.sources.v4l2 import CAPABILITY, Device, find_cameras, parse_capability, query, video_nodes
from edge_tl.errors import MissingDependency, SourceClosed, SourceError, SourceTimeout, to_install

av = pytest.importorskip("av", reason='PyAV is not installed: pip install "edge-tl[usb]"')
LEVELS = (40, 90, 140, 190)


class Clock:
    """A clock that only `sleep` moves on."""

    def __init__(self) -> None:
        self.now_s = 50.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Four frames at 10 a second, each of one grey level, with a white bar along the top."""
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.bit_rate = 4_000_000
        for level in LEVELS:
            picture = np.full((48, 64, 3), level, np.uint8)
            picture[:8] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def level(picture: np.ndarray) -> int:
    """The grey level in the middle of a picture."""
    return int(np.median(picture[picture.shape[0] // 2 - 4 : picture.shape[0] // 2 + 4, 28:36]))


def test_a_video_keeps_the_contract_of_a_source(film: Path) -> None:
    """A video file behaves like any other source."""
    check_source(lambda: VideoFile(film))
    clock = Clock()
    check_source(lambda: VideoFile(film, loop=True, paced=True, clock=clock, sleep=clock.sleep), frames=9)


def test_the_frames_come_as_they_were_encoded(film: Path) -> None:
    """All frames come in order, in RGB, with the recording's times, and then the source is closed."""
    with VideoFile(film, clock=Clock()) as video:
        frames = [video.read() for _ in LEVELS]
        with pytest.raises(SourceClosed, match="4 frames delivered, which is all"):
            video.read()
    np.testing.assert_allclose([level(frame.data) for frame in frames], LEVELS, atol=4)
    assert frames[0].data.shape == (48, 64, 3)
    assert frames[0].data[:4].min() > 240
    np.testing.assert_allclose([frame.time_s for frame in frames], [50.0, 50.1, 50.2, 50.3])


def test_a_loop_goes_on_in_time(film: Path) -> None:
    """A looped video begins again one frame later, as if it were one long recording."""
    with VideoFile(film, loop=True, clock=Clock()) as video:
        frames = [video.read() for _ in range(9)]
    np.testing.assert_allclose([level(frame.data) for frame in frames], [*LEVELS, *LEVELS, LEVELS[0]], atol=4)
    np.testing.assert_allclose(np.diff([frame.time_s for frame in frames]), 0.1)


def test_a_paced_video_waits_and_a_late_reader_makes_it_late(film: Path) -> None:
    """Paced frames come at their time; one due too late is a SourceTimeout; after a pause nothing comes in a burst."""
    clock = Clock()
    with VideoFile(film, paced=True, clock=clock, sleep=clock.sleep) as video:
        assert video.read().time_s == pytest.approx(50.0)
        with pytest.raises(SourceTimeout):
            video.read(timeout_s=0.04)
        assert video.read().time_s == pytest.approx(50.1)
        clock.now_s += 3.0
        times = [video.read().time_s for _ in range(2)]
    np.testing.assert_allclose(times, [53.1, 53.2])


@pytest.mark.parametrize(
    ("matrix", "bright"), [((0, 1, -1, 0), "right"), ((-1, 0, 0, -1), "bottom"), ((0, -1, 1, 0), "left")]
)
def test_a_recording_is_turned_upright(film: Path, matrix: tuple[int, ...], bright: str) -> None:
    """The display matrix that phones write is honoured: the bar at the top goes where the matrix puts it."""
    if not hasattr(av.VideoFrame, "rotation"):
        pytest.skip(f"PyAV {av.__version__} does not tell the rotation")
    data = bytearray(film.read_bytes())
    # The track header's matrix: a, b, u, c, d, v, x, y, w, 40 bytes after the box's name (ISO/IEC 14496-12).
    a, b, c, d = (value * 65536 for value in matrix)
    at = data.index(b"tkhd") + 44
    data[at : at + 20] = struct.pack(">5i", a, b, 0, c, d)
    film.write_bytes(data)
    with VideoFile(film) as video:
        picture = video.read().data
    sides = {"left": picture[:, :4], "right": picture[:, -4:], "top": picture[:4], "bottom": picture[-4:]}
    assert max(sides, key=lambda side: sides[side].mean()) == bright
    assert picture.shape == ((48, 64, 3) if bright == "bottom" else (64, 48, 3))


def test_what_is_no_video_is_one_line(tmp_path: Path) -> None:
    """A missing file, a file of noise and a truncated one are SourceErrors of one line."""
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(2000))
    (tmp_path / "empty.mp4").touch()
    for name in ("absent.mp4", "noise.mp4", "empty.mp4"):
        with pytest.raises(SourceError, match="wanted a video file") as error:
            VideoFile(tmp_path / name).open()
        assert "\n" not in str(error.value)


def test_a_recording_without_pictures_is_one_line(tmp_path: Path) -> None:
    """A sound file is not taken for a video."""
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    with pytest.raises(SourceError, match="it holds no pictures"):
        VideoFile(path).open()


def test_without_pyav_the_command_is_named(monkeypatch: pytest.MonkeyPatch, film: Path) -> None:
    """Where PyAV is not installed both sources say how to install it."""
    monkeypatch.setitem(sys.modules, "av", None)
    for source in (VideoFile(film), UsbCamera(0)):
        with pytest.raises(MissingDependency, match=re.escape(to_install("[usb]"))):
            source.open()


def test_a_missing_usb_camera_is_one_line(tmp_path: Path) -> None:
    """A number that is not there, and no camera at all, say what to do."""
    with pytest.raises(SourceError, match=r"USB camera 7: there is no .*video7; plug it in"):
        UsbCamera(7, folder=tmp_path).open()
    with pytest.raises(SourceError, match="is a USB camera; plug one in"):
        UsbCamera(folder=tmp_path).open()


def test_a_node_that_is_no_camera_is_refused_by_the_driver(tmp_path: Path) -> None:
    """FFmpeg's real V4L2 input says that a plain file is no video device, and that becomes one line."""
    (tmp_path / "video0").write_bytes(b"not a device")
    with pytest.raises(SourceError, match="USB camera 0: ") as error:
        UsbCamera(0, folder=tmp_path).open()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        (errno.EACCES, "sudo usermod -aG video"),
        (errno.EBUSY, "another program is using it"),
        (errno.ENODEV, "was it unplugged"),
    ],
)
def test_why_a_usb_camera_does_not_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, wanted: str
) -> None:
    """Permission, another program and an unplugged camera each get the line that helps."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    (tmp_path / "video0").touch()
    monkeypatch.setattr(av, "open", refuse)
    with pytest.raises(SourceError, match=wanted):
        UsbCamera(0, folder=tmp_path).open()


@pytest.fixture
def usb(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """/dev/video0 played by the film; the list of options it was opened with; MJPEG and 30 frames it has not."""
    asked: list[dict[str, str]] = []
    really_open = av.open

    def play(file: str, format: str, options: dict[str, str]) -> Any:
        assert (file, format) == (str(tmp_path / "video0"), "v4l2")
        asked.append(options)
        if "input_format" in options:
            raise OSError(errno.EINVAL, "Invalid argument")
        return really_open(str(film))

    (tmp_path / "video0").touch()
    monkeypatch.setattr(av, "open", play)
    return asked


def test_a_usb_camera_is_asked_for_mjpeg_and_then_for_less(usb: list[dict[str, str]], tmp_path: Path) -> None:
    """640×480 at 30 in MJPEG is asked for first; a camera without MJPEG is opened without it, and frames come."""
    camera = UsbCamera(0, folder=tmp_path, clock=lambda: 5.0)
    camera.open()
    assert usb == [
        {"video_size": "640x480", "framerate": "30", "input_format": "mjpeg"},
        {"video_size": "640x480", "framerate": "30"},
    ]
    frames = [camera.read() for _ in LEVELS]
    np.testing.assert_allclose([level(frame.data) for frame in frames], LEVELS, atol=4)
    assert [(frame.index, frame.time_s) for frame in frames] == [(n, 5.0) for n in range(4)]
    with pytest.raises(SourceError, match="was it unplugged") as stopped:
        camera.read()
    assert not isinstance(stopped.value, SourceClosed)
    camera.close()


@pytest.mark.usefixtures("usb")
def test_a_usb_camera_keeps_the_contract_of_a_source(tmp_path: Path) -> None:
    """The USB adapter behaves like any other source."""
    check_source(lambda: UsbCamera(0, folder=tmp_path))


# Answers in the kernel's form, made up from its drivers' sources: driver, card, bus, flags of device and of node.
NODES = {
    "webcam": (b"uvcvideo", b"HD Pro Webcam C920", b"usb-xhci-hcd.0-1", 0x84A00001, 0x04200001),
    "its metadata": (b"uvcvideo", b"HD Pro Webcam C920", b"usb-xhci-hcd.0-1", 0x84A00001, 0x04A00000),
    "Pi camera": (b"rp1-cfe", b"rp1-cfe", b"platform:1f00110000.csi", 0xA4A00001, 0x24200001),
    "decoder": (b"rpi-hevc-dec", b"rpi-hevc-dec", b"platform:rpi-hevc-dec", 0x84204000, 0x04204000),
    "loopback": (b"v4l2 loopback", b"Dummy video device", b"platform:v4l2loopback-000", 0x85200003, 0x05200003),
}


@pytest.mark.parametrize("name", NODES)
def test_only_cameras_are_taken_for_cameras(name: str) -> None:
    """Of a Pi's many video nodes only the webcam's picture node and a loopback are cameras."""
    driver, card, bus, flags, node_flags = NODES[name]
    device = parse_capability(Path("/dev/video0"), CAPABILITY.pack(driver, card, bus, 0x60C00, flags, node_flags))
    assert (device.driver, device.card) == (driver.decode(), card.decode())
    assert device.is_camera == (name in ("webcam", "loopback"))


def test_the_request_is_the_kernels() -> None:
    """The ioctl's number is that of linux/videodev2.h."""
    assert v4l2.VIDIOC_QUERYCAP == 0x80685600


def test_nodes_are_found_by_number(tmp_path: Path) -> None:
    """video10 comes after video2, and other names are left out; a plain file answers nothing."""
    for name in ("video10", "video2", "video2x", "videocodec"):
        (tmp_path / name).touch()
    assert [path.name for path in video_nodes(tmp_path)] == ["video2", "video10"]
    assert query(tmp_path / "video2") is None
    assert find_cameras([*video_nodes(tmp_path), tmp_path / "absent"]) == []


def test_permission_is_only_the_fault_where_nothing_else_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forbidden node beside an open camera is skipped; where all are forbidden the reason is passed on."""
    camera = Device(Path("video1"), "uvcvideo", "webcam", "usb-1", v4l2.VIDEO_CAPTURE)

    def answer(path: Path) -> Device:
        if path.name == "video0":
            raise PermissionError(errno.EACCES, "Permission denied")
        return camera

    monkeypatch.setattr(v4l2, "query", answer)
    assert find_cameras([Path("video0"), Path("video1")]) == [camera]
    with pytest.raises(PermissionError):
        find_cameras([Path("video0")])
