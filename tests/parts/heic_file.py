"""A HEIC picture as an iPhone writes one, but in one piece: a frame of HEVC in the boxes of ISO 23008-12."""

from __future__ import annotations

import re
import struct
from fractions import Fraction

import numpy as np
import pytest

av = pytest.importorskip("av", reason='PyAV is not installed: pip install "edge-tl[phone]"')


def heic(picture: np.ndarray, quarters: int = 0) -> bytes:
    """A picture uint8 (height, width, 3), sides even and 64 at least, to be turned so many quarters to the left."""
    if "libx265" not in av.codecs_available:
        pytest.skip("this PyAV has no libx265")
    encoder = av.CodecContext.create("libx265", "w")
    encoder.height, encoder.width = picture.shape[:2]
    encoder.pix_fmt, encoder.time_base = "yuv420p", Fraction(1, 1)
    encoder.options = {"x265-params": "log-level=none:repeat-headers=1"}
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
    frame.pts = 0
    stream = b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))
    units = [unit for unit in re.split(b"\0?\0\0\1", stream) if unit]
    heads = {kind: [unit for unit in units if unit[0] >> 1 == kind] for kind in (32, 33, 34)}  # VPS, SPS, PPS
    coded = b"".join(struct.pack(">I", len(unit)) + unit for unit in units if unit[0] >> 1 < 32)
    profile = heads[33][0].replace(b"\0\0\3", b"\0\0")[3:15]
    arrays = b"".join(
        bytes([0x80 | kind, 0, 1]) + struct.pack(">H", len(unit)) + unit for kind, (unit,) in heads.items()
    )
    config = _box(b"hvcC", b"\1" + profile + b"\xf0\0\xfc\xfd\xf8\xf8\0\0\x0f\3" + arrays)
    size = _full(b"ispe", struct.pack(">II", picture.shape[1], picture.shape[0]))
    properties = _box(b"ipco", config, size, _box(b"irot", bytes([quarters])))
    used = _full(b"ipma", struct.pack(">IHB", 1, 1, 3) + bytes([0x81, 2, 0x83]))

    def meta(offset: int) -> bytes:
        return _full(
            b"meta",
            _full(b"hdlr", b"\0\0\0\0pict" + bytes(13)),
            _full(b"pitm", struct.pack(">H", 1)),
            _full(b"iloc", struct.pack(">BBHHHHII", 0x44, 0, 1, 1, 0, 1, offset, len(coded))),
            _full(b"iinf", struct.pack(">H", 1), _box(b"infe", b"\2\0\0\0" + struct.pack(">HH", 1, 0) + b"hvc1\0")),
            _box(b"iprp", properties, used),
        )

    head = _box(b"ftyp", b"heic\0\0\0\0mif1heic")
    return head + meta(len(head) + len(meta(0)) + 8) + _box(b"mdat", coded)


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def _full(kind: bytes, *parts: bytes) -> bytes:
    return _box(kind, bytes(4), *parts)
