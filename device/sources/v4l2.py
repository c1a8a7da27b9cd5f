"""Which of Linux's /dev/video* are cameras: most of them on a Raspberry Pi are codecs and parts of its ISP."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# linux/videodev2.h: struct v4l2_capability is driver, card, bus_info, version, capabilities, device_caps, reserved[3].
CAPABILITY = struct.Struct("=16s32s32s3I12x")
VIDIOC_QUERYCAP = (2 << 30) | (CAPABILITY.size << 16) | (ord("V") << 8)
VIDEO_CAPTURE = 0x1
MEMORY_TO_MEMORY = 0x4000 | 0x8000
HAS_DEVICE_CAPS = 0x80000000
VIRTUAL_DRIVERS = ("v4l2 loopback", "vivid")


@dataclass(frozen=True)
class Device:
    """One /dev/video node."""

    path: Path
    driver: str
    card: str
    """What the maker calls it."""
    bus: str
    flags: int
    """V4L2_CAP_ flags of this node."""

    @property
    def is_camera(self) -> bool:
        """True for a USB (or virtual) camera's picture node; its metadata node and the Pi's own devices are none."""
        if not self.flags & VIDEO_CAPTURE or self.flags & MEMORY_TO_MEMORY:
            return False
        # The Pi's camera receiver (unicam, rp1-cfe) is a capture device of the platform bus: raw data, for libcamera.
        return self.bus.startswith("usb") or self.driver in VIRTUAL_DRIVERS


def parse_capability(path: Path, answer: bytes) -> Device:
    """The kernel's answer to VIDIOC_QUERYCAP, 104 bytes, as a Device."""
    driver, card, bus, _version, flags, device_flags = CAPABILITY.unpack(answer)
    name, maker, where = (text.split(b"\0")[0].decode(errors="replace") for text in (driver, card, bus))
    return Device(path, name, maker, where, device_flags if flags & HAS_DEVICE_CAPS else flags)


def query(path: Path) -> Device | None:
    """What the kernel says of a node; None for one that is no V4L2 device; OSError where it cannot be opened."""
    import fcntl

    handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        return parse_capability(path, fcntl.ioctl(handle, VIDIOC_QUERYCAP, bytes(CAPABILITY.size)))
    except OSError:
        return None
    finally:
        os.close(handle)


def video_nodes(folder: Path = Path("/dev")) -> list[Path]:
    """All /dev/videoN by number."""
    nodes = [path for path in folder.glob("video*") if re.fullmatch(r"video\d+", path.name)]
    return sorted(nodes, key=lambda path: int(path.name[5:]))


def find_cameras(nodes: Iterable[Path]) -> list[Device]:
    """The cameras among the nodes; PermissionError where every node there is refuses to be opened."""
    cameras, refused, answered = [], None, False
    for node in nodes:
        try:
            device = query(node)
        except PermissionError as error:
            refused = error
            continue
        except OSError:
            continue
        answered = True
        if device is not None and device.is_camera:
            cameras.append(device)
    if refused is not None and not answered:
        raise refused
    return cameras
